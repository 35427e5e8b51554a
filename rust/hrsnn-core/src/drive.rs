//! A Poisson drive: events that are drawn block by block while a sample runs, and never stored.
//!
//! Lives here: what a drive is, and the events of a block. Not here: who asks for them (`engine`).
//! Invariant: the events of a block depend on rates, seed, and the numbers of sample and block alone,
//! so it does not matter who draws them, when, or how many blocks there are.

use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::random::{stream, uniform};
use crate::real::ln;
use crate::time::n_bins;

/// µs of a block.
pub const BLOCK_US: i64 = 1 << 14;

/// Independent Poisson processes, one for each input channel, whose rates stay within a bin of time.
///
/// Together they are one process of the sum of their rates, each event of which belongs to a
/// channel with a probability that is its share of that sum: so an event costs two numbers, however
/// many channels there are.
#[derive(Debug, Clone)]
pub struct Drive {
    rates: Arc<Rates>,
    seed: u64,
    sample: u64,
}

#[derive(Debug)]
struct Rates {
    n_channels: usize,
    /// µs, increasing; before the first and from the last on there is silence.
    edges: Vec<i64>,
    /// For each bin the rates summed up to each channel, Hz.
    reached: Vec<f64>,
}

impl Drive {
    /// `rates`: Hz, one for each input channel, for ever.
    ///
    /// # Errors
    /// A rate that is negative or not finite.
    pub fn new(rates: &[f64], seed: u64) -> Result<Self> {
        Self::in_bins(rates, rates.len(), &[0, i64::MAX], seed)
    }

    /// `rates`: Hz, for each bin one for each of `n_channels`; `edges` of the bins in µs, one more than
    /// there are bins. Outside of them there is silence.
    ///
    /// # Errors
    /// A rate that is negative or not finite, edges that are negative or do not increase, or another
    /// number of rates.
    pub fn in_bins(rates: &[f64], n_channels: usize, edges: &[i64], seed: u64) -> Result<Self> {
        let n_bins = n_bins(edges)?;
        if rates.len() != n_bins * n_channels {
            return Err(Error::length("rates", n_bins * n_channels, rates.len()));
        }
        if let Some(i) = rates.iter().position(|rate| !(rate.is_finite() && *rate >= 0.0)) {
            let channel = i % n_channels;
            return Err(Error::element("rates", "at least 0 Hz", rates[i], "channel", channel));
        }
        let mut reached = Vec::with_capacity(rates.len());
        for of_bin in rates.chunks(n_channels.max(1)) {
            let mut sum = 0.0;
            reached.extend(of_bin.iter().map(|rate| {
                sum += rate;
                sum
            }));
        }
        let rates = Rates { n_channels, edges: edges.to_vec(), reached };
        Ok(Self { rates: Arc::new(rates), seed, sample: 0 })
    }

    /// The same rates with the events of sample `number`, which are independent of those of others.
    #[must_use]
    pub fn of(&self, number: u64) -> Self {
        Self { sample: number, ..self.clone() }
    }

    /// Number of channels.
    pub fn n_channels(&self) -> usize {
        self.rates.n_channels
    }

    /// The first µs from `from` on in which an event may come; `i64::MAX` if there is none.
    pub fn silent_until(&self, from: i64) -> i64 {
        let Rates { n_channels, edges, reached } = &*self.rates;
        let bin = edges.partition_point(|&edge| edge <= from).saturating_sub(1);
        let mut later = bin..edges.len() - 1;
        let speaks = |bin: &usize| {
            reached[bin * n_channels..(bin + 1) * n_channels].last().is_some_and(|&sum| sum > 0.0)
        };
        later.find(speaks).map_or(i64::MAX, |bin| edges[bin].max(from))
    }

    /// Put the events of block `number` that are before `end` behind `events`, sorted.
    pub fn draw(&self, number: i64, end: i64, events: &mut Vec<(i64, u32)>) {
        let Rates { n_channels, edges, reached } = &*self.rates;
        let start = number * BLOCK_US;
        // What begins later is silence until then.
        let mut bin = edges.partition_point(|&edge| edge <= start).saturating_sub(1);
        let of_bin = |bin: usize| &reached[bin * n_channels..(bin + 1) * n_channels];
        let total = |bin: usize| of_bin(bin).last().copied().unwrap_or(0.0);
        let is_quiet = |&bin: &usize| total(bin) <= 0.0;
        let last = edges.partition_point(|&edge| edge < start + BLOCK_US).min(edges.len() - 1);
        if edges[bin] >= start + BLOCK_US || (bin..last).all(|bin| is_quiet(&bin)) {
            return;
        }
        let mut rng = stream(self.seed, &self.purpose(), number as u64);
        let begin = events.len();
        let mut within = (edges[bin] - start).max(0) as f64;
        'events: loop {
            // What is left of the integral of the rate up to the next event, Hz µs; 1 - u is in (0, 1].
            let mut left = -ln(1.0 - uniform(&mut rng)) * 1e6;
            loop {
                let Some(&edge) = edges.get(bin + 1) else { break 'events };
                let edge = edge.saturating_sub(start).min(BLOCK_US) as f64;
                let total = total(bin);
                if total > 0.0 {
                    let at = within + left / total;
                    if at < edge {
                        within = at;
                        break;
                    }
                    left = (left - (edge - within) * total).max(0.0);
                }
                if edge >= BLOCK_US as f64 {
                    break 'events;
                }
                (within, bin) = (edge, bin + 1);
            }
            if start + within as i64 >= end {
                break;
            }
            let (reached, total) = (of_bin(bin), total(bin));
            let place = uniform(&mut rng) * total;
            let channel = reached.partition_point(|&sum| sum <= place);
            // A product that was rounded up to the whole is the last channel's that has a rate.
            let last = reached.partition_point(|&sum| sum < total);
            events.push((start + within as i64, channel.min(last) as u32));
        }
        events[begin..].sort_unstable();
    }

    /// Put all events in `span`, µs, behind `events`, sorted.
    ///
    /// # Errors
    /// What `poll`, which is asked between blocks, returned.
    pub fn draw_within(
        &self,
        span: Range<i64>,
        events: &mut Vec<(i64, u32)>,
        poll: &mut dyn FnMut() -> Result<()>,
    ) -> Result<()> {
        let begin = events.len();
        for number in self.blocks(span.clone()) {
            poll()?;
            self.draw(number, span.end, events);
        }
        let early = events[begin..].partition_point(|event| event.0 < span.start);
        events.drain(begin..begin + early);
        Ok(())
    }

    /// Put events before the end of `span`, µs, behind `events`: all in `span`, and of each channel at
    /// least those of its last µs before that, unless it is before `since`. Their order is none.
    ///
    /// Blocks are drawn from the latest back until no channel is missing that can have spoken: so it does
    /// not matter how long ago `since` is, except where some channel has long been silent.
    ///
    /// # Errors
    /// What `poll`, which is asked between blocks, returned.
    pub fn draw_latest(
        &self,
        since: i64,
        span: Range<i64>,
        events: &mut Vec<(i64, u32)>,
        poll: &mut dyn FnMut() -> Result<()>,
    ) -> Result<()> {
        self.draw_within(span.clone(), events, poll)?;
        let onsets = self.onsets();
        let mut missing: Vec<usize> = (0..onsets.len()).collect();
        let mut has_spoken = vec![false; onsets.len()];
        let blocks: Vec<i64> = self.blocks(since..span.start).collect();
        let mut of_block = Vec::new();
        for &number in blocks.iter().rev() {
            let end = span.start.min((number + 1) * BLOCK_US);
            missing.retain(|&channel| !has_spoken[channel] && onsets[channel] < end);
            if missing.is_empty() {
                break;
            }
            of_block.clear();
            self.draw_within(since.max(number * BLOCK_US)..end, &mut of_block, poll)?;
            // The latest block in which a channel speaks has its last events.
            events.extend(of_block.iter().filter(|event| !has_spoken[event.1 as usize]));
            for &(_, channel) in &of_block {
                has_spoken[channel as usize] = true;
            }
        }
        Ok(())
    }

    /// Before when each channel cannot speak, µs; `i64::MAX`: it never can.
    fn onsets(&self) -> Vec<i64> {
        let Rates { n_channels, edges, reached } = &*self.rates;
        let mut onsets = vec![i64::MAX; *n_channels];
        for (of_bin, &edge) in reached.chunks((*n_channels).max(1)).zip(edges) {
            let mut before = 0.0;
            for (onset, &sum) in onsets.iter_mut().zip(of_bin) {
                if sum > before {
                    *onset = edge.min(*onset);
                }
                before = sum;
            }
        }
        onsets
    }

    /// How many events there are before `end`, µs.
    ///
    /// # Errors
    /// What `poll`, which is asked between blocks, returned.
    pub fn count(&self, end: i64, poll: &mut dyn FnMut() -> Result<()>) -> Result<u64> {
        let (mut n, mut events) = (0, Vec::new());
        for number in self.blocks(0..end) {
            poll()?;
            events.clear();
            self.draw(number, end, &mut events);
            n += events.len() as u64;
        }
        Ok(n)
    }

    /// Numbers of the blocks within `span`, without those in which nothing can come.
    fn blocks(&self, span: Range<i64>) -> impl Iterator<Item = i64> {
        let number_from = move |from: i64| {
            let next = self.silent_until(from);
            (next < span.end).then_some(next / BLOCK_US)
        };
        let first = number_from(span.start);
        std::iter::successors(first, move |number| number_from((number + 1) * BLOCK_US))
    }

    /// Of the streams: one for each sample, and in it one for each block.
    fn purpose(&self) -> String {
        match self.sample {
            0 => "poisson drive".into(),
            number => format!("poisson drive of sample {number}"),
        }
    }
}

#[cfg(test)]
mod tests;
