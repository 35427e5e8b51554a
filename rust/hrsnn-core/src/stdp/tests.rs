//! The rule, the history and single synapses, whose weights have a closed form.

use super::*;

mod one_by_one;

const RULE: Rule<f64> =
    Rule { w_min: 0.0, w_max: 4.0, mu_plus: 0.0, mu_minus: 0.0, pairing: Pairing::AllToAll };
const NEAREST: Rule<f64> = Rule { pairing: Pairing::Nearest, ..RULE };

#[test]
fn weights_are_clipped_to_both_bounds() {
    let rule = Rule { w_min: 0.5, ..RULE };
    let clipped = [-1.0, 0.5, 0.7, 4.0, 9.0].map(|w| rule.clip(w));
    assert_eq!(clipped, [0.5, 0.5, 0.7, 4.0, 4.0]);
    assert_eq!((rule.potentiated(3.9, 0.2), rule.depressed(0.6, 0.2)), (4.0, 0.5));
}

#[test]
fn without_weight_dependence_a_change_is_its_amount() {
    assert_eq!((RULE.potentiated(1.0, 0.25), RULE.depressed(1.0, 0.25)), (1.25, 0.75));
}

#[test]
fn soft_bounds_scale_a_change_by_the_distance_to_the_bound() {
    let rule = Rule { w_min: 0.5, mu_plus: 1.0, mu_minus: 2.0, ..RULE };
    assert_eq!(rule.potentiated(3.5, 0.25), 3.5 + 0.25 * 0.5);
    assert_eq!(rule.depressed(2.0, 0.25), 2.0 - 0.25 * 1.5 * 1.5);
    let roots = Rule { mu_plus: 0.5, mu_minus: 0.5, ..rule };
    assert!((roots.potentiated(1.5, 0.1) - (1.5 + 0.1 * 2.5_f64.sqrt())).abs() < 1e-15);
    assert!((roots.depressed(1.5, 0.1) - 1.4).abs() < 1e-15);
    for bounded in [rule, roots] {
        assert_eq!((bounded.potentiated(4.0, 9.0), bounded.depressed(0.5, 9.0)), (4.0, 0.5));
    }
}

#[test]
fn a_spike_raises_a_trace_by_one_or_sets_it_to_one() {
    assert_eq!([0, 1, 3].map(|count| RULE.raised(0.25, count)), [0.25, 1.25, 3.25]);
    assert_eq!([0, 1, 3].map(|count| NEAREST.raised(0.25, count)), [0.25, 1.0, 1.0]);
}

fn pending(history: &History, i: usize, since: i64) -> Vec<i64> {
    let mut into = vec![-7];
    history.pending(i, since, &mut into);
    into
}

#[test]
fn a_history_gives_the_spikes_of_a_neuron_oldest_first() {
    let mut history = History::default();
    history.reset(3);
    for (i, t) in [(0, 10), (2, 10), (0, 11), (2, 30), (0, 50)] {
        history.push(i, t);
    }
    assert_eq!(history.latest, [50, i64::MIN, 30]);
    assert_eq!(pending(&history, 0, 0), [10, 11, 50]);
    assert_eq!(pending(&history, 0, 11), [11, 50], "those at the time itself are included");
    assert_eq!(pending(&history, 0, 12), [50]);
    assert_eq!(pending(&history, 0, 51), [0_i64; 0]);
    assert_eq!(pending(&history, 1, 0), [0_i64; 0]);
    assert_eq!(pending(&history, 2, i64::MIN), [10, 30]);
}

#[test]
fn a_history_forgets_spikes_but_not_when_the_latest_was() {
    let mut history = History::default();
    history.reset(2);
    history.push(0, 10);
    history.push(1, 20);
    history.forget(2);
    assert_eq!(history.latest, [10, 20]);
    assert!(history.spikes.is_empty());
    assert_eq!(pending(&history, 0, 0), [0_i64; 0]);
    history.push(1, 30);
    assert_eq!(pending(&history, 1, 0), [30]);
    assert_eq!((history.latest[1], history.spikes.len()), (30, 1));
}

#[test]
fn a_history_that_was_reset_knows_nothing() {
    let mut history = History::default();
    history.reset(3);
    history.push(2, 10);
    for n in [2, 5] {
        history.push(0, 20);
        history.reset(n);
        assert_eq!(history.latest, vec![i64::MIN; n]);
        assert!(history.spikes.is_empty());
        assert!((0..n).all(|i| pending(&history, i, i64::MIN).is_empty()));
    }
}

/// What happens to a synapse: `Pre(t)` is an arrival, `Post(t)` a spike of its neuron.
#[derive(Debug, Clone, Copy)]
enum At {
    Pre(i64),
    Post(i64),
}
use At::{Post, Pre};

const A_PLUS: f64 = 0.3;
const A_MINUS: f64 = 0.2;

/// What is left of a trace of 1 after `us`; `tau_plus` is 10 ms, `tau_minus` 20 ms.
fn left_plus(us: i64) -> f64 {
    (-(us as f64) / 10_000.0).exp()
}
fn left_minus(us: i64) -> f64 {
    (-(us as f64) / 20_000.0).exp()
}

fn synapse(rule: Rule<f64>) -> (PlasticSynapses<f64>, History) {
    let amplitudes = [vec![A_PLUS], vec![A_MINUS]];
    let rates = [vec![1.0 / 10_000.0], vec![1.0 / 20_000.0]];
    let mut synapse = PlasticSynapses::new(rule, vec![0], vec![1.0], amplitudes, rates);
    synapse.reset(1);
    let mut history = History::default();
    history.reset(1);
    (synapse, history)
}

/// What is delivered by each arrival, then the weight at the end; and the number of updates.
fn played(rule: Rule<f64>, events: &[At]) -> (Vec<f64>, u64) {
    let (mut synapse, mut history) = synapse(rule);
    let (mut found, mut updates) = (Vec::new(), 0);
    for &event in events {
        match event {
            Pre(t) => {
                let mut input = [0.0];
                updates += synapse.arrive(0, 0..1, t, &history, &mut input);
                found.push(input[0]);
            }
            Post(t) => history.push(0, t),
        }
    }
    updates += synapse.settle(0, 0..1, 1_000_000, &history);
    found.push(synapse.weight[0]);
    (found, updates)
}

#[track_caller]
fn check(rule: Rule<f64>, events: &[At], expected: &[f64], n_updates: u64) {
    let (found, updates) = played(rule, events);
    assert_eq!((found.len(), updates), (expected.len(), n_updates), "{events:?}");
    for (w, theory) in found.iter().zip(expected) {
        // A few roundings of numbers below 4.
        assert!((w - theory).abs() < 1e-14, "{events:?}: {found:?}, expected {expected:?}");
    }
}

#[test]
fn a_pair_changes_the_weight_by_the_time_between_its_spikes() {
    for rule in [RULE, NEAREST] {
        for gap in [1, 500, 7000, 80_000] {
            for t in [0, 3, 100_000] {
                let up = 1.0 + A_PLUS * left_plus(gap);
                check(rule, &[Pre(t), Post(t + gap)], &[1.0, up], 2);
                let down = 1.0 - A_MINUS * left_minus(gap);
                check(rule, &[Post(t), Pre(t + gap)], &[1.0, down], 2);
            }
        }
    }
}

#[test]
fn a_coincidence_changes_nothing() {
    for rule in [RULE, NEAREST] {
        for t in [0, 5000] {
            check(rule, &[Pre(t), Post(t)], &[1.0, 1.0], 2);
            check(rule, &[Pre(t), Pre(t), Post(t)], &[1.0; 3], 3);
        }
    }
}

#[test]
fn a_coincidence_pairs_with_what_was_before_and_what_comes_after() {
    let events = [Pre(1000), Pre(4000), Pre(4000), Post(4000), Post(9000), Pre(11_000)];
    let first = 1.0 + A_PLUS * left_plus(3000);
    let second = first + A_PLUS * (left_plus(8000) + 2.0 * left_plus(5000));
    let end = second - A_MINUS * (left_minus(7000) + left_minus(2000));
    check(RULE, &events, &[1.0, 1.0, 1.0, second, end], 6);
    let second = first + A_PLUS * left_plus(5000);
    let end = second - A_MINUS * left_minus(2000);
    check(NEAREST, &events, &[1.0, 1.0, 1.0, second, end], 6);
}

#[test]
fn several_arrivals_in_a_microsecond_act_in_turn() {
    let y = left_minus(2000);
    let events = [Post(1000), Pre(3000), Pre(3000), Pre(3000), Post(5000)];
    let down = [1.0, 1.0 - A_MINUS * y, 1.0 - 2.0 * A_MINUS * y];
    let last = 1.0 - 3.0 * A_MINUS * y;
    for (rule, x) in [(RULE, 3.0 * left_plus(2000)), (NEAREST, left_plus(2000))] {
        check(rule, &events, &[down[0], down[1], down[2], last + A_PLUS * x], 5);
    }
}

#[test]
fn pairing_says_whether_earlier_spikes_count() {
    let posts = [Post(1000), Post(2000), Post(6000), Pre(9000)];
    let all = left_minus(8000) + left_minus(7000) + left_minus(3000);
    check(RULE, &posts, &[1.0, 1.0 - A_MINUS * all], 4);
    check(NEAREST, &posts, &[1.0, 1.0 - A_MINUS * left_minus(3000)], 4);
    let pres = [Pre(1000), Pre(2000), Pre(6000), Post(9000)];
    let all = left_plus(8000) + left_plus(7000) + left_plus(3000);
    check(RULE, &pres, &[1.0, 1.0, 1.0, 1.0 + A_PLUS * all], 4);
    check(NEAREST, &pres, &[1.0, 1.0, 1.0, 1.0 + A_PLUS * left_plus(3000)], 4);
}

#[test]
fn soft_bounds_are_approached_geometrically() {
    let soft = Rule { mu_plus: 1.0, mu_minus: 1.0, ..RULE };
    let posts: Vec<At> = (1..20).map(|k| Post(1000 * k)).collect();
    let missing = (1..20).fold(3.0, |left, k| left * (1.0 - A_PLUS * left_plus(1000 * k)));
    check(soft, &[&[Pre(0)], posts.as_slice()].concat(), &[1.0, 4.0 - missing], 20);
    let (mut events, mut expected, mut w) = (vec![Post(0)], Vec::new(), 1.0);
    for t in (1..20).map(|k| 1000 * k) {
        events.push(Pre(t));
        expected.push(w);
        w *= 1.0 - A_MINUS * left_minus(t);
    }
    check(soft, &events, &[expected, vec![w]].concat(), 20);
}

#[test]
fn hard_bounds_are_reached_and_left_again() {
    let narrow = Rule { w_min: 0.95, w_max: 1.1, ..RULE };
    let events = [Pre(0), Post(1000), Post(2000), Pre(3000), Pre(4000), Post(4001)];
    let up = (0.95 + A_PLUS * (left_plus(1) + left_plus(1001) + left_plus(4001))).min(1.1);
    assert_eq!(up, 1.1);
    check(narrow, &events, &[1.0, 1.1, 0.95, 1.1], 6);
}

#[test]
fn settling_takes_in_each_spike_once() {
    let (mut synapse, mut history) = synapse(RULE);
    let mut input = [0.0];
    assert_eq!(synapse.arrive(0, 0..1, 1000, &history, &mut input), 1);
    history.push(0, 3000);
    assert_eq!(synapse.settle(0, 0..1, 4000, &history), 1);
    let up = 1.0 + A_PLUS * left_plus(2000);
    assert!((synapse.weight[0] - up).abs() < 1e-15);
    // Whether or not the history forgets what was taken in.
    assert_eq!(synapse.settle(0, 0..1, 4000, &history), 0);
    history.forget(1);
    assert_eq!(synapse.settle(0, 0..1, 5000, &history), 0);
    assert!((synapse.weight[0] - up).abs() < 1e-15);
    assert_eq!(synapse.arrive(0, 0..1, 5000, &history, &mut input), 1);
    assert!((input[0] - 1.0 - up).abs() < 1e-15, "added to what the neuron receives");
    assert!((synapse.weight[0] - (up - A_MINUS * left_minus(2000))).abs() < 1e-15);
}

#[test]
fn a_sample_begins_without_traces() {
    let (mut synapse, mut history) = synapse(RULE);
    let mut input = [0.0];
    history.push(0, 0);
    synapse.arrive(0, 0..1, 10, &history, &mut input);
    synapse.settle(0, 0..1, 20, &history);
    let w = synapse.weight[0];
    assert!(w < 1.0);
    synapse.reset(1);
    history.reset(1);
    synapse.arrive(0, 0..1, 10, &history, &mut input);
    synapse.settle(0, 0..1, 20, &history);
    assert_eq!(synapse.weight[0], w, "no post trace is left to depress");
    synapse.reset(1);
    history.push(0, 5);
    synapse.settle(0, 0..1, 20, &history);
    assert_eq!(synapse.weight[0], w, "no pre trace is left to potentiate");
}
