//! The neuron against theory, its edges to the microsecond, and crossings against a search.

use super::*;
use proptest::prelude::*;

/// Parameters of one neuron; times in ms, `t_ref` in µs.
#[derive(Debug, Clone, Copy)]
struct One {
    tau_m: f64,
    v_rest: f64,
    bias: f64,
    v_reset: f64,
    v_threshold: f64,
    t_ref: u32,
}

const PLAIN: One =
    One { tau_m: 20.0, v_rest: 0.0, bias: 0.0, v_reset: 0.0, v_threshold: 15.0, t_ref: 2000 };

fn neurons<T: Real>(all: &[One]) -> Neurons<T> {
    let of = |f: fn(&One) -> f64| all.iter().map(|one| T::from_f64(f(one))).collect::<Vec<T>>();
    let mut neurons = Neurons {
        rate: of(|one| 1.0 / (one.tau_m * 1000.0)),
        halvings: of(|one| std::f64::consts::LOG2_E / (one.tau_m * 1000.0)),
        v_rest: of(|one| one.v_rest),
        v_end: of(|one| one.v_rest + one.bias),
        v_reset: of(|one| one.v_reset),
        v_threshold: of(|one| one.v_threshold),
        t_ref: all.iter().map(|one| one.t_ref).collect(),
        theta: vec![T::ZERO; all.len()],
        threshold: of(|one| one.v_threshold),
        together: vec![[T::ZERO; 4]; all.len()],
    };
    for i in 0..all.len() {
        neurons.set_theta(i, T::ZERO);
    }
    neurons
}

fn at_rest<T: Real>(neurons: &Neurons<T>) -> Membranes<T> {
    let mut membranes = Membranes::default();
    membranes.reset(neurons);
    membranes
}

fn potentials<T: Real>(m: &Membranes<T>, n: usize) -> Vec<T> {
    (0..n).map(|i| m.held.v(i)).collect()
}

fn times<T: Real>(m: &Membranes<T>, n: usize) -> Vec<i64> {
    (0..n).map(|i| m.held.since(i)).collect()
}

/// Three neurons in which no parameter has the value of its neighbour.
fn three() -> Neurons<f64> {
    neurons(&[
        One { v_rest: -3.0, v_reset: -5.0, ..PLAIN },
        One { tau_m: 7.0, v_rest: 1.0, bias: 4.0, v_reset: 2.0, v_threshold: 11.0, t_ref: 500 },
        One { tau_m: 90.0, bias: 30.0, t_ref: 0, ..PLAIN },
    ])
}

#[test]
fn there_are_as_many_neurons_as_were_given() {
    for n in 0..4 {
        let neurons = neurons::<f64>(&vec![PLAIN; n]);
        assert_eq!((neurons.len(), neurons.is_empty()), (n, n == 0));
    }
}

#[test]
fn adaptation_is_added_to_the_threshold_of_one_neuron() {
    let mut neurons = three();
    neurons.set_theta(1, 2.5);
    assert_eq!(neurons.threshold, [15.0, 13.5, 15.0]);
    neurons.adapt(1, 0.5);
    neurons.adapt(2, 1.0);
    assert_eq!(neurons.theta, [0.0, 3.0, 1.0]);
    assert_eq!(neurons.threshold, [15.0, 14.0, 16.0]);
    neurons.set_theta(1, 0.25);
    assert_eq!(neurons.threshold, [15.0, 11.25, 16.0]);
    assert_eq!(neurons.v_threshold, [15.0, 11.0, 15.0]);
}

#[test]
fn a_neuron_is_driven_if_it_tends_above_its_threshold() {
    let mut neurons = three();
    assert_eq!([0, 1, 2].map(|i| neurons.is_driven(i)), [false, false, true]);
    neurons.set_theta(2, 15.0);
    assert!(!neurons.is_driven(2), "at the threshold");
    neurons.set_theta(2, 30.0_f64.next_down() - 15.0);
    assert!(neurons.is_driven(2));
    neurons.set_theta(2, 16.0);
    assert!(!neurons.is_driven(2));
}

#[test]
fn a_sample_begins_at_rest() {
    let neurons = three();
    let mut m = at_rest(&neurons);
    assert_eq!(potentials(&m, 3), neurons.v_rest);
    for i in 0..3 {
        assert!(m.receive(&neurons, i, 70 + i as i64, 1000.0));
    }
    m.reset(&neurons);
    assert_eq!((potentials(&m, 3), times(&m, 3)), (neurons.v_rest, vec![0; 3]));
}

#[test]
fn potential_decays_exponentially() {
    let neurons = neurons(&[PLAIN]);
    let mut m = at_rest(&neurons);
    assert!(!m.receive(&neurons, 0, 1000, 10.0));
    assert!(!m.receive(&neurons, 0, 21_000, 0.0));
    assert!((m.held.v(0) - 10.0 * (-1.0_f64).exp()).abs() < 1e-14);
}

#[test]
fn what_one_neuron_receives_moves_no_other() {
    let neurons = three();
    let mut m = at_rest(&neurons);
    assert!(!m.receive(&neurons, 1, 300, 3.0));
    let relaxed = 5.0 - 4.0 * (-300.0 / 7000.0_f64).exp();
    assert!((m.held.v(1) - relaxed - 3.0).abs() < 1e-14);
    assert_eq!((m.held.v(0), m.held.v(2)), (-3.0, 0.0));
    assert_eq!(times(&m, 3), [0, 300, 0]);
}

fn threshold_is_reached_exactly<T: Real>(just_below: f64) {
    // At t = 0 nothing decays and the sum with v_rest = 0 is exact.
    let neurons = neurons::<T>(&[PLAIN]);
    let mut m = at_rest(&neurons);
    assert!(!m.receive(&neurons, 0, 0, T::from_f64(just_below)));
    assert_eq!(m.held.v(0).to_f64(), just_below);
    assert!(at_rest(&neurons).receive(&neurons, 0, 0, T::from_f64(15.0)));
}

#[test]
fn a_potential_at_the_threshold_is_a_spike_and_the_next_below_is_none() {
    threshold_is_reached_exactly::<f64>(15.0_f64.next_down());
    threshold_is_reached_exactly::<f32>(f64::from(15.0_f32.next_down()));
}

#[test]
fn an_adapted_threshold_is_the_one_that_counts() {
    let mut neurons = neurons(&[PLAIN]);
    neurons.adapt(0, 1.0);
    assert!(!at_rest(&neurons).receive(&neurons, 0, 0, 15.5));
    assert!(at_rest(&neurons).receive(&neurons, 0, 0, 16.0));
}

#[test]
fn arrivals_are_lost_until_the_refractory_period_ends() {
    let neurons = neurons(&[PLAIN]);
    let mut m = at_rest(&neurons);
    assert!(m.receive(&neurons, 0, 1000, 15.0));
    for t in [1000, 1001, 2999] {
        assert!(!m.receive(&neurons, 0, t, 100.0));
        assert_eq!((m.held.v(0), m.held.since(0)), (0.0, 3000), "lost at {t}");
    }
    assert!(m.receive(&neurons, 0, 3000, 15.0));
}

#[test]
fn the_potential_relaxes_from_reset_once_the_refractory_period_is_over() {
    let neurons = neurons(&[One { v_rest: 2.0, bias: 3.0, v_reset: -6.0, ..PLAIN }]);
    let mut m = at_rest(&neurons);
    assert!(m.receive(&neurons, 0, 500, 20.0));
    assert!(!m.receive(&neurons, 0, 2500, 1.0));
    assert_eq!(m.held.v(0), -5.0, "reset, and one arrival at the very end of the hold");
    assert!(!m.receive(&neurons, 0, 7500, 0.0));
    assert!((m.held.v(0) - (5.0 - 10.0 * (-0.25_f64).exp())).abs() < 1e-14);
}

#[test]
fn without_a_refractory_period_the_same_microsecond_counts() {
    let neurons = neurons(&[One { t_ref: 0, ..PLAIN }]);
    let mut m = at_rest(&neurons);
    assert!(m.receive(&neurons, 0, 10, 15.0));
    assert!(!m.receive(&neurons, 0, 10, 14.0));
    assert!(m.receive(&neurons, 0, 10, 1.0));
}

/// Relative to the largest term of the closed form, by which any sum of it is conditioned.
const RELATIVE: [(&str, f64); 2] = [("f64", 1e-12), ("f32", 1e-5)];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn below_threshold_the_potential_is_the_sum_of_what_arrived(
        tau_m in 1.0_f64..100.0, v_threshold in 1.0_f64..40.0, drive in -2.0_f64..0.9,
        arrivals in prop::collection::vec((0.0_f64..1.0, -1.0_f64..0.9), 1..25),
        last in 0.0_f64..1.0,
    ) {
        let bias = drive * v_threshold;
        let one = [One { tau_m, bias, v_threshold, ..PLAIN }];
        let (double, single) = (neurons::<f64>(&one), neurons::<f32>(&one));
        let (mut m, mut n) = (at_rest(&double), at_rest(&single));
        let (mut t, mut past) = (0, Vec::<(i64, f64)>::new());
        // The largest term, and their sum: what the bias has charged, and what is left of arrivals.
        let theory = |t: i64, past: &[(i64, f64)]| {
            let left = |from: i64| (-((t - from) as f64) / (tau_m * 1000.0)).exp();
            let terms = past.iter().map(|&(at, w)| w * left(at));
            let terms: Vec<f64> = terms.chain([bias, -bias * left(0)]).collect();
            (terms.iter().fold(0.0_f64, |size, term| size.max(term.abs())), terms.iter().sum())
        };
        for (wait, level) in arrivals {
            t += (wait * tau_m * 1000.0) as i64;
            // What lifts or lowers v to a level below threshold, however near.
            let v: f64 = theory(t, &past).1;
            let w = level * v_threshold - v;
            past.push((t, w));
            prop_assert!(!m.receive(&double, 0, t, w) && !n.receive(&single, 0, t, w as f32));
        }
        t += (last * tau_m * 1000.0) as i64;
        prop_assert!(!m.receive(&double, 0, t, 0.0) && !n.receive(&single, 0, t, 0.0));
        let (size, v) = theory(t, &past);
        for ((name, relative), found) in RELATIVE.into_iter().zip([m.held.v(0), f64::from(n.held.v(0))]) {
            let error = (found - v).abs() / size;
            prop_assert!(error <= relative, "{name}: {found} against {v}, relative {error:e}");
        }
        // What is missing to the threshold, and 0.1 % more or less.
        for (share, spikes) in [(0.999, false), (1.001, true)] {
            let w = share * v_threshold - v;
            prop_assert_eq!(m.clone().receive(&double, 0, t, w), spikes);
            prop_assert_eq!(n.clone().receive(&single, 0, t, w as f32), spikes);
        }
    }
}

#[test]
fn a_bias_at_threshold_never_crosses() {
    for bias in [15.0, 14.0, -20.0] {
        let neurons = neurons::<f64>(&[One { bias, ..PLAIN }]);
        assert_eq!(at_rest(&neurons).crossing(&neurons, 0, 0), None);
    }
}

#[test]
fn the_end_of_the_hold_does_not_delay_a_crossing_twice() {
    // From v_reset it takes tau_m ln(v_end - v_reset) / (v_end - threshold) = 20 ms ln 3.
    let neurons = neurons::<f64>(&[One { bias: 20.0, v_reset: 5.0, ..PLAIN }]);
    let mut m = at_rest(&neurons);
    assert!(m.receive(&neurons, 0, 100, 15.0));
    let expected = 2100 + (20_000.0 * 3.0_f64.ln()).ceil() as i64;
    for now in [100, 101, 2099, 2100, 5000, expected - 1] {
        assert_eq!(m.crossing(&neurons, 0, now), Some(expected), "seen from {now}");
    }
}

#[test]
fn a_crossing_lies_after_now() {
    let neurons = three();
    let m = at_rest(&neurons);
    let first = m.crossing(&neurons, 2, -1).unwrap();
    assert_eq!(first, (90_000.0 * 2.0_f64.ln()).ceil() as i64);
    for now in [first - 1, first, first + 1, first + 12_345] {
        assert_eq!(m.crossing(&neurons, 2, now), Some(now + 1));
    }
}

#[test]
fn a_neuron_that_rounding_lifts_to_its_threshold_crosses_in_the_next_microsecond() {
    // v - v_end is rounded, so that v_end + (v - v_end) is the threshold, and v is not.
    let neurons = neurons::<f32>(&[One { bias: 1000.0, t_ref: 5, ..PLAIN }]);
    let mut m = at_rest(&neurons);
    m.held.set(0, 15.0_f32.next_down(), 40);
    assert!(neurons.relaxed(0, m.held.v(0), 0) >= 15.0);
    assert_eq!(m.crossing(&neurons, 0, 40), Some(41));
    assert_eq!(m.crossing(&neurons, 0, 39), Some(40), "at the end of a hold");
}

#[test]
fn a_crossing_later_than_whole_numbers_reach_is_none() {
    // 2^53 µs is 285 years; tau_m is such that the neuron crosses at the time given.
    let crossing = |us: f64, bias: f64, start: f64| {
        let tau_m = us / 1000.0 / ((bias - start) / (bias - 15.0)).ln();
        let neurons = neurons::<f64>(&[One { tau_m, bias, ..PLAIN }]);
        let mut m = at_rest(&neurons);
        m.held.set(0, start, 0);
        m.crossing(&neurons, 0, 0)
    };
    for (bias, start) in [(30.0, 0.0), (15.5, 3.0), (16.0, 0.1), (100.0, -20.0), (15.1, 14.95)] {
        let far = crossing(8.9e15, bias, start).unwrap() as f64;
        assert!((far / 8.9e15 - 1.0).abs() < 1e-12, "bias {bias}, from {start}: {far:e}");
        assert_eq!(crossing(9.01e15, bias, start), None, "bias {bias}, from {start}");
    }
}

/// The first lattice point after `now` at which the neuron spikes without input.
fn first_by_search<T: Real>(m: &Membranes<T>, neurons: &Neurons<T>, i: usize, now: i64) -> i64 {
    (now + 1..now + 1_000_000).find(|&t| m.clone().receive(neurons, i, t, T::ZERO)).unwrap()
}

fn crosses_where_a_search_finds_it<T: Real>(
    all: &[One],
    start: &[f64],
    later: &[i64],
) -> Result<(), TestCaseError> {
    let neurons = neurons::<T>(all);
    let mut m = at_rest(&neurons);
    for (i, ((one, start), later)) in all.iter().zip(start).zip(later).enumerate() {
        let v = one.v_rest + start * (one.v_threshold - one.v_rest);
        prop_assert!(!m.receive(&neurons, i, 0, T::from_f64(v - one.v_rest)));
        let mut now = 0;
        for _ in 0..2 {
            let t = first_by_search(&m, &neurons, i, now);
            prop_assert_eq!(m.crossing(&neurons, i, now), Some(t), "neuron {}", i);
            prop_assert_eq!(m.crossing(&neurons, i, t + later), Some(t + later + 1));
            prop_assert!(m.receive(&neurons, i, t, T::ZERO));
            now = t;
        }
    }
    Ok(())
}

fn driven() -> impl Strategy<Value = One> {
    let levels = (-70.0_f64..10.0, -20.0_f64..20.0, 5.0_f64..40.0);
    (0.05_f64..2.0, levels, 0.01_f64..2.0, 0_u32..1500).prop_map(
        |(tau_m, (v_rest, reset, above), over, t_ref)| {
            let v_threshold = v_rest + above;
            let v_reset = (v_rest + reset).min(v_threshold - 0.5);
            One { tau_m, v_rest, bias: above * (1.0 + over), v_reset, v_threshold, t_ref }
        },
    )
}

proptest! {
    #[test]
    fn crossing_is_the_first_lattice_point_over_threshold(
        all in prop::collection::vec((driven(), -1.0_f64..0.99, 0_i64..3000), 1..4),
    ) {
        let start: Vec<f64> = all.iter().map(|one| one.1).collect();
        let later: Vec<i64> = all.iter().map(|one| one.2).collect();
        let all: Vec<One> = all.into_iter().map(|one| one.0).collect();
        crosses_where_a_search_finds_it::<f64>(&all, &start, &later)?;
        crosses_where_a_search_finds_it::<f32>(&all, &start, &later)?;
    }

    #[test]
    fn crossing_is_where_theory_says(
        tau_m in 1.0_f64..200.0, bias in 15.001_f64..60.0, start in -20.0_f64..14.9,
    ) {
        let neurons = neurons::<f64>(&[One { tau_m, bias, ..PLAIN }]);
        let mut m = at_rest(&neurons);
        prop_assert!(!m.receive(&neurons, 0, 0, start));
        let crossing = m.crossing(&neurons, 0, 0).unwrap();
        let theory = tau_m * 1000.0 * ((bias - start) / (bias - 15.0)).ln();
        prop_assert!((crossing as f64 - theory).abs() <= 1.0, "{crossing} against {theory}");
    }

    /// In single precision the potential reaches a threshold as near as a few units in its last
    /// place long before theory, and any threshold before or after it where `tau_m` is long.
    #[test]
    fn a_crossing_far_from_theory_is_found_too(
        tau_m in 0.1_f64..1e7,
        units in prop_oneof![1_u32..20, 1_u32..10_000_000],
        start in -20.0_f64..14.9,
    ) {
        let v_end = f32::from_bits(15.0_f32.to_bits() + units);
        let neurons = neurons::<f32>(&[One { tau_m, bias: f64::from(v_end), ..PLAIN }]);
        let mut m = at_rest(&neurons);
        prop_assert!(!m.receive(&neurons, 0, 0, start as f32));
        let t = m.crossing(&neurons, 0, 0).unwrap();
        prop_assert!(t > 0 && !m.clone().receive(&neurons, 0, t - 1, 0.0));
        prop_assert!(m.receive(&neurons, 0, t, 0.0));
    }
}

/// Many neurons, so that vectors and what is left after them both occur; times in every order of
/// magnitude, so that potentials outlast any of them.
fn crowd<T: Real>(n: usize) -> Neurons<T> {
    let one = |i: usize| One {
        tau_m: (5.0 + i as f64) * [1.0, 1.0, 1e4, 1e8][i % 4],
        v_reset: -1.0,
        v_threshold: 8.0 + 0.5 * (i % 5) as f64,
        t_ref: [0, 300, 600, 1 << 30, u32::MAX][i % 5],
        ..PLAIN
    };
    neurons(&(0..n).map(one).collect::<Vec<_>>())
}

fn together_is_one_by_one<T: Real>(
    n: usize,
    steps: &[(i64, Vec<(usize, f64)>)],
) -> Result<(), TestCaseError> {
    let neurons = crowd::<T>(n);
    // The rule itself, with nothing but an array of times.
    let (mut v, mut since) = (neurons.v_rest.clone(), vec![0; n]);
    let mut receive = |i: usize, t: i64, arrived: T| {
        let elapsed = t - since[i];
        if arrived == T::ZERO || elapsed < 0 {
            return false;
        }
        v[i] = neurons.relaxed(i, v[i], elapsed) + arrived;
        since[i] = t;
        let spikes = v[i] >= neurons.threshold[i];
        if spikes {
            (v[i], since[i]) = (neurons.v_reset[i], t + i64::from(neurons.t_ref[i]));
        }
        spikes
    };
    let mut all = at_rest(&neurons);
    let (mut some, mut row, mut singly) = (all.clone(), all.clone(), all.clone());
    // All neurons in their order, and with two of them changed about.
    let mut orders: [Vec<u16>; 2] = [(0..n as u16).collect(), (0..n as u16).collect()];
    orders[1].swap(1.min(n - 1), 2.min(n - 1));
    let mut in_order = [all.clone(), all.clone()];
    let (mut input, mut input_of_some) = (simd::table(T::ZERO, 0), simd::table(T::ZERO, 0));
    let mut t = 0;
    for (wait, arrivals) in steps {
        t += wait;
        let mut targets = Vec::new();
        for &(i, w) in arrivals {
            let (i, w) = (i % n, T::from_f64(w));
            input[i] = w;
            input_of_some[i] = w;
            if !targets.contains(&(i as u16)) {
                targets.push(i as u16);
            }
        }
        let arrived: Vec<T> = input[..n].to_vec();
        let expected: Vec<u32> =
            (0..n).filter(|&i| receive(i, t, arrived[i])).map(|i| i as u32).collect();
        let mut spiked = Vec::new();
        all.receive_all(&neurons, t, &mut input, &mut spiked);
        spiked.sort_unstable();
        prop_assert_eq!(&spiked, &expected);
        spiked.clear();
        // A neuron may stand in two rows; the second finds nothing.
        some.receive_some(&neurons, &targets, t, &mut input_of_some, &mut spiked);
        some.receive_some(&neurons, &targets, t, &mut input_of_some, &mut spiked);
        spiked.sort_unstable();
        prop_assert_eq!(&spiked, &expected);
        let weights: Vec<T> = targets.iter().map(|&i| arrived[i as usize]).collect();
        spiked.clear();
        row.receive_row(&neurons, &targets, t, &weights, &mut spiked);
        spiked.sort_unstable();
        prop_assert_eq!(&spiked, &expected);
        for (order, in_order) in orders.iter().zip(&mut in_order) {
            let weights: Vec<T> = order.iter().map(|&i| arrived[i as usize]).collect();
            spiked.clear();
            in_order.receive_row(&neurons, order, t, &weights, &mut spiked);
            spiked.sort_unstable();
            prop_assert_eq!(&spiked, &expected);
        }
        let receives =
            |&i: &usize| arrived[i] != T::ZERO && singly.receive(&neurons, i, t, arrived[i]);
        let spiked: Vec<u32> = (0..n).filter(receives).map(|i| i as u32).collect();
        prop_assert_eq!(&spiked, &expected);
        prop_assert!(input.iter().chain(input_of_some.iter()).all(|&w| w == T::ZERO));
    }
    let bits = |v: &[T]| v.iter().map(|v| v.to_f64().to_bits()).collect::<Vec<_>>();
    let [ordered, swapped] = &in_order;
    for m in [&all, &some, &row, &singly, ordered, swapped] {
        for i in 0..n {
            // Where nothing is left of it, a potential may be said of a later moment.
            let moved = m.held.since(i) - since[i];
            if moved == 0 {
                prop_assert_eq!(bits(&[m.held.v(i)]), bits(&[v[i]]));
            } else {
                prop_assert!(moved > 0 && neurons.leak(i, moved) == T::ZERO, "{i}: {moved}");
                prop_assert_eq!(bits(&[m.held.v(i)]), bits(&[neurons.v_end[i]]));
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn many_neurons_receive_as_each_does_by_itself(
        n in 1_usize..40,
        steps in prop::collection::vec(
            (
                prop_oneof![0_i64..3000, 0_i64..1 << 32, Just(1 << 30), Just(1 << 40)],
                prop::collection::vec((0_usize..40, -4.0_f64..12.0), 0..30),
            ),
            1..12,
        ),
    ) {
        together_is_one_by_one::<f32>(n, &steps)?;
        together_is_one_by_one::<f64>(n, &steps)?;
    }
}
