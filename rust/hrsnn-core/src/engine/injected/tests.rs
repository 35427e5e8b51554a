//! What is injected is a bias, for as long as it lasts, for any number of shards and threads.

use super::super::tests::{N_INPUTS, description, with_currents};
use super::super::{Engine, Monitors, Sample, Simulation, Wanted};
use super::*;
use crate::network::Description;
use crate::projection::Source;
use crate::record::{FeatureSpec, SpikeList, Windows};
use crate::sample::{Input, Stats};
use crate::stdp::Pairing;

const DURATION: i64 = 120_000;

#[expect(clippy::unnecessary_wraps, reason = "as the engine asks")]
fn ask() -> Result<()> {
    Ok(())
}

fn events() -> (Vec<i64>, Vec<u32>) {
    (0..400).map(|k| (k * 293, (k * 7) as u32 % N_INPUTS as u32)).unzip()
}

fn input<'a>(events: &'a (Vec<i64>, Vec<u32>), injection: Option<&'a Injection>) -> Input<'a> {
    Input { t: &events.0, channel: &events.1, duration: DURATION, drive: None, injection }
}

fn descriptions() -> [Description; 2] {
    let plain = description(Pairing::AllToAll, 0.0);
    [plain.clone(), with_currents(plain)]
}

fn run(engine: &Engine<f64>, input: &Input<'_>, n_threads: usize) -> (SpikeList, Stats, Vec<f64>) {
    let (mut spikes, wanted) = (SpikeList::default(), vec![Wanted::V(vec![0, 3, 1])]);
    let monitors = Monitors { every: 777, wanted };
    let (stats, courses) =
        engine.run_watched(input, &monitors, &mut spikes, Some(n_threads), &mut ask).unwrap();
    (spikes, stats, courses[0].values())
}

/// Steps, some of them within a refractory time, and noise.
fn steps(n_neurons: usize) -> Injection {
    let edges = vec![0, 15_000, 15_300, 15_301, 60_000, 100_000];
    let neurons: Vec<u32> = (0..n_neurons as u32).rev().step_by(2).collect();
    let values = (0..5 * neurons.len()).map(|k| (k * 13 % 50) as f64 - 20.0).collect();
    Injection::new(values, edges, neurons, 6.0, 3).unwrap()
}

#[test]
fn what_never_changes_is_a_bias() {
    let events = events();
    for description in descriptions() {
        let n = description.n_neurons();
        let values: Vec<f64> = (0..n).map(|i| 4.0 * i as f64 - 10.0).collect();
        let mut biased = description.clone();
        biased.neurons.bias.iter_mut().zip(&values).for_each(|(bias, value)| *bias += value);
        let neurons = (0..n as u32).collect();
        let injection = Injection::new(values, vec![0, DURATION + 5], neurons, 0.0, 0).unwrap();
        let (plain, biased) = (
            Engine::<f64>::new(&description, Some(2)).unwrap(),
            Engine::<f64>::new(&biased, Some(2)).unwrap(),
        );
        let found = run(&plain, &input(&events, Some(&injection)), 1);
        assert_eq!(found, run(&biased, &input(&events, None), 1));
        assert!(found.1.n_spikes > 20, "{:?}", found.1);
        // And the network is as it was.
        let before = run(&plain, &input(&events, None), 1);
        assert_ne!(before, found);
        let nothing = Injection::new(vec![0.0], vec![3, 9], vec![0], 0.0, 0).unwrap();
        assert_eq!(before.0, run(&plain, &input(&events, Some(&nothing)), 1).0);
    }
}

#[test]
fn neither_shards_nor_threads_change_a_bit_and_the_network_stays() {
    let events = events();
    for description in descriptions() {
        let injection = steps(description.n_neurons());
        let given = input(&events, Some(&injection));
        let spec = FeatureSpec {
            n_windows: 3,
            windows: Windows::Time,
            counts: true,
            tau_lowpass: None,
            pools: None,
        };
        let mut expected: Option<(_, _, _)> = None;
        for (n_shards, n_threads) in [(1, 1), (2, 1), (3, 2)] {
            let mut engine = Engine::<f64>::new(&description, Some(n_shards)).unwrap();
            let plain = run(&engine, &input(&events, None), 1);
            let one = run(&engine, &given, n_threads);
            assert_ne!(one.0, plain.0);
            let features = engine.transform(&[given, given], spec, Some(n_threads), &mut ask);
            let counted: f32 = features.unwrap().0.iter().sum();
            assert_eq!(counted as u64, 2 * one.1.n_spikes);
            assert_eq!(run(&engine, &input(&events, None), 1), plain);
            let mut batched = engine.clone();
            batched.learn_batch(&[given], Some(n_threads), &mut ask).unwrap();
            let mut spikes = SpikeList::default();
            let stats = engine.learn(&given, &mut spikes, Some(n_threads), &mut ask).unwrap();
            let weights = engine.synapses(Source::Recurrent).weight;
            assert_eq!(batched.synapses(Source::Recurrent).weight, weights);
            // After learning neurons tend to where they did, and whoever crosses does so.
            let mut other = Engine::<f64>::new(&description, Some(n_shards)).unwrap();
            for source in [Source::Input, Source::Recurrent] {
                other.set_weights(source, &engine.synapses(source).weight).unwrap();
            }
            other.set_theta(&engine.theta()).unwrap();
            assert_eq!(
                run(&engine, &input(&events, None), 1),
                run(&other, &input(&events, None), 1)
            );
            let found = (one, (spikes, stats), weights);
            assert_eq!(*expected.get_or_insert(found.clone()), found);
        }
    }
}

#[test]
fn an_interrupted_sample_leaves_biases_as_they_were() {
    let events = events();
    let [description, _] = descriptions();
    let injection = steps(description.n_neurons());
    let mut engine = Engine::<f64>::new(&description, Some(2)).unwrap();
    let mut left = 40;
    let mut poll = || {
        left -= 1;
        if left < 0 { Err(crate::Error::Interrupted) } else { Ok(()) }
    };
    let given = input(&events, Some(&injection));
    assert!(
        engine.learn_scaled(&given, 0.0, &mut SpikeList::default(), Some(1), &mut poll).is_err()
    );
    let fresh = Engine::<f64>::new(&description, Some(2)).unwrap();
    engine.set_theta(&fresh.theta()).unwrap();
    assert_eq!(run(&engine, &input(&events, None), 1), run(&fresh, &input(&events, None), 1));
}

#[test]
fn where_a_sample_stops_or_is_made_again_does_not_show() {
    let (t, channel) = events();
    for description in descriptions() {
        let sample = Sample {
            t: t.clone(),
            channel: channel.clone(),
            duration: DURATION,
            drive: None,
            injection: Some(steps(description.n_neurons())),
        };
        for learns in [false, true] {
            let engine = Engine::<f64>::new(&description, Some(2)).unwrap();
            let (mut whole, mut spikes) = (engine.clone(), SpikeList::default());
            let input = sample.input();
            let stats = if learns {
                whole.learn(&input, &mut spikes, Some(1), &mut ask).unwrap()
            } else {
                whole.run(&input, &mut spikes, Some(1), &mut ask).unwrap()
            };
            let mut found = Simulation::new(engine.clone(), sample.clone(), learns).unwrap();
            let stops = [0, 1, 14_999, 15_000, 15_001, 15_300, 15_301, 15_302, 90_000, DURATION];
            for (k, stop) in stops.into_iter().enumerate() {
                found.run_until(stop, Some(1 + k % 2), &mut ask).unwrap();
                found.run_until(stop, Some(1), &mut ask).unwrap();
                let (engine, state) = (found.unsettled_network(), found.state());
                let again =
                    Simulation::resumed(engine, sample.clone(), learns, state, &mut ask).unwrap();
                assert_eq!(again.state(), found.state());
                found = again;
            }
            assert_eq!((found.spikes(), found.stats()), (&spikes, stats));
            assert!(spikes.t.len() > 20);
            let (one, other) = (found.network(), whole);
            let events = events();
            for source in [Source::Input, Source::Recurrent] {
                assert_eq!(one.synapses(source).weight, other.synapses(source).weight);
            }
            let plain = self::input(&events, None);
            assert_eq!(run(&one, &plain, 1), run(&other, &plain, 1));
        }
    }
}

#[test]
fn neurons_that_there_are_not_are_refused() {
    let events = events();
    let [description, _] = descriptions();
    let mut engine = Engine::<f64>::new(&description, Some(2)).unwrap();
    let n = description.n_neurons() as u32;
    let injection = Injection::new(vec![1.0], vec![0, 9], vec![n], 0.0, 0).unwrap();
    let given = input(&events, Some(&injection));
    let mut spikes = SpikeList::default();
    for error in [
        engine.run(&given, &mut spikes, None, &mut ask).err(),
        engine.learn(&given, &mut spikes, None, &mut ask).err(),
        engine.learn_batch(&[given], None, &mut ask).err(),
    ] {
        assert!(error.unwrap().to_string().contains("neurons"));
    }
}

#[test]
fn who_runs_is_asked_at_each_edge_though_nothing_happens() {
    let description = description(Pairing::AllToAll, 0.0);
    let engine = Engine::<f64>::new(&description, Some(1)).unwrap();
    let edges: Vec<i64> = (0..101).map(|k| 1000 * k).collect();
    let injection = Injection::new(vec![0.0; 100], edges, vec![0], 0.0, 0).unwrap();
    let (nothing, mut n_asked) = ((Vec::new(), Vec::new()), 0);
    let mut poll = || {
        n_asked += 1;
        if n_asked == 50 { Err(crate::Error::Interrupted) } else { Ok(()) }
    };
    let silence = input(&nothing, Some(&injection));
    let found = engine.run(&silence, &mut SpikeList::default(), Some(1), &mut poll);
    assert!(matches!(found, Err(crate::Error::Interrupted)), "{found:?}");
}
