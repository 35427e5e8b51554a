//! What `budget.py` counts the instructions of: a fixed network, a number of samples.
//!
//! `instructions CASE N_SAMPLES` prints the number of synaptic events of the last sample. The
//! difference between two numbers of samples is free of what building the network takes.

#[expect(dead_code, reason = "shared with kernels.rs")]
mod balanced;

use balanced::{N_INPUTS, Sample, balanced};
use hrsnn_core::engine::Engine;
use hrsnn_core::record::SpikeList;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let usage =
        "usage: instructions run|learn|run_delays|delays|run_small|learn_small N_SAMPLES [N]";
    let case = arguments.get(1).expect(usage).as_str();
    let n_samples: usize = arguments.get(2).and_then(|n| n.parse().ok()).expect(usage);
    let (n_neurons, n_inputs) =
        if case.ends_with("_small") { (500, 1000) } else { (1000, N_INPUTS) };
    let n_neurons = arguments.get(3).map_or(n_neurons, |n| n.parse().expect(usage));
    let longest_delay = if case.ends_with("delays") { 20 } else { 1 };
    let mut engine = Engine::<f32>::new(&balanced(n_neurons, n_inputs, longest_delay), None)
        .expect("a valid network");
    let sample = Sample::poisson(n_inputs, 20.0, 500_000);
    let mut n_events = 0;
    for _ in 0..n_samples {
        let mut spikes = SpikeList::default();
        let (input, poll) = (sample.input(), &mut || Ok(()));
        let stats = match case {
            "run" | "run_delays" | "run_small" => engine.run(&input, &mut spikes, Some(1), poll),
            "learn" | "delays" | "learn_small" => engine.learn(&input, &mut spikes, Some(1), poll),
            _ => panic!("{usage}"),
        };
        n_events = stats.expect("a valid sample").counters.synaptic_events;
    }
    println!("{n_events}");
}
