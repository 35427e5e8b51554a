//! Everything that can go wrong through a user's input, in one enum.
//!
//! Lives here: the errors and their sentences. Not here: bugs of ours, which are
//! `debug_assert!` in hot code. Invariant: each message names the argument, where it
//! applies the index, and the value that was refused.

use std::fmt::Display;

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// A fault in what the caller handed over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value outside the range its meaning allows.
    #[error("{name} must be {expected}; got {value}{place}.")]
    InvalidParameter {
        /// The argument.
        name: String,
        /// What is allowed, as in "greater than 0 ms".
        expected: String,
        /// The value found.
        value: String,
        /// Where it was found, as in " at neuron 12", or empty.
        place: String,
    },
    /// An array of the wrong length or shape.
    #[error("{name} must have {expected}; got {found}.")]
    ShapeMismatch {
        /// The argument.
        name: String,
        /// What is allowed, as in "length 500".
        expected: String,
        /// What was found.
        found: String,
    },
    /// Times that go backwards.
    #[error("{name} must not decrease; got {value} after {previous} at index {index}.")]
    NotSorted {
        /// The argument.
        name: String,
        /// First index that is smaller than its predecessor.
        index: usize,
        /// The predecessor.
        previous: i64,
        /// The value.
        value: i64,
    },
    /// A file that is not what it says it is.
    #[error("{path}: {reason}.")]
    Format {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The system's word.
        source: std::io::Error,
    },
    /// More memory than the system grants, found out before it was used.
    #[error("{name} must be small enough for the memory; {n_bytes} bytes were refused.")]
    Memory {
        /// What it was for.
        name: String,
        /// How much was asked for.
        n_bytes: usize,
    },
    /// An object that an earlier bug of ours left half changed.
    #[error(
        "this network is of no use any more: an earlier call was ended by a bug of hrsnn_rs; \
         load it or make it anew"
    )]
    Broken,
    /// The caller's `poll` asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// A refused scalar.
    pub fn parameter(
        name: impl Into<String>,
        expected: impl Into<String>,
        value: impl Display,
    ) -> Self {
        Self::InvalidParameter {
            name: name.into(),
            expected: expected.into(),
            value: value.to_string(),
            place: String::new(),
        }
    }

    /// A refused element: `at` says what is counted ("neuron", "synapse", "event").
    pub fn element(
        name: impl Into<String>,
        expected: impl Into<String>,
        value: impl Display,
        at: &str,
        index: usize,
    ) -> Self {
        Self::InvalidParameter {
            name: name.into(),
            expected: expected.into(),
            value: value.to_string(),
            place: format!(" at {at} {index}"),
        }
    }

    /// A wrong length.
    pub fn length(name: impl Into<String>, expected: usize, found: usize) -> Self {
        Self::ShapeMismatch {
            name: name.into(),
            expected: format!("length {expected}"),
            found: format!("length {found}"),
        }
    }
}

/// An empty vector with room for `n` elements, or an error where `Vec` would end the process.
///
/// # Errors
/// [`Error::Memory`].
pub fn with_room<T>(name: &str, n: usize) -> Result<Vec<T>> {
    let mut values = Vec::new();
    let n_bytes = n.saturating_mul(size_of::<T>());
    let refused = |_| Error::Memory { name: name.into(), n_bytes };
    values.try_reserve_exact(n).map_err(refused)?;
    Ok(values)
}

/// Refuse the first element of `values` that is not finite or fails `allowed`.
///
/// # Errors
/// [`Error::InvalidParameter`] with the index of that element.
pub fn check_each(
    name: &str,
    values: &[f64],
    expected: &str,
    at: &str,
    allowed: impl Fn(f64) -> bool,
) -> Result<()> {
    match values.iter().position(|&value| !value.is_finite() || !allowed(value)) {
        Some(index) => Err(Error::element(name, expected, values[index], at, index)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_that_no_machine_has_is_an_error() {
        assert_eq!(with_room::<u8>("weight", 3).unwrap().capacity(), 3);
        let error = with_room::<u64>("weight", usize::MAX).unwrap_err();
        assert!(matches!(error, Error::Memory { n_bytes: usize::MAX, .. }), "{error}");
    }

    #[test]
    fn messages_name_argument_index_and_value() {
        let error = check_each("tau_m", &[1.0, -5.0], "greater than 0 ms", "neuron", |v| v > 0.0);
        assert_eq!(
            error.unwrap_err().to_string(),
            "tau_m must be greater than 0 ms; got -5 at neuron 1."
        );
        let error = check_each("bias", &[f64::NAN], "finite", "neuron", |_| true).unwrap_err();
        assert_eq!(error.to_string(), "bias must be finite; got NaN at neuron 0.");
        assert_eq!(
            Error::length("t_ref", 3, 2).to_string(),
            "t_ref must have length 3; got length 2."
        );
    }
}
