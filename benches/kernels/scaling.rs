//! What a synapse takes to build and an event to run, as networks grow.
//!
//! `scaling N FAN_IN CASE [MS [WEIGHT]]` makes a balanced network of N neurons with `FAN_IN` synapses onto
//! each, runs it on one thread and prints what it took as JSON. CASE: `run`, `learn`, `spread` (a plain
//! run whose input does not lie on a grid) or `delays` and `learn_delays` (1 to 20 ms, one a synapse).

use std::time::Instant;

use hrsnn_core::connectivity::{fixed_in_degree, uniform as connect};
use hrsnn_core::engine::Engine;
use hrsnn_core::network::{Connections, Description, NeuronParameters, Plasticity};
use hrsnn_core::random::{below, stream, uniform};
use hrsnn_core::record::SpikeList;
use hrsnn_core::sample::Input;
use hrsnn_core::stdp::Pairing;

/// Input channels of a network of up to so many neurons each; synapses onto each of them.
const NEURONS_OF_A_CHANNEL: usize = 5;
const MOST_CHANNELS: usize = 16_000;
const IN_DEGREE: usize = 20;

/// `n` numbers from `low` to `high`.
fn drawn(purpose: &str, n: usize, low: f64, high: f64) -> Vec<f64> {
    let mut rng = stream(1, purpose, 0);
    (0..n).map(|_| low + (high - low) * uniform(&mut rng)).collect()
}

fn neurons(n: usize) -> NeuronParameters {
    NeuronParameters {
        tau_m: drawn("tau_m", n, 10.0, 30.0),
        v_rest: vec![0.0; n],
        v_reset: vec![0.0; n],
        v_threshold: drawn("v_threshold", n, 0.9, 1.1),
        t_ref: vec![3.0; n],
        bias: vec![0.0; n],
        tau_syn_ex: vec![0.0; n],
        tau_syn_in: vec![0.0; n],
        theta: vec![0.0; n],
    }
}

/// Balanced recurrence whose synapses between excitatory neurons learn if `learns`.
fn recurrence(n: usize, fan_in: usize, learns: bool, longest_delay: u64) -> Connections {
    let p = fan_in as f64 / n as f64;
    let graph = connect(n, n, p, false, 1, "recurrent").expect("a graph");
    let n_excitatory = n * 4 / 5;
    let w0 = 0.28 / (fan_in as f64).sqrt();
    let mut weight = drawn("weight", graph.n_synapses(), 0.5 * w0, 1.5 * w0);
    let first_inhibitory = graph.span(n_excitatory).start;
    weight[first_inhibitory..].iter_mut().for_each(|w| *w *= -5.0);
    let mut rng = stream(1, "delay", 0);
    let delay = match longest_delay {
        1 => vec![1.0],
        longest => weight.iter().map(|_| 1.0 + below(&mut rng, longest) as f64).collect(),
    };
    let n_synapses = graph.n_synapses();
    let w_max = 2.0 * w0;
    let plasticity = learns.then(|| Plasticity {
        plastic: (0..n_synapses)
            .map(|s| s < first_inhibitory && (graph.indices()[s] as usize) < n_excitatory)
            .collect(),
        a_plus: drawn("a_plus", n_synapses, 0.003 * w_max, 0.007 * w_max),
        a_minus: drawn("a_minus", n_synapses, 0.0035 * w_max, 0.008 * w_max),
        tau_plus: drawn("tau_plus", n_synapses, 10.0, 30.0),
        tau_minus: drawn("tau_minus", n_synapses, 10.0, 30.0),
        w_min: 0.0,
        w_max,
        mu_plus: 0.0,
        mu_minus: 0.0,
        pairing: Pairing::AllToAll,
        half_precision: false,
    });
    Connections { graph, weight, delay, plasticity }
}

/// ns that this thread has had a core.
fn on_core() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let usage = "usage: scaling N FAN_IN run|learn|spread|delays|learn_delays [MS [WEIGHT]]";
    let number = |k: usize| arguments.get(k).map(|text| text.parse::<f64>().expect(usage));
    let n = number(1).expect(usage) as usize;
    let fan_in = number(2).expect(usage) as usize;
    let case = arguments.get(3).expect(usage).as_str();
    let ms = number(4).unwrap_or(1000.0) as i64;
    let input_weight = number(5).unwrap_or(0.106);
    let learns = case.starts_with("learn");
    let longest_delay = if case.ends_with("delays") { 20 } else { 1 };

    let n_inputs = (n / NEURONS_OF_A_CHANNEL).clamp(IN_DEGREE, MOST_CHANNELS);
    let graph = fixed_in_degree(n_inputs, n, IN_DEGREE, true, 1, "inputs").expect("a graph");
    let weight = vec![input_weight; graph.n_synapses()];
    let inputs = Connections { graph, weight, delay: vec![0.0], plasticity: None };
    let recurrent = recurrence(n, fan_in, learns, longest_delay);
    let n_synapses = inputs.len() + recurrent.len();
    let description = Description::new(neurons(n), inputs, recurrent);
    let (mut t, mut channel) = (Vec::new(), Vec::new());
    for step in 0..ms {
        let mut rng = stream(1, "input", step as u64);
        let before = t.len();
        for c in 0..n_inputs as u32 {
            if uniform(&mut rng) < 0.02 {
                t.push(
                    1000 * step + if case == "spread" { below(&mut rng, 1000) as i64 } else { 0 },
                );
                channel.push(c);
            }
        }
        t[before..].sort_unstable();
    }

    let (start, before) = (Instant::now(), on_core());
    let mut engine = Engine::<f32>::new(&description, None).expect("a network");
    let (build_wall, build) = (start.elapsed(), on_core() - before);
    drop(description);
    let input =
        Input { t: &t, channel: &channel, duration: 1000 * ms, drive: None, injection: None };
    let mut spikes = SpikeList::default();
    let (start, before) = (Instant::now(), on_core());
    let stats = if learns {
        engine.learn(&input, &mut spikes, Some(1), &mut || Ok(()))
    } else {
        engine.run(&input, &mut spikes, Some(1), &mut || Ok(()))
    };
    let (wall, cpu) = (start.elapsed(), on_core() - before);
    let counters = stats.expect("a sample").counters;
    let n_events = counters.synaptic_events as f64;
    let hash = spikes.t.iter().zip(&spikes.neuron).fold(7_u64, |hash, (&t, &i)| {
        (hash ^ (t as u64) << 24 ^ u64::from(i)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    });
    println!(
        "{{\"n\": {n}, \"fan_in\": {fan_in}, \"case\": \"{case}\", \"synapses\": {n_synapses}, \
         \"rate\": {:.3}, \"events\": {n_events}, \"build_ns\": {:.1}, \"build_wall_ns\": {:.1}, \
         \"ns\": {:.3}, \"wall_ns\": {:.3}, \"hash\": {hash}}}",
        spikes.t.len() as f64 / n as f64 / ms as f64 * 1000.0,
        build as f64 / n_synapses as f64,
        build_wall.as_nanos() as f64 / n_synapses as f64,
        cpu as f64 / n_events,
        wall.as_nanos() as f64 / n_events,
    );
}
