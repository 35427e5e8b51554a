//! Single synapses, whose weights have a closed form, and what their layout must keep.

use super::*;
use crate::real::simd::table;
use crate::stdp::Pairing;

mod layout;
mod one_by_one;

const RULE: Rule<f64> = Rule {
    w_min: 0.0,
    w_max: 4.0,
    mu_plus: 0.0,
    mu_minus: 0.0,
    pairing: Pairing::AllToAll,
    scale: 1.0,
};
const NEAREST: Rule<f64> = Rule { pairing: Pairing::Nearest, ..RULE };

fn targets(all: impl Iterator<Item = u32>, far: bool) -> Targets {
    let mut targets = Targets::room(0, far);
    all.for_each(|target| targets.push(target));
    targets
}

fn weight(synapse: &PlasticSynapses<f64>) -> f64 {
    synapse.weights(&(0..1))[0]
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
    let halvings = [10_000.0, 20_000.0].map(|us| vec![std::f64::consts::LOG2_E / us]);
    let [plus, minus] = halvings;
    let constants = [vec![A_PLUS], vec![A_MINUS], plus, minus];
    let synapse =
        PlasticSynapses::new(rule, &[0, 1], targets(0..1, false), &[1.0], &constants, None);
    let mut history = History::default();
    history.reset(1);
    (synapse, history)
}

/// What is delivered by each arrival, then the weight at the end; and the number of updates.
fn played(rule: Rule<f64>, events: &[At]) -> (Vec<f64>, u64) {
    let (mut synapse, mut history) = synapse(rule);
    let mut input = table(0.0, 0);
    let (mut found, mut updates) = (Vec::new(), 0);
    for &event in events {
        match event {
            Pre(t) => {
                input[0] = 0.0;
                updates += synapse.arrive(0, 0..1, t, &history, &mut input);
                found.push(input[0]);
            }
            Post(t) => history.push(0, t),
        }
    }
    updates += synapse.end(0, 0..1, &history, &mut input);
    found.push(weight(&synapse));
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
    let mut input = table(0.0, 0);
    assert_eq!(synapse.arrive(0, 0..1, 1000, &history, &mut input), 1);
    history.push(0, 3000);
    assert_eq!(synapse.settle(0, 0..1, 4000, &history, &mut input), 1);
    let up = 1.0 + A_PLUS * left_plus(2000);
    assert!((weight(&synapse) - up).abs() < 1e-15);
    // Whether or not the history forgets what was taken in.
    assert_eq!(synapse.settle(0, 0..1, 4000, &history, &mut input), 0);
    history.forget();
    assert_eq!(synapse.settle(0, 0..1, 5000, &history, &mut input), 0);
    assert!((weight(&synapse) - up).abs() < 1e-15);
    assert_eq!(synapse.arrive(0, 0..1, 5000, &history, &mut input), 1);
    assert!((input[0] - 1.0 - up).abs() < 1e-15, "added to what the neuron receives");
    assert!((weight(&synapse) - (up - A_MINUS * left_minus(2000))).abs() < 1e-15);
}

#[test]
fn a_sample_begins_without_traces() {
    let (mut synapse, mut history) = synapse(RULE);
    let mut input = table(0.0, 0);
    history.push(0, 0);
    synapse.arrive(0, 0..1, 10, &history, &mut input);
    synapse.settle(0, 0..1, 20, &history, &mut input);
    let w = weight(&synapse);
    assert!(w < 1.0);
    synapse.reset(1.0);
    history.reset(1);
    synapse.arrive(0, 0..1, 10, &history, &mut input);
    synapse.settle(0, 0..1, 20, &history, &mut input);
    assert_eq!(weight(&synapse), w, "no post trace is left to depress");
    synapse.reset(1.0);
    history.push(0, 5);
    synapse.settle(0, 0..1, 20, &history, &mut input);
    assert_eq!(weight(&synapse), w, "no pre trace is left to potentiate");
}
