//! Samples that learn side by side from the same weights, and what becomes of their changes.
//!
//! **Merging.** Every sample begins from the same weights w0 and thresholds. What it has changed
//! is added up in the order of the samples, whichever ended first: w = clip(w0 + Σ (`w_k` - w0)),
//! and likewise theta, which is never below 0. A weight that only one sample has changed is that
//! sample's, to the bit. Weights are normalised once, after that. This is an approximation of
//! learning one after the other: no sample sees what the others of its batch have learned.
//!
//! **Memory.** A thread at work has a copy of the whole network; a sample that is done leaves a
//! copy of its plastic weights and thresholds.

use std::borrow::Cow;
use std::iter;

use super::learned::Learned;
use super::side_by_side::side_by_side;
use super::{Engine, Poll};
use crate::error::Result;
use crate::pool;
use crate::projection::{Projection, Synapses};
use crate::real::Real;
use crate::record::Discard;
use crate::sample::{Input, Stats};
use crate::shard::Shard;

/// `before` with what each of `after` has changed of it, in their order.
fn merged<T: Real>(before: T, after: impl Iterator<Item = T>) -> T {
    let start = before.to_f64();
    let mut changed = after.filter(|&value| value != before).map(Real::to_f64);
    let Some(first) = changed.next() else { return before };
    T::from_f64(changed.fold(first, |sum, value| sum + (value - start)))
}

fn merge<T: Real>(shard: &mut Shard<T>, outcomes: &[&Learned<T>]) {
    let mut place = 0;
    for Projection { rows, synapses, .. } in &mut shard.projections {
        let Synapses::Plastic(synapses) = synapses else { continue };
        let rule = synapses.rule;
        for segment in 0..rows.n_segments() as u32 {
            let (_, weights) = synapses.weights_mut(&rows.synapses(segment));
            for (w, place) in iter::zip(weights, place..) {
                *w = rule.clip(merged(*w, outcomes.iter().map(|outcome| outcome.weight[place])));
            }
            place += rows.synapses(segment).len();
        }
    }
    for i in 0..shard.neurons.len() {
        let theta = merged(shard.neurons.theta[i], outcomes.iter().map(|o| o.theta[i]));
        shard.neurons.set_theta(i, if theta > T::ZERO { theta } else { T::ZERO });
    }
}

impl<T: Real> Engine<T> {
    /// Learn from all `inputs` at once, each on a thread of its own, and merge the changes.
    ///
    /// `n_threads`: `None` takes all cores. The result does not depend on it, and is that of
    /// [`Engine::learn`] for a single input. When interrupted nothing is learned, nor when a sample
    /// ends in a panic.
    ///
    /// # Errors
    /// Bad input (the first one), what `poll` returned, or [`Error::Broken`](crate::Error::Broken).
    pub fn learn_batch(
        &mut self,
        inputs: &[Input<'_>],
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<Vec<Stats>> {
        self.learn_batch_scaled(inputs, 1.0, n_threads, poll)
    }

    /// The same with `a_plus` and `a_minus` of every plastic synapse times `scale`, as in
    /// [`Engine::learn_scaled`].
    ///
    /// # Errors
    /// Those of [`Engine::learn_batch`], or a bad scale.
    pub fn learn_batch_scaled(
        &mut self,
        inputs: &[Input<'_>],
        scale: f64,
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<Vec<Stats>> {
        self.check_whole()?;
        inputs.iter().try_for_each(|input| self.check_input(input))?;
        let n_threads = n_threads.unwrap_or_else(pool::all_cores);
        pool::check(n_threads)?;
        let scale = self.checked_scale(scale)?;
        if inputs.is_empty() {
            return Ok(Vec::new());
        }
        // A single sample may have the threads that no other needs.
        let of_each = if inputs.len() == 1 { n_threads } else { 1 };
        let mut results: Vec<Option<(Vec<Learned<T>>, Stats)>> = Vec::new();
        results.resize_with(inputs.len(), || None);
        let learner = &*self;
        let one = |(input, result): (&Input<'_>, &mut Option<_>), poll: &mut Poll<'_>| {
            let mut shards = Cow::Borrowed(&learner.shards[..]);
            let mut activities = learner.activities(true);
            let stats = learner.learn_in(
                &mut shards,
                &mut activities,
                input,
                scale,
                &mut Discard,
                Some(of_each),
                poll,
            );
            learner.keep(activities);
            *result = Some((shards.iter().map(Learned::of).collect(), stats?));
            Ok(())
        };
        let jobs = iter::zip(inputs, &mut results).collect();
        side_by_side(jobs, n_threads.min(inputs.len()), poll, &one)?;
        let results: Vec<_> = results.into_iter().flatten().collect();
        let mut shards = std::mem::take(&mut self.shards);
        for (number, shard) in shards.iter_mut().enumerate() {
            let outcomes: Vec<_> = results.iter().map(|(outcomes, _)| &outcomes[number]).collect();
            merge(shard, &outcomes);
        }
        self.normalize(&mut shards);
        self.shards = shards;
        Ok(results.into_iter().map(|(_, stats)| stats).collect())
    }
}

#[cfg(test)]
mod tests;
