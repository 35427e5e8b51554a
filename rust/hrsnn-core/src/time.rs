//! The lattice of 1 µs.
//!
//! Lives here: the one rounding from milliseconds, and what times must be. Invariant: every time inside the core is
//! a whole number of µs; no time step exists.

use crate::error::{Error, Result};
use crate::real::Real;

/// Longest span that is accepted as a parameter: half of what 32 bits hold, some 35 minutes.
pub const LONGEST_US: u32 = 1 << 31;

/// Longest span, µs, for which times are counted from one base in 32 bits: some 18 minutes.
pub const LONGEST_SPAN: i64 = 1 << 30;

/// Round `ms` once to µs (ties to even).
///
/// # Errors
/// [`Error::InvalidParameter`] for NaN, a result below `lowest_us`, or one above [`LONGEST_US`].
pub fn us_from_ms(name: &str, ms: f64, lowest_us: u32, at: &str, index: usize) -> Result<u32> {
    let us = (ms * 1000.0).round_ties_even();
    if us >= f64::from(lowest_us) && us <= f64::from(LONGEST_US) {
        return Ok(us as u32);
    }
    let lowest = f64::from(lowest_us) / 1000.0;
    let highest = f64::from(LONGEST_US) / 1000.0;
    Err(Error::element(name, format!("between {lowest} and {highest} ms"), ms, at, index))
}

/// Number of bins that begin and end at `edges`, µs.
///
/// # Errors
/// Fewer than two edges, or edges that are negative or do not increase.
pub fn n_bins(edges: &[i64]) -> Result<usize> {
    let n_bins = edges.len().saturating_sub(1);
    if n_bins == 0 {
        return Err(Error::parameter("edges", "at least two", edges.len()));
    }
    if edges[0] < 0 {
        return Err(Error::element("edges", "at least 0 µs", edges[0], "edge", 0));
    }
    if let Some(before) = edges.windows(2).position(|pair| pair[1] <= pair[0]) {
        let (at, expected) = (before + 1, format!("above {} µs, the one before", edges[before]));
        return Err(Error::element("edges", expected, edges[at], "edge", at));
    }
    Ok(n_bins)
}

/// Times at equal distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// The first, µs.
    pub first: i64,
    /// From one to the next, µs, > 0.
    pub every: i64,
    /// How many.
    pub n: usize,
}

impl Grid {
    /// Those of the multiples of `every` that lie in `from..until`, which do not begin before 0.
    pub fn within(every: i64, from: i64, until: i64) -> Self {
        let first = (from / every + i64::from(from % every > 0)).saturating_mul(every);
        let n = if first < until { (until - 1 - first) / every + 1 } else { 0 };
        Self { first, every, n: n as usize }
    }

    /// In order.
    pub fn times(self) -> impl Iterator<Item = i64> + Clone {
        (0..self.n as i64).map(move |k| self.first + k * self.every)
    }
}

/// 1 / `tau`, 1/µs, of a time constant in ms.
pub fn rate_from_ms<T: Real>(tau: f64) -> T {
    T::from_f64(1.0 / (tau * 1000.0))
}

/// How often what decays with a time constant in ms is halved in a µs.
pub fn halvings_from_ms<T: Real>(tau: f64) -> T {
    T::from_f64(std::f64::consts::LOG2_E / (tau * 1000.0))
}

/// A time constant in ms whose [`halvings_from_ms`] is exactly `halvings`, if there is one.
///
/// So that a network that was saved and loaded has the same bits.
pub fn ms_from_halvings<T: Real>(halvings: T) -> f64 {
    let guess = std::f64::consts::LOG2_E / (halvings.to_f64() * 1000.0);
    let bits = guess.to_bits();
    let near = (0..8).flat_map(|ulps| [bits + ulps, bits - ulps]).map(f64::from_bits);
    near.into_iter().find(|&tau| halvings_from_ms::<T>(tau) == halvings).unwrap_or(guess)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn halvings_have_their_time_constant_back(tau in 1e-3_f64..1e7) {
            let double: f64 = halvings_from_ms(tau);
            prop_assert_eq!(halvings_from_ms::<f64>(ms_from_halvings(double)), double);
            let single: f32 = halvings_from_ms(tau);
            prop_assert_eq!(halvings_from_ms::<f32>(ms_from_halvings(single)), single);
        }
    }

    proptest! {
        #[test]
        fn a_grid_holds_the_multiples_that_lie_within(
            every in 1_i64..50, from in 0_i64..200, length in 0_i64..200
        ) {
            let times: Vec<_> = Grid::within(every, from, from + length).times().collect();
            let expected = (from..from + length).filter(|t| t % every == 0);
            prop_assert_eq!(times, expected.collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_grid_may_be_wider_than_any_sample() {
        assert_eq!(Grid::within(i64::MAX, 0, 7).times().collect::<Vec<_>>(), [0]);
        assert_eq!(Grid::within(i64::MAX - 1, 5, i64::MAX - 2).n, 0);
    }

    #[test]
    fn bins_lie_between_edges_that_increase() {
        assert_eq!(n_bins(&[0, i64::MAX]).unwrap(), 1);
        assert_eq!(n_bins(&[3, 5, 9]).unwrap(), 2);
        for (edges, said) in [
            (&[][..], "edges must be at least two; got 0."),
            (&[5], "edges must be at least two; got 1."),
            (&[-1, 5], "edges must be at least 0 µs; got -1 at edge 0."),
            (&[0, 5, 5], "edges must be above 5 µs, the one before; got 5 at edge 2."),
            (&[0, 5, 9, 2], "edges must be above 9 µs, the one before; got 2 at edge 3."),
        ] {
            assert_eq!(n_bins(edges).unwrap_err().to_string(), said);
        }
    }

    #[test]
    fn rounds_once_and_refuses_what_does_not_fit() {
        assert_eq!(us_from_ms("delay", 0.5, 1, "synapse", 0).unwrap(), 500);
        assert_eq!(us_from_ms("delay", 0.000_6, 1, "synapse", 0).unwrap(), 1);
        for refused in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e12] {
            let error = us_from_ms("delay", refused, 1, "synapse", 7).unwrap_err();
            assert!(error.to_string().starts_with("delay must be between 0.001 and"), "{error}");
            assert!(error.to_string().ends_with(&format!("got {refused} at synapse 7.")));
        }
    }
}
