//! A Poisson drive: events that are drawn block by block while a sample runs, and never stored.
//!
//! Lives here: what a drive is, and the events of a block. Not here: who asks for them (`engine`).
//! Invariant: the events of a block depend on rates, seed and the number of the block alone, so it
//! does not matter who draws them, when, or how many blocks there are.

use crate::error::{Error, Result};
use crate::random::{stream, uniform};
use crate::real::ln;

/// µs of a block.
pub const BLOCK_US: i64 = 1 << 14;

/// Independent Poisson processes, one for each input channel, for ever.
///
/// Together they are one process of the sum of their rates, each event of which belongs to a
/// channel with a probability that is its share of that sum: so an event costs two numbers, however
/// many channels there are.
#[derive(Debug, Clone)]
pub struct Drive {
    /// Rates summed up to each channel, Hz.
    reached: Vec<f64>,
    seed: u64,
}

impl Drive {
    /// `rates`: Hz, one for each input channel.
    ///
    /// # Errors
    /// A rate that is negative or not finite.
    pub fn new(rates: &[f64], seed: u64) -> Result<Self> {
        if let Some(i) = rates.iter().position(|rate| !(rate.is_finite() && *rate >= 0.0)) {
            return Err(Error::element("rates", "at least 0 Hz", rates[i], "channel", i));
        }
        let mut sum = 0.0;
        let reached = rates.iter().map(|rate| {
            sum += rate;
            sum
        });
        Ok(Self { reached: reached.collect(), seed })
    }

    /// Number of channels.
    pub fn n_channels(&self) -> usize {
        self.reached.len()
    }

    /// Put the events of block `number` that are before `end` behind `events`, sorted.
    pub fn draw(&self, number: i64, end: i64, events: &mut Vec<(i64, u32)>) {
        let Some(&total) = self.reached.last().filter(|&&total| total > 0.0) else { return };
        let mut rng = stream(self.seed, "poisson drive", number as u64);
        let begin = events.len();
        let (start, mut within) = (number * BLOCK_US, 0.0);
        loop {
            // 1 - u is in (0, 1].
            within -= ln(1.0 - uniform(&mut rng)) * 1e6 / total;
            if within >= BLOCK_US as f64 || start + within as i64 >= end {
                break;
            }
            let place = uniform(&mut rng) * total;
            let channel = self.reached.partition_point(|&sum| sum <= place);
            // A product that was rounded up to the whole is the last channel's that has a rate.
            let last = self.reached.partition_point(|&sum| sum < total);
            events.push((start + within as i64, channel.min(last) as u32));
        }
        events[begin..].sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(drive: &Drive, blocks: std::ops::Range<i64>) -> Vec<(i64, u32)> {
        let mut events = Vec::new();
        blocks.for_each(|number| drive.draw(number, i64::MAX, &mut events));
        events
    }

    #[test]
    fn counts_are_those_of_poisson_processes() {
        let rates = [0.0, 20.0, 0.0, 300.0, 0.0];
        let events = events(&Drive::new(&rates, 5).unwrap(), 0..6400);
        let seconds = (6400 * BLOCK_US) as f64 / 1e6;
        for (channel, rate) in rates.iter().enumerate() {
            let n = events.iter().filter(|event| event.1 as usize == channel).count() as f64;
            // 5 standard deviations of a Poisson count.
            assert!((n - rate * seconds).abs() <= 5.0 * (rate * seconds).sqrt(), "{channel}: {n}");
        }
        assert!(events.is_sorted());
        // Gaps of an exponential law: their variance is the square of their mean.
        let gaps: Vec<f64> = events.windows(2).map(|pair| (pair[1].0 - pair[0].0) as f64).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let square = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        // Standard error of the ratio: sqrt(8 / n), n = 33,554; 5 of them, and rounding to µs.
        assert!((square / mean.powi(2) - 1.0).abs() < 5.0 * (8.0 / gaps.len() as f64).sqrt());
    }

    #[test]
    fn a_block_is_the_same_whoever_draws_it() {
        let drive = Drive::new(&[1000.0, 2000.0], 7).unwrap();
        let all = events(&drive, 0..20);
        let one = events(&drive, 13..14);
        let range = 13 * BLOCK_US..14 * BLOCK_US;
        let within: Vec<_> = all.into_iter().filter(|event| range.contains(&event.0)).collect();
        assert!(!one.is_empty());
        assert_eq!(one, within);
        let (mut cut, end) = (Vec::new(), 13 * BLOCK_US + 5000);
        drive.draw(13, end, &mut cut);
        assert_eq!(cut, one.into_iter().filter(|event| event.0 < end).collect::<Vec<_>>());
        assert_ne!(events(&Drive::new(&[1000.0, 2000.0], 8).unwrap(), 13..14), cut);
    }

    #[test]
    fn nonsense_is_refused_and_silence_is_none() {
        for wrong in [-1.0, f64::NAN, f64::INFINITY] {
            let error = Drive::new(&[1.0, wrong], 0).unwrap_err().to_string();
            assert!(error.contains("rates") && error.contains("channel 1"), "{error}");
        }
        for rates in [&[0.0, 0.0][..], &[]] {
            assert!(events(&Drive::new(rates, 0).unwrap(), 0..9).is_empty());
        }
    }
}
