//! A sample into whose neurons currents are injected: from edge to edge, and what changes there.
//!
//! Between two edges nothing is other than in any sample, so the closed form is that of a constant
//! bias. Biases of the network itself stay as they are: who runs has a copy of it, and who learns
//! puts them back.

use std::iter;

use super::windows::Moment;
use crate::error::Result;
use crate::injection::Injection;
use crate::real::Real;
use crate::shard::{Activity, Shard};

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

/// Brings a sample from its moment to a time while nothing changes.
type Simulate<'a, T> =
    dyn FnMut(&mut [Shard<T>], &mut [Activity<T>], &mut Moment, i64) -> Result<()> + 'a;

/// Bring a sample from its `moment` to the time `until`, changing what is injected on the way.
pub(super) fn from_edge_to_edge<T: Real>(
    injection: &Injection,
    bases: &Bases<T>,
    (shards, activities): (&mut [Shard<T>], &mut [Activity<T>]),
    moment: &mut Moment,
    until: i64,
    simulate: &mut Simulate<'_, T>,
) -> Result<()> {
    let mut values = Vec::new();
    let first = injection.edges().partition_point(|&edge| edge < moment.t);
    for (number, &edge) in injection.edges().iter().enumerate().skip(first) {
        if edge >= until {
            break;
        }
        if edge > moment.t {
            simulate(shards, activities, moment, edge)?;
        }
        injection.after(number, &mut values);
        for ((shard, activity), (base, _)) in
            iter::zip(iter::zip(&mut *shards, &mut *activities), &bases.0)
        {
            activity.inject(shard, base, injection.neurons(), &values, edge);
        }
    }
    simulate(shards, activities, moment, until)
}

#[cfg(test)]
mod tests;
