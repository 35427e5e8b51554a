//! One sample: what goes in, and what was counted.
//!
//! Lives here: input events and their checks, the counts of a run. Not here: spikes (`record`).
//! Invariant: an [`Input`] that passed [`Input::check`] can be run without any further error.

use std::ops::Range;

use crate::drive::Drive;
use crate::error::{Error, Result};
use crate::injection::Injection;
use crate::shard::Counters;

/// Longest sample, µs: some 35 years.
pub const LONGEST_SAMPLE_US: i64 = 1 << 50;

/// One sample: events in the order of time, and those that a drive adds to them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Input<'a> {
    /// µs, not decreasing, >= 0.
    pub t: &'a [i64],
    /// Input channel of each event.
    pub channel: &'a [u32],
    /// µs; nothing happens at or after it.
    pub duration: i64,
    /// What is drawn beside these events while the sample runs.
    pub drive: Option<&'a Drive>,
    /// What is injected into neurons.
    pub injection: Option<&'a Injection>,
}

/// What a sample took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Spikes of neurons.
    pub n_spikes: u64,
    /// Events that came in.
    pub n_input_events: u64,
    /// Synapses reached, weights changed.
    pub counters: Counters,
}

impl Input<'_> {
    /// Number of events before `t`, but for those of the drive.
    pub fn n_before(&self, t: i64) -> usize {
        self.t.partition_point(|&event| event < t)
    }

    /// Refuse events that are out of order, out of time or out of range, and a drive of another number
    /// of channels.
    ///
    /// # Errors
    /// Names the argument, the first index and the value.
    pub fn check(&self, n_inputs: usize) -> Result<()> {
        if self.t.len() != self.channel.len() {
            return Err(Error::length("channel", self.t.len(), self.channel.len()));
        }
        if !(0..=LONGEST_SAMPLE_US).contains(&self.duration) {
            let expected = format!("between 0 and {LONGEST_SAMPLE_US} µs");
            return Err(Error::parameter("duration", expected, self.duration));
        }
        if let Some(&t) = self.t.first().filter(|&&t| t < 0) {
            return Err(Error::element("t", "at least 0 µs", t, "event", 0));
        }
        if let Some(before) = self.t.windows(2).position(|pair| pair[1] < pair[0]) {
            let (previous, value) = (self.t[before], self.t[before + 1]);
            return Err(Error::NotSorted { name: "t".into(), index: before + 1, previous, value });
        }
        if let Some(drive) = self.drive.filter(|drive| drive.n_channels() != n_inputs) {
            return Err(Error::length("rates", n_inputs, drive.n_channels()));
        }
        let last = self.t.len().saturating_sub(1);
        if let Some(&t) = self.t.last().filter(|&&t| t >= self.duration) {
            let expected = format!("below duration ({} µs)", self.duration);
            return Err(Error::element("t", expected, t, "event", last));
        }
        match self.channel.iter().position(|&channel| channel as usize >= n_inputs) {
            Some(index) => {
                let expected = format!("below n_inputs ({n_inputs})");
                Err(Error::element("channel", expected, self.channel[index], "event", index))
            }
            None => Ok(()),
        }
    }
}

/// The events before `end` from number `first` on, of events at the times `t`.
///
/// Searched from there in growing steps: those that come much later are in no cache.
pub fn next_before(t: &[i64], first: usize, end: i64) -> Range<usize> {
    let ahead = &t[first..];
    let mut n = 16;
    while ahead.get(n).is_some_and(|&t| t < end) {
        n *= 2;
    }
    let near = &ahead[..ahead.len().min(n + 1)];
    first..first + near.partition_point(|&t| t < end)
}

#[cfg(test)]
mod tests;
