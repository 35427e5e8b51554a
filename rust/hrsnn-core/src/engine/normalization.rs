//! The weights onto each neuron are scaled to a fixed norm at the end of a sample.
//!
//! Those from inputs and those from neurons each by themselves. What is summed for a neuron is
//! summed in double precision, in the order of (source, delay), which no shard influences.

use super::Engine;
use crate::error::Result;
use crate::network::{Norm, check_incoming};
use crate::projection::{Source, Synapses};
use crate::real::Real;
use crate::shard::Shard;

impl<T: Real> Engine<T> {
    /// Replace the norms that each neuron's plastic weights from `source` are kept to.
    ///
    /// # Errors
    /// If they are not kept to any; a wrong length, or a norm that cannot be.
    pub fn set_incoming(&mut self, source: Source, targets: &[f64]) -> Result<()> {
        let n_neurons = self.n_neurons;
        for (of, norm, kept) in &mut self.incoming {
            if *of == source {
                let n = if kept.is_empty() { 0 } else { n_neurons };
                check_incoming("incoming", targets, *norm, n)?;
                kept.copy_from_slice(targets);
            }
        }
        Ok(())
    }

    /// Scale each neuron's plastic weights, where that is wanted.
    pub(super) fn normalize(&self, shards: &mut [Shard<T>]) {
        for (source, norm, targets) in &self.incoming {
            if !targets.is_empty() {
                for shard in &mut *shards {
                    normalize(shard, *source, *norm, targets);
                }
            }
        }
    }
}

/// Scale each neuron's plastic weights from `source` so that their `norm` is that of `incoming`.
fn normalize<T: Real>(shard: &mut Shard<T>, source: Source, norm: Norm, incoming: &[f64]) {
    let (first, n) = (shard.first as usize, shard.neurons.len());
    for projection in shard.plastic().filter(|p| p.source == source) {
        let Synapses::Plastic(synapses) = &mut projection.synapses else { continue };
        let n_segments = projection.rows.n_segments() as u32;
        let mut sum = vec![0.0; n];
        for segment in 0..n_segments {
            let range = projection.rows.synapses(segment);
            let weights = synapses.weights(&range);
            for (target, w) in synapses.targets().of(range.clone()).iter().zip(weights) {
                let w = w.to_f64();
                sum[target] += match norm {
                    Norm::L1 => w,
                    Norm::L2 => w * w,
                };
            }
        }
        if norm == Norm::L2 {
            // Like + - * /, and unlike powers, the root has the same bits on every machine.
            for sum in &mut sum {
                *sum = sum.sqrt();
            }
        }
        let rule = synapses.rule;
        for segment in 0..n_segments {
            let (targets, weights) = synapses.weights_mut(&projection.rows.synapses(segment));
            for (target, w) in targets.iter().zip(weights) {
                if sum[target] != 0.0 {
                    let scaled = w.to_f64() * (incoming[first + target] / sum[target]);
                    *w = rule.clip(T::from_f64(scaled));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
