//! Laws from which heterogeneous parameters are drawn.
//!
//! Lives here: six laws, their truncation, and drawing by rows. Not here: means of
//! truncated laws (Python, in closed form) and which parameter may be negative.
//! Invariant: the values of row `r` depend on (seed, purpose, `r`) and their number alone.

use rand_distr::Distribution as _;

use crate::error::with_room;
use crate::random::{Stream, stream, uniform};
use crate::{Error, Result};

/// Redraws of one value before a truncation is called hopeless: an interval with a
/// thousandth of the mass fails with probability 0.999^100000 < 1e-43.
const MAX_REDRAWS: u32 = 100_000;

/// A law before truncation. Means and standard deviations are those of the values
/// themselves, also for the log-normal law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Law {
    /// Always `value`.
    Constant {
        /// The value.
        value: f64,
    },
    /// Gamma law; its coefficient of variation is `1 / sqrt(shape)`.
    Gamma {
        /// Greater than 0.
        mean: f64,
        /// Greater than 0.
        shape: f64,
    },
    /// Log-normal law.
    LogNormal {
        /// Greater than 0.
        mean: f64,
        /// Greater than 0.
        std: f64,
    },
    /// Uniform on [low, high].
    Uniform {
        /// Finite.
        low: f64,
        /// Greater than `low`.
        high: f64,
    },
    /// Uniform in the logarithm, on [low, high].
    LogUniform {
        /// Greater than 0.
        low: f64,
        /// Greater than `low`.
        high: f64,
    },
    /// Normal law.
    Normal {
        /// Finite.
        mean: f64,
        /// Greater than 0.
        std: f64,
    },
}

/// A checked law, truncated to `[low, high]` by redrawing.
///
/// ```
/// use hrsnn_core::distribution::{Distribution, Law};
/// let law = Law::Gamma { mean: 20.0, shape: 3.0 };
/// let tau_m = Distribution::new(law, Some(5.0), None)?;
/// // Two rows: one value, then two.
/// let values = tau_m.sample_rows(&[0, 1, 3], 7, "tau_m")?;
/// assert!(values.len() == 3 && values.iter().all(|&value| value >= 5.0));
/// # Ok::<(), hrsnn_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distribution {
    law: Law,
    low: f64,
    high: f64,
}

/// A law with its constants computed.
enum Sampler {
    Constant(f64),
    Gamma(rand_distr::Gamma<f64>),
    LogNormal { mu: f64, sigma: f64 },
    Uniform { low: f64, width: f64 },
    LogUniform { low: f64, high: f64, log_ratio: f64 },
    Normal { mean: f64, std: f64 },
}

impl Distribution {
    /// Check `law` and its truncation; `None` leaves that side open.
    ///
    /// # Errors
    /// If a parameter is not finite or not positive where it must be, or `low` is not
    /// below `high`.
    pub fn new(law: Law, low: Option<f64>, high: Option<f64>) -> Result<Self> {
        match law {
            Law::Constant { value } => finite("value", value)?,
            Law::Gamma { mean, shape } => {
                positive("mean", mean)?;
                positive("shape", shape)?;
                // The scale must be a normal number, or every draw would be 0 or infinite.
                if !(mean / shape).is_normal() {
                    return Err(Error::parameter("shape", "commensurate with the mean", shape));
                }
            }
            Law::LogNormal { mean, std } => {
                positive("mean", mean)?;
                positive("std", std)?;
                if !(std / mean).powi(2).is_normal() {
                    return Err(Error::parameter("std", "commensurate with the mean", std));
                }
            }
            Law::Uniform { low, high } => {
                finite("low", low)?;
                finite("high", high)?;
                above(low, high)?;
                if !(high - low).is_finite() {
                    return Err(Error::parameter("high", "within 1.8e308 of low", high));
                }
            }
            Law::LogUniform { low, high } => {
                positive("low", low)?;
                finite("high", high)?;
                above(low, high)?;
                if !(high / low).is_finite() {
                    return Err(Error::parameter("high", "within 1.8e308 times low", high));
                }
            }
            Law::Normal { mean, std } => {
                finite("mean", mean)?;
                positive("std", std)?;
            }
        }
        if let Some(low) = low {
            finite("low", low)?;
        }
        if let Some(high) = high {
            finite("high", high)?;
            if let Some(low) = low {
                above(low, high)?;
            }
        }
        Ok(Self { law, low: low.unwrap_or(f64::MIN), high: high.unwrap_or(f64::MAX) })
    }

    /// Draw `offsets[r + 1] - offsets[r]` values for each row `r` from the stream
    /// (`seed`, `purpose`, `r`), one row after the other.
    ///
    /// # Errors
    /// If `offsets` is empty, does not start at 0 or decreases; if the truncation leaves
    /// almost nothing of the law.
    pub fn sample_rows(&self, offsets: &[i64], seed: u64, purpose: &str) -> Result<Vec<f64>> {
        let n = check_offsets(offsets)?;
        let sampler = self.sampler();
        let mut values = with_room("offsets", n)?;
        for (row, pair) in offsets.windows(2).enumerate() {
            if pair[0] == pair[1] {
                continue;
            }
            let mut rng = stream(seed, purpose, row as u64);
            for _ in pair[0]..pair[1] {
                values.push(self.draw(&sampler, &mut rng)?);
            }
        }
        Ok(values)
    }

    fn sampler(&self) -> Sampler {
        match self.law {
            Law::Constant { value } => Sampler::Constant(value),
            Law::Gamma { mean, shape } => Sampler::Gamma(
                rand_distr::Gamma::new(shape, mean / shape).expect("checked by `new`"),
            ),
            Law::LogNormal { mean, std } => {
                let variance = (std / mean).powi(2).ln_1p();
                Sampler::LogNormal { mu: mean.ln() - 0.5 * variance, sigma: variance.sqrt() }
            }
            Law::Uniform { low, high } => Sampler::Uniform { low, width: high - low },
            Law::LogUniform { low, high } => {
                Sampler::LogUniform { low, high, log_ratio: (high / low).ln() }
            }
            Law::Normal { mean, std } => Sampler::Normal { mean, std },
        }
    }

    fn draw(&self, sampler: &Sampler, rng: &mut Stream) -> Result<f64> {
        for _ in 0..=MAX_REDRAWS {
            let value = sampler.draw(rng);
            if self.low <= value && value <= self.high {
                return Ok(value);
            }
        }
        Err(Error::parameter(
            "low and high",
            format!("an interval that {:?} reaches", self.law),
            format!("[{}, {}]", self.low, self.high),
        ))
    }
}

impl Sampler {
    fn draw(&self, rng: &mut Stream) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Gamma(gamma) => gamma.sample(rng),
            Self::LogNormal { mu, sigma } => (mu + sigma * normal(rng)).exp(),
            Self::Uniform { low, width } => low + width * uniform(rng),
            // Rounding could carry the largest values past the end.
            Self::LogUniform { low, high, log_ratio } => {
                (low * (log_ratio * uniform(rng)).exp()).min(*high)
            }
            Self::Normal { mean, std } => mean + std * normal(rng),
        }
    }
}

pub(crate) fn normal(rng: &mut Stream) -> f64 {
    rand_distr::StandardNormal.sample(rng)
}

/// The number of values that `offsets` asks for.
fn check_offsets(offsets: &[i64]) -> Result<usize> {
    let (Some(&first), Some(&last)) = (offsets.first(), offsets.last()) else {
        return Err(Error::ShapeMismatch {
            name: "offsets".into(),
            expected: "at least one element".into(),
            found: "length 0".into(),
        });
    };
    if first != 0 {
        return Err(Error::element("offsets", "0", first, "row", 0));
    }
    if let Some(index) = offsets.windows(2).position(|pair| pair[1] < pair[0]) {
        return Err(Error::NotSorted {
            name: "offsets".into(),
            index: index + 1,
            previous: offsets[index],
            value: offsets[index + 1],
        });
    }
    Ok(last as usize)
}

fn finite(name: &str, value: f64) -> Result<()> {
    if value.is_finite() { Ok(()) } else { Err(Error::parameter(name, "finite", value)) }
}

fn positive(name: &str, value: f64) -> Result<()> {
    if value.is_finite() && value > 0.0 {
        Ok(())
    } else {
        Err(Error::parameter(name, "greater than 0 and finite", value))
    }
}

fn above(low: f64, high: f64) -> Result<()> {
    if high > low {
        Ok(())
    } else {
        Err(Error::parameter("high", format!("greater than low ({low})"), high))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GAMMA: Law = Law::Gamma { mean: 20.0, shape: 3.0 };

    fn refusal(law: Law, low: Option<f64>, high: Option<f64>) -> String {
        Distribution::new(law, low, high).unwrap_err().to_string()
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        let text = refusal(Law::Gamma { mean: -1.0, shape: 3.0 }, None, None);
        assert_eq!(text, "mean must be greater than 0 and finite; got -1.");
        for value in [f64::NAN, f64::INFINITY, 0.0, -1.0] {
            assert!(refusal(Law::Gamma { mean: 1.0, shape: value }, None, None).contains("shape"));
            assert!(refusal(Law::LogNormal { mean: value, std: 1.0 }, None, None).contains("mean"));
            assert!(refusal(Law::LogNormal { mean: 1.0, std: value }, None, None).contains("std"));
            assert!(refusal(Law::Normal { mean: 1.0, std: value }, None, None).contains("std"));
        }
        let text = refusal(Law::Uniform { low: 2.0, high: 1.0 }, None, None);
        assert_eq!(text, "high must be greater than low (2); got 1.");
        assert!(
            refusal(Law::Uniform { low: f64::MIN, high: f64::MAX }, None, None).contains("high")
        );
        for (low, high, name) in [
            (0.0, 1.0, "low"),
            (-1.0, 1.0, "low"),
            (f64::NAN, 1.0, "low"),
            (1.0, f64::INFINITY, "high"),
            (2.0, 1.0, "high"),
            (1e-300, 1e300, "high"),
        ] {
            let text = refusal(Law::LogUniform { low, high }, None, None);
            assert!(text.starts_with(name), "{text}");
        }
        assert!(refusal(Law::Constant { value: f64::NAN }, None, None).contains("value"));
        assert!(refusal(GAMMA, Some(f64::NAN), None).contains("low"));
        assert!(refusal(GAMMA, Some(1.0), Some(1.0)).contains("high"));
    }

    #[test]
    fn log_uniform_values_stay_between_their_ends() {
        for (low, high) in [(5.0, 500.0), (0.1, 0.1_f64.next_up()), (5e-324, 1e-20), (3.0, 3.1)] {
            let law = Distribution::new(Law::LogUniform { low, high }, None, None).unwrap();
            let values = law.sample_rows(&[0, 2000], 1, "ends").unwrap();
            assert!(values.iter().all(|value| (low..=high).contains(value)), "{low} {high}");
        }
    }

    #[test]
    fn hopeless_truncation_ends_in_an_error() {
        let far = Distribution::new(GAMMA, Some(1e6), None).unwrap();
        let text = far.sample_rows(&[0, 1], 0, "far").unwrap_err().to_string();
        assert!(text.starts_with("low and high must be an interval that"), "{text}");
    }

    #[test]
    fn offsets_are_checked() {
        let law = Distribution::new(GAMMA, None, None).unwrap();
        let text = |offsets: &[i64]| law.sample_rows(offsets, 0, "x").unwrap_err().to_string();
        assert_eq!(text(&[]), "offsets must have at least one element; got length 0.");
        assert_eq!(text(&[1]), "offsets must be 0; got 1 at row 0.");
        assert_eq!(text(&[0, 3, 2]), "offsets must not decrease; got 2 after 3 at index 2.");
        assert!(text(&[0, i64::MAX]).starts_with("offsets must be small enough"));
    }

    proptest! {
        #[test]
        fn a_row_depends_on_nothing_but_its_key(
            counts in prop::collection::vec(0_i64..5, 1..8),
            other in 0_i64..5,
            seed: u64,
        ) {
            let law = Distribution::new(GAMMA, Some(1.0), Some(50.0)).unwrap();
            let rows = |counts: &[i64]| {
                let mut offsets = vec![0];
                for count in counts {
                    offsets.push(offsets.last().unwrap() + count);
                }
                law.sample_rows(&offsets, seed, "p").unwrap()
            };
            let last = *counts.last().unwrap() as usize;
            let mut changed = counts.clone();
            if counts.len() > 1 {
                changed[0] = other;
            }
            let (a, b) = (rows(&counts), rows(&changed));
            prop_assert_eq!(&a[a.len() - last..], &b[b.len() - last..]);
            prop_assert!(a.iter().all(|value| (1.0..=50.0).contains(value)));
        }
    }
}
