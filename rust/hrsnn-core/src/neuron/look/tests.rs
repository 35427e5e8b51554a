//! The kernel has the bits of a look at one neuron at one time, in any vectors.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::real::simd::{Level, run_at};
use crate::time::{LONGEST_SPAN, halvings_from_ms, rate_from_ms};

fn neurons<T: Real>(parameters: &[(f64, f64)]) -> Neurons<T> {
    let n = parameters.len();
    let all = |value: f64| vec![T::from_f64(value); n];
    let mut neurons = Neurons {
        rate: parameters.iter().map(|p| rate_from_ms(p.0)).collect(),
        halvings: parameters.iter().map(|p| halvings_from_ms(p.0)).collect(),
        v_rest: all(-65.1),
        v_end: parameters.iter().map(|p| T::from_f64(-65.1 + p.1)).collect(),
        v_reset: all(-70.3),
        v_threshold: all(-50.0),
        t_ref: vec![2000; n],
        theta: all(0.0),
        threshold: all(-50.0),
        together: vec![[T::ZERO; 4]; n],
    };
    for i in 0..n {
        neurons.set_theta(i, T::ZERO);
    }
    neurons
}

fn same_bits<T: Real>(parameters: &[(f64, f64)], held: &[(f64, i64)], some: &[u32], grid: Grid) {
    let neurons = neurons::<T>(parameters);
    let mut membranes = Membranes::waiting(false);
    membranes.reset(&neurons);
    for (i, &(v, since)) in held.iter().enumerate() {
        membranes.held.set(i, T::from_f64(v), since);
    }
    let bits = |values: &[T]| values.iter().map(|v| v.to_f64().to_bits()).collect::<Vec<_>>();
    let mut looks = Looks::new(&neurons, some.to_vec(), 2 * grid.n);
    let mut one_by_one = Vec::new();
    // Something happens, and it is looked at again.
    for shift in [0, grid.every * grid.n as i64] {
        let grid = Grid { first: grid.first + shift, ..grid };
        looks.note(&membranes, &neurons, grid);
        for t in grid.times() {
            one_by_one.extend(some.iter().map(|&i| membranes.potential(&neurons, i as usize, t)));
        }
        membranes.held.set(1, T::from_f64(-51.7), grid.first + 3);
    }
    assert_eq!(looks.n_times(), 2 * grid.n);
    assert_eq!(bits(&looks.values()), bits(&one_by_one));
    for level in Level::ALL {
        let mut out = vec![T::ZERO; one_by_one.len()];
        if !some.is_empty() {
            run_at(level, Tell { looks: &looks, out: &mut out });
        }
        assert_eq!(bits(&out), bits(&one_by_one), "{level:?}");
    }
}

proptest! {
    #[test]
    fn a_look_at_many_is_a_look_at_each(
        parameters in vec((1.0_f64..50.0, -5.0_f64..20.0), 40),
        held in vec((-80.0_f64..-50.0, 0_i64..30_000), 40),
        some in vec(0_u32..40, 0..40),
        (first, every, n) in (0_i64..40_000, 1_i64..5_000, 0_usize..9),
        far in prop::sample::select(vec![0, 0, LONGEST_SPAN - 20_000, 3 * LONGEST_SPAN]),
    ) {
        let grid = Grid { first: first + far, every, n };
        same_bits::<f32>(&parameters, &held, &some, grid);
        same_bits::<f64>(&parameters, &held, &some, grid);
        // Somebody who is held until long after.
        let mut held = held;
        held[3].1 = 5 * LONGEST_SPAN;
        same_bits::<f32>(&parameters, &held, &some, grid);
    }
}

#[test]
fn what_holds_at_that_time_is_told_without_rounding() {
    let neurons = neurons::<f32>(&[(20.0, 3.3)]);
    let mut membranes = Membranes::waiting(false);
    membranes.reset(&neurons);
    membranes.held.set(0, -70.299_99, 500);
    for t in [0, 499, 500] {
        assert_eq!(membranes.potential(&neurons, 0, t), -70.299_99);
    }
    let later = -61.8 + (-70.299_99 + 61.8) * (-10.0_f64 / 20.0).exp();
    assert!((f64::from(membranes.potential(&neurons, 0, 10_500)) - later).abs() < 1e-5);
}
