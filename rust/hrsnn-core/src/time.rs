//! The lattice of 1 µs.
//!
//! Lives here: the one rounding from milliseconds. Invariant: every time inside the core is
//! a whole number of µs; no time step exists.

use crate::error::{Error, Result};

/// Longest span that is accepted as a parameter: half of what 32 bits hold, some 35 minutes.
pub const LONGEST_US: u32 = 1 << 31;

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

#[cfg(test)]
mod tests {
    use super::*;

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
