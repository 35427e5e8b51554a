//! What the search for a crossing rests on: where currents turn, where `v` rises, how high it gets.

use super::*;

/// A course of random shape; times in µs.
fn course() -> impl Strategy<Value = Course<f64>> {
    let tau = || 50.0_f64..20_000.0;
    let charge = || prop_oneof![Just(0.0), 0.01_f64..100.0];
    ((tau(), tau(), tau()), (-80.0_f64..20.0, -20.0_f64..20.0), (charge(), charge())).prop_map(
        |((tau_m, ex, inh), (end, above), (u_ex, u_in))| Course {
            end,
            leak: 1.0 / tau_m,
            halvings: std::f64::consts::LOG2_E / tau_m,
            rate: [1.0 / ex, 1.0 / inh],
            v: end + above,
            u: [u_ex, -u_in],
        },
    )
}

/// With a membrane of 10 ms.
fn course_of(end: f64, rate: [f64; 2], v: f64, u: [f64; 2]) -> Course<f64> {
    Course { end, leak: 1e-4, halvings: 1e-4 * std::f64::consts::LOG2_E, rate, v, u }
}

impl Course<f64> {
    /// The terms of `tau_m dv/dt` after `us`, from the standard library.
    fn slope(&self, us: f64) -> [f64; 4] {
        let [ex, inh] = [0, 1].map(|kind| self.rate[kind] * self.u[kind] / self.leak);
        let [tau_m, tau_ex, tau_in] = [self.leak, self.rate[0], self.rate[1]].map(|r| 1e-3 / r);
        let [charged, inhibited] =
            [self.u[0] * psp(us, tau_m, tau_ex), self.u[1] * psp(us, tau_m, tau_in)];
        [
            ex * (-us * self.rate[0]).exp(),
            inh * (-us * self.rate[1]).exp(),
            -(self.v - self.end) * (-us * self.leak).exp(),
            -(charged + inhibited),
        ]
    }
}

/// Whether the terms of a sum say its sign, or only their rounding does.
fn sign(terms: [f64; 4]) -> Option<bool> {
    let (sum, size) = terms.iter().fold((0.0, 0.0), |(sum, size), x| (sum + x, size + x.abs()));
    (sum.abs() > 1e-9 * size).then_some(sum > 0.0)
}

proptest! {
    #[test]
    fn what_a_charge_adds_is_the_psp(
        us in 0.0_f64..100_000.0, tau_m in 0.05_f64..50.0, ratio in 0.02_f64..50.0,
        near in prop::bool::ANY,
    ) {
        let tau_syn = tau_m * if near { 1.0 + 1e-4 * ratio } else { ratio };
        let rates = [tau_syn, tau_m].map(rate_from_ms::<f64>);
        let decays = rates.map(|rate| (-us * rate).exp());
        let (found, theory) = (flown(us, rates, decays), psp(us, tau_m, tau_syn));
        // Of numbers up to 1, a few roundings; what is lost to a difference is below 1 / CLOSE.
        prop_assert!((found - theory).abs() <= 1e-15, "{found}, {theory}");
    }

    #[test]
    fn currents_turn_where_both_change_alike(course in course()) {
        let [ex, inh] = course.u.map(|u| u != 0.0);
        let turn = course.turn();
        prop_assert_eq!(turn.is_some(), ex && inh);
        if let Some(us) = turn {
            let change = |kind: usize| {
                let rate = course.rate[kind];
                (rate * rate * course.u[kind].abs()).ln() - us * rate
            };
            let size = us.abs() * course.rate[0].max(course.rate[1]) + 20.0;
            prop_assert!((change(0) - change(1)).abs() < 1e-13 * size);
        }
    }

    #[test]
    fn a_course_is_settled_when_its_slowest_part_is(course in course()) {
        let mut slowest = 1.0 / course.leak;
        for kind in 0..2 {
            if course.u[kind] != 0.0 {
                slowest = slowest.max(1.0 / course.rate[kind]);
            }
        }
        prop_assert!((course.settled() / slowest - SETTLED).abs() < 1e-12);
    }

    #[test]
    fn the_potential_rises_on_the_stretches_and_nowhere_else(course in course()) {
        let stretches = course.rising(f64::MIN);
        for (from, to) in stretches.into_iter().flatten() {
            prop_assert!(0.0 <= from && from < to && to <= course.settled());
        }
        if let [Some((_, to)), Some((from, _))] = stretches {
            prop_assert!(to <= from);
        }
        let end = course.settled() / 3.0;
        for us in (0..600).map(|k| end * (f64::from(k) / 600.0).powi(3)) {
            let Some(rises) = sign(course.slope(us)) else { continue };
            prop_assert!(course.rises(us) == rises, "at {us}");
            // Ends are found to within 0.5 µs, outwards.
            let inside = |slack: f64| {
                stretches.into_iter().flatten().any(|(from, to)| from - slack <= us && us <= to + slack)
            };
            prop_assert!(if rises { inside(0.0) } else { !inside(-0.5) }, "at {us}: {stretches:?}");
        }
    }
}

#[test]
fn a_potential_that_falls_rises_and_falls_again_has_one_stretch() {
    // Fast inhibition, then slow excitation, then the leak.
    let course = course_of(0.0, [2e-4, 1e-2], 5.0, [40.0, -10.0]);
    let [first, second] = course.rising(f64::MIN);
    let (from, to) = first.or(second).unwrap();
    assert!(first.is_none() || second.is_none() || first.unwrap().1 == second.unwrap().0);
    assert!(
        !course.rises(0.0) && course.rises(0.5 * (from + to)) && !course.rises(course.settled())
    );
}

#[test]
fn without_charges_a_potential_only_tends_to_its_end() {
    let still = course_of(-60.0, [1e-3, 2e-3], -65.0, [0.0; 2]);
    assert_eq!(still.rising(f64::MIN), [Some((0.0, 60.0 / 1e-4)), None]);
    assert_eq!(Course { v: -55.0, ..still }.rising(f64::MIN), [None, None]);
    assert_eq!(Course { v: -60.0, ..still }.rising(f64::MIN), [None, None]);
    // What only tends to `end` does not reach it.
    assert_eq!(still.rising(still.end - 1e-9), [Some((0.0, 60.0 / 1e-4)), None]);
    assert_eq!(still.rising(still.end), [None, None]);
    assert_eq!(still.turn(), None);
}

#[test]
fn currents_with_one_time_constant_do_not_turn() {
    let course = course_of(0.0, [1e-3; 2], 0.0, [7.0, -3.0]);
    assert_eq!(course.turn(), None);
}

#[test]
fn the_bound_of_the_psp_is_smooth_where_time_constants_are_equal() {
    for offset in [-1.01e-4, -0.99e-4, -1e-6, -1e-12, 0.0, 1e-15, 1e-9, 0.99e-4, 1.01e-4] {
        let bound = peak(1.0 + offset);
        // ln peak = ln(r) r / (1 - r) = -1 - (r - 1) / 2 + ..., and 1e-4 more where it is near.
        let least = (-1.0 - 0.5 * offset - 1e-12).exp();
        assert!(bound >= least && bound < least * (1.0 + 2e-4), "{offset:e}: {bound}, {least}");
    }
}
