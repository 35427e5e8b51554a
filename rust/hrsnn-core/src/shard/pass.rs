//! How a shard is visited: with its weights as they are, or changing them.

use std::ops::Range;

use super::{Activity, Shard};
use crate::projection::Synapses;
use crate::queue::Delivery;
use crate::real::Real;
use crate::real::simd::Table;
use crate::stdp::History;

/// How a shard is visited: with its weights as they are, or changing them.
pub trait Pass<T: Real> {
    /// Whether weights change.
    const LEARNS: bool;
    /// The shard.
    fn shard(&self) -> &Shard<T>;
    /// Weights of the synapses of a segment, mV, if delivering to them changes nothing.
    fn weights(&self, delivery: Delivery) -> Option<&[T]>;
    /// Deliver to the synapses `range` of a segment; returns how often a weight changed.
    #[inline]
    fn deliver(
        &mut self,
        delivery: Delivery,
        range: Range<usize>,
        _: &History,
        input: &mut Table<T>,
    ) -> u64 {
        self.shard().projections[delivery.projection as usize].deliver(&range, input);
        0
    }
    /// Neuron `i` of the shard spiked at `t`.
    fn spiked(&mut self, i: usize, t: i64, history: &mut History);
    /// Apply what is pending before time `t`, and count times from there.
    fn settle(&mut self, activity: &mut Activity<T>, t: i64);
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

    fn weights(&self, delivery: Delivery) -> Option<&[T]> {
        let projection = &self.0.projections[delivery.projection as usize];
        Some(projection.synapses.weights(&projection.rows.synapses(delivery.segment)))
    }

    fn spiked(&mut self, _: usize, _: i64, _: &mut History) {}

    fn settle(&mut self, _: &mut Activity<T>, _: i64) {}
}

impl<T: Real> Pass<T> for Learning<'_, T> {
    const LEARNS: bool = true;

    fn shard(&self) -> &Shard<T> {
        self.0
    }

    fn weights(&self, delivery: Delivery) -> Option<&[T]> {
        let projection = &self.0.projections[delivery.projection as usize];
        let range = projection.rows.synapses(delivery.segment);
        match &projection.synapses {
            Synapses::Static(synapses) => Some(&synapses.weight[range]),
            Synapses::Plastic(_) => None,
        }
    }

    fn deliver(
        &mut self,
        delivery: Delivery,
        range: Range<usize>,
        history: &History,
        input: &mut Table<T>,
    ) -> u64 {
        let projection = &mut self.0.projections[delivery.projection as usize];
        if let Synapses::Plastic(synapses) = &mut projection.synapses {
            let segment = delivery.segment as usize;
            return synapses.arrive(segment, range, delivery.arrival, history, input);
        }
        projection.deliver(&range, input);
        0
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
