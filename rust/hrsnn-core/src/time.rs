//! The lattice of 1 µs.
//!
//! Lives here: the one rounding from milliseconds. Invariant: every time inside the core is
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
