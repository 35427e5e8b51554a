//! What learning changes of a shard: all that a sample leaves behind.

use crate::projection::{Projection, Synapses};
use crate::real::Real;
use crate::shard::Shard;

use super::Engine;

/// Plastic weights and adapted thresholds of one shard at one moment between two samples.
#[derive(Debug, Clone)]
pub struct Learned<T> {
    /// Of all plastic synapses, in the order of projections and segments, mV.
    pub(super) weight: Vec<T>,
    /// Of all neurons, mV.
    pub(super) theta: Vec<T>,
}

impl<T: Real> Learned<T> {
    pub(super) fn of(shard: &Shard<T>) -> Self {
        let mut weight = Vec::new();
        for Projection { rows, synapses, .. } in &shard.projections {
            if let Synapses::Plastic(synapses) = synapses {
                weight.reserve_exact(synapses.len());
                for segment in 0..rows.n_segments() as u32 {
                    weight.extend_from_slice(synapses.weights(&rows.synapses(segment)));
                }
            }
        }
        Self { weight, theta: shard.neurons.theta.clone() }
    }

    fn put_back(&self, shard: &mut Shard<T>) {
        let mut rest = self.weight.as_slice();
        for Projection { rows, synapses, .. } in &mut shard.projections {
            let Synapses::Plastic(synapses) = synapses else { continue };
            for segment in 0..rows.n_segments() as u32 {
                let (_, weights) = synapses.weights_mut(&rows.synapses(segment));
                let (these, others) = rest.split_at(weights.len());
                weights.copy_from_slice(these);
                rest = others;
            }
        }
        for (i, &theta) in self.theta.iter().enumerate() {
            shard.neurons.set_theta(i, theta);
        }
    }
}

impl<T: Real> Engine<T> {
    /// What was learned up to now, of each shard.
    pub fn learned(&self) -> Vec<Learned<T>> {
        self.shards.iter().map(Learned::of).collect()
    }

    /// Go back to what `learned` was, between two samples.
    pub fn put_back(&mut self, learned: &[Learned<T>]) {
        for (learned, shard) in learned.iter().zip(&mut self.shards) {
            learned.put_back(shard);
        }
    }
}
