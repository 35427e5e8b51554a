//! A small balanced network like that of `workload.py`, and its input, drawn by the core itself.

use hrsnn_core::csr::Csr;
use hrsnn_core::network::{Connections, Description, NeuronParameters, Plasticity};
use hrsnn_core::random::{below, stream, uniform};
use hrsnn_core::sample::Input;
use hrsnn_core::stdp::Pairing;

/// Input channels.
pub(crate) const N_INPUTS: usize = 500;

/// Events of one sample.
pub(crate) struct Sample {
    t: Vec<i64>,
    channel: Vec<u32>,
    duration: i64,
}

impl Sample {
    /// Poisson input of `rate` (Hz) a channel for `duration` µs, on a grid of 1 ms.
    pub(crate) fn poisson(n_channels: usize, rate: f64, duration: i64) -> Self {
        let (mut t, mut channel) = (Vec::new(), Vec::new());
        for step in 0..duration / 1000 {
            let mut rng = stream(1, "input", step as u64);
            for c in 0..n_channels as u32 {
                if uniform(&mut rng) < rate / 1000.0 {
                    t.push(step * 1000);
                    channel.push(c);
                }
            }
        }
        Self { t, channel, duration }
    }

    /// Number of events.
    pub(crate) fn len(&self) -> usize {
        self.t.len()
    }

    /// As the engine takes it.
    pub(crate) fn input(&self) -> Input<'_> {
        Input {
            t: &self.t,
            channel: &self.channel,
            duration: self.duration,
            drive: None,
            injection: None,
        }
    }
}

/// `n` neurons that differ in `tau_m`; `threshold` in mV.
pub(crate) fn neurons(n: usize, threshold: f64) -> NeuronParameters {
    let mut rng = stream(1, "tau_m", 0);
    NeuronParameters {
        tau_m: (0..n).map(|_| 10.0 + 20.0 * uniform(&mut rng)).collect(),
        v_rest: vec![0.0; n],
        v_reset: vec![0.0; n],
        v_threshold: vec![threshold; n],
        t_ref: vec![2.0; n],
        bias: vec![0.0; n],
        tau_syn_ex: vec![0.0; n],
        tau_syn_in: vec![0.0; n],
        theta: vec![0.0; n],
    }
}

/// `degree` synapses from each of `n_rows` to different neurons out of `n`; delays in whole ms up
/// to `longest_delay`.
pub(crate) fn connections(
    n_rows: usize,
    n: usize,
    degree: usize,
    weight: impl Fn(usize) -> f64,
    longest_delay: u64,
) -> Connections {
    let (mut indices, mut weights, mut delay) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..n_rows {
        let mut rng = stream(1, "graph", row as u64);
        let mut chosen: Vec<u32> = (0..n as u32).collect();
        for k in 0..degree {
            let other = k + below(&mut rng, (n - k) as u64) as usize;
            chosen.swap(k, other);
        }
        chosen.truncate(degree);
        chosen.sort_unstable();
        for target in chosen {
            indices.push(target);
            weights.push(weight(row) * (0.5 + uniform(&mut rng)));
            delay.push(1.0 + below(&mut rng, longest_delay) as f64);
        }
    }
    let indptr = (0..=n_rows as u64).map(|row| row * degree as u64).collect();
    let graph = Csr::new(indptr, indices, n).expect("sorted, and below n");
    let delay = if longest_delay == 1 { vec![1.0] } else { delay };
    Connections { graph, weight: weights, delay, plasticity: None }
}

/// Constants of STDP that differ from synapse to synapse, on the synapses that are `plastic`.
pub(crate) fn plasticity(connections: &Connections, plastic: Vec<bool>, w_max: f64) -> Plasticity {
    let n = connections.weight.len();
    let drawn = |purpose, low: f64, high: f64| {
        let mut rng = stream(1, purpose, 0);
        (0..n).map(|_| low + (high - low) * uniform(&mut rng)).collect::<Vec<_>>()
    };
    Plasticity {
        plastic,
        a_plus: drawn("a_plus", 0.003 * w_max, 0.007 * w_max),
        a_minus: drawn("a_minus", 0.0035 * w_max, 0.008 * w_max),
        tau_plus: drawn("tau_plus", 10.0, 30.0),
        tau_minus: drawn("tau_minus", 10.0, 30.0),
        w_min: 0.0,
        w_max,
        mu_plus: 0.0,
        mu_minus: 0.0,
        pairing: Pairing::AllToAll,
        half_precision: false,
    }
}

/// A network of `inputs` and `recurrent` alone.
pub(crate) fn description(
    neurons: NeuronParameters,
    inputs: Connections,
    recurrent: Connections,
) -> Description {
    Description::new(neurons, inputs, recurrent)
}

/// No synapses between `n` neurons.
pub(crate) fn no_recurrence(n: usize) -> Connections {
    connections(n, n, 0, |_| 0.0, 1)
}

/// `n` neurons, four in five excitatory, a tenth of all pairs connected, E to E plastic; 20 of `n_inputs`
/// channels onto each.
pub(crate) fn balanced(n: usize, n_inputs: usize, longest_delay: u64) -> Description {
    let degree = n / 10;
    let w0 = 0.28 / (degree as f64).sqrt();
    let n_excitatory = 4 * n / 5;
    let sign = |row| if row < n_excitatory { w0 } else { -5.0 * w0 };
    let mut recurrent = connections(n, n, degree, sign, longest_delay);
    let plastic = recurrent.graph.indices().iter().enumerate();
    let plastic = plastic
        .map(|(s, &post)| s / degree < n_excitatory && (post as usize) < n_excitatory)
        .collect();
    recurrent.plasticity = Some(plasticity(&recurrent, plastic, 2.0 * w0));
    let inputs = connections(n_inputs, n, 20 * n / n_inputs, |_| 0.2, 1);
    description(neurons(n, 1.0), inputs, recurrent)
}
