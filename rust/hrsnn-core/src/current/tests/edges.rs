//! Crossings that one rounding, one microsecond or a hold decides.

use super::*;

impl<T: Real> One<T> {
    /// A neuron that rests at `v_rest` without a drive and has no charges yet.
    fn resting(tau_m: f64, tau_syn: [f64; 2], v_rest: f64, v_threshold: f64) -> Self {
        let mut one = Self::new(tau_m, tau_syn, 0.0, 0);
        let v_rest = T::from_f64(v_rest);
        (one.neurons.v_rest[0], one.neurons.v_end[0]) = (v_rest, v_rest);
        one.membranes.held.set(0, v_rest, 0);
        one.neurons.v_threshold[0] = T::from_f64(v_threshold);
        one.neurons.set_theta(0, T::ZERO);
        one
    }

    fn is_over(&self, us: i64) -> bool {
        self.clone().receive(us, [0.0, 0.0])
    }
}

/// The highest PSP of a unit charge on the lattice, and where.
fn highest(tau_m: f64, tau_syn: f64) -> (i64, f64) {
    let (m, s) = (1000.0 * tau_m, 1000.0 * tau_syn);
    let peak = if m == s { m } else { (m / s).ln() * m * s / (m - s) };
    let around = (peak as i64 - 2).max(0)..peak as i64 + 3;
    around
        .map(|us| (us, psp(us as f64, tau_m, tau_syn)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_psp_that_grazes_the_threshold_is_a_spike_if_it_reaches_it(
        tau_m in 0.5_f64..50.0, tau_syn in 0.1_f64..30.0, v_rest in -80.0_f64..20.0,
        // The distance to the threshold, mV, as a power of ten.
        distance in -3.0_f64..1.5, units in -8_i32..9,
    ) {
        let distance = 10.0_f64.powf(distance);
        let (us, highest) = highest(tau_m, tau_syn);
        let weight = |epsilon: f64| {
            let missing = distance + f64::from(units) * epsilon * (distance + v_rest.abs());
            missing / highest
        };
        let mut double = One::<f64>::resting(tau_m, [tau_syn, 1.0], v_rest, v_rest + distance);
        prop_assert!(!double.receive(0, [weight(f64::EPSILON), 0.0]));
        let mut single = One::<f32>::resting(tau_m, [tau_syn, 1.0], v_rest, v_rest + distance);
        prop_assert!(!single.receive(0, [weight(f64::from(f32::EPSILON)), 0.0]));
        for (name, crossing, over, before) in [
            ("f64", double.crossing(0), double.is_over(us), crossing_is_sharp(&double)),
            ("f32", single.crossing(0), single.is_over(us), crossing_is_sharp(&single)),
        ] {
            prop_assert!(crossing.is_some() || !over, "{name}: over at {us} and never crosses");
            prop_assert!(before, "{name}: crosses at {crossing:?}");
        }
    }

    #[test]
    fn inhibition_and_rest_below_zero_change_nothing_about_it(
        tau_m in 1.0_f64..30.0, inhibition in -20.0_f64..-1.0, units in -8_i32..9,
    ) {
        // One time constant, so that both charges act as their sum.
        let mut one = One::<f64>::resting(tau_m, [5.0, 5.0], -65.0, -50.0);
        let (us, highest) = highest(tau_m, 5.0);
        let weight = 15.0 * (1.0 + f64::from(units) * 1e-12) / highest - inhibition;
        prop_assert!(!one.receive(0, [weight, inhibition]));
        prop_assert_eq!(one.crossing(0).is_some(), one.is_over(us));
    }
}

/// Whether the neuron is over threshold at its crossing, if there is one, and not 1 µs before.
fn crossing_is_sharp<T: Real>(one: &One<T>) -> bool {
    one.crossing(0).is_none_or(|t| t > 0 && one.is_over(t) && (t == 1 || !one.is_over(t - 1)))
}

#[test]
fn a_crossing_may_be_the_very_next_microsecond() {
    for us in 0..4 {
        // The charge is such that the threshold is reached at `us` + 1/2.
        let mut one = One::<f64>::resting(20.0, [5.0, 5.0], 0.0, THRESHOLD);
        let weight = THRESHOLD / psp(us as f64 + 0.5, 20.0, 5.0);
        assert!(!one.receive(100, [weight, 0.0]));
        assert_eq!(one.crossing(100), Some(101 + us));
    }
}

#[test]
fn what_rounding_lifts_to_the_threshold_waits_for_the_next_microsecond() {
    // v - v_end is rounded, so that v_end + (v - v_end) is the threshold, and v is not.
    let mut one = One::<f32>::new(20.0, [5.0, 5.0], 1000.0, 0);
    one.receive(0, [1.0, 0.0]);
    one.membranes.held.set(0, 15.0_f32.next_down(), 40);
    assert!(one.is_over(40));
    assert_eq!(one.crossing(40), Some(41));
    assert_eq!(one.crossing(39), Some(40), "at the end of a hold");
}

#[test]
fn a_driven_neuron_with_a_charge_crosses_earlier_or_later_than_without() {
    let crossing = |ex, inh| {
        let mut one = One::<f64>::new(20.0, [5.0, 3.0], 20.0, 0);
        one.receive(0, [ex, inh]);
        one.crossing(0).unwrap()
    };
    let alone = (20_000.0 * 4.0_f64.ln()).ceil() as i64;
    assert_eq!(crossing(0.0, 0.0), alone);
    assert!(crossing(1e-3, 0.0) < alone && alone < crossing(0.0, -1e-3));
    assert!(crossing(3.0, -3.0) > crossing(3.0, 0.0));
}

#[test]
fn a_neuron_has_its_own_charges_and_time_constants() {
    let mut all = One::<f64>::new(20.0, [5.0, 5.0], 0.0, 0);
    let taus = [(20.0, 5.0, 0.0), (7.0, 0.0, 2.0), (30.0, 11.0, 4.0)];
    let of = |f: fn(&(f64, f64, f64)) -> f64| taus.iter().map(f).collect::<Vec<f64>>();
    let tau_m = of(|tau| tau.0);
    all.receptors = Receptors::new([&of(|tau| tau.1), &of(|tau| tau.2)], &tau_m);
    all.neurons.rate = tau_m.iter().map(|&tau| rate_from_ms(tau)).collect();
    all.neurons.halvings = tau_m.iter().map(|&tau| crate::time::halvings_from_ms(tau)).collect();
    all.neurons.v_end = vec![0.0, 1.0, -2.0];
    for column in [&mut all.neurons.v_rest, &mut all.neurons.v_reset, &mut all.neurons.theta] {
        column.resize(3, 0.0);
    }
    all.neurons.threshold = vec![15.0, 14.0, 13.0];
    all.neurons.t_ref = vec![0; 3];
    all.membranes.reset(&all.neurons);
    all.charges.reset(3);
    let One { neurons, receptors, membranes, charges } = &mut all;
    let mut receive = |i, t, input| charges.receive(membranes, neurons, receptors, i, t, input);
    for i in [2, 0, 1] {
        assert!(!receive(i, 1000 * i as i64, [6.0, -2.0]));
    }
    for i in 0..3 {
        assert!(!receive(i, 1000 * i as i64 + 4000, [0.0, 0.0]));
    }
    for (i, (m, ex, inh)) in taus.into_iter().enumerate() {
        let left = |us: f64| (-us / (1000.0 * m)).exp();
        let part = |tau| if tau == 0.0 { left(4000.0) } else { psp(4000.0, m, tau) };
        let drive = neurons.v_end[i] * (1.0 - left(4000.0 + 1000.0 * i as f64));
        let theory = drive + 6.0 * part(ex) - 2.0 * part(inh);
        assert!((membranes.held.v(i) - theory).abs() < 1e-13, "neuron {i}");
    }
    charges.reset(2);
    assert_eq!((&charges.u, &charges.at), (&[vec![0.0; 2], vec![0.0; 2]], &vec![0; 2]));
}

#[test]
fn a_delta_synapse_beside_a_current_is_lost_to_the_hold_and_the_current_is_not() {
    let mut one = One::<f64>::new(20.0, [5.0, 0.0], 0.0, 1000);
    one.receive(0, [1000.0, 0.0]);
    let t = one.crossing(0).unwrap();
    assert!(one.receive(t, [0.0, 0.0]));
    let mut inhibited = one.clone();
    assert!(!inhibited.receive(t + 999, [0.0, -14.0]));
    assert_eq!(inhibited.crossing(t + 999), one.crossing(t), "lost");
    let mut inhibited = one.clone();
    assert!(!inhibited.receive(t + 1000, [0.0, -14.0]));
    assert_eq!(inhibited.v(), -14.0);
    assert!(inhibited.crossing(t + 1000) > one.crossing(t));
    let mut excited = one.clone();
    assert!(!excited.receive(t + 500, [1000.0, 0.0]));
    let left = |us: i64| (-(us as f64) / 5000.0).exp();
    let expected = 1000.0 * (left(t + 500) + 1.0);
    assert!((excited.charges.u[0][0] - expected).abs() < 1e-10);
    assert!(excited.crossing(t + 500) < one.crossing(t));
}
