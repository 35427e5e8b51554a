//! How a sample goes on, whether or not currents are injected into its neurons: from edge to edge, and
//! what changes there.
//!
//! Between two edges nothing is other than in any sample, so the closed form is that of a constant
//! bias. Biases of the network itself stay as they are: who runs has a copy of it, and who learns
//! puts them back.

use std::borrow::Cow;
use std::iter;

use super::windows::Moment;
use super::{Engine, Poll};
use crate::error::Result;
use crate::injection::Injection;
use crate::real::Real;
use crate::record::Record;
use crate::sample::Input;
use crate::shard::{Activity, Frozen, Learning, Shard};

/// What neurons tend to by themselves, of each shard, and whether they cross by themselves.
#[derive(Debug, Clone)]
pub(super) struct Bases<T>(Vec<(Vec<T>, bool)>);

impl<T: Real> Bases<T> {
    /// Remember it of `shards`, whose neurons may cross by themselves from now on.
    pub(super) fn of(shards: &mut [Shard<T>]) -> Self {
        let base = |shard: &mut Shard<T>| {
            let crosses = std::mem::replace(&mut shard.crosses, true);
            (shard.neurons.v_end.clone(), crosses)
        };
        Self(shards.iter_mut().map(base).collect())
    }

    /// Make it so again.
    pub(super) fn put_back(&self, shards: &mut [Shard<T>]) {
        for (shard, (base, crosses)) in iter::zip(shards, &self.0) {
            shard.crosses = *crosses;
            for (i, &end) in base.iter().enumerate() {
                shard.neurons.set_end(i, end);
            }
        }
    }

    /// Make it as it is at `t` with what is injected, when what changes at `t` has not changed yet.
    pub(super) fn go_to(&self, injection: &Injection, shards: &mut [Shard<T>], t: i64) {
        let n_before = injection.edges().partition_point(|&edge| edge < t);
        let Some(number) = n_before.checked_sub(1) else { return };
        let mut values = Vec::new();
        injection.after(number, &mut values);
        for (shard, (base, _)) in iter::zip(shards, &self.0) {
            shard.set_ends(base, injection.neurons(), &values);
        }
    }
}

/// What moves in a sample on its way.
pub(super) struct Moving<'a, 's, T: Clone> {
    /// Borrowed as long as nothing of them changes.
    pub(super) shards: &'a mut Cow<'s, [Shard<T>]>,
    pub(super) activities: &'a mut [Activity<T>],
    /// Of the shards, where something is injected.
    pub(super) bases: Option<&'a Bases<T>>,
    /// Whether weights and thresholds change.
    pub(super) learns: bool,
}

impl<T: Real> Engine<T> {
    /// Bring a sample from its `moment` to the time `until`, changing what is injected on the way.
    pub(super) fn go_on(
        &self,
        moving: &mut Moving<'_, '_, T>,
        input: &Input<'_>,
        moment: &mut Moment,
        until: i64,
        record: &mut dyn Record,
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<()> {
        if let (Some(injection), Some(bases)) = (input.injection, moving.bases) {
            let mut values = Vec::new();
            let first = injection.edges().partition_point(|&edge| edge < moment.t);
            for (number, &edge) in injection.edges().iter().enumerate().skip(first) {
                if edge >= until {
                    break;
                }
                if edge > moment.t {
                    self.go_straight(moving, input, moment, edge, record, n_threads, poll)?;
                }
                injection.after(number, &mut values);
                let shards = iter::zip(moving.shards.to_mut(), &mut *moving.activities);
                for ((shard, activity), (base, _)) in iter::zip(shards, &bases.0) {
                    activity.inject(shard, base, injection.neurons(), &values, edge);
                }
            }
        }
        self.go_straight(moving, input, moment, until, record, n_threads, poll)
    }

    /// The same while what is injected does not change.
    fn go_straight(
        &self,
        Moving { shards, activities, learns, .. }: &mut Moving<'_, '_, T>,
        input: &Input<'_>,
        moment: &mut Moment,
        until: i64,
        record: &mut dyn Record,
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<()> {
        let activities = activities.iter_mut();
        if *learns {
            let passes = shards.to_mut().iter_mut().map(Learning).zip(activities).collect();
            self.simulate(passes, input, moment, until, record, n_threads, poll)
        } else {
            let passes = shards.iter().map(Frozen).zip(activities).collect();
            self.simulate(passes, input, moment, until, record, n_threads, poll)
        }
    }
}

#[cfg(test)]
mod tests;
