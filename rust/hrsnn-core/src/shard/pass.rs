//! How a shard is visited: with its weights as they are, or changing them.

use super::{Activity, Shard};
use crate::projection::{Projection, Synapses};
use crate::queue::{Due, FAR, NEAR};
use crate::real::Real;
use crate::real::simd::Table;
use crate::stdp::History;
use crate::targets::with_targets;

/// How a shard is visited: with its weights as they are, or changing them.
pub trait Pass<T: Real> {
    /// Whether weights change.
    const LEARNS: bool;
    /// The shard.
    fn shard(&self) -> &Shard<T>;
    /// Weights of the synapses of a segment, mV, if delivering to them changes nothing.
    fn weights(&self, delivery: Due) -> Option<&[T]>;
    /// Deliver at time `t` the `run`, all of one projection, with which `rest` begins, which is all that
    /// is left to deliver in this window; returns the number of synapses and how often a weight changed.
    #[inline]
    fn deliver(
        &mut self,
        run: &[Due],
        rest: &[Due],
        _: i64,
        _: &History,
        input: &mut Table<T>,
    ) -> (usize, u64) {
        (read(self.shard(), run, rest, input, Self::LEARNS), 0)
    }
    /// Neuron `i` of the shard spiked at `t`.
    fn spiked(&mut self, i: usize, t: i64, history: &mut History);
    /// Apply what is pending before time `t`, and count times from there.
    fn settle(&mut self, activity: &mut Activity<T>, t: i64);
}

/// Ask for what the deliveries after the first `n` of `rest` need, which are delivered before and ask for
/// one another; to change it if `learns`.
#[inline]
pub(super) fn ask_beyond<T: Real>(shard: &Shard<T>, n: usize, rest: &[Due], learns: bool) {
    // As many as would have been asked for by these, if those had not been before.
    let ahead = |distance: usize| {
        let some = rest.get(n.max(distance)..).unwrap_or_default();
        some[..some.len().min(n.min(distance))].iter().filter(|some| !some.is_parcel())
    };
    if shard.projections.iter().any(|projection| projection.rows.are_many()) {
        for far in ahead(FAR) {
            shard.projections[far.projection()].prefetch_place(far.segment());
        }
    }
    for near in ahead(NEAR) {
        shard.projections[near.projection()].prefetch(near.segment(), learns);
    }
}

/// [`Pass::deliver`] where no weight of that projection changes; returns the number of synapses.
///
/// Whether the pass `learns` says what is asked of other projections.
fn read<T: Real>(
    shard: &Shard<T>,
    run: &[Due],
    rest: &[Due],
    input: &mut Table<T>,
    learns: bool,
) -> usize {
    let projection = &shard.projections[run[0].projection()];
    ask_beyond(shard, run.len(), rest, learns);
    with_targets!(projection.synapses.targets(), targets => {
        projection.reading(targets).deliver_all(run, input)
    })
}

/// A pass that changes nothing but the activity.
#[derive(Debug)]
pub struct Frozen<'a, T>(pub &'a Shard<T>);

/// A pass that learns.
#[derive(Debug)]
pub struct Learning<'a, T>(pub &'a mut Shard<T>);

impl<T: Real> Pass<T> for Frozen<'_, T> {
    const LEARNS: bool = false;

    fn shard(&self) -> &Shard<T> {
        self.0
    }

    fn weights(&self, delivery: Due) -> Option<&[T]> {
        let projection = &self.0.projections[delivery.projection()];
        Some(projection.synapses.weights(&projection.rows.synapses(delivery.segment())))
    }

    fn spiked(&mut self, _: usize, _: i64, _: &mut History) {}

    fn settle(&mut self, _: &mut Activity<T>, _: i64) {}
}

impl<T: Real> Pass<T> for Learning<'_, T> {
    const LEARNS: bool = true;

    fn shard(&self) -> &Shard<T> {
        self.0
    }

    fn weights(&self, delivery: Due) -> Option<&[T]> {
        let projection = &self.0.projections[delivery.projection()];
        let range = projection.rows.synapses(delivery.segment());
        match &projection.synapses {
            Synapses::Static(synapses) => Some(&synapses.weight[range]),
            Synapses::Plastic(_) => None,
        }
    }

    fn deliver(
        &mut self,
        run: &[Due],
        rest: &[Due],
        t: i64,
        history: &History,
        input: &mut Table<T>,
    ) -> (usize, u64) {
        let number = run[0].projection();
        if let Synapses::Static(_) = self.0.projections[number].synapses {
            return (read(self.0, run, rest, input, Self::LEARNS), 0);
        }
        ask_beyond(self.0, run.len(), rest, true);
        let Projection { rows, synapses, .. } = &mut self.0.projections[number];
        let Synapses::Plastic(synapses) = synapses else { return (0, 0) };
        synapses.arrive_all(rows.start(), run, t, history, input)
    }

    fn spiked(&mut self, i: usize, t: i64, history: &mut History) {
        if self.0.learns() {
            history.push(i, t);
        }
        self.0.neurons.adapt(i, self.0.theta_plus);
    }

    fn settle(&mut self, activity: &mut Activity<T>, t: i64) {
        self.0.settle(activity, t);
    }
}
