//! Potentials and times against plain arrays of both.

use super::*;
use proptest::prelude::*;

/// Two neurons, the potential of one of which outlasts every epoch.
fn neurons() -> Neurons<f64> {
    let halvings = vec![1e-4, 1e-12];
    let [zero, ones] = [vec![0.0; 2], vec![1.0; 2]];
    Neurons {
        rate: halvings.iter().map(|halvings| halvings / std::f64::consts::LOG2_E).collect(),
        halvings,
        v_rest: zero.clone(),
        v_end: vec![3.0, 5.0],
        v_reset: zero.clone(),
        v_threshold: ones.clone(),
        t_ref: vec![0; 2],
        theta: zero,
        threshold: ones,
        together: vec![[0.0; 4]; 2],
    }
}

#[test]
fn neurons_begin_at_rest() {
    let mut held = Held::default();
    held.reset(&[1.0, 2.0]);
    held.set(0, 7.0, 1 << 40);
    assert!(held.has_far());
    held.reset(&[1.0, 2.0]);
    assert_eq!([0, 1].map(|i| (held.v(i), held.since(i))), [(1.0, 0), (2.0, 0)]);
    assert!(!held.has_far());
}

#[test]
fn what_is_too_far_for_32_bits_is_passed_by() {
    let mut held = Held::default();
    held.reset(&[0.0; 2]);
    for (since, is_far) in [
        (-LONGEST_SPAN, false),
        (-LONGEST_SPAN - 1, true),
        (i64::from(i32::MAX) - 1, false),
        (i64::from(i32::MAX), true),
        (17, false),
    ] {
        held.set(1, 2.0, since);
        assert_eq!((held.v(1), held.since(1)), (2.0, since));
        assert_eq!(held.far().collect::<Vec<_>>(), if is_far { vec![1] } else { vec![] });
        assert_eq!(held.has_far(), is_far);
    }
}

#[test]
fn only_a_potential_of_which_nothing_is_left_is_moved_on() {
    let neurons = neurons();
    let mut held = Held::default();
    held.reset(&[20.0, 20.0]);
    assert_eq!(held.since_base(&neurons, LONGEST_SPAN - 1), i32::MAX >> 1);
    assert_eq!(held.since_base(&neurons, LONGEST_SPAN + 5), 5);
    assert_eq!([0, 1].map(|i| (held.v(i), held.since(i))), [(20.0, 0), (20.0, 0)], "one epoch");
    assert_eq!(held.since_base(&neurons, 2 * LONGEST_SPAN), 0);
    assert_eq!((held.v(0), held.since(0)), (3.0, 2 * LONGEST_SPAN));
    assert_eq!((held.v(1), held.since(1)), (20.0, 0));
    assert_eq!(held.far().collect::<Vec<_>>(), [1]);
}

#[test]
fn a_base_can_be_reached_without_a_word_about_potentials() {
    let mut held = Held::default();
    held.reset(&[20.0, 20.0]);
    held.reach(3 * LONGEST_SPAN + 7);
    assert_eq!([0, 1].map(|i| (held.v(i), held.since(i))), [(20.0, 0), (20.0, 0)]);
    assert_eq!(held.far().collect::<Vec<_>>(), [0, 1]);
    held.set(1, 4.0, 3 * LONGEST_SPAN + 7);
    assert_eq!(held.far().collect::<Vec<_>>(), [0]);
    assert_eq!(held.since_base(&neurons(), 3 * LONGEST_SPAN + 8), 8);
}

proptest! {
    #[test]
    fn no_time_is_rounded_or_lost(
        steps in prop::collection::vec(
            (
                prop_oneof![0_i64..1000, 0_i64..1 << 33],
                prop_oneof![Just(0_i64), 0_i64..1 << 33],
                -9.0_f64..9.0,
            ),
            1..20,
        )
    ) {
        let neurons = neurons();
        let mut held = Held::default();
        held.reset(&[1.0, 1.0]);
        let (mut t, mut expected) = (0, [(1.0, 0), (1.0, 0)]);
        for (k, (wait, hold, v)) in steps.into_iter().enumerate() {
            t += wait;
            let since_base = held.since_base(&neurons, t);
            prop_assert!((0..1 << 30).contains(&since_base));
            prop_assert_eq!(held.since_base(&neurons, t - i64::from(since_base)), 0);
            // Neuron 1 is set now and then.
            let i = usize::from(k % 3 == 0);
            held.set(i, v, t + hold);
            expected[i] = (v, t + hold);
            prop_assert_eq!((held.v(i), held.since(i)), expected[i]);
            prop_assert_eq!((held.v(1), held.since(1)), expected[1]);
        }
    }
}
