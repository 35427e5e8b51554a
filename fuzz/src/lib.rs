//! What several targets share: a small network in which everything happens.

use hrsnn_core::Result;
use hrsnn_core::csr::Csr;
use hrsnn_core::engine::Engine;
use hrsnn_core::network::{Connections, Description, NeuronParameters, Plasticity};
use hrsnn_core::stdp::Pairing;

/// Neurons of the network.
pub const N: usize = 4;
/// Input channels.
pub const N_INPUTS: usize = 2;

/// Four neurons in two shards that learn; with synaptic currents, and a neuron that fires by itself,
/// if `currents`.
pub fn network(currents: bool) -> Result<Engine<f64>> {
    let all = |value: f64| vec![value; N];
    let neurons = NeuronParameters {
        tau_m: all(20.0),
        v_rest: all(0.0),
        v_reset: all(0.0),
        v_threshold: all(10.0),
        t_ref: all(2.0),
        bias: if currents { vec![0.0, 12.0, 0.0, 0.0] } else { all(0.0) },
        tau_syn_ex: if currents { vec![5.0, 0.0, 20.0, 5.0] } else { all(0.0) },
        tau_syn_in: all(if currents { 8.0 } else { 0.0 }),
        theta: all(0.0),
    };
    let connections = |indptr: Vec<u64>, indices: Vec<u32>, delay: Vec<f64>| {
        let n = indices.len();
        let weight = (0..n).map(|k| if k % 4 == 3 { -3.0 } else { 6.0 }).collect();
        let plasticity = Plasticity {
            plastic: (0..n).map(|k| k % 4 < 3).collect(),
            a_plus: vec![0.1; n],
            a_minus: vec![0.12; n],
            tau_plus: vec![20.0; n],
            tau_minus: vec![15.0; n],
            w_min: 0.0,
            w_max: 12.0,
            mu_plus: 0.0,
            mu_minus: 0.0,
            pairing: Pairing::AllToAll,
            half_precision: false,
        };
        let graph = Csr::new(indptr, indices, N).expect("a graph");
        Connections { graph, weight, delay, plasticity: Some(plasticity) }
    };
    let description = Description::new(
        neurons,
        connections(vec![0, 2, 4], vec![0, 1, 2, 3], vec![0.0]),
        connections(vec![0, 1, 2, 3, 5], vec![1, 2, 3, 0, 2], vec![1.0, 2.5, 1.0, 0.3, 7.0]),
    );
    Engine::new(&description, Some(2))
}
