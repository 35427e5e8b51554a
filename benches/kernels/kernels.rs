//! Kernels of the core, each through a network that does little else; throughput in events.

mod balanced;

use std::hint::black_box;
use std::time::Duration;

use balanced::{
    N_INPUTS, Sample, balanced, connections, description, neurons, no_recurrence, plasticity,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hrsnn_core::engine::Engine;
use hrsnn_core::network::Description;
use hrsnn_core::real::Real;
use hrsnn_core::record::SpikeList;

/// Run or learn one sample on one thread; return the number of spikes.
fn once(engine: &mut Engine<f32>, sample: &Sample, learn: bool) -> u64 {
    let (input, mut spikes, poll) = (sample.input(), SpikeList::default(), &mut || Ok(()));
    let stats = if learn {
        engine.learn(&input, &mut spikes, Some(1), poll)
    } else {
        engine.run(&input, &mut spikes, Some(1), poll)
    };
    stats.expect("a valid sample").n_spikes
}

fn exp(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("exp");
    let x: Vec<f32> = (0..4096).map(|i| -0.002 * i as f32).collect();
    let mut y = vec![0.0; x.len()];
    group.throughput(Throughput::Elements(x.len() as u64));
    group.bench_function("f32", |bencher| {
        bencher.iter(|| {
            for (y, &x) in y.iter_mut().zip(black_box(&x)) {
                *y = Real::exp(x);
            }
            black_box(&y);
        });
    });
    group.finish();
}

/// Networks without recurrence: `fan_out` synapses a channel, never a spike.
fn silent(n: usize, fan_out: usize, longest_delay: u64) -> Description {
    let inputs = connections(N_INPUTS, n, fan_out, |_| 0.01, longest_delay);
    description(neurons(n, 1e6), inputs, no_recurrence(n))
}

fn deliveries(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("deliveries");
    let sample = Sample::poisson(N_INPUTS, 20.0, 1_000_000);
    let mut learning = silent(2000, 1000, 1);
    let all = vec![true; learning.inputs.weight.len()];
    learning.inputs.plasticity = Some(plasticity(&learning.inputs, all, 0.02));
    // One synapse an event: the neuron dominates. One of 20 delays each: the queue does.
    // A thousand synapses an event: the row does.
    let cases = [
        ("lif_receive", silent(2000, 1, 1), 1, false),
        ("queue", silent(2000, 20, 20), 20, false),
        ("static_row", silent(2000, 1000, 1), 1000, false),
        ("plastic_row", learning, 1000, true),
    ];
    for (name, description, fan_out, learn) in cases {
        let mut engine = Engine::<f32>::new(&description, None).expect("a valid network");
        group.throughput(Throughput::Elements((sample.len() * fan_out) as u64));
        group.bench_function(name, |bencher| bencher.iter(|| once(&mut engine, &sample, learn)));
    }
    group.finish();
}

fn networks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("balanced");
    let sample = Sample::poisson(N_INPUTS, 20.0, 500_000);
    for (name, longest_delay, learn) in
        [("run", 1, false), ("learn", 1, true), ("learn_delays_1_to_20_ms", 20, true)]
    {
        let engine = Engine::<f32>::new(&balanced(1000, N_INPUTS, longest_delay), None)
            .expect("a valid network");
        let input = sample.input();
        let stats = engine.clone().run(&input, &mut SpikeList::default(), Some(1), &mut || Ok(()));
        let n_events = stats.expect("a valid sample").counters.synaptic_events;
        group.throughput(Throughput::Elements(n_events));
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || engine.clone(),
                |engine| once(engine, &sample, learn),
                criterion::BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group! {
    name = kernels;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2));
    targets = exp, deliveries, networks
}
criterion_main!(kernels);
