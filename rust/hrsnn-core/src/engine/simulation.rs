//! A sample that can be stopped at any µs, and everything that moves in it.
//!
//! Lives here: a network of its own with the sample that runs through it. Not here: the loop over
//! windows, which is that of any sample (`windows`), and the state in an order that no shard
//! influences (`engine::state`). Invariant: wherever it stops, and on however many threads, the
//! end is that of a sample that was never stopped.

use std::borrow::Cow;
use std::iter;

use super::injected::{Bases, Moving};
use super::windows::Moment;
use super::{Course, Engine, Monitors, Poll};
use crate::drive::Drive;
use crate::error::{Error, Result};
use crate::injection::Injection;
use crate::pool;
use crate::real::Real;
use crate::record::SpikeList;
use crate::sample::{Input, Stats};
use crate::shard::Activity;

/// Events of one sample, owned.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// µs, not decreasing.
    pub t: Vec<i64>,
    /// Aligned with `t`.
    pub channel: Vec<u32>,
    /// µs.
    pub duration: i64,
    /// What is drawn beside these events while it runs.
    pub drive: Option<Drive>,
    /// What is injected into neurons.
    pub injection: Option<Injection>,
}

impl Sample {
    pub(super) fn input(&self) -> Input<'_> {
        Input {
            t: &self.t,
            channel: &self.channel,
            duration: self.duration,
            drive: self.drive.as_ref(),
            injection: self.injection.as_ref(),
        }
    }
}

/// A network on its way through one sample.
#[derive(Debug, Clone)]
pub struct Simulation<T> {
    pub(super) engine: Engine<T>,
    pub(super) activities: Vec<Activity<T>>,
    pub(super) sample: Sample,
    pub(super) learns: bool,
    pub(super) moment: Moment,
    pub(super) spikes: SpikeList,
    /// What neurons tend to by themselves, where something is injected.
    pub(super) bases: Option<Bases<T>>,
    /// Whether the end of the sample has come, after which nothing changes.
    pub(super) is_over: bool,
}

impl<T: Real> Simulation<T> {
    /// From rest at t = 0; `learns`: whether weights and thresholds change.
    ///
    /// # Errors
    /// What [`Input::check`] refuses.
    pub fn new(mut engine: Engine<T>, sample: Sample, learns: bool) -> Result<Self> {
        engine.check_input(&sample.input())?;
        let bases = sample.injection.as_ref().map(|_| Bases::of(&mut engine.shards));
        if learns {
            for shard in &mut engine.shards {
                shard.reset_traces(T::ONE);
            }
        }
        let activities = engine.activities(learns);
        let (moment, spikes) = (Moment::default(), SpikeList::default());
        Ok(Self { engine, activities, sample, learns, moment, spikes, bases, is_over: false })
    }

    /// µs; what happens before it has happened, and nothing else has.
    pub fn t(&self) -> i64 {
        self.moment.t
    }

    /// Refuse what a panic has left behind.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn check_whole(&self) -> Result<()> {
        if self.activities.is_empty() { Err(Error::Broken) } else { self.engine.check_whole() }
    }

    /// Spikes so far.
    pub fn spikes(&self) -> &SpikeList {
        &self.spikes
    }

    /// What it has taken so far.
    pub fn stats(&self) -> Stats {
        self.moment.stats(&self.sample.input(), &self.activities)
    }

    /// Go on until the time `t`; with the last µs the sample ends as it does in [`Engine::learn`].
    ///
    /// When interrupted it stands at the end of a window, and can go on.
    ///
    /// # Errors
    /// A time that is past or beyond the duration, what `poll` returned, or [`Error::Broken`].
    pub fn run_until(
        &mut self,
        t: i64,
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<()> {
        self.run_until_watched(t, &Monitors::default(), n_threads, poll).map(|_| ())
    }

    /// The same, with the course of what `monitors` want from the time where it is until `t`.
    ///
    /// # Errors
    /// Those of [`Simulation::run_until`], and what [`Monitors`] cannot be had.
    pub fn run_until_watched(
        &mut self,
        t: i64,
        monitors: &Monitors,
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<Vec<Course<T>>> {
        n_threads.map_or(Ok(()), pool::check)?;
        let (now, duration) = (self.moment.t, self.sample.duration);
        if !(now..=duration).contains(&t) {
            let expected = format!("between {now} µs, where it is, and the duration, {duration}");
            return Err(Error::parameter("t", expected, t));
        }
        self.check_whole()?;
        let places = self.engine.watched(monitors)?;
        if self.is_over {
            return Ok(places.nothing());
        }
        let kinds = [self.learns, self.bases.is_some()];
        places.hand_out(&self.engine.shards, &mut self.activities, now..t, kinds);
        // A panic leaves neither shards nor activities behind.
        let mut activities = std::mem::take(&mut self.activities);
        let Self { engine, sample, moment, spikes, bases, learns, .. } = self;
        let input = sample.input();
        let mut shards = Cow::Owned(std::mem::take(&mut engine.shards));
        let mut moving = Moving {
            shards: &mut shards,
            activities: &mut activities,
            bases: bases.as_ref(),
            learns: *learns,
        };
        let result = engine.go_on(&mut moving, &input, moment, t, spikes, n_threads, poll);
        engine.shards = shards.into_owned();
        let courses = places.collect(&mut activities);
        self.activities = activities;
        result?;
        if t == duration {
            self.end();
        }
        Ok(courses)
    }

    /// The end of the sample.
    fn end(&mut self) {
        if self.learns {
            let mut shards = std::mem::take(&mut self.engine.shards);
            self.engine.end(&mut shards, &mut self.activities, self.sample.duration);
            self.engine.normalize(&mut shards);
            self.engine.shards = shards;
        }
        self.is_over = true;
    }

    /// The network as it is: weights with all that is pending, thresholds as adapted by now.
    #[must_use]
    pub fn network(&self) -> Engine<T> {
        let mut engine = self.unsettled_network();
        if self.learns && !self.is_over {
            let mut activities = self.activities.clone();
            iter::zip(&mut engine.shards, &mut activities)
                .for_each(|(shard, activity)| shard.end(activity));
        }
        engine
    }

    /// The network whose weights still lack what is pending: with [`Simulation::state`] it makes
    /// the same simulation again.
    #[must_use]
    pub fn unsettled_network(&self) -> Engine<T> {
        let mut engine = self.engine.clone();
        if let Some(bases) = &self.bases {
            bases.put_back(&mut engine.shards);
        }
        engine
    }
}

#[cfg(test)]
mod tests;
