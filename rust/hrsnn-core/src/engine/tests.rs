//! What must not change a bit, and what may change no more than rounding.

use super::*;
use crate::connectivity;
use crate::csr::Csr;
use crate::distribution::{Distribution, Law};
use crate::network::{Connections, NeuronParameters, Plasticity};
use crate::projection::Source;
use crate::record::{SpikeList, Windows};
use crate::shard::Spike;
use crate::stdp::Pairing;

pub(super) const N: usize = 60;
pub(super) const N_INPUTS: usize = 20;

pub(super) fn drawn(low: f64, high: f64, n: usize, purpose: &str) -> Vec<f64> {
    let law = Distribution::new(Law::Uniform { low, high }, None, None).unwrap();
    law.sample_rows(&[0, n as i64], 7, purpose).unwrap()
}

fn connections(
    n_rows: usize,
    p: f64,
    weight: [f64; 2],
    delay: [f64; 2],
    name: &str,
) -> Connections {
    let graph = connectivity::uniform(n_rows, N, p, n_rows != N, 7, name).unwrap();
    let n = graph.n_synapses();
    Connections {
        graph,
        weight: drawn(weight[0], weight[1], n, &format!("{name}/weight")),
        delay: drawn(delay[0], delay[1], n, &format!("{name}/delay")),
        plasticity: None,
    }
}

/// Everything differs from neuron to neuron and synapse to synapse; some neurons are driven.
pub(super) fn description(pairing: Pairing, mu: f64) -> Description {
    let inputs = connections(N_INPUTS, 0.5, [1.0, 6.0], [0.0, 3.0], "inputs");
    let mut recurrent = connections(N, 0.3, [0.1, 3.0], [0.5, 9.0], "recurrent");
    let n = recurrent.len();
    recurrent.plasticity = Some(Plasticity {
        plastic: drawn(0.0, 1.0, n, "plastic").into_iter().map(|u| u < 0.7).collect(),
        a_plus: drawn(0.0, 0.1, n, "a_plus"),
        a_minus: drawn(0.0, 0.1, n, "a_minus"),
        tau_plus: drawn(5.0, 40.0, n, "tau_plus"),
        tau_minus: drawn(5.0, 40.0, n, "tau_minus"),
        w_min: 0.0,
        w_max: 3.0,
        mu_plus: mu,
        mu_minus: mu,
        pairing,
        half_precision: false,
    });
    let neurons = NeuronParameters {
        tau_m: drawn(10.0, 50.0, N, "tau_m"),
        v_rest: vec![0.0; N],
        v_reset: drawn(-2.0, 0.0, N, "v_reset"),
        v_threshold: drawn(8.0, 12.0, N, "v_threshold"),
        t_ref: drawn(0.0, 3.0, N, "t_ref"),
        bias: drawn(-5.0, 12.0, N, "bias"),
        tau_syn_ex: vec![0.0; N],
        tau_syn_in: vec![0.0; N],
        theta: vec![0.0; N],
    };
    let adaptation = Some(Adaptation { theta_plus: 0.01, tau_theta: 1000.0 });
    Description { adaptation, ..Description::new(neurons, inputs, recurrent) }
}

/// The same with synaptic currents, some of time constant 0, and some weights negative.
pub(super) fn with_currents(mut description: Description) -> Description {
    let some = |high: f64, name: &str| drawn(-2.0, high, N, name).into_iter().map(|t| t.max(0.0));
    description.neurons.tau_syn_ex = some(10.0, "tau_syn_ex").collect();
    description.neurons.tau_syn_in = some(20.0, "tau_syn_in").collect();
    for (w, u) in description.inputs.weight.iter_mut().zip(drawn(0.0, 1.0, N * N_INPUTS, "sign")) {
        *w *= if u < 0.3 { -1.0 } else { 4.0 };
    }
    description
}

pub(super) fn events() -> (Vec<i64>, Vec<u32>) {
    let mut t: Vec<i64> = drawn(0.0, 400_000.0, 1500, "t").into_iter().map(|t| t as i64).collect();
    t.sort_unstable();
    let channel = drawn(0.0, N_INPUTS as f64, t.len(), "channel");
    (t, channel.into_iter().map(|channel| channel as u32).collect())
}

/// Spikes, weights and statistics of a learning sample.
fn learned<T: Real>(mut engine: Engine<T>, n_threads: usize) -> (SpikeList, Vec<f64>, Stats) {
    // On the clock such a small network would never be shared.
    engine.together = Some(n_threads > 1);
    let (t, channel) = events();
    let input = Input { t: &t, channel: &channel, duration: 400_000, drive: None, injection: None };
    let mut spikes = SpikeList::default();
    let stats = engine.learn(&input, &mut spikes, Some(n_threads), &mut || Ok(())).unwrap();
    let weight = engine.synapses(Source::Recurrent).weight;
    (spikes, weight.iter().map(|w| w.to_f64()).collect(), stats)
}

fn same_for_any_split<T: Real>(description: &Description) {
    let engine = |n_shards| Engine::<T>::new(description, Some(n_shards)).unwrap();
    let (spikes, weight, stats) = learned(engine(1), 1);
    assert!(stats.n_spikes > 1000 && stats.counters.weight_updates > 10_000, "{stats:?}");
    for (n_shards, n_threads) in [(2, 1), (3, 2), (7, 3), (8, 16), (N, 2)] {
        let (s, w, st) = learned(engine(n_shards), n_threads);
        assert_eq!((&s.t, &s.neuron), (&spikes.t, &spikes.neuron), "{n_shards} shards");
        assert_eq!(w, weight, "{n_shards} shards");
        assert_eq!(st, stats, "{n_shards} shards");
    }
}

#[test]
fn neither_shards_nor_threads_change_a_bit() {
    let description = description(Pairing::AllToAll, 0.5);
    for description in [with_currents(description.clone()), description] {
        same_for_any_split::<f32>(&description);
        same_for_any_split::<f64>(&description);
    }
}

#[test]
fn where_synapses_stand_within_a_row_changes_no_bit() {
    let mut description = description(Pairing::AllToAll, 0.5);
    description.recurrent.delay = vec![1.0];
    // A channel that stays silent changes only who is expected to fire most.
    let mut other = description.clone();
    let (mut indptr, mut indices) = other.inputs.graph.clone().into_parts();
    indices.extend(0..N as u32);
    indptr.push(indices.len() as u64);
    other.inputs.graph = Csr::new(indptr, indices, N).unwrap();
    other.inputs.weight.extend(drawn(-1e3, 1e3, N, "silent"));
    other.inputs.delay.extend([1.0; N]);
    for n_shards in [1, 3] {
        let [engine, changed] =
            [&description, &other].map(|d| Engine::<f32>::new(d, Some(n_shards)).unwrap());
        let targets = |engine: &Engine<f32>| -> Vec<Vec<usize>> {
            let all = engine.shards.iter().flat_map(|shard| &shard.projections);
            let recurrent = all.filter(|p| p.source == Source::Recurrent);
            recurrent.map(|p| p.synapses.targets().iter().collect()).collect()
        };
        assert_ne!(targets(&engine), targets(&changed));
        let (spikes, weight, stats) = learned(engine, 1);
        let (s, w, st) = learned(changed, 1);
        assert_eq!((s.t, s.neuron, w, st), (spikes.t, spikes.neuron, weight, stats));
    }
}

#[test]
fn settling_often_changes_no_more_than_rounding() {
    for pairing in [Pairing::AllToAll, Pairing::Nearest] {
        for mu in [0.0, 1.0] {
            let description = description(pairing, mu);
            let engine = |settle_after| Engine::<f64> {
                settle_after,
                ..Engine::new(&description, None).unwrap()
            };
            let (spikes, weight, stats) = learned(engine(u64::MAX), 1);
            for settle_after in [1, 10, 500] {
                let (s, w, st) = learned(engine(settle_after), 1);
                assert_eq!((&s.t, &s.neuron), (&spikes.t, &spikes.neuron));
                assert_eq!(st, stats);
                for (a, b) in w.iter().zip(&weight) {
                    assert!((a - b).abs() < 1e-12, "{pairing:?}, mu {mu}: {a} and {b}");
                }
            }
        }
    }
}

#[test]
fn an_interrupted_sample_leaves_a_usable_engine() {
    let mut engine = Engine::<f64>::new(&description(Pairing::AllToAll, 0.0), None).unwrap();
    let (t, channel) = events();
    let input = Input { t: &t, channel: &channel, duration: 400_000, drive: None, injection: None };
    let mut left = 100;
    let mut poll = || {
        left -= 1;
        if left == 0 { Err(Error::Interrupted) } else { Ok(()) }
    };
    let result = engine.learn(&input, &mut SpikeList::default(), None, &mut poll);
    assert!(matches!(result, Err(Error::Interrupted)));
    let spec = FeatureSpec {
        n_windows: 2,
        windows: Windows::Time,
        counts: true,
        tau_lowpass: None,
        pools: None,
    };
    let mut stop = || Err(Error::Interrupted);
    let many = vec![input; 200];
    let result = engine.transform(&many, spec, Some(2), &mut stop);
    assert!(matches!(result, Err(Error::Interrupted)));
    let (features, stats) = engine.transform(&many[..3], spec, Some(2), &mut || Ok(())).unwrap();
    assert_eq!(features.len(), 3 * 2 * N);
    assert_eq!(stats[0], stats[2]);
    assert!((features[..2 * N].iter().sum::<f32>() - stats[0].n_spikes as f32).abs() < 0.5);
}

/// Panics where the sample is half learned from.
struct Bug(usize);

impl crate::record::Record for Bug {
    fn record(&mut self, _: &[Spike]) {
        self.0 += 1;
        assert!(self.0 < 100, "on purpose");
    }
}

fn panics<R>(work: impl FnOnce() -> R) -> bool {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err()
}

#[test]
fn after_a_panic_in_learning_every_call_says_that_the_engine_is_broken() {
    let mut description = description(Pairing::AllToAll, 0.5);
    description.incoming = vec![20.0; N];
    let whole = Engine::<f64>::new(&description, Some(4)).unwrap();
    let (t, channel) = events();
    let input = Input { t: &t, channel: &channel, duration: 400_000, drive: None, injection: None };
    let spec = FeatureSpec {
        n_windows: 2,
        windows: Windows::Time,
        counts: true,
        tau_lowpass: None,
        pools: None,
    };
    let right = learned(whole.clone(), 1);
    for n_threads in [1, 3] {
        let mut engine = Engine { together: Some(true), ..whole.clone() };
        assert!(panics(|| engine.learn(&input, &mut Bug(0), Some(n_threads), &mut || Ok(()))));
        for mut engine in [engine.clone(), engine] {
            let mut spikes = SpikeList::default();
            let outcomes = [
                engine.run(&input, &mut spikes, None, &mut || Ok(())).map(|_| ()),
                engine.learn(&input, &mut spikes, None, &mut || Ok(())).map(|_| ()),
                engine.learn_batch(&[input, input], None, &mut || Ok(())).map(|_| ()),
                engine.transform(&[input], spec, None, &mut || Ok(())).map(|_| ()),
                engine.set_weights(Source::Recurrent, &[]),
            ];
            for outcome in outcomes {
                assert!(matches!(outcome, Err(Error::Broken)), "{outcome:?}");
            }
            assert!(panics(|| engine.synapses(Source::Recurrent)));
            assert!(panics(|| engine.theta()));
        }
    }
    let found = learned(whole, 3);
    assert_eq!((found.0.t, found.1, found.2), (right.0.t, right.1, right.2));
}

#[test]
fn a_panic_in_running_or_in_a_batch_leaves_the_engine_whole() {
    let mut engine = Engine::<f64>::new(&description(Pairing::Nearest, 0.0), Some(4)).unwrap();
    engine.together = Some(true);
    let (t, channel) = events();
    let input = Input { t: &t, channel: &channel, duration: 400_000, drive: None, injection: None };
    let before = (engine.synapses(Source::Recurrent).weight, engine.theta());
    assert!(panics(|| engine.run(&input, &mut Bug(0), Some(3), &mut || Ok(()))));
    let mut asked = 0;
    let mut bug = || {
        asked += 1;
        assert!(asked < 100, "on purpose");
        Ok(())
    };
    assert!(panics(|| engine.learn_batch(&[input, input], Some(1), &mut bug)));
    assert_eq!((engine.synapses(Source::Recurrent).weight, engine.theta()), before);
    engine.learn_batch(&[input, input], Some(1), &mut || Ok(())).unwrap();
    assert_ne!(engine.theta(), before.1);
}

#[test]
fn what_was_learned_comes_back_after_an_interruption() {
    let mut description = description(Pairing::AllToAll, 0.0);
    description.incoming = vec![20.0; N];
    description.adaptation = Some(Adaptation { theta_plus: 0.3, tau_theta: 1000.0 });
    let mut engine = Engine::<f32>::new(&description, Some(3)).unwrap();
    let (t, channel) = events();
    let input = Input { t: &t, channel: &channel, duration: 400_000, drive: None, injection: None };
    let learn = |engine: &mut Engine<f32>, mut n_windows: u32| {
        let mut poll = || {
            n_windows -= 1;
            if n_windows == 0 { Err(Error::Interrupted) } else { Ok(()) }
        };
        engine.learn(&input, &mut SpikeList::default(), None, &mut poll)
    };
    learn(&mut engine, u32::MAX).unwrap();
    let mut twin = engine.clone();
    let state = |engine: &Engine<f32>| (engine.synapses(Source::Recurrent).weight, engine.theta());
    let (before, learned) = (state(&engine), engine.learned());
    assert!(learn(&mut engine, 100).is_err());
    let after = state(&engine);
    assert!(after.0 != before.0 && after.1 != before.1);
    engine.put_back(&learned);
    assert_eq!(state(&engine), before);
    assert_eq!(learn(&mut engine, u32::MAX).unwrap(), learn(&mut twin, u32::MAX).unwrap());
    assert_eq!(state(&engine), state(&twin));
}

#[test]
fn ranges_cover_all_neurons_in_order() {
    let description = description(Pairing::AllToAll, 0.0);
    for n in [1, 2, 7, N] {
        let ranges =
            ranges_of_equal_work(&[&description.inputs, &description.recurrent], None, N, n);
        assert_eq!(ranges.len(), n);
        assert_eq!((ranges[0].start, ranges[n - 1].end), (0, N as u32));
        assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert!(ranges.iter().all(|range| !range.is_empty()));
    }
}

#[test]
fn ranges_divide_no_group() {
    let description = description(Pairing::AllToAll, 0.0);
    // 17, 3, 5, 6 and 29 neurons together; of the 5 each stands by itself.
    let sizes = [(0, 17), (9, 3), (u32::MAX, 5), (1, 6), (2, 29)];
    let group: Vec<u32> = sizes.iter().flat_map(|&(number, n)| vec![number; n]).collect();
    let all = [&description.inputs, &description.recurrent];
    for (n, expected) in [(1, 1), (2, 2), (4, 4), (9, 9), (N, 9)] {
        let ranges = ranges_of_equal_work(&all, Some(&group), N, n);
        assert_eq!(ranges.len(), expected, "{ranges:?}");
        assert_eq!((ranges[0].start, ranges[expected - 1].end), (0, N as u32));
        for pair in ranges.windows(2) {
            let cut = pair[0].end as usize;
            assert_eq!(cut, pair[1].start as usize);
            assert!(group[cut - 1] != group[cut] || group[cut] == u32::MAX, "{ranges:?}");
        }
    }
    // Not even where a shard is full.
    let description = Description::new(
        NeuronParameters::default(),
        Connections { graph: Csr::new(vec![0], vec![], 1 << 20).unwrap(), ..description.inputs },
        description.recurrent,
    );
    let group: Vec<u32> = (0..1 << 20).map(|i| i / 1000).collect();
    let ranges = ranges_of_equal_work(&[&description.inputs], Some(&group), 1 << 20, 1);
    assert_eq!(ranges, [0..524_000, 524_000..1_048_000, 1_048_000..1_048_576]);
}

#[test]
fn the_synapses_of_an_engine_make_the_same_engine() {
    let description = description(Pairing::Nearest, 1.0);
    let mut engine = Engine::<f32>::new(&description, Some(3)).unwrap();
    let all = engine.synapses(Source::Recurrent);
    assert_eq!(all.indices, description.recurrent.graph.indices());
    for (s, (&w, &given)) in all.weight.iter().zip(&description.recurrent.weight).enumerate() {
        assert_eq!(w, given as f32);
        assert_eq!(all.delay_us[s], description.recurrent.delay_us(s));
    }
    let doubled: Vec<f64> = all.weight.iter().map(|&w| f64::from(w) / 2.0).collect();
    engine.set_weights(Source::Recurrent, &doubled).unwrap();
    let halved = engine.synapses(Source::Recurrent).weight;
    assert!(halved.iter().zip(&all.weight).all(|(&half, &w)| half * 2.0 == w));
    let error = engine.set_weights(Source::Recurrent, &doubled[1..]).unwrap_err();
    assert!(error.to_string().starts_with("weight must have length"));
}

#[test]
fn an_input_may_reach_a_neuron_by_several_delays() {
    let base = description(Pairing::AllToAll, 0.0);
    let connections = |indptr, indices, weight, delay| {
        let graph = Csr::with_repeats(indptr, indices, N)?;
        Ok::<_, Error>(Connections { graph, weight, delay, plasticity: None })
    };
    let whole = |inputs| Description { inputs, ..base.clone() };
    let spikes = |inputs: Connections, channels: &[u32]| {
        let mut engine = Engine::<f64>::new(&whole(inputs), Some(3)).unwrap();
        let t: Vec<i64> = (0..400).flat_map(|k| vec![k * 1000; channels.len()]).collect();
        let channel = channels.repeat(400);
        let input =
            Input { t: &t, channel: &channel, duration: 400_000, drive: None, injection: None };
        let mut spikes = SpikeList::default();
        engine.learn(&input, &mut spikes, Some(1), &mut || Ok(())).unwrap();
        (spikes, engine.synapses(Source::Input), engine.synapses(Source::Recurrent).weight)
    };
    // One channel with three delays, and three channels with one each; sums of such weights are exact.
    let repeated = connections(
        vec![0, 5],
        vec![3, 3, 3, 9, 9],
        vec![2.0, 4.0, 8.0, 4.0, 16.0],
        vec![0.0, 0.5, 7.0, 0.0, 3.0],
    );
    let apart = connections(
        vec![0, 2, 4, 5],
        vec![3, 9, 3, 9, 3],
        vec![2.0, 4.0, 4.0, 16.0, 8.0],
        vec![0.0, 0.0, 0.5, 3.0, 7.0],
    );
    let repeated = repeated.unwrap();
    let found = spikes(repeated.clone(), &[0]);
    let right = spikes(apart.unwrap(), &[0, 1, 2]);
    assert!(found.0.t.len() > 1000 && found.0 == right.0 && found.2 == right.2);
    assert_eq!(found.1.indices, [3, 3, 3, 9, 9]);
    assert_eq!(found.1.delay_us, [0, 500, 7000, 0, 3000]);
    assert_eq!(found.1.weight, repeated.weight);
    let mut same = repeated;
    same.delay[2] = 0.500_000_1;
    let error = whole(same).check().unwrap_err().to_string();
    let expected = "input_delay must be above 500 µs, that of the synapse before, of the same source \
                    and target; got 500 µs at synapse 2.";
    assert_eq!(error, expected);
    assert!(connections(vec![0, 2], vec![4, 3], vec![1.0; 2], vec![0.0]).is_err());
}

#[test]
fn thresholds_that_were_set_are_those_of_a_network_made_with_them() {
    let mut description = description(Pairing::AllToAll, 0.5);
    let theta = drawn(0.0, 3.0, N, "theta");
    let mut set = Engine::<f32>::new(&description, Some(3)).unwrap();
    set.set_theta(&theta).unwrap();
    description.neurons.theta = theta.clone();
    let mut made = Engine::<f32>::new(&description, Some(2)).unwrap();
    assert_eq!(set.theta(), made.theta());
    let (t, channel) = events();
    let input = Input { t: &t, channel: &channel, duration: 400_000, drive: None, injection: None };
    for _ in 0..2 {
        let both = [&mut set, &mut made].map(|engine| {
            let mut spikes = SpikeList::default();
            engine.learn(&input, &mut spikes, Some(1), &mut || Ok(())).unwrap();
            (spikes, engine.theta())
        });
        assert!(both[0].0.t.len() > 100 && both[0] == both[1]);
        // They adapt further, and stay.
        assert!(both[0].1.iter().zip(&theta).any(|(now, before)| now > before));
    }
    let mut message = |i: usize, mv: f64| {
        let mut wrong = theta.clone();
        wrong[i] = mv;
        set.set_theta(&wrong).unwrap_err().to_string()
    };
    assert_eq!(message(4, -0.5), "theta must be at least 0 mV; got -0.5 at neuron 4.");
    assert_eq!(message(9, f64::NAN), "theta must be at least 0 mV; got NaN at neuron 9.");
    assert!(message(0, 1e16).starts_with("theta must be between -1e15 and 1e15; got 1"));
    assert_eq!(set.theta(), made.theta(), "what is refused changes nothing");
    let error = set.set_theta(&theta[1..]).unwrap_err().to_string();
    assert_eq!(error, "theta must have length 60; got length 59.");
}

#[test]
fn with_currents_a_weight_keeps_its_sign() {
    let description = with_currents(description(Pairing::Nearest, 1.0));
    let mut engine = Engine::<f64>::new(&description, Some(3)).unwrap();
    let weight = engine.synapses(Source::Input).weight;
    assert_eq!(weight, description.inputs.weight);
    let halved: Vec<f64> = weight.iter().map(|w| w / 2.0).collect();
    engine.set_weights(Source::Input, &halved).unwrap();
    for (s, w) in weight.iter().enumerate() {
        let mut turned = weight.clone();
        turned[s] = -w;
        let error = engine.set_weights(Source::Input, &turned).unwrap_err().to_string();
        assert!(error.contains("sign") && error.contains(&format!("synapse {s}")), "{error}");
    }
    assert_eq!(engine.synapses(Source::Input).weight, halved);
}
