//! Synaptic currents against theory, and crossings against a look at every µs.

use super::*;
use proptest::prelude::*;

const THRESHOLD: f64 = 15.0;

/// A neuron with the potential and charges it has at t = 0.
#[derive(Debug, Clone)]
struct One<T> {
    neurons: Neurons<T>,
    receptors: Receptors<T>,
    membranes: Membranes<T>,
    charges: Charges<T>,
}

impl<T: Real> One<T> {
    fn new(tau_m: f64, tau_syn: [f64; 2], bias: f64, t_ref: u32) -> Self {
        let neurons = Neurons {
            rate: vec![rate_from_ms(tau_m)],
            halvings: vec![crate::time::halvings_from_ms(tau_m)],
            v_rest: vec![T::ZERO],
            v_end: vec![T::from_f64(bias)],
            v_reset: vec![T::ZERO],
            v_threshold: vec![T::from_f64(THRESHOLD)],
            t_ref: vec![t_ref],
            theta: vec![T::ZERO],
            threshold: vec![T::from_f64(THRESHOLD)],
            together: vec![[T::ZERO; 4]],
        };
        let receptors = Receptors::new([&tau_syn[..1], &tau_syn[1..]], &[tau_m]);
        let mut membranes = Membranes::default();
        membranes.reset(&neurons);
        let mut charges = Charges::default();
        charges.reset(1);
        Self { neurons, receptors, membranes, charges }
    }

    fn receive(&mut self, t: i64, input: [f64; 2]) -> bool {
        let Self { neurons, receptors, membranes, charges } = self;
        charges.receive(membranes, neurons, receptors, 0, t, input.map(T::from_f64))
    }

    fn crossing(&self, now: i64) -> Option<i64> {
        self.charges.crossing(&self.membranes, &self.neurons, &self.receptors, 0, now)
    }

    fn v(&self) -> f64 {
        self.membranes.held.v(0).to_f64()
    }
}

/// PSP of a unit charge, `us` after its arrival, from the standard library.
fn psp(us: f64, tau_m: f64, tau_syn: f64) -> f64 {
    let (m, s) = (1.0 / (1000.0 * tau_m), 1.0 / (1000.0 * tau_syn));
    let x = us * (m - s).abs();
    us * s * (-us * m.min(s)).exp() * if x == 0.0 { 1.0 } else { -(-x).exp_m1() / x }
}

#[test]
fn at_equal_time_constants_the_psp_is_an_alpha_function() {
    let mut one = One::<f64>::new(20.0, [20.0, 5.0], 0.0, 0);
    assert!(!one.receive(1000, [10.0, 0.0]));
    assert!(!one.receive(21_000, [0.0, 0.0]));
    assert!((one.v() - 10.0 * (-1.0_f64).exp()).abs() < 1e-14);
}

#[test]
fn a_charge_outlasts_the_reset_and_grows_while_the_neuron_is_refractory() {
    let mut one = One::<f64>::new(20.0, [5.0, 5.0], 0.0, 2000);
    assert!(!one.receive(0, [100.0, 0.0]));
    let spike = one.crossing(0).unwrap();
    assert!(one.receive(spike, [0.0, 0.0]));
    let before = one.crossing(spike).unwrap();
    assert!(before > spike + 2000);
    assert!(!one.receive(spike + 1999, [50.0, 0.0]));
    let after = one.crossing(spike + 1999).unwrap();
    assert!(spike + 2000 < after && after < before);
    assert!(!one.clone().receive(after - 1, [0.0, 0.0]));
    assert!(one.receive(after, [0.0, 0.0]));
}

#[test]
fn without_a_time_constant_a_synapse_acts_at_once() {
    let mut one = One::<f64>::new(20.0, [0.0, 5.0], 0.0, 2000);
    assert!(!one.receive(0, [0.0, -4.0]));
    assert!(!one.receive(0, [14.999, 0.0]));
    assert!(one.receive(0, [0.001, 0.0]));
    assert!(!one.receive(1999, [100.0, 0.0]), "lost to v");
    assert!(one.receive(2000, [20.0, 0.0]));
}

#[test]
fn an_inhibitory_charge_stops_what_would_have_crossed() {
    let mut one = One::<f64>::new(20.0, [5.0, 5.0], 0.0, 0);
    assert!(!one.receive(0, [40.0, 0.0]));
    let t = one.crossing(0).unwrap();
    assert!(!one.receive(t - 1, [0.0, -100.0]));
    assert_eq!(one.crossing(t - 1), None);
}

#[test]
fn a_hump_between_two_points_of_the_lattice_is_no_spike() {
    // 1 µs and 3 µs: the PSP rises and falls within a few points.
    let (tau_m, tau_syn) = (0.003, 0.001);
    let highest = (0..20).map(|us| psp(f64::from(us), tau_m, tau_syn)).fold(0.0, f64::max);
    let between = (0..2000).map(|x| psp(f64::from(x) / 100.0, tau_m, tau_syn)).fold(0.0, f64::max);
    assert!(between > highest * (1.0 + 1e-4));
    for (weight, crosses) in
        [(0.5 * (1.0 / highest + 1.0 / between), false), (1.000_001 / highest, true)]
    {
        let mut one = One::<f64>::new(tau_m, [tau_syn, tau_syn], 0.0, 0);
        one.receive(0, [THRESHOLD * weight, 0.0]);
        assert_eq!(one.crossing(0).is_some(), crosses);
    }
}

#[test]
fn the_bound_of_the_psp_is_one() {
    for exponent in -120..=120 {
        let ratio = 1.1_f64.powi(exponent);
        let highest =
            (1..4000).map(|x| psp(f64::from(x) * 10.0, 1.0, ratio)).fold(0.0_f64, f64::max);
        let bound = peak(ratio);
        assert!(bound >= highest * (1.0 - 1e-12), "{ratio}: {bound} below {highest}");
        assert!(!(0.01..20.0).contains(&ratio) || bound < highest * 1.01, "{ratio}: {bound}");
    }
    assert_eq!(peak(0.0), 1.0);
    assert!(peak(f64::MAX).abs() < 1e-300);
}

#[test]
fn what_turns_later_than_time_can_be_counted_crosses_while_it_can() {
    // It rises up to about 5e19 µs, where neighbouring numbers are thousands of µs apart.
    for (weight, expected) in [(1e5, None), (1e15, Some(1_500_000))] {
        let mut one = One::<f64>::new(1e15, [1e17, 1e17], 0.0, 0);
        assert!(!one.receive(0, [weight, 0.0]));
        let course = one.charges.course(&one.membranes, &one.neurons, &one.receptors, 0);
        let (_, highest) = course.rising(THRESHOLD)[0].unwrap();
        assert!(highest > 1e18 && course.after(highest).0 > THRESHOLD);
        // v = weight t / tau_syn
        let found = one.crossing(0);
        assert_eq!(found.is_some(), expected.is_some());
        assert!(found.is_none_or(|t| course.after(t as f64).0 >= THRESHOLD));
        assert!(found.is_none_or(|t| course.after(t as f64 - 1.0).0 < THRESHOLD));
        assert!(found.zip(expected).is_none_or(|(t, near): (i64, i64)| (t - near).abs() < 2));
    }
}

fn opposed<T: Real>(
    (tau_m, ex, inh): (f64, f64, f64),
    (v, bias): (f64, f64),
    (u_ex, u_in): (f64, f64),
    t_ref: u32,
) -> Result<(), TestCaseError> {
    let mut one = One::<T>::new(tau_m, [ex, inh], bias, t_ref);
    one.membranes.held.set(0, T::from_f64(v), 0);
    prop_assert!(!one.receive(0, [u_ex, u_in]));
    let mut now = 0;
    for _ in 0..3 {
        let crossing = one.crossing(now);
        // Every µs up to the crossing, or to where everything has settled.
        let end = crossing.unwrap_or(now + 2000 * (tau_m.max(ex).max(inh) * 8.0) as i64);
        let course = one.charges.course(&one.membranes, &one.neurons, &one.receptors, 0);
        let since = one.membranes.held.since(0);
        let over = |t: i64| {
            t >= since && course.after(T::from_us(t - since)).0 >= one.neurons.threshold[0]
        };
        let first = (now + 1..=end).find(|&t| over(t));
        prop_assert_eq!(crossing, first, "after {}", now);
        let Some(t) = crossing else { break };
        prop_assert!(one.receive(t, [0.0, 0.0]));
        now = t;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_crossing_is_the_first_microsecond_over_threshold(
        taus in (0.2_f64..5.0, 0.2_f64..5.0, 0.2_f64..5.0), equal in 0_usize..4,
        start in (-20.0_f64..14.9, -10.0_f64..18.0),
        charge in (0.0_f64..150.0, -150.0_f64..0.0), t_ref in 0_u32..2000,
    ) {
        let (m, ex, inh) = taus;
        let taus = [(m, ex, inh), (m, m, inh), (m, ex, ex), (m, ex * 0.01, inh)][equal];
        opposed::<f64>(taus, start, charge, t_ref)?;
    }

    #[test]
    fn a_sum_of_psps_is_what_theory_says(
        taus in (1.0_f64..50.0, 0.1_f64..50.0), near in prop::bool::ANY, offset in -1e-3_f64..1e-3,
        arrivals in prop::collection::vec((1_i64..20_000, 0.0_f64..0.3, -0.3_f64..0.0), 1..40),
    ) {
        let (tau_m, tau_ex) = (taus.0, if near { taus.0 * (1.0 + offset) } else { taus.1 });
        let tau_in = 7.0;
        let mut double = One::<f64>::new(tau_m, [tau_ex, tau_in], 1.0, 0);
        let mut single = One::<f32>::new(tau_m, [tau_ex, tau_in], 1.0, 0);
        let (mut t, mut past) = (0, Vec::new());
        for (wait, ex, inh) in arrivals {
            t += wait;
            prop_assert!(!double.receive(t, [ex, inh]) && !single.receive(t, [ex, inh]));
            past.push((t, ex, inh));
        }
        t += 3000;
        double.receive(t, [0.0, 0.0]);
        single.receive(t, [0.0, 0.0]);
        let leak = (-(t as f64) / (1000.0 * tau_m)).exp();
        let psps = past.iter().map(|&(at, ex, inh)| {
            let us = (t - at) as f64;
            ex * psp(us, tau_m, tau_ex) + inh * psp(us, tau_m, tau_in)
        });
        let theory = 1.0 - leak + psps.sum::<f64>();
        prop_assert!((double.v() - theory).abs() < 1e-13, "{} against {theory}", double.v());
        prop_assert!((single.v() - theory).abs() < 1e-5, "{} against {theory}", single.v());
    }
}

mod course;
mod edges;
