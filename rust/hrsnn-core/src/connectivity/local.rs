//! Neurons with places on the plane of a sensor: local inputs, local recurrence.
//!
//! Both generators take the neurons' places from the stream (seed, "positions", neuron),
//! so that a neuron's inputs and its recurrent partners surround the same point.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::{check_size, from_sources, with_room};
use crate::csr::Csr;
use crate::random::{Stream, stream, uniform};
use crate::{Error, Result};

/// A sensor of `height` x `width` pixels; pixel (y, x) covers [y, y + 1) x [x, x + 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SensorPlane {
    /// Pixels from top to bottom.
    pub height: usize,
    /// Pixels from left to right.
    pub width: usize,
}

impl SensorPlane {
    /// Places (y, x) of `n` neurons, uniform on the plane.
    ///
    /// # Errors
    /// If the plane has no area or there is no memory for the places.
    pub fn positions(self, n: usize, seed: u64) -> Result<Vec<[f64; 2]>> {
        for (name, side) in [("height", self.height), ("width", self.width)] {
            if side == 0 {
                return Err(Error::parameter(name, "at least 1", side));
            }
            check_size(name, side)?;
        }
        check_size("n_neurons", n)?;
        let mut places = with_room("n_neurons", n)?;
        for neuron in 0..n {
            let mut rng = stream(seed, "positions", neuron as u64);
            let y = uniform(&mut rng) * self.height as f64;
            places.push([y, uniform(&mut rng) * self.width as f64]);
        }
        Ok(places)
    }
}

/// Each of `n_post` neurons draws `k` distinct input channels near its place.
///
/// Channel `(polarity * height + y) * width + x` is drawn, without replacement, with
/// weight `exp(-d^2 / (2 sigma^2))`, `d` from the neuron to the middle of the pixel.
/// Target `i` draws from the stream (`seed`, `purpose`, `i`).
///
/// ```
/// use hrsnn_core::connectivity::{SensorPlane, local_inputs};
/// let sensor = SensorPlane { height: 8, width: 8 };
/// let csr = local_inputs(sensor, 2, 10, 5, 1.5, 7, "inputs")?;
/// assert_eq!((csr.n_rows(), csr.n_synapses()), (128, 50));
/// # Ok::<(), hrsnn_core::Error>(())
/// ```
///
/// # Errors
/// If `k` exceeds the number of channels or `sigma` is not positive.
pub fn local_inputs(
    sensor: SensorPlane,
    polarities: usize,
    n_post: usize,
    k: usize,
    sigma: f64,
    seed: u64,
    purpose: &str,
) -> Result<Csr> {
    check_sigma(sigma)?;
    let places = sensor.positions(n_post, seed)?;
    let n_channels = sensor.height.saturating_mul(sensor.width).saturating_mul(polarities);
    check_size("height * width * polarities", n_channels)?;
    check_k(k, n_channels)?;
    let penalty = |d: f64| (d / sigma).powi(2) * 0.5;
    let mut sources = with_room("n_post * k", n_post.saturating_mul(k))?;
    let mut across = vec![0.0; sensor.width];
    for (target, &[y0, x0]) in places.iter().enumerate() {
        for (x, value) in across.iter_mut().enumerate() {
            *value = penalty(x as f64 + 0.5 - x0);
        }
        let mut nearest = Nearest::new(k);
        let mut rng = stream(seed, purpose, target as u64);
        let mut channel = 0;
        for _ in 0..polarities {
            for y in 0..sensor.height {
                let down = penalty(y as f64 + 0.5 - y0);
                for value in &across {
                    nearest.offer(channel, down + value, &mut rng);
                    channel += 1;
                }
            }
        }
        nearest.append_to(&mut sources);
    }
    from_sources(n_channels, n_post, k, &sources)
}

/// Each of `n` neurons draws `k` distinct other neurons near its place, without
/// replacement, with weight `exp(-d^2 / (2 sigma^2))`.
///
/// Target `i` draws from the stream (`seed`, `purpose`, `i`).
///
/// # Errors
/// If `k` is not below `n` or `sigma` is not positive.
pub fn local_recurrence(
    sensor: SensorPlane,
    n: usize,
    k: usize,
    sigma: f64,
    seed: u64,
    purpose: &str,
) -> Result<Csr> {
    check_sigma(sigma)?;
    let places = sensor.positions(n, seed)?;
    check_k(k, n.saturating_sub(1))?;
    let mut sources = with_room("n * k", n.saturating_mul(k))?;
    for (target, &[y0, x0]) in places.iter().enumerate() {
        let mut nearest = Nearest::new(k);
        let mut rng = stream(seed, purpose, target as u64);
        for (source, &[y, x]) in places.iter().enumerate() {
            if source != target {
                let squares = ((y - y0) / sigma).powi(2) + ((x - x0) / sigma).powi(2);
                nearest.offer(source as u32, 0.5 * squares, &mut rng);
            }
        }
        nearest.append_to(&mut sources);
    }
    from_sources(n, n, k, &sources)
}

fn check_sigma(sigma: f64) -> Result<()> {
    if sigma.is_finite() && sigma > 0.0 {
        Ok(())
    } else {
        Err(Error::parameter("sigma", "greater than 0 and finite", sigma))
    }
}

fn check_k(k: usize, n_sources: usize) -> Result<()> {
    if k > n_sources {
        let expected = format!("at most {n_sources}, the number of possible sources");
        return Err(Error::parameter("k", expected, k));
    }
    Ok(())
}

/// Weighted drawing of `k` candidates without replacement (Efraimidis & Spirakis 2006,
/// Inf. Process. Lett. 97:181): each candidate of weight `w` waits an exponential time of
/// rate `w`, the `k` first are taken. Kept as logarithms, where no weight underflows.
struct Nearest {
    k: usize,
    worst_first: BinaryHeap<Candidate>,
}

struct Candidate {
    log_time: f64,
    source: u32,
}

impl Nearest {
    fn new(k: usize) -> Self {
        Self { k, worst_first: BinaryHeap::with_capacity(k + 1) }
    }

    /// Offer a candidate of weight `exp(-penalty)`.
    fn offer(&mut self, source: u32, penalty: f64, rng: &mut Stream) {
        let full = self.worst_first.len() == self.k;
        let limit = match self.worst_first.peek() {
            Some(worst) if full => worst.log_time,
            _ if self.k == 0 => return,
            _ => f64::INFINITY,
        };
        // The time is -ln(1 - u) >= u >= 2^-53 (or 0, once in 2^53), and ln 2^-53 > -37.
        if penalty - 37.0 >= limit {
            return;
        }
        let u = uniform(rng);
        // ln u >= exponent(u) ln 2: a comparison instead of two logarithms for most.
        let exponent = (u.to_bits() >> 52) as i32 - 1023;
        if f64::from(exponent) * std::f64::consts::LN_2 + penalty >= limit {
            return;
        }
        let log_time = (-(-u).ln_1p()).ln() + penalty;
        let candidate = Candidate { log_time, source };
        if !full {
            self.worst_first.push(candidate);
        } else if log_time < limit {
            self.worst_first.pop();
            self.worst_first.push(candidate);
        }
    }

    fn append_to(self, sources: &mut Vec<u32>) {
        sources.extend(self.worst_first.into_iter().map(|candidate| candidate.source));
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.log_time.total_cmp(&other.log_time).then(self.source.cmp(&other.source))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_draw_follows_the_weights() {
        // Two candidates, weights 1 and exp(-1): the first wins with p = 0.7311.
        let mut sources = Vec::new();
        for index in 0..10_000 {
            let mut rng = stream(1, "x", index);
            let mut nearest = Nearest::new(1);
            nearest.offer(0, 0.0, &mut rng);
            nearest.offer(1, 1.0, &mut rng);
            nearest.append_to(&mut sources);
        }
        let wins = sources.iter().filter(|&&source| source == 0).count();
        // Standard deviation sqrt(1e4 * 0.7311 * 0.2689) = 44; 5 of them.
        assert!(wins.abs_diff(7311) < 222, "{wins}");
    }
}
