//! How a shard is visited: with its weights as they are, or changing them.

use super::{Activity, Shard};
use crate::projection::{Projection, Reading, Synapses};
use crate::queue::Due;
use crate::real::Real;
use crate::real::simd::{Index, Table};
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

/// How many deliveries before it what a delivery needs is asked for: memory takes as long as some.
const NEAR: usize = 6;
/// The same for the place where that is.
const FAR: usize = 16;

/// Ask for what the deliveries after the first of `rest` need, to change it if `learns`.
#[inline]
pub(super) fn ask_ahead<T: Real>(shard: &Shard<T>, rest: &[Due], learns: bool) {
    if let Some(far) = rest.get(FAR) {
        shard.projections[far.projection()].prefetch_place(far.segment());
    }
    if let Some(near) = rest.get(NEAR) {
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
    with_targets!(projection.synapses.targets(), targets => {
        read_all(shard, projection.reading(targets), run, rest, input, learns)
    })
}

/// The same of the projection that is `reading`.
fn read_all<T: Real, I: Index>(
    shard: &Shard<T>,
    reading: Reading<'_, T, I>,
    run: &[Due],
    rest: &[Due],
    input: &mut Table<T>,
    learns: bool,
) -> usize {
    let [far_start, far_synapses] = reading.is_far();
    let mut n_synapses = 0;
    for (k, delivery) in run.iter().enumerate() {
        // As `ask_ahead`, but most of what is ahead is of this projection, which was looked up.
        if let Some(far) = run.get(k + FAR) {
            if far_start {
                reading.prefetch_place(far.segment());
            }
        } else if let Some(far) = rest.get(k + FAR) {
            shard.projections[far.projection()].prefetch_place(far.segment());
        }
        if let Some(near) = run.get(k + NEAR) {
            if far_synapses {
                reading.prefetch(near.segment());
            }
        } else if let Some(near) = rest.get(k + NEAR) {
            shard.projections[near.projection()].prefetch(near.segment(), learns);
        }
        n_synapses += reading.deliver(delivery.segment(), input);
    }
    n_synapses
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
        let (mut n_synapses, mut updates) = (0, 0);
        for (k, delivery) in run.iter().enumerate() {
            ask_ahead(self.0, &rest[k..], true);
            let Projection { rows, synapses, .. } = &mut self.0.projections[number];
            let Synapses::Plastic(synapses) = synapses else { break };
            let range = rows.synapses(delivery.segment());
            n_synapses += range.len();
            let segment = delivery.segment() as usize;
            updates += synapses.arrive(segment, range, t, history, input);
        }
        (n_synapses, updates)
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
