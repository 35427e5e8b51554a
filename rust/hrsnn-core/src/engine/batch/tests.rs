//! What a batch must share with learning one sample after the other, and what it may not.

use super::super::tests::{N, N_INPUTS, description, with_currents};
use super::*;
use crate::csr::Csr;
use crate::error::Error;
use crate::network::{Connections, Description, NeuronParameters, Plasticity};
use crate::projection::Source;
use crate::record::SpikeList;
use crate::stdp::Pairing;

const DURATION: i64 = 60_000;

/// Events of sample `k`, different for each.
fn events(k: u32) -> (Vec<i64>, Vec<u32>) {
    let t = (0..DURATION / 200).map(|i| i * 200 + i64::from(k)).collect::<Vec<_>>();
    let channel = (0..t.len() as u32).map(|i| (i * (7 + k) + k) % N_INPUTS as u32).collect();
    (t, channel)
}

type State = (Vec<f64>, Vec<f64>, Vec<f64>);

fn state<T: Real>(engine: &Engine<T>) -> State {
    let weights = |source| {
        let all: Vec<T> = engine.synapses(source).weight;
        all.into_iter().map(Real::to_f64).collect()
    };
    (weights(Source::Input), weights(Source::Recurrent), engine.theta())
}

/// State after batches of `batch`, and the statistics of all samples.
fn learned<T: Real>(
    description: &Description,
    n_samples: u32,
    batch: usize,
    n_shards: usize,
    n_threads: usize,
) -> (State, Vec<Stats>) {
    let mut engine = Engine::<T>::new(description, Some(n_shards)).unwrap();
    let all: Vec<_> = (0..n_samples).map(events).collect();
    let inputs: Vec<_> = all
        .iter()
        .map(|(t, channel)| Input { t, channel, duration: DURATION, drive: None, injection: None })
        .collect();
    let mut stats = Vec::new();
    for inputs in inputs.chunks(batch) {
        stats.extend(engine.learn_batch(inputs, Some(n_threads), &mut || Ok(())).unwrap());
    }
    (state(&engine), stats)
}

fn normalised(mut description: Description) -> Description {
    description.incoming = vec![20.0; N];
    description
}

fn same_for_any_split<T: Real>(description: &Description) {
    let right = learned::<T>(description, 7, 4, 1, 1);
    assert!(right.1.iter().all(|stats| stats.counters.weight_updates > 1_000), "{:?}", right.1);
    for (n_shards, n_threads) in [(1, 2), (1, 4), (3, 1), (3, 2), (3, 4)] {
        let found = learned::<T>(description, 7, 4, n_shards, n_threads);
        assert_eq!(found, right, "{n_shards} shards, {n_threads} threads");
    }
}

#[test]
fn neither_threads_nor_shards_change_a_bit() {
    let plain = description(Pairing::AllToAll, 0.5);
    for description in [with_currents(plain.clone()), normalised(plain)] {
        same_for_any_split::<f32>(&description);
        same_for_any_split::<f64>(&description);
    }
}

fn batches_of_one_are_sequential<T: Real>() {
    let description = normalised(description(Pairing::Nearest, 1.0));
    let mut engine = Engine::<T>::new(&description, Some(2)).unwrap();
    let mut stats = Vec::new();
    for k in 0..3 {
        let (t, channel) = events(k);
        let input =
            Input { t: &t, channel: &channel, duration: DURATION, drive: None, injection: None };
        let mut spikes = SpikeList::default();
        stats.push(engine.learn(&input, &mut spikes, Some(1), &mut || Ok(())).unwrap());
    }
    for n_threads in [1, 2] {
        assert_eq!(learned::<T>(&description, 3, 1, 2, n_threads), (state(&engine), stats.clone()));
    }
    // And a batch of more is something else, or the tests above would say nothing.
    assert_ne!(learned::<T>(&description, 3, 3, 2, 1).0, state(&engine));
}

#[test]
fn a_batch_of_one_sample_is_that_sample() {
    batches_of_one_are_sequential::<f32>();
    batches_of_one_are_sequential::<f64>();
}

/// Two pairs of neurons that know nothing of each other, each with a channel of its own.
fn two_pairs() -> Description {
    let same = |value: f64, n: usize| vec![value; n];
    let graph = |indptr: Vec<u64>, indices: Vec<u32>| Csr::new(indptr, indices, 4).unwrap();
    Description::new(
        NeuronParameters {
            tau_m: same(20.0, 4),
            v_rest: same(0.0, 4),
            v_reset: same(0.0, 4),
            v_threshold: same(10.0, 4),
            t_ref: same(1.0, 4),
            bias: same(0.0, 4),
            tau_syn_ex: same(0.0, 4),
            tau_syn_in: same(0.0, 4),
            theta: same(0.0, 4),
        },
        Connections {
            graph: graph(vec![0, 2, 4], vec![0, 1, 2, 3]),
            weight: same(12.0, 4),
            delay: vec![0.0, 3.0, 0.0, 3.0],
            plasticity: None,
        },
        Connections {
            graph: graph(vec![0, 1, 1, 2, 2], vec![1, 3]),
            weight: vec![0.1, 0.7],
            delay: vec![1.0],
            plasticity: Some(Plasticity {
                plastic: vec![true; 2],
                a_plus: vec![0.03, 0.07],
                a_minus: vec![0.01, 0.02],
                tau_plus: vec![15.0, 10.0],
                tau_minus: vec![30.0, 20.0],
                w_min: 0.0,
                w_max: 1.0,
                mu_plus: 0.0,
                mu_minus: 0.0,
                pairing: Pairing::AllToAll,
                half_precision: false,
            }),
        },
    )
}

#[test]
fn changes_of_different_synapses_are_those_of_one_after_the_other() {
    let t: Vec<i64> = (0..5).map(|i| 9_000 * i).collect();
    let channels = [vec![0; 5], vec![1; 5]];
    let inputs = channels.each_ref().map(|channel| Input {
        t: &t,
        channel,
        duration: DURATION,
        drive: None,
        injection: None,
    });
    let mut together = Engine::<f64>::new(&two_pairs(), None).unwrap();
    let before = state(&together);
    let mut apart = together.clone();
    together.learn_batch(&inputs, Some(2), &mut || Ok(())).unwrap();
    for input in &inputs {
        apart.learn(input, &mut SpikeList::default(), None, &mut || Ok(())).unwrap();
    }
    let (after, right) = (state(&together), state(&apart));
    assert_eq!(after, right);
    assert!(std::iter::zip(&after.1, &before.1).all(|(a, b)| a > b), "{after:?}");
}

#[test]
fn changes_of_one_synapse_add_up_to_its_bound() {
    let t: Vec<i64> = (0..5).map(|i| 9_000 * i).collect();
    let input = Input { t: &t, channel: &[0; 5], duration: DURATION, drive: None, injection: None };
    let one = Engine::<f64>::new(&two_pairs(), None).unwrap();
    let w0 = state(&one).1[0];
    let after = |n: usize| {
        let mut engine = one.clone();
        engine.learn_batch(&vec![input; n], None, &mut || Ok(())).unwrap();
        state(&engine).1[0]
    };
    let change = after(1) - w0;
    assert!(change > 0.01);
    assert!((after(3) - (w0 + 3.0 * change)).abs() < 1e-12);
    assert_eq!(after(500), 1.0);
}

#[test]
fn an_adapted_threshold_never_falls_below_its_own() {
    let mut description = description(Pairing::AllToAll, 0.0);
    description.neurons.theta = vec![3.0; N];
    // Each sample takes away nearly all of it.
    description.adaptation = Some(crate::network::Adaptation { theta_plus: 0.0, tau_theta: 10.0 });
    let (state, _) = learned::<f32>(&description, 4, 4, 1, 1);
    assert_eq!(state.2, vec![0.0; N]);
}

#[test]
fn an_interrupted_batch_leaves_nothing_and_bad_input_is_refused_first() {
    let mut engine =
        Engine::<f64>::new(&normalised(description(Pairing::AllToAll, 0.0)), Some(2)).unwrap();
    let before = state(&engine);
    let (t, channel) = events(0);
    let input =
        Input { t: &t, channel: &channel, duration: DURATION, drive: None, injection: None };
    for n_threads in [1, 2] {
        for n_samples in [1, 100] {
            let mut left = if n_samples == 1 { 5 } else { 1 };
            let mut poll = || {
                left -= 1;
                if left <= 0 { Err(Error::Interrupted) } else { Ok(()) }
            };
            let result = engine.learn_batch(&vec![input; n_samples], Some(n_threads), &mut poll);
            assert!(matches!(result, Err(Error::Interrupted)));
            assert_eq!(state(&engine), before);
        }
    }
    let wrong = Input {
        t: &t,
        channel: &vec![99; t.len()],
        duration: DURATION,
        drive: None,
        injection: None,
    };
    assert!(engine.learn_batch(&[input, wrong], None, &mut || Ok(())).is_err());
    assert!(engine.learn_batch(&[input], Some(0), &mut || Ok(())).is_err());
    assert_eq!(state(&engine), before);
    assert_eq!(engine.learn_batch(&[], None, &mut || Ok(())).unwrap(), []);
    assert_eq!(state(&engine), before);
    engine.learn_batch(&[input, input], None, &mut || Ok(())).unwrap();
    assert_ne!(state(&engine), before);
}

#[test]
fn a_scaled_sample_is_learned_as_by_a_network_with_scaled_amplitudes() {
    let (t, channel) = events(3);
    let input =
        Input { t: &t, channel: &channel, duration: DURATION, drive: None, injection: None };
    let base = description(Pairing::AllToAll, 0.5);
    for half_precision in [false, true] {
        // A power of two, so that it does not matter where it is multiplied.
        for scale in [0.0, 0.25, 1.0, 2.0] {
            let mut plain = base.clone();
            plain.recurrent.plasticity.as_mut().unwrap().half_precision = half_precision;
            let mut scaled = plain.clone();
            let plasticity = scaled.recurrent.plasticity.as_mut().unwrap();
            for a in plasticity.a_plus.iter_mut().chain(&mut plasticity.a_minus) {
                *a *= scale;
            }
            let mut scaled = Engine::<f32>::new(&scaled, Some(2)).unwrap();
            let mut twin = Engine::<f32>::new(&plain, Some(1)).unwrap();
            let mut batch = Engine::<f32>::new(&plain, Some(3)).unwrap();
            let (poll, discard) = (&mut || Ok(()), &mut Discard);
            let stats = scaled.learn(&input, discard, Some(1), poll).unwrap();
            assert!(stats.counters.weight_updates > 1000);
            assert_eq!(twin.learn_scaled(&input, scale, discard, Some(1), poll).unwrap(), stats);
            batch.learn_batch_scaled(&[input], scale, Some(1), poll).unwrap();
            let weights = |engine: &Engine<f32>| engine.synapses(Source::Recurrent).weight;
            let unlike = Engine::<f32>::new(&plain, Some(1)).unwrap();
            assert_eq!(weights(&twin) == weights(&unlike), scale == 0.0);
            assert_eq!(weights(&twin), weights(&scaled), "{scale}, half: {half_precision}");
            assert_eq!(weights(&batch), weights(&scaled), "{scale}, half: {half_precision}");
            // The next sample knows nothing of it.
            let mut fresh = Engine::<f32>::new(&plain, Some(1)).unwrap();
            let all: Vec<_> = weights(&twin).into_iter().map(f64::from).collect();
            fresh.set_weights(Source::Recurrent, &all).unwrap();
            fresh.set_theta(&twin.theta()).unwrap();
            for engine in [&mut twin, &mut fresh] {
                engine.learn(&input, &mut Discard, Some(1), &mut || Ok(())).unwrap();
            }
            assert_eq!(weights(&twin), weights(&fresh));
        }
    }
}

#[test]
fn scales_that_make_no_sense_are_refused() {
    let mut engine = Engine::<f64>::new(&two_pairs(), None).unwrap();
    let input = Input { t: &[], channel: &[], duration: 10, drive: None, injection: None };
    for scale in [-0.5, f64::NAN, f64::INFINITY, 1e31] {
        let poll = &mut || Ok(());
        let one = engine.learn_scaled(&input, scale, &mut Discard, None, poll).unwrap_err();
        let many = engine.learn_batch_scaled(&[input], scale, None, poll).unwrap_err();
        let expected = format!("scale must be between 0 and 1e30; got {scale}.");
        assert_eq!([one.to_string(), many.to_string()], [expected.clone(), expected]);
    }
}
