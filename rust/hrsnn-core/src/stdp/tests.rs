//! The rule and the history.

use super::*;

const RULE: Rule<f64> = Rule {
    w_min: 0.0,
    w_max: 4.0,
    mu_plus: 0.0,
    mu_minus: 0.0,
    pairing: Pairing::AllToAll,
    scale: 1.0,
};

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

/// Times from the base, oldest first, taken from marks.
fn pending(history: &History, i: usize, since: i32) -> Vec<i32> {
    let (marks, count) = history.older(i, since);
    assert!(marks.len() >= count.next_multiple_of(MOST_LANES));
    let latest = history.latest()[i].into_iter().rev().filter(|&mark| mark > since);
    let all = marks[marks.len() - count..].iter().copied().chain(latest);
    all.map(|mark| mark - 1).collect()
}

/// Marks of the latest four, latest first, and the fifth.
fn marks(history: &History, i: usize) -> [i32; 5] {
    let [a, b, c, d] = history.latest()[i];
    [a, b, c, d, history.fifth(i)]
}

#[test]
fn a_history_gives_the_spikes_of_a_neuron_oldest_first() {
    let mut history = History::default();
    history.reset(3);
    for (i, t) in [(0, 10), (2, 10), (0, 11), (2, 30), (0, 50)] {
        history.push(i, t);
    }
    assert_eq!([0, 1, 2].map(|i| history.count(i)), [3, 0, 2]);
    assert_eq!(
        [0, 1, 2].map(|i| marks(&history, i)[..3].to_vec()),
        [vec![51, 12, 11], vec![0, 0, 0], vec![31, 11, 0]]
    );
    assert_eq!(pending(&history, 0, 0), [10, 11, 50]);
    assert_eq!(pending(&history, 0, 11), [11, 50], "those at the time itself are included");
    assert_eq!(pending(&history, 0, 12), [50]);
    assert_eq!(pending(&history, 0, 51), [0; 0]);
    assert_eq!(pending(&history, 1, 0), [0; 0]);
    assert_eq!(pending(&history, 2, 0), [10, 30]);
}

#[test]
fn the_latest_five_are_at_hand() {
    let mut history = History::default();
    history.reset(2);
    for t in [0, 3, 10, 20, 21, 70] {
        history.push(1, t);
    }
    assert_eq!(marks(&history, 1), [71, 22, 21, 11, 4]);
    assert_eq!(marks(&history, 0), [0; 5]);
    assert_eq!(pending(&history, 1, 0), [0, 3, 10, 20, 21, 70]);
    let all: Vec<i32> = [0, 3, 10, 20, 21, 70].into_iter().chain(71..110).collect();
    for &t in &all[6..] {
        history.push(1, t.into());
        assert_eq!(pending(&history, 1, 0).last(), Some(&t));
    }
    assert_eq!(pending(&history, 1, 0), all);
    assert_eq!(pending(&history, 1, 95), all[all.len() - 15..]);
}

#[test]
fn a_history_that_forgets_counts_on_from_any_base() {
    let mut history = History::default();
    history.reset(2);
    assert_eq!(history.full_at(), LONGEST_SPAN);
    history.push(0, 10);
    history.push(1, 20);
    history.forget();
    assert_eq!((marks(&history, 0), marks(&history, 1)), ([0; 5], [0; 5]));
    assert_eq!((history.count(1), pending(&history, 1, 0)), (0, vec![]));
    let base = 1 << 40;
    history.rebase(base);
    assert_eq!(history.full_at(), base + LONGEST_SPAN);
    history.push(1, base + 30);
    assert_eq!((pending(&history, 1, 0), history.since_base(base + 7)), (vec![30], 7));
    assert_eq!(pending(&history, 0, 0), [0; 0]);
}

#[test]
fn a_history_that_was_reset_knows_nothing() {
    let mut history = History::default();
    history.reset(3);
    history.push(2, 10);
    for n in [2, 5] {
        history.push(0, 120);
        history.reset(n);
        assert_eq!(history.since_base(20), 20);
        for i in 0..n {
            assert_eq!((marks(&history, i), history.count(i)), ([0; 5], 0));
            assert!(pending(&history, i, 0).is_empty());
        }
    }
}
