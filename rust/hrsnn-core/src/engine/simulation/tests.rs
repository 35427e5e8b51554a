//! Wherever a sample stops, and into however many shards it is put back: the same end.

use super::super::tests::{N, N_INPUTS, description, drawn, events, with_currents};
use super::super::*;
use super::*;
use crate::competition::Competition;
use crate::network::{Norm, Plasticity};
use crate::projection::Source;
use crate::stdp::Pairing;
use crate::time::LONGEST_SPAN;

const DURATION: i64 = 400_000;
const SOURCES: [Source; 2] = [Source::Input, Source::Recurrent];

fn sample() -> Sample {
    let (t, channel) = events();
    Sample { t, channel, duration: DURATION, drive: None, injection: None }
}

type Change<'a> = &'a dyn Fn(&mut State<f64>);

/// Spikes, weights, thresholds and counts.
type End = (SpikeList, [Vec<f64>; 2], Vec<f64>, Stats);

fn weights<T: Real>(engine: &Engine<T>) -> [Vec<f64>; 2] {
    SOURCES.map(|source| engine.synapses(source).weight.iter().map(|w| w.to_f64()).collect())
}

fn at_once<T: Real>(mut engine: Engine<T>, sample: &Sample, learns: bool) -> End {
    let mut spikes = SpikeList::default();
    let (input, poll) = (sample.input(), &mut || Ok(()));
    let stats = if learns {
        engine.learn(&input, &mut spikes, Some(1), poll)
    } else {
        engine.run(&input, &mut spikes, Some(1), poll)
    };
    (spikes, weights(&engine), engine.theta(), stats.unwrap())
}

/// The same network in `n_shards`, with the weights and thresholds of `engine`.
fn split<T: Real>(description: &Description, engine: &Engine<T>, n_shards: usize) -> Engine<T> {
    let mut description = description.clone();
    description.neurons.theta = engine.theta();
    let settle_after = engine.settle_after;
    let together = Some(n_shards == 2);
    let base = Engine::new(&description, Some(n_shards)).unwrap();
    let mut other = Engine { settle_after, together, ..base };
    for (source, weight) in SOURCES.into_iter().zip(weights(engine)) {
        other.set_weights(source, &weight).unwrap();
    }
    other
}

/// Stop at each of `stops` and put the state into other shards.
fn in_parts<T: Real>(
    description: &Description,
    engine: Engine<T>,
    sample: &Sample,
    learns: bool,
    stops: &[i64],
) -> End {
    let mut simulation = Simulation::new(engine, sample.clone(), learns).unwrap();
    for (number, &stop) in stops.iter().enumerate() {
        simulation.run_until(stop, Some(1 + number % 3), &mut || Ok(())).unwrap();
        assert_eq!(simulation.t(), stop);
        if number % 4 == 3 {
            continue;
        }
        let (unsettled, state) = (simulation.unsettled_network(), simulation.state());
        let other = split(description, &unsettled, [1, 3, 2, 5][number % 4]);
        let resumed =
            Simulation::resumed(other, sample.clone(), learns, state.clone(), &mut || Ok(()))
                .unwrap();
        assert_eq!(resumed.state(), state, "stopped at {stop}");
        assert_eq!(resumed.stats(), simulation.stats(), "stopped at {stop}");
        let network = weights(&simulation.network());
        assert_eq!(weights(&resumed.network()), network, "stopped at {stop}");
        simulation = resumed;
    }
    simulation.run_until(sample.duration, Some(2), &mut || Ok(())).unwrap();
    let network = simulation.network();
    (simulation.spikes().clone(), weights(&network), network.theta(), simulation.stats())
}

fn stops(seed: u64, n: usize, duration: i64, width: u32) -> Vec<i64> {
    let mut state = seed;
    let mut draw = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as i64 % duration
    };
    let mut stops: Vec<i64> = (0..n).map(|_| draw()).collect();
    // Within one µs of each other, where windows end, and where nothing is left in them.
    let ends: Vec<_> =
        stops.iter().map(|t| (t / i64::from(width) + 1) * i64::from(width)).collect();
    stops.extend(ends.iter().map(|end| end - 1));
    stops.extend([stops[0] + 1, stops[0], ends[0], duration - 1]);
    stops.retain(|&t| t <= duration);
    stops.sort_unstable();
    stops
}

fn same_wherever_it_stops<T: Real>(description: &Description, sample: &Sample, seed: u64) {
    // With 2, a stop is mostly in a window at whose end the histories are settled.
    for (number, settle_after) in [1 << 16, 2].into_iter().enumerate() {
        let base = Engine::<T>::new(description, Some(2)).unwrap();
        let engine = Engine { settle_after, ..base };
        // Who does not learn has nothing to settle.
        for learns in [true, false].into_iter().take(2 - number) {
            let expected = at_once(engine.clone(), sample, learns);
            assert!(expected.3.n_spikes > 1000);
            let stops = stops(seed + number as u64, 4, DURATION, engine.width);
            let found = in_parts(description, engine.clone(), sample, learns, &stops);
            assert!(found == expected, "settled after {settle_after}, learns: {learns}, {stops:?}");
        }
    }
}

#[test]
fn wherever_a_sample_stops_its_end_is_the_same() {
    for (number, (pairing, mu)) in
        [(Pairing::AllToAll, 0.0), (Pairing::Nearest, 0.5)].into_iter().enumerate()
    {
        let mut description = description(pairing, mu);
        description.incoming = vec![6.0; N];
        same_wherever_it_stops::<f64>(&description, &sample(), 10 * number as u64);
        let description = with_currents(description);
        same_wherever_it_stops::<f32>(&description, &sample(), 10 * number as u64 + 5);
    }
}

#[test]
fn wherever_a_sample_stops_the_same_neurons_win() {
    let mut description = description(Pairing::AllToAll, 0.0);
    for hold_us in [0, 4000] {
        let group = (0..N as u32).map(|i| i / 7).collect();
        description.competition = Some(Competition { group, inhibition: 2.0, hold_us });
        same_wherever_it_stops::<f64>(&description, &sample(), 30);
        let description = with_currents(description.clone());
        same_wherever_it_stops::<f32>(&description, &sample(), 31);
    }
}

#[test]
fn arrivals_that_came_together_at_the_last_visit_are_counted() {
    let mut description = description(Pairing::AllToAll, 0.0);
    let n = description.inputs.len();
    description.inputs.plasticity = Some(Plasticity {
        plastic: vec![true; n],
        a_plus: drawn(0.0, 0.1, n, "inputs/a_plus"),
        a_minus: drawn(0.0, 0.1, n, "inputs/a_minus"),
        tau_plus: drawn(5.0, 40.0, n, "inputs/tau_plus"),
        tau_minus: drawn(5.0, 40.0, n, "inputs/tau_minus"),
        w_min: 0.0,
        w_max: 8.0,
        mu_plus: 0.0,
        mu_minus: 0.0,
        pairing: Pairing::AllToAll,
        half_precision: true,
    });
    let Sample { t, channel, duration, .. } = sample();
    let t = t.into_iter().flat_map(|t| [t, t]).collect();
    let channel = channel.into_iter().flat_map(|channel| [channel, channel]).collect();
    description.incoming_inputs = vec![20.0; N];
    description.norms[1] = Norm::L2;
    same_wherever_it_stops::<f64>(
        &description,
        &Sample { t, channel, duration, drive: None, injection: None },
        20,
    );
}

#[test]
fn times_that_outgrow_32_bits_are_settled_at_the_same_moments() {
    let mut description = description(Pairing::AllToAll, 0.5);
    description.neurons.bias.fill(0.0);
    let (t, channel) = events();
    let sample = |n_parts: i64, rest: i64| {
        let later =
            (0..n_parts).flat_map(|part| t.iter().map(move |t| t + part * (LONGEST_SPAN - 7)));
        let t: Vec<i64> = later.collect();
        let duration = t[t.len() - 1] + rest;
        Sample {
            t,
            channel: channel.repeat(n_parts as usize),
            duration,
            drive: None,
            injection: None,
        }
    };
    for sample in [sample(3, 1000), sample(1, 3 * LONGEST_SPAN)] {
        let engine = Engine::<f64>::new(&description, Some(1)).unwrap();
        let expected = at_once(engine.clone(), &sample, true);
        let mut all = stops(3, 2, sample.duration, engine.width);
        let near = [-1_000, 0, 1, 200_000, 399_999].map(|us| LONGEST_SPAN + us);
        all.extend(near.into_iter().filter(|&t| t < sample.duration));
        all.sort_unstable();
        let found = in_parts(&description, engine, &sample, true, &all);
        assert!(found == expected, "{all:?}");
    }
}

#[test]
fn an_interrupted_simulation_goes_on() {
    let description = description(Pairing::AllToAll, 0.0);
    let engine = Engine::<f64>::new(&description, Some(2)).unwrap();
    let expected = at_once(engine.clone(), &sample(), true);
    let mut simulation = Simulation::new(engine, sample(), true).unwrap();
    let mut asked = 0;
    let mut n_interrupts = 0;
    loop {
        let mut poll = || {
            asked += 1;
            if asked % 50 == 0 { Err(Error::Interrupted) } else { Ok(()) }
        };
        match simulation.run_until(DURATION, None, &mut poll) {
            Ok(()) => break,
            Err(error) => assert!(matches!(error, Error::Interrupted)),
        }
        n_interrupts += 1;
    }
    assert!(n_interrupts > 5);
    let network = simulation.network();
    let end = (simulation.spikes().clone(), weights(&network), network.theta(), simulation.stats());
    assert!(end == expected);
}

#[test]
fn what_no_simulation_can_have_come_to_is_refused() {
    let description = with_currents(description(Pairing::AllToAll, 0.0));
    let engine = Engine::<f64>::new(&description, Some(2)).unwrap();
    let mut simulation = Simulation::new(engine, sample(), true).unwrap();
    simulation.run_until(123_456, None, &mut || Ok(())).unwrap();
    let (engine, state) = (simulation.unsettled_network(), simulation.state());
    let with_delta = (0..N).find(|&i| description.neurons.tau_syn_ex[i] == 0.0).unwrap();
    let plastic = description.recurrent.plasticity.as_ref().unwrap();
    let plastic = plastic.plastic.iter().position(|&plastic| plastic).unwrap();
    let n_spikes = state.spikes.t.len();
    assert!(n_spikes > 100 && description.inputs.graph.n_rows() == N_INPUTS);
    let changes: [(&str, Change<'_>); 27] = [
        ("t must be between 0 and the duration (400000 µs); got -1", &|s| s.t = -1),
        ("t must be between 0", &|s| s.t = DURATION + 1),
        ("where the sample is over; got 123456", &|s| s.is_over = true),
        ("spike_neuron must have length", &|s| s.spikes.neuron.truncate(3)),
        ("spike_t must be at least 0 and below 123456 µs", &|s| {
            s.spikes.t[n_spikes - 1] = 123_456;
        }),
        ("got -1 at spike 0", &|s| s.spikes.t[0] = -1),
        ("spike_neuron must be below n_neurons (60); got 60", &|s| s.spikes.neuron[4] = 60),
        ("at spike 5", &|s| s.spikes.t[4] = s.spikes.t[5] + 1),
        ("settled must be between 0 and 123456 µs", &|s| s.settled = 123_457),
        ("settled must be", &|s| s.settled = i64::MIN),
        ("unsettled must be at most", &|s| s.unsettled = n_spikes as u64 + 1),
        ("n_drawn must be 0 where there is no drive; got 3", &|s| s.n_drawn = 3),
        ("n_weight_updates must be", &|s| s.counters.weight_updates = u64::MAX),
        ("v must have length 60; got length 59", &|s| s.potentials.v.truncate(N - 1)),
        ("v must be between -1e30 and 1e30 mV; got NaN at neuron 7", &|s| {
            s.potentials.v[7] = f64::NAN;
        }),
        ("since must be between 0", &|s| s.potentials.since[8] = -5),
        ("at neuron 8", &|s| s.potentials.since[8] = 123_456 + 3_001),
        ("charge_ex must have length", &|s| s.potentials.charge[0].clear()),
        ("charge_ex must be 0 mV where there is no such current", &|s| {
            s.potentials.charge[0][with_delta] = 1.0;
        }),
        ("charge_in must be", &|s| s.potentials.charge[1].fill(1.0)),
        ("charge_since must be between 0", &|s| s.potentials.charge_since[9] = 123_457),
        ("crossing must be -1 or at least 123456 µs; got 123455 at neuron 1", &|s| {
            s.potentials.crossing[1] = 123_455;
        }),
        ("inputs/x must have length 0", &|s| s.traces[0].x.push(0.0)),
        ("recurrent/y must have length", &|s| s.traces[1].y.truncate(1)),
        ("recurrent/x must be between 0 and 1e15; got -1", &|s| s.traces[1].x[plastic] = -1.0),
        ("recurrent/y must be between 0 and 1e15; got NaN", &|s| {
            s.traces[1].y[plastic] = f64::NAN;
        }),
        ("recurrent/x must be 0 where static", &|s| s.traces[1].x.fill(0.5)),
    ];
    for (message, change) in changes {
        let mut changed = state.clone();
        change(&mut changed);
        match Simulation::resumed(engine.clone(), sample(), true, changed, &mut || Ok(())) {
            Ok(_) => panic!("accepted: {message}"),
            Err(error) => assert!(error.to_string().contains(message), "{error}, not {message}"),
        }
    }
    let error = simulation.run_until(123_455, None, &mut || Ok(())).unwrap_err().to_string();
    let expected =
        "t must be between 123456 µs, where it is, and the duration, 400000; got 123455.";
    assert_eq!(error, expected);
}
