//! State and loop: how a sample runs through a network.
//!
//! A *window* is as long as the shortest recurrent delay, so no spike of a window can arrive
//! within it. Each window has three tasks.
//!
//! - **S, send.** Every shard puts the spikes of the window before and the input events of
//!   this one into its queue, each with the delay of each segment.
//! - **A, advance.** Every shard takes what arrives in this window from its queue and brings
//!   its neurons forward, µs by µs where something happens (`shard`).
//! - **X, exchange.** The spikes of all shards are merged in the order of (t, neuron),
//!   recorded, and kept for the next S.
//!
//! S and A of one shard touch nothing of another, so shards run in any order and on any thread.
//! X waits for all of them and is done by one thread. Hence the result depends neither on the
//! number of threads nor on that of shards: each neuron sums the same numbers in the same order.
//! Windows in which nothing can happen are skipped; since nothing depends on where a window
//! begins, that changes no result either. Learning settles the histories whenever a set number
//! of spikes of the whole network has gathered, and at the end of a sample. That happens only where
//! windows end, so a sample may be stopped within one (`simulation`) and no bit shows it.

mod batch;
mod crew;
mod driven;
mod injected;
mod learned;
mod learning;
mod monitors;
mod normalization;
mod pace;
mod ranges;
mod rounds;
mod side_by_side;
mod simulation;
mod state;
mod stream;
mod synapses;
mod windows;

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::network::{Adaptation, Description, Norm, check_theta};
use crate::pool;
use crate::projection::Source;
use crate::queue::MOST_SEGMENTS;
use crate::real::Real;
use crate::record::{FeatureSpec, Features, Record};
use crate::sample::{Input, Stats};
use crate::shard::{Activity, Shard};
use injected::{Bases, Moving};
pub use learned::Learned;
use monitors::Places;
pub use monitors::{Course, Monitors, Wanted};
use pace::Paces;
use ranges::ranges_of_equal_work;
use side_by_side::side_by_side;
pub use simulation::{Sample, Simulation};
pub use state::{State, Traces};
pub use stream::{Flow, Stream};
pub use synapses::Synaptic;
use windows::Moment;

/// Asked between windows; an error ends the run.
pub type Poll<'a> = dyn FnMut() -> Result<()> + 'a;

/// Synapses that one shard should have at least; below, a second thread gains little.
const SYNAPSES_OF_A_SHARD: usize = 500_000;
/// Most shards, unless there are too many neurons for so few.
const MOST_SHARDS: usize = 16;
/// Most delays for each of which every row may have a place of its own.
const MOST_DELAYS: usize = 64;
/// Longest window, µs.
const LONGEST_WINDOW: u32 = 1_000_000;

/// A network that can be run.
#[derive(Debug, Clone)]
pub struct Engine<T> {
    /// None while something learns, and so for ever after a panic in it.
    shards: Vec<Shard<T>>,
    /// Shortest recurrent delay, µs.
    width: u32,
    n_inputs: usize,
    n_neurons: usize,
    adaptation: Option<Adaptation>,
    incoming: [(Source, Norm, Vec<f64>); 2],
    /// Spikes after which the histories are settled.
    settle_after: u64,
    /// Of all plastic synapses.
    largest_amplitude: f64,
    /// Memory of samples that are over, for those to come.
    idle: Idle<T>,
    /// When several threads are tried.
    paces: Paces,
    /// Whether threads work together, where the test and not the clock decides.
    together: Option<bool>,
}

/// What moves in a sample, of all shards, kept to be used again; a copy has none.
#[derive(Debug)]
struct Idle<T>(Mutex<Vec<Vec<Activity<T>>>>);

impl<T> Clone for Idle<T> {
    fn clone(&self) -> Self {
        Self(Mutex::default())
    }
}

impl<T: Real> Engine<T> {
    /// Lay out a network for simulation.
    ///
    /// `n_shards` is for tests: `None` chooses by size, and the choice changes no result.
    ///
    /// # Errors
    /// Whatever [`Description::check`] refuses.
    pub fn new(description: &Description, n_shards: Option<usize>) -> Result<Self> {
        Self::laid_out(description, n_shards, false, MOST_DELAYS)
    }

    /// The same; for tests there is `far`: targets take 32 bits however few neurons there are, and
    /// `most_delays` for each of which every row may have a place of its own.
    fn laid_out(
        description: &Description,
        n_shards: Option<usize>,
        far: bool,
        most_delays: usize,
    ) -> Result<Self> {
        description.check()?;
        let n_neurons = description.n_neurons();
        let (inputs, recurrent) = (&description.inputs, &description.recurrent);
        let n_synapses = inputs.len() + recurrent.len();
        let by_size =
            (n_synapses / SYNAPSES_OF_A_SHARD).clamp(1, pool::all_cores().min(MOST_SHARDS));
        let n_shards = n_shards.unwrap_or(by_size).clamp(1, n_neurons);
        let group = description.competition.as_ref().map(|competition| &*competition.group);
        let ranges = ranges_of_equal_work(&[inputs, recurrent], group, n_neurons, n_shards);
        let delays = [inputs, recurrent].map(|connections| connections.delays_us(most_delays));
        let shard = |range| Shard::new(description, &delays, range, far);
        let shards: Vec<_> = ranges.into_iter().map(shard).collect();
        let projections = shards.iter().flat_map(|shard| &shard.projections);
        if let Some(most) = projections.map(|p| p.rows.n_segments()).max()
            && most >= MOST_SEGMENTS as usize
        {
            let expected = format!("such that one thread has below {MOST_SEGMENTS} delays to keep");
            return Err(Error::parameter("delay", expected, most));
        }
        Ok(Self {
            shards,
            // Without recurrence any window will do.
            width: recurrent.shortest_delay_us().unwrap_or(10_000).min(LONGEST_WINDOW),
            n_inputs: description.n_inputs(),
            n_neurons,
            adaptation: description.adaptation,
            incoming: [
                (Source::Recurrent, description.norms[0], description.incoming.clone()),
                (Source::Input, description.norms[1], description.incoming_inputs.clone()),
            ],
            settle_after: (n_synapses as u64 / 4).clamp(1 << 16, 1 << 28),
            largest_amplitude: [inputs, recurrent]
                .into_iter()
                .filter_map(|connections| connections.plasticity.as_ref())
                .flat_map(|plasticity| plasticity.a_plus.iter().chain(&plasticity.a_minus))
                .fold(0.0, |largest, &a| a.max(largest)),
            idle: Idle(Mutex::default()),
            paces: Paces::default(),
            together: None,
        })
    }

    /// Number of input channels.
    pub fn n_inputs(&self) -> usize {
        self.n_inputs
    }

    /// Number of neurons.
    pub fn n_neurons(&self) -> usize {
        self.n_neurons
    }

    /// Longest delay of all synapses, µs.
    fn longest_delay(&self) -> i64 {
        let rows = self.shards.iter().flat_map(|shard| &shard.projections).map(|p| &p.rows);
        let delays = rows.flat_map(|rows| (0..rows.n_segments() as u32).map(|s| rows.delay(s)));
        delays.max().unwrap_or(0).into()
    }

    /// Refuse an engine that a panic has left without shards.
    fn check_whole(&self) -> Result<()> {
        if self.shards.is_empty() { Err(Error::Broken) } else { Ok(()) }
    }

    /// Refuse what [`Input::check`] does, and a current into neurons that there are not.
    fn check_input(&self, input: &Input<'_>) -> Result<()> {
        input.check(self.n_inputs)?;
        input.injection.map_or(Ok(()), |injection| injection.check(self.n_neurons))
    }

    /// Room for a sample at rest at t = 0.
    fn activities(&self, learns: bool) -> Vec<Activity<T>> {
        let idle = self.idle.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(mut activities) = idle else {
            let new = |shard| Activity::new(shard, self.width, learns);
            return self.shards.iter().map(new).collect();
        };
        for (activity, shard) in activities.iter_mut().zip(&self.shards) {
            activity.reset(shard, learns);
        }
        activities
    }

    /// Keep what a sample has used, as many as there may be samples at a time.
    fn keep(&self, activities: Vec<Activity<T>>) {
        let mut idle = self.idle.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < pool::all_cores() {
            idle.push(activities);
        }
    }

    /// Check what is asked of one sample, and make room for it.
    fn begin(
        &self,
        input: &Input<'_>,
        monitors: &Monitors,
        n_threads: Option<usize>,
        learns: bool,
    ) -> Result<(Places, Vec<Activity<T>>)> {
        self.check_whole()?;
        self.check_input(input)?;
        n_threads.map_or(Ok(()), pool::check)?;
        let places = self.watched(monitors)?;
        let mut activities = self.activities(learns);
        let kinds = [learns, input.injection.is_some()];
        places.hand_out(&self.shards, &mut activities, 0..input.duration, kinds);
        Ok((places, activities))
    }

    /// Run one sample; nothing is learned.
    ///
    /// `n_threads`: `None` takes as many as pay.
    ///
    /// # Errors
    /// Bad input, what `poll` returned, or [`Error::Broken`].
    pub fn run(
        &self,
        input: &Input<'_>,
        record: &mut dyn Record,
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<Stats> {
        Ok(self.run_watched(input, &Monitors::default(), record, n_threads, poll)?.0)
    }

    /// The same, with the course of what `monitors` want.
    ///
    /// # Errors
    /// Those of [`Engine::run`], and what [`Monitors`] cannot be had.
    pub fn run_watched(
        &self,
        input: &Input<'_>,
        monitors: &Monitors,
        record: &mut dyn Record,
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<(Stats, Vec<Course<T>>)> {
        let (places, mut activities) = self.begin(input, monitors, n_threads, false)?;
        let mut shards = Cow::Borrowed(&self.shards[..]);
        let bases = input.injection.map(|_| Bases::of(shards.to_mut()));
        let (shards, bases) = (&mut shards, bases.as_ref());
        let mut moving = Moving { shards, activities: &mut activities, bases, learns: false };
        let (mut moment, until) = (Moment::default(), input.duration);
        let result = self.go_on(&mut moving, input, &mut moment, until, record, n_threads, poll);
        let stats = moment.stats(input, &activities);
        let courses = places.collect(&mut activities);
        self.keep(activities);
        result.map(|()| (stats, courses))
    }

    /// Features of many samples, one row of `n_windows * spec.width` a sample; learns nothing.
    ///
    /// Nothing larger than that is held: with pools, memory does not grow with neurons times windows.
    ///
    /// # Errors
    /// Bad input (the message begins with the number of the sample), what `poll` returned, or
    /// [`Error::Broken`].
    pub fn transform(
        &self,
        inputs: &[Input<'_>],
        spec: FeatureSpec<'_>,
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<(Vec<f32>, Vec<Stats>)> {
        self.check_whole()?;
        spec.check(self.n_neurons)?;
        inputs.iter().try_for_each(|input| self.check_input(input))?;
        let n_threads = n_threads.unwrap_or_else(pool::all_cores);
        pool::check(n_threads)?;
        let length = spec.n_windows * spec.width(self.n_neurons);
        let mut features = vec![0.0; inputs.len() * length];
        let mut stats = vec![Stats::default(); inputs.len()];
        let one = |input: &Input<'_>, out: &mut [f32], poll: &mut Poll<'_>| {
            let mut record = Features::new(spec, self.n_neurons, input.t, input.duration, out);
            let stats = self.run(input, &mut record, Some(1), poll)?;
            record.finish(poll)?;
            Ok(stats)
        };
        let jobs = inputs.iter().zip(features.chunks_mut(length.max(1))).zip(&mut stats);
        if let [input] = inputs {
            // Threads that no other sample needs.
            let mut record =
                Features::new(spec, self.n_neurons, input.t, input.duration, &mut features);
            stats[0] = self.run(input, &mut record, Some(n_threads), poll)?;
            record.finish(poll)?;
            return Ok((features, stats));
        }
        side_by_side(jobs.collect(), n_threads, poll, &|((input, out), stats), poll| {
            *stats = one(input, out, poll)?;
            Ok(())
        })?;
        Ok((features, stats))
    }

    /// Replace the adaptation of each neuron's threshold, mV; it stays between samples.
    ///
    /// # Errors
    /// A wrong length, or a value that is not finite, negative (a threshold that had been lowered
    /// could be crossed unseen) or beyond 1e15 mV, or [`Error::Broken`].
    pub fn set_theta(&mut self, theta: &[f64]) -> Result<()> {
        self.check_whole()?;
        if theta.len() != self.n_neurons {
            return Err(Error::length("theta", self.n_neurons, theta.len()));
        }
        check_theta(theta)?;
        for Shard { first, neurons, .. } in &mut self.shards {
            for i in 0..neurons.len() {
                neurons.set_theta(i, T::from_f64(theta[*first as usize + i]));
            }
        }
        Ok(())
    }

    /// Adaptation of each neuron's threshold, mV.
    ///
    /// # Panics
    /// If an earlier call that learned did.
    pub fn theta(&self) -> Vec<f64> {
        assert!(!self.shards.is_empty(), "{}", Error::Broken);
        let all = self.shards.iter().flat_map(|shard| &shard.neurons.theta);
        all.map(|theta| theta.to_f64()).collect()
    }
}

#[cfg(test)]
mod same_bits;
#[cfg(test)]
mod tests;
