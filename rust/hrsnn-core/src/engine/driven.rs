//! One sample with a drive: its events are drawn block by block, and forgotten.
//!
//! Invariant: spikes, weights and counts are those of the sample whose events were all stored, for a
//! sample may be left and taken up again at any µs (`simulation`).

use super::windows::Moment;
use super::{Course, Engine, Monitors, Poll};
use crate::drive::{BLOCK_US, Drive};
use crate::error::{Error, Result};
use crate::pool;
use crate::real::Real;
use crate::record::Record;
use crate::sample::{Input, Stats};
use crate::shard::{Frozen, Learning};

impl<T: Real> Engine<T> {
    /// [`Engine::run_watched`] with the events of `drive` beside those of `input`.
    ///
    /// # Errors
    /// Those of [`Engine::run_watched`], and a drive of another number of channels.
    pub fn run_driven(
        &self,
        input: &Input<'_>,
        drive: &Drive,
        monitors: &Monitors,
        record: &mut dyn Record,
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<(Stats, Vec<Course<T>>)> {
        self.check_driven(input, drive, n_threads)?;
        let places = self.watched(monitors)?;
        let mut activities = self.activities(false);
        places.hand_out(&self.shards, &mut activities, 0..input.duration, false);
        let mut moment = Moment::default();
        let result = piece_by_piece(input, drive, &mut |piece, until| {
            let passes = self.shards.iter().map(Frozen).zip(&mut activities).collect();
            self.simulate(passes, piece, &mut moment, until, &mut *record, n_threads, &mut *poll)
        });
        let mut stats = moment.stats(&Input { t: &[], channel: &[], ..*input }, &activities);
        let courses = places.collect(&mut activities);
        self.keep(activities);
        stats.n_input_events = result?;
        Ok((stats, courses))
    }

    /// [`Engine::learn_watched`] with the events of `drive` beside those of `input`.
    ///
    /// # Errors
    /// Those of [`Engine::learn_watched`], and a drive of another number of channels.
    pub fn learn_driven(
        &mut self,
        input: &Input<'_>,
        drive: &Drive,
        scale: f64,
        monitors: &Monitors,
        record: &mut dyn Record,
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<(Stats, Vec<Course<T>>)> {
        self.check_driven(input, drive, n_threads)?;
        let scale = self.checked_scale(scale)?;
        let places = self.watched(monitors)?;
        let mut activities = self.activities(true);
        places.hand_out(&self.shards, &mut activities, 0..input.duration, true);
        let mut shards = std::mem::take(&mut self.shards);
        for shard in &mut shards {
            shard.reset_traces(scale);
        }
        let mut moment = Moment::default();
        let result = piece_by_piece(input, drive, &mut |piece, until| {
            let passes = shards.iter_mut().map(Learning).zip(&mut activities).collect();
            self.simulate(passes, piece, &mut moment, until, &mut *record, n_threads, &mut *poll)
        });
        self.end(&mut shards, &mut activities, input.duration);
        let mut stats = moment.stats(&Input { t: &[], channel: &[], ..*input }, &activities);
        let courses = places.collect(&mut activities);
        self.keep(activities);
        self.normalize(&mut shards);
        self.shards = shards;
        stats.n_input_events = result?;
        Ok((stats, courses))
    }

    fn check_driven(
        &self,
        input: &Input<'_>,
        drive: &Drive,
        n_threads: Option<usize>,
    ) -> Result<()> {
        self.check_whole()?;
        input.check(self.n_inputs)?;
        if drive.n_channels() != self.n_inputs {
            return Err(Error::length("rates", self.n_inputs, drive.n_channels()));
        }
        n_threads.map_or(Ok(()), pool::check)
    }
}

/// Hand over the events of one block after the other, and how far they go; their number.
fn piece_by_piece(
    input: &Input<'_>,
    drive: &Drive,
    simulate: &mut dyn FnMut(&Input<'_>, i64) -> Result<()>,
) -> Result<u64> {
    let (mut sent, mut n_events) = (0, 0);
    let (mut events, mut t, mut channel) = (Vec::new(), Vec::new(), Vec::new());
    let n_blocks = ((input.duration + BLOCK_US - 1) / BLOCK_US).max(1);
    for number in 0..n_blocks {
        let until = ((number + 1) * BLOCK_US).min(input.duration);
        let given = input.next_before(sent, until);
        sent = given.end;
        events.clear();
        events.extend(given.map(|event| (input.t[event], input.channel[event])));
        drive.draw(number, until, &mut events);
        // Stable, so that what has the same time keeps its order: first what was given.
        events.sort_by_key(|event| event.0);
        t.clear();
        channel.clear();
        t.extend(events.iter().map(|event| event.0));
        channel.extend(events.iter().map(|event| event.1));
        n_events += events.len() as u64;
        simulate(&Input { t: &t, channel: &channel, duration: input.duration }, until)?;
    }
    Ok(n_events)
}

#[cfg(test)]
mod tests;
