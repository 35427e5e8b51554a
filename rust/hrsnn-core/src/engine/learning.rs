//! One sample that is learned from.
//!
//! Lives here: what is done before and after it. Not here: the loop over windows (`windows`), the rule
//! (`stdp`), samples side by side (`batch`), norms (`normalization`), and what is kept of it (`learned`).

use std::borrow::Cow;
use std::iter;

use super::injected::{Bases, Moving};
use super::windows::Moment;
use super::{Course, Engine, Monitors, Poll};
use crate::error::{Error, Result};
use crate::network::MOST_AMPLITUDE;
use crate::real::Real;
use crate::record::Record;
use crate::sample::{Input, Stats};
use crate::shard::{Activity, Shard};

impl<T: Real> Engine<T> {
    /// Run one sample and learn from it: [`Engine::learn_scaled`] with a scale of 1.
    ///
    /// # Errors
    /// Those of [`Engine::learn_scaled`].
    pub fn learn(
        &mut self,
        input: &Input<'_>,
        record: &mut dyn Record,
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<Stats> {
        self.learn_scaled(input, 1.0, record, n_threads, poll)
    }

    /// Run one sample and learn from it, with `a_plus` and `a_minus` of every plastic synapse times
    /// `scale`.
    ///
    /// The product is taken in the precision of the network, and no later sample knows of it.
    ///
    /// When interrupted, what was learned up to the end of a window is kept. After a panic
    /// nothing is: whatever is asked of the engine from then on is [`Error::Broken`].
    ///
    /// # Errors
    /// Bad input, a scale that is not finite, negative or makes an amplitude larger than 1e30, what `poll` returned, or
    /// [`Error::Broken`].
    pub fn learn_scaled(
        &mut self,
        input: &Input<'_>,
        scale: f64,
        record: &mut dyn Record,
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<Stats> {
        let monitors = Monitors::default();
        Ok(self.learn_watched(input, scale, &monitors, record, n_threads, poll)?.0)
    }

    /// The same, with the course of what `monitors` want.
    ///
    /// # Errors
    /// Those of [`Engine::learn_scaled`], and what [`Monitors`] cannot be had.
    pub fn learn_watched(
        &mut self,
        input: &Input<'_>,
        scale: f64,
        monitors: &Monitors,
        record: &mut dyn Record,
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<(Stats, Vec<Course<T>>)> {
        let scale = self.checked_scale(scale)?;
        let (places, mut activities) = self.begin(input, monitors, n_threads, true)?;
        let mut shards = Cow::Owned(std::mem::take(&mut self.shards));
        let result =
            self.learn_in(&mut shards, &mut activities, input, scale, record, n_threads, poll);
        let courses = places.collect(&mut activities);
        self.keep(activities);
        let mut shards = shards.into_owned();
        self.normalize(&mut shards);
        self.shards = shards;
        result.map(|stats| (stats, courses))
    }

    /// A scale of the amplitudes of STDP in the precision of the network.
    pub(super) fn checked_scale(&self, scale: f64) -> Result<T> {
        let most = MOST_AMPLITUDE / self.largest_amplitude.max(1.0);
        if (0.0..=most).contains(&scale) {
            return Ok(T::from_f64(scale));
        }
        Err(Error::parameter("scale", format!("between 0 and {most:e}"), scale))
    }

    /// One sample changes the weights and thresholds of `shards`; nothing is normalised.
    pub(super) fn learn_in(
        &self,
        shards: &mut Cow<'_, [Shard<T>]>,
        activities: &mut [Activity<T>],
        input: &Input<'_>,
        scale: T,
        record: &mut dyn Record,
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<Stats> {
        for shard in shards.to_mut() {
            shard.reset_traces(scale);
        }
        let bases = input.injection.map(|_| Bases::of(shards.to_mut()));
        let mut moving = Moving { shards, activities, bases: bases.as_ref(), learns: true };
        let (mut moment, until) = (Moment::default(), input.duration);
        let result = self.go_on(&mut moving, input, &mut moment, until, record, n_threads, poll);
        if let Some(bases) = bases {
            bases.put_back(shards.to_mut());
        }
        self.end(shards.to_mut(), activities, input.duration);
        result.map(|()| moment.stats(input, activities))
    }

    /// The end of a sample of `duration` µs that was learned from.
    pub(super) fn end(
        &self,
        shards: &mut [Shard<T>],
        activities: &mut [Activity<T>],
        duration: i64,
    ) {
        iter::zip(&mut *shards, activities).for_each(|(shard, activity)| shard.end(activity));
        if let Some(adaptation) = self.adaptation {
            let elapsed = duration as f64 / 1000.0 / adaptation.tau_theta;
            let decay = T::from_f64(Real::exp(-elapsed));
            for Shard { neurons, .. } in shards {
                for i in 0..neurons.len() {
                    neurons.set_theta(i, neurons.theta[i] * decay);
                }
            }
        }
    }
}
