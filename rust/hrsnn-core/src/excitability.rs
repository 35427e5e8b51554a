//! Which neurons may be expected to fire more than others, by their description alone.
//!
//! A guess that changes no result: rows of plastic synapses are laid out by it, so that those which
//! are visited together have about equally many post spikes pending.

use std::ops::Range;

use crate::network::Description;

/// Number of classes, of about equally many neurons.
pub const CLASSES: usize = 8;

/// The class of each of the neurons `range`, 0 for those that may be expected to fire most.
///
/// They are ranked by how far one spike of every input would move them, in time: `tau_m` times the sum
/// of the input weights, over what is missing to the threshold. Equal ones go by their number.
pub fn classes(description: &Description, range: Range<u32>) -> Vec<u8> {
    let (inputs, neurons) = (&description.inputs, &description.neurons);
    let span = range.start as usize..range.end as usize;
    let mut drive = vec![0.0; span.len()];
    for (&target, weight) in inputs.graph.indices().iter().zip(&inputs.weight) {
        if range.contains(&target) {
            drive[(target - range.start) as usize] += weight;
        }
    }
    for (drive, i) in drive.iter_mut().zip(span) {
        let missing =
            neurons.v_threshold[i] + neurons.theta[i] - neurons.v_rest[i] - neurons.bias[i];
        *drive = if missing > 0.0 { *drive * neurons.tau_m[i] / missing } else { f64::INFINITY };
    }
    let mut ranked: Vec<usize> = (0..drive.len()).collect();
    ranked.sort_by(|&a, &b| drive[b].total_cmp(&drive[a]));
    let mut class = vec![0; drive.len()];
    for (rank, i) in ranked.into_iter().enumerate() {
        class[i] = (rank * CLASSES / drive.len()) as u8;
    }
    class
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csr::Csr;
    use crate::network::{Connections, NeuronParameters};

    /// One input onto each of the neurons with a `weight` other than 0, no recurrence.
    fn description(weight: &[f64], tau_m: &[f64], bias: &[f64]) -> Description {
        let n = weight.len();
        let onto: Vec<u32> = (0..n as u32).filter(|&i| weight[i as usize] != 0.0).collect();
        let weight: Vec<f64> = weight.iter().copied().filter(|&w| w != 0.0).collect();
        let graph = Csr::new(vec![0, onto.len() as u64], onto, n).unwrap();
        let none = Csr::new(vec![0; n + 1], vec![], n).unwrap();
        let connections =
            |graph, weight| Connections { graph, weight, delay: vec![1.0], plasticity: None };
        let neurons = NeuronParameters {
            tau_m: tau_m.to_vec(),
            v_rest: vec![-1.0; n],
            v_reset: vec![-2.0; n],
            v_threshold: vec![9.0; n],
            t_ref: vec![0.0; n],
            bias: bias.to_vec(),
            tau_syn_ex: vec![0.0; n],
            tau_syn_in: vec![0.0; n],
            theta: vec![0.0; n],
        };
        let (inputs, recurrent) = (connections(graph, weight), connections(none, vec![]));
        let description = Description::new(neurons, inputs, recurrent);
        description.check().unwrap();
        description
    }

    #[test]
    fn what_is_easier_to_move_comes_first() {
        // Of eight neurons each is a class: driven, near its threshold, strong, slow, two alike,
        // without input, inhibited.
        let weight = [2.0, -1.0, 1.0, 9.0, 1.0, 0.0, 0.0, 2.0];
        let tau_m = [10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 30.0];
        let bias = [9.0, 0.0, 0.0, 0.0, 0.0, 0.0, 10.0, 0.0];
        let description = description(&weight, &tau_m, &bias);
        assert_eq!(classes(&description, 0..8), [1, 7, 4, 2, 5, 6, 0, 3]);
        // A part of them is divided anew.
        assert_eq!(classes(&description, 1..4), [5, 2, 0]);
    }

    #[test]
    fn neurons_that_are_all_alike_stay_in_their_order() {
        let n = 3 * CLASSES + 5;
        let class =
            classes(&description(&vec![1.0; n], &vec![10.0; n], &vec![0.0; n]), 0..n as u32);
        assert!(class.is_sorted());
        let size = |c| class.iter().filter(|&&k| usize::from(k) == c).count();
        assert!((0..CLASSES).all(|c| (3..=4).contains(&size(c))), "{class:?}");
    }
}
