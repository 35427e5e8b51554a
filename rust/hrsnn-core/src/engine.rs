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
//! of spikes of the whole network has gathered, and at the end of a sample.

mod synapses;

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::network::{Adaptation, Connections, Description};
use crate::pool;
use crate::projection::{Source, Synapses};
use crate::real::Real;
use crate::record::{FeatureSpec, Features, Record};
use crate::sample::{Input, Stats};
use crate::shard::{Activity, Counters, Frozen, Learning, Pass, Shard, Spike};
pub use synapses::Synaptic;

/// Asked between windows; an error ends the run.
pub type Poll<'a> = dyn FnMut() -> Result<()> + 'a;

/// Synaptic events of a window from which a second thread pays.
const WORK_OF_A_THREAD: u64 = 20_000;
/// Synapses of a row, on average, that one shard should keep at least.
const ROW_OF_A_SHARD: usize = 32;
/// Most shards.
const MOST_SHARDS: usize = 8;

/// A network that can be run.
#[derive(Debug, Clone)]
pub struct Engine<T> {
    shards: Vec<Shard<T>>,
    /// Shortest recurrent delay, µs.
    width: u32,
    n_inputs: usize,
    n_neurons: usize,
    adaptation: Option<Adaptation>,
    incoming: Vec<f64>,
    /// Spikes after which the histories are settled.
    settle_after: u64,
}

impl<T: Real> Engine<T> {
    /// Lay out a network for simulation.
    ///
    /// `n_shards` is for tests: `None` chooses by size, and the choice changes no result.
    ///
    /// # Errors
    /// Whatever [`Description::check`] refuses.
    pub fn new(description: &Description, n_shards: Option<usize>) -> Result<Self> {
        description.check()?;
        let n_neurons = description.n_neurons();
        let (inputs, recurrent) = (&description.inputs, &description.recurrent);
        let rows = n_neurons + description.n_inputs();
        let by_size = (inputs.len() + recurrent.len()) / rows / ROW_OF_A_SHARD;
        let n_shards = n_shards.unwrap_or(by_size.clamp(1, MOST_SHARDS)).clamp(1, n_neurons);
        let ranges = ranges_of_equal_work(&[inputs, recurrent], n_neurons, n_shards);
        let shards: Vec<_> =
            ranges.into_iter().map(|range| Shard::new(description, range)).collect();
        let n_synapses = (inputs.len() + recurrent.len()) as u64;
        Ok(Self {
            shards,
            // Without recurrence any window will do.
            width: recurrent.shortest_delay_us().unwrap_or(10_000),
            n_inputs: description.n_inputs(),
            n_neurons,
            adaptation: description.adaptation,
            incoming: description.incoming.clone(),
            settle_after: (n_synapses / 4).clamp(1 << 16, 1 << 28),
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

    /// Number of shards.
    pub fn n_shards(&self) -> usize {
        self.shards.len()
    }

    fn activities(&self) -> Vec<Activity<T>> {
        self.shards.iter().map(|shard| Activity::new(shard, self.width)).collect()
    }

    /// Run one sample; nothing is learned.
    ///
    /// `n_threads`: `None` takes as many as pay.
    ///
    /// # Errors
    /// Bad input, or what `poll` returned.
    pub fn run(
        &self,
        input: &Input<'_>,
        record: &mut dyn Record,
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<Stats> {
        input.check(self.n_inputs)?;
        let mut activities = self.activities();
        let passes = self.shards.iter().map(Frozen).zip(&mut activities).collect();
        self.simulate(passes, input, record, Threads::new(n_threads)?, poll)
    }

    /// Run one sample and learn from it.
    ///
    /// When interrupted, what was learned up to the end of a window is kept.
    ///
    /// # Errors
    /// Bad input, or what `poll` returned.
    pub fn learn(
        &mut self,
        input: &Input<'_>,
        record: &mut dyn Record,
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<Stats> {
        input.check(self.n_inputs)?;
        let threads = Threads::new(n_threads)?;
        let mut activities = self.activities();
        self.shards.iter_mut().for_each(Shard::reset_traces);
        let mut shards = std::mem::take(&mut self.shards);
        let passes = shards.iter_mut().map(Learning).zip(&mut activities).collect();
        let result = self.simulate(passes, input, record, threads, poll);
        self.shards = shards;
        for shard in &mut self.shards {
            if let Some(adaptation) = self.adaptation {
                let elapsed = input.duration as f64 / 1000.0 / adaptation.tau_theta;
                let decay = T::from_f64(Real::exp(-elapsed));
                for i in 0..shard.neurons.len() {
                    shard.neurons.set_theta(i, shard.neurons.theta[i] * decay);
                }
            }
            if !self.incoming.is_empty() {
                normalize(shard, &self.incoming);
            }
        }
        result
    }

    /// Features of many samples, one row of `n_windows * spec.width` a sample; learns nothing.
    ///
    /// # Errors
    /// Bad input (the message begins with the number of the sample), or what `poll` returned.
    pub fn transform(
        &self,
        inputs: &[Input<'_>],
        spec: FeatureSpec,
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<(Vec<f32>, Vec<Stats>)> {
        spec.check()?;
        for input in inputs {
            input.check(self.n_inputs)?;
        }
        let n_threads = n_threads.unwrap_or_else(pool::all_cores);
        pool::check(n_threads)?;
        let length = spec.n_windows * spec.width(self.n_neurons);
        let mut features = vec![0.0; inputs.len() * length];
        let mut stats = vec![Stats::default(); inputs.len()];
        let one = |input: &Input<'_>, out: &mut [f32], poll: &mut Poll<'_>| {
            let mut record = Features::new(spec, self.n_neurons, input.t, input.duration, out);
            let stats = self.run(input, &mut record, Some(1), poll)?;
            record.finish();
            Ok(stats)
        };
        let jobs = inputs.iter().zip(features.chunks_mut(length.max(1))).zip(&mut stats);
        if n_threads == 1 || inputs.len() < 2 {
            for ((input, out), stats) in jobs {
                *stats = one(input, out, poll)?;
            }
            return Ok((features, stats));
        }
        let pool = pool::pool(n_threads)?;
        let stop = AtomicBool::new(false);
        let jobs: Vec<_> = jobs.collect();
        let (done, finished) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let result = pool.install(|| {
                    jobs.into_par_iter().with_max_len(1).try_for_each(|((input, out), stats)| {
                        let mut ask = || {
                            let stopped = stop.load(Ordering::Relaxed);
                            if stopped { Err(Error::Interrupted) } else { Ok(()) }
                        };
                        *stats = one(input, out, &mut ask)?;
                        Ok(())
                    })
                });
                // The receiver lives until the scope ends.
                let _ = done.send(result);
            });
            // The workers cannot ask the caller; this thread can.
            let mut asked = Ok(());
            loop {
                match finished.recv_timeout(Duration::from_millis(20)) {
                    Ok(result) => return asked.and(result),
                    Err(mpsc::RecvTimeoutError::Timeout) if asked.is_ok() => {
                        asked = poll();
                        stop.store(asked.is_err(), Ordering::Relaxed);
                    }
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                    Err(mpsc::RecvTimeoutError::Disconnected) => {
                        unreachable!("the worker sends before it ends, and a panic ends the scope")
                    }
                }
            }
        })?;
        Ok((features, stats))
    }

    fn simulate<P: Pass<T> + Send>(
        &self,
        mut passes: Vec<(P, &mut Activity<T>)>,
        input: &Input<'_>,
        record: &mut dyn Record,
        threads: Threads,
        poll: &mut Poll<'_>,
    ) -> Result<Stats> {
        let width = i64::from(self.width);
        let (mut spikes, mut sent, mut unsettled) = (Vec::<Spike>::new(), 0, 0);
        let mut stats = Stats { n_input_events: input.t.len() as u64, ..Stats::default() };
        let mut work = 0;
        let result = loop {
            let of_input = input.t.get(sent).map(|t| t / width);
            let of_spikes = spikes.first().map(|(t, _)| t / width + 1);
            let waiting = passes.iter().map(|(_, activity)| activity.first_window(width));
            let Some(window) = waiting.chain([of_input, of_spikes]).flatten().min() else {
                break Ok(());
            };
            if window * width >= input.duration {
                break Ok(());
            }
            let end = ((window + 1) * width).min(input.duration);
            let events = sent..sent + input.t[sent..].partition_point(|&t| t < end);
            sent = events.end;
            let events = input.t[events.clone()].iter().zip(&input.channel[events]);
            let step = |(pass, activity): &mut (P, &mut Activity<T>)| {
                activity.send(pass.shard(), Source::Recurrent, spikes.iter().copied());
                let events = events.clone().map(|(&t, &channel)| (t, channel));
                activity.send(pass.shard(), Source::Input, events);
                activity.advance(pass, window, end);
            };
            if let Some(pool) = threads.pool(work, passes.len())? {
                pool.install(|| passes.par_iter_mut().for_each(step));
            } else {
                passes.iter_mut().for_each(step);
            }
            spikes.clear();
            for (_, activity) in &passes {
                spikes.extend_from_slice(&activity.spikes);
            }
            spikes.sort_unstable();
            record.record(&spikes);
            stats.n_spikes += spikes.len() as u64;
            unsettled += spikes.len() as u64;
            if unsettled >= self.settle_after {
                unsettled = 0;
                settle(&mut passes, end);
            }
            let before = stats.counters;
            stats.counters = total(passes.iter().map(|(_, activity)| activity.counters));
            work = stats.counters.synaptic_events + stats.counters.input_synaptic_events
                - before.synaptic_events
                - before.input_synaptic_events;
            if let Err(error) = poll() {
                break Err(error);
            }
            if end == input.duration {
                // What is still to come in this window lies beyond the sample.
                break Ok(());
            }
        };
        settle(&mut passes, input.duration);
        stats.counters = total(passes.iter().map(|(_, activity)| activity.counters));
        result.map(|()| stats)
    }

    /// Adaptation of each neuron's threshold, mV.
    pub fn theta(&self) -> Vec<f64> {
        let all = self.shards.iter().flat_map(|shard| &shard.neurons.theta);
        all.map(|theta| theta.to_f64()).collect()
    }
}

/// How many threads a sample gets.
#[derive(Clone, Copy)]
struct Threads {
    asked: Option<usize>,
}

impl Threads {
    fn new(asked: Option<usize>) -> Result<Self> {
        asked.map_or(Ok(()), pool::check)?;
        Ok(Self { asked })
    }

    /// The pool for a window, where one pays: `work` are the synaptic events of the last one.
    fn pool(
        &self,
        work: u64,
        n_shards: usize,
    ) -> Result<Option<std::sync::Arc<rayon::ThreadPool>>> {
        let n = match self.asked {
            Some(n) => n,
            None if work >= WORK_OF_A_THREAD => pool::all_cores(),
            None => 1,
        };
        if n > 1 && n_shards > 1 { pool::pool(n).map(Some) } else { Ok(None) }
    }
}

fn settle<T: Real, P: Pass<T>>(passes: &mut [(P, &mut Activity<T>)], t: i64) {
    for (pass, activity) in passes {
        pass.settle(activity, t);
    }
}

fn total(counters: impl Iterator<Item = Counters>) -> Counters {
    counters.fold(Counters::default(), |sum, one| Counters {
        input_synaptic_events: sum.input_synaptic_events + one.input_synaptic_events,
        synaptic_events: sum.synaptic_events + one.synaptic_events,
        weight_updates: sum.weight_updates + one.weight_updates,
    })
}

/// Cut the neurons into `n` ranges with about equally many synapses onto each.
fn ranges_of_equal_work(all: &[&Connections], n_neurons: usize, n: usize) -> Vec<Range<u32>> {
    let mut work = vec![1_u64; n_neurons];
    for connections in all {
        connections.graph.indices().iter().for_each(|&target| work[target as usize] += 1);
    }
    let sum: u64 = work.iter().sum();
    let (mut ranges, mut first, mut so_far) = (Vec::with_capacity(n), 0, 0);
    for (i, w) in work.iter().enumerate() {
        so_far += w;
        let left = n - ranges.len();
        let due = so_far * n as u64 >= sum * (ranges.len() as u64 + 1);
        if (due && left > 1) || n_neurons - i == left || i + 1 == n_neurons {
            ranges.push(first..i as u32 + 1);
            first = i as u32 + 1;
        }
    }
    ranges
}

/// Scale each neuron's plastic recurrent weights so that their sum is `incoming`.
fn normalize<T: Real>(shard: &mut Shard<T>, incoming: &[f64]) {
    let (first, n) = (shard.first as usize, shard.neurons.len());
    for projection in shard.plastic().filter(|p| p.source == Source::Recurrent) {
        let Synapses::Plastic(synapses) = &mut projection.synapses else { continue };
        let mut sum = vec![0.0; n];
        for (&target, w) in synapses.target.iter().zip(&synapses.weight) {
            sum[target as usize] += w.to_f64();
        }
        let rule = synapses.rule;
        for (&target, w) in synapses.target.iter().zip(&mut synapses.weight) {
            let target = target as usize;
            if sum[target] != 0.0 {
                let scaled = w.to_f64() * (incoming[first + target] / sum[target]);
                *w = T::from_f64(scaled).max(rule.w_min).min(rule.w_max);
            }
        }
    }
}

#[cfg(test)]
mod tests;
