//! The weights onto each neuron are scaled to a fixed sum at the end of a sample.

use super::Engine;
use crate::projection::{Source, Synapses};
use crate::real::Real;
use crate::shard::Shard;

impl<T: Real> Engine<T> {
    /// Scale each neuron's plastic recurrent weights, where that is wanted.
    pub(super) fn normalize(&self, shards: &mut [Shard<T>]) {
        if !self.incoming.is_empty() {
            for shard in shards {
                normalize(shard, &self.incoming);
            }
        }
    }
}

/// Scale each neuron's plastic recurrent weights so that their sum is `incoming`.
fn normalize<T: Real>(shard: &mut Shard<T>, incoming: &[f64]) {
    let (first, n) = (shard.first as usize, shard.neurons.len());
    for projection in shard.plastic().filter(|p| p.source == Source::Recurrent) {
        let Synapses::Plastic(synapses) = &mut projection.synapses else { continue };
        let n_segments = projection.rows.n_segments() as u32;
        let mut sum = vec![0.0; n];
        for segment in 0..n_segments {
            let range = projection.rows.synapses(segment);
            let weights = synapses.weights(&range);
            for (&target, w) in synapses.target()[range.clone()].iter().zip(weights) {
                sum[target as usize] += w.to_f64();
            }
        }
        let rule = synapses.rule;
        for segment in 0..n_segments {
            let (targets, weights) = synapses.weights_mut(&projection.rows.synapses(segment));
            for (&target, w) in targets.iter().zip(weights) {
                let target = target as usize;
                if sum[target] != 0.0 {
                    let scaled = w.to_f64() * (incoming[first + target] / sum[target]);
                    *w = rule.clip(T::from_f64(scaled));
                }
            }
        }
    }
}
