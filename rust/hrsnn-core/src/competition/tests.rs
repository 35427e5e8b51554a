//! Who wins and what becomes of the others, in closed form; what is refused.

use super::*;

const DECAY: fn(f64) -> f64 = |us| (-us / 20_000.0).exp();

/// Neurons with `tau_m` 20 ms and `t_ref` 2 ms, at rest at 0 mV.
fn neurons(threshold: &[f64]) -> Neurons<f64> {
    let same = |value: f64| vec![value; threshold.len()];
    let mut neurons = Neurons {
        rate: same(1.0 / 20_000.0),
        halvings: same(std::f64::consts::LOG2_E / 20_000.0),
        v_rest: same(0.0),
        v_end: same(0.0),
        v_reset: same(-1.0),
        v_threshold: threshold.to_vec(),
        t_ref: vec![2000; threshold.len()],
        theta: same(0.0),
        threshold: threshold.to_vec(),
        together: vec![[0.0; 4]; threshold.len()],
    };
    (0..threshold.len()).for_each(|i| neurons.set_theta(i, 0.0));
    neurons
}

/// Neurons in `group` that lose 5 mV for 700 µs.
struct Contest {
    neurons: Neurons<f64>,
    membranes: Membranes<f64>,
    groups: Groups<f64>,
}

impl Contest {
    fn new(group: &[u32], threshold: &[f64], hold_us: i64) -> Self {
        let (neurons, mut membranes) = (neurons(threshold), Membranes::waiting(true));
        membranes.reset(&neurons);
        let competition = Competition { group: group.to_vec(), inhibition: 5.0, hold_us };
        competition.check(&neurons.v_rest, &neurons.v_threshold).unwrap();
        let groups = Groups::new(&competition, 0..group.len());
        Self { neurons, membranes, groups }
    }

    /// What arrives at `t`; who has spiked, and who was lowered.
    fn at(&mut self, t: i64, arrivals: &[(usize, f64)]) -> (Vec<u32>, Vec<u32>) {
        let (mut over, mut lowered) = (Vec::new(), Vec::new());
        for &(i, mv) in arrivals {
            if self.membranes.receive(&self.neurons, i, t, mv) {
                over.push(i as u32);
            }
        }
        let cells = (&self.neurons, &mut self.membranes);
        self.groups.decide(cells, None, t, &mut over, &mut lowered);
        (over, lowered)
    }

    fn held(&self, i: usize) -> (f64, i64) {
        (self.membranes.held.v(i), self.membranes.held.since(i))
    }
}

#[test]
fn one_of_a_group_spikes_and_the_others_are_lowered_from_their_threshold_at_most() {
    let mut contest = Contest::new(&[3, 3, 3, 9], &[15.0; 4], 700);
    assert_eq!(contest.at(0, &[(0, 2.0)]), (vec![], vec![]));
    // Also in the order in which neurons are met this is decided by potentials.
    let (spiked, lowered) = contest.at(1000, &[(2, 16.0), (1, 18.0), (3, 15.0)]);
    assert_eq!((spiked, lowered), (vec![1, 3], vec![0, 2]));
    assert_eq!(contest.held(1), (-1.0, 3000));
    assert_eq!(contest.held(2), (10.0, 1700));
    assert_eq!(contest.held(3), (-1.0, 3000), "of another group");
    let (v, since) = contest.held(0);
    assert!((v - (2.0 * DECAY(1000.0) - 5.0)).abs() < 1e-14 && since == 1700, "{v}");
}

#[test]
fn equals_are_decided_by_index_and_others_by_relative_excess() {
    let mut contest = Contest::new(&[0, 0, 0], &[15.0; 3], 0);
    assert_eq!(contest.at(5, &[(2, 16.0), (1, 16.0)]).0, [1]);
    // 2 of 10 mV are more than 3 of 20 mV.
    let mut contest = Contest::new(&[0, 0], &[20.0, 10.0], 0);
    assert_eq!(contest.at(5, &[(0, 23.0), (1, 12.0)]).0, [1]);
    // Distance from rest counts, not the threshold itself.
    let mut contest = Contest::new(&[0, 0], &[20.0, 10.0], 0);
    contest.neurons.v_rest = vec![15.0, 0.0];
    assert_eq!(contest.at(5, &[(0, 23.0), (1, 12.0)]).0, [0]);
}

#[test]
fn an_adapted_threshold_is_the_one_that_counts() {
    let mut contest = Contest::new(&[0, 0], &[10.0; 2], 0);
    contest.neurons.set_theta(0, 5.0);
    assert_eq!(contest.at(5, &[(0, 16.0), (1, 11.5)]), (vec![1], vec![0]));
    assert_eq!(contest.held(0), (10.0, 5), "15 - 5");
}

#[test]
fn who_is_refractory_or_held_is_left_alone() {
    let mut contest = Contest::new(&[0; 3], &[15.0; 3], 700);
    assert_eq!(contest.at(100, &[(0, 20.0)]), (vec![0], vec![1, 2]));
    // What arrives before the end of the hold is lost.
    assert_eq!(contest.at(799, &[(1, 100.0), (2, 100.0)]), (vec![], vec![]));
    let held = contest.held(1);
    assert!((held.0 + 5.0).abs() < 1e-14 && held.1 == 800);
    // At its end it counts; who spiked at 100 µs is refractory until 2100 µs.
    assert_eq!(contest.at(800, &[(1, 19.999)]), (vec![], vec![]));
    assert_eq!(contest.at(801, &[(1, 0.1)]), (vec![1], vec![2]));
    assert_eq!(contest.held(0), (-1.0, 2100));
    // Refractory until the very µs in which another wins: it is not any more.
    assert_eq!(contest.at(2100, &[(2, 30.0)]), (vec![2], vec![0]));
    assert_eq!(contest.held(0), (-6.0, 2800));
    assert_eq!(contest.held(1), (-1.0, 2801));
}

#[test]
fn without_a_hold_the_lowered_relax_at_once() {
    let mut contest = Contest::new(&[0; 2], &[15.0; 2], 0);
    contest.at(100, &[(0, 20.0), (1, 19.0)]);
    assert_eq!(contest.held(1), (10.0, 100));
    assert_eq!(contest.at(101, &[(1, 5.1)]).0, [1]);
}

#[test]
fn a_neuron_without_a_group_competes_with_nobody() {
    let mut contest = Contest::new(&[NO_GROUP, NO_GROUP, 4, 4, NO_GROUP], &[15.0; 5], 700);
    let all: Vec<_> = (0..5).map(|i| (i, 16.0 + i as f64)).collect();
    assert_eq!(contest.at(9, &all), (vec![0, 1, 3, 4], vec![2]));
    assert_eq!([0, 2, 3, 4].map(|i| contest.groups.hold_of(i)), [0, 700, 700, 0]);
}

#[test]
fn what_belongs_together_is_found() {
    let of = |group: &[u32]| runs(group).collect::<Vec<_>>();
    assert_eq!(of(&[7, 7, 2, NO_GROUP, NO_GROUP, 7]), [0..2, 2..3, 3..4, 4..5, 5..6]);
    assert_eq!(of(&[]), []);
}

#[test]
fn what_cannot_compete_is_refused() {
    let right = Competition { group: vec![5, 5, NO_GROUP, 0], inhibition: 1.0, hold_us: 0 };
    let message = |wrong: &Competition, v_rest: &[f64]| {
        wrong.check(v_rest, &[15.0; 4]).unwrap_err().to_string()
    };
    assert!(right.check(&[0.0; 4], &[15.0; 4]).is_ok());
    let group = |group: &[u32]| Competition { group: group.to_vec(), ..right.clone() };
    assert_eq!(message(&group(&[1; 3]), &[0.0; 4]), "group must have length 4; got length 3.");
    let apart = message(&group(&[5, 0, 5, 5]), &[0.0; 4]);
    assert!(apart.contains("lie side by side; got 5 at neuron 2"), "{apart}");
    for mv in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let wrong = Competition { inhibition: mv, ..right.clone() };
        assert!(message(&wrong, &[0.0; 4]).starts_with("inhibition must be greater than 0"));
    }
    for us in [-1, i64::MAX] {
        let wrong = Competition { hold_us: us, ..right.clone() };
        assert!(message(&wrong, &[0.0; 4]).starts_with("hold must be between 0 and 2147483648 µs"));
    }
    let flat = message(&right, &[0.0, 15.0 - 1e-9, 0.0, 0.0]);
    assert!(flat.starts_with("v_rest must be below v_threshold (15 mV) in a group"), "{flat}");
}
