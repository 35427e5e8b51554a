//! A drive gives the spikes, weights and counts of the sample whose events were all stored.

use super::super::tests::{N_INPUTS, description, with_currents};
use super::super::{Engine, Sample, Simulation, State};
use super::*;
use crate::injection::Injection;
use crate::network::Plasticity;
use crate::projection::Source;
use crate::record::{FeatureSpec, SpikeList, Windows};
use crate::sample::Stats;
use crate::stdp::Pairing;

// Some blocks, and the beginning of one more.
const DURATION: i64 = 5 * BLOCK_US + 4321;

fn drive() -> Drive {
    let rates: Vec<f64> = (0..N_INPUTS).map(|channel| 15.0 * (channel % 4) as f64).collect();
    Drive::new(&rates, 11).unwrap()
}

/// Rates that change within blocks and where one ends.
fn changing() -> Drive {
    let edges = [0, 9000, 2 * BLOCK_US, 2 * BLOCK_US + 777, 4 * BLOCK_US];
    let of_bin = |bin: usize| (0..N_INPUTS).map(move |channel| 40.0 * ((channel + bin) % 3) as f64);
    let rates: Vec<f64> = (0..4).flat_map(of_bin).collect();
    Drive::in_bins(&rates, N_INPUTS, &edges, 12).unwrap()
}

/// Events at ends of blocks and in between.
fn given() -> Vec<(i64, u32)> {
    vec![(0, 1), (BLOCK_US - 1, 0), (BLOCK_US, 2), (BLOCK_US, 0), (3 * BLOCK_US + 7, 1)]
}

/// Rates with silent bins of many blocks between those that speak.
fn pausing() -> Drive {
    let edges = [BLOCK_US / 2, BLOCK_US, 3 * BLOCK_US + 99, 4 * BLOCK_US];
    let rates: Vec<f64> = (0..3).flat_map(|bin| [[80.0, 0.0][bin % 2]; N_INPUTS]).collect();
    Drive::in_bins(&rates, N_INPUTS, &edges, 13).unwrap()
}

/// A current whose bins end within blocks, where one ends, and where nothing is drawn.
fn current() -> Injection {
    let mut edges: Vec<i64> = (0..40).map(|k| 1500 * k + 7).collect();
    edges.extend((1..5).map(|number| number * BLOCK_US));
    edges.sort_unstable();
    let values = (1..edges.len()).map(|k| (k * 7 % 11) as f64 - 4.0).collect();
    Injection::new(values, edges, vec![5, 0, 1], 3.0, 4).unwrap()
}

fn apart(events: &[(i64, u32)]) -> (Vec<i64>, Vec<u32>) {
    events.iter().copied().unzip()
}

fn stored(drive: &Drive) -> Vec<(i64, u32)> {
    let mut events = given();
    for number in 0..6 {
        drive.draw(number, DURATION, &mut events);
    }
    events.sort_by_key(|event| event.0);
    events
}

#[expect(clippy::unnecessary_wraps, reason = "as the engine asks")]
fn ask() -> Result<()> {
    Ok(())
}

#[test]
fn the_sample_is_that_of_stored_events() {
    let current = current();
    for (drive, injection) in
        [drive(), changing(), pausing()].iter().flat_map(|d| [(d, None), (d, Some(&current))])
    {
        let (all, some) = (apart(&stored(drive)), apart(&given()));
        let all = Input { t: &all.0, channel: &all.1, duration: DURATION, drive: None, injection };
        let drive = Some(drive);
        let some = Input { t: &some.0, channel: &some.1, duration: DURATION, drive, injection };
        for is_charged in [false, true] {
            let plain = description(Pairing::AllToAll, 0.0);
            let description = if is_charged { with_currents(plain) } else { plain };
            for (n_shards, n_threads) in [(1, 1), (3, 1), (3, 2)] {
                let mut engine = Engine::<f64>::new(&description, Some(n_shards)).unwrap();
                let mut other = engine.clone();
                let (mut spikes, mut expected) = (SpikeList::default(), SpikeList::default());
                let found = engine.run(&some, &mut spikes, Some(n_threads), &mut ask).unwrap();
                let stats = other.run(&all, &mut expected, Some(1), &mut ask).unwrap();
                assert!(stats.n_spikes > 10, "{stats:?}");
                assert_eq!((found, &spikes), (stats, &expected));
                let (mut spikes, mut expected) = (SpikeList::default(), SpikeList::default());
                let found = engine.learn_scaled(&some, 0.7, &mut spikes, Some(n_threads), &mut ask);
                let stats =
                    other.learn_scaled(&all, 0.7, &mut expected, Some(1), &mut ask).unwrap();
                assert_eq!((found.unwrap(), &spikes), (stats, &expected));
                assert!(stats.counters.weight_updates > 0);
                same_weights(&engine, &other);
            }
        }
    }
}

fn same_weights(one: &Engine<f64>, other: &Engine<f64>) {
    for source in [Source::Input, Source::Recurrent] {
        assert_eq!(one.synapses(source).weight, other.synapses(source).weight);
    }
}

#[test]
fn samples_side_by_side_are_those_of_stored_events() {
    let drives: Vec<Drive> = (0..3).map(|number| changing().of(number)).collect();
    let all: Vec<_> = drives.iter().map(|drive| apart(&stored(drive))).collect();
    let some = apart(&given());
    let inputs: Vec<_> = drives
        .iter()
        .map(|drive| Input {
            t: &some.0,
            channel: &some.1,
            duration: DURATION,
            drive: Some(drive),
            injection: None,
        })
        .collect();
    let whole: Vec<_> = all
        .iter()
        .map(|(t, channel)| Input { t, channel, duration: DURATION, drive: None, injection: None })
        .collect();
    let mut engine = Engine::<f64>::new(&description(Pairing::AllToAll, 0.0), Some(2)).unwrap();
    let mut other = engine.clone();
    let spec = FeatureSpec {
        n_windows: 3,
        windows: Windows::Time,
        counts: true,
        tau_lowpass: Some(20.0),
        pools: None,
    };
    let expected = engine.transform(&whole, spec, Some(1), &mut ask).unwrap();
    for n_threads in [1, 2] {
        assert_eq!(engine.transform(&inputs, spec, Some(n_threads), &mut ask).unwrap(), expected);
    }
    assert_ne!(expected.0[..expected.0.len() / 3], expected.0[expected.0.len() / 3 * 2..]);
    let found: Vec<Stats> = engine.learn_batch(&inputs, Some(2), &mut ask).unwrap();
    assert_eq!(found, other.learn_batch(&whole, Some(1), &mut ask).unwrap());
    same_weights(&engine, &other);
    // A sample alone may have several threads.
    assert_eq!(
        engine.transform(&inputs[..1], spec, Some(2), &mut ask).unwrap(),
        other.transform(&whole[..1], spec, Some(1), &mut ask).unwrap()
    );
}

#[test]
fn where_a_sample_stops_or_is_made_again_does_not_show() {
    let (t, channel) = apart(&given());
    for (drive, learns, injection) in [
        (drive(), false, None),
        (changing(), true, None),
        (changing(), false, None),
        (pausing(), false, Some(current())),
        (changing(), true, Some(current())),
    ] {
        let whole = apart(&stored(&drive));
        let sample = Sample {
            t: t.clone(),
            channel: channel.clone(),
            duration: DURATION,
            drive: Some(drive),
            injection: injection.clone(),
        };
        let stored =
            Sample { t: whole.0, channel: whole.1, duration: DURATION, drive: None, injection };
        let engine = Engine::<f64>::new(&description(Pairing::AllToAll, 0.0), Some(2)).unwrap();
        let mut expected = Simulation::new(engine.clone(), stored, learns).unwrap();
        let mut found = Simulation::new(engine, sample.clone(), learns).unwrap();
        let stops =
            [1, 8999, 9000, BLOCK_US, BLOCK_US + 1, 3 * BLOCK_US - 1, 3 * BLOCK_US + 8, DURATION];
        for (k, stop) in stops.into_iter().enumerate() {
            expected.run_until(stop, Some(1), &mut ask).unwrap();
            found.run_until(stop, Some(1 + k % 2), &mut ask).unwrap();
            found.run_until(stop, Some(1), &mut ask).unwrap();
            assert_eq!(found.stats(), expected.stats(), "{stop}");
            assert_eq!(found.spikes(), expected.spikes());
            // Its state is that of the sample whose events were stored, and it goes on from it.
            let state = State { n_drawn: 0, ..found.state() };
            assert_eq!(state, expected.state());
            let (engine, state) = (found.unsettled_network(), found.state());
            found = Simulation::resumed(engine, sample.clone(), learns, state, &mut ask).unwrap();
        }
        assert!(found.spikes().t.len() > 10);
        same_weights(&found.network(), &expected.network());
    }
}

#[test]
fn a_block_is_drawn_once_however_often_a_sample_is_left_in_it() {
    let (t, channel) = apart(&given());
    for injection in [None, Some(current())] {
        let (t, channel, drive) = (t.clone(), channel.clone(), Some(drive()));
        let sample = Sample { t, channel, duration: DURATION, drive, injection };
        let engine = Engine::<f64>::new(&description(Pairing::AllToAll, 0.0), Some(2)).unwrap();
        let mut simulation = Simulation::new(engine, sample, false).unwrap();
        // All are kept, so that none can come to lie where another has lain.
        let mut blocks: Vec<Arc<Drawn>> = Vec::new();
        for stop in (1..=DURATION).step_by(500) {
            simulation.run_until(stop, Some(1), &mut ask).unwrap();
            let block = simulation.moment.block.as_ref().unwrap();
            if blocks.last().is_none_or(|last| !Arc::ptr_eq(last, block)) {
                blocks.push(Arc::clone(block));
            }
        }
        let spans: Vec<_> = blocks.iter().map(|block| block.span.clone()).collect();
        let of_block = |number: i64| number * BLOCK_US..(number + 1) * BLOCK_US;
        assert_eq!(spans, (0..6).map(of_block).collect::<Vec<_>>());
    }
}

#[test]
fn a_sample_with_a_long_past_is_made_again_at_once() {
    let mut description = description(Pairing::AllToAll, 0.0);
    description.neurons.bias.fill(0.0);
    let n = description.inputs.len();
    description.inputs.plasticity = Some(Plasticity {
        plastic: vec![true; n],
        a_plus: vec![0.01; n],
        a_minus: vec![0.02; n],
        tau_plus: vec![20.0; n],
        tau_minus: vec![20.0; n],
        w_min: 0.0,
        w_max: 8.0,
        mu_plus: 0.0,
        mu_minus: 0.0,
        pairing: Pairing::AllToAll,
        half_precision: false,
    });
    let rates: Vec<f64> = (0..N_INPUTS).map(|channel| 100.0 * (channel % 3) as f64).collect();
    let sample = Sample {
        duration: 500 * BLOCK_US,
        drive: Some(Drive::new(&rates, 2).unwrap()),
        ..Sample::default()
    };
    for learns in [false, true] {
        let base = Engine::<f64>::new(&description, Some(2)).unwrap();
        let engine = Engine { settle_after: u64::MAX, ..base };
        let mut simulation = Simulation::new(engine, sample.clone(), learns).unwrap();
        simulation.run_until(400 * BLOCK_US + 99, Some(1), &mut ask).unwrap();
        let (engine, state) = (simulation.unsettled_network(), simulation.state());
        assert_eq!(state.settled, 0, "nothing of the past is settled");
        let mut n_asked = 0;
        let mut poll = || {
            n_asked += 1;
            Ok(())
        };
        let mut again =
            Simulation::resumed(engine, sample.clone(), learns, state, &mut poll).unwrap();
        assert!(n_asked < 20, "{n_asked} blocks were drawn of a past of 400");
        assert_eq!((again.state(), again.stats()), (simulation.state(), simulation.stats()));
        for simulation in [&mut simulation, &mut again] {
            simulation.run_until(410 * BLOCK_US, Some(1), &mut ask).unwrap();
        }
        assert_eq!((again.state(), again.stats()), (simulation.state(), simulation.stats()));
        same_weights(&again.network(), &simulation.network());
    }
}

#[test]
fn a_sample_that_is_interrupted_goes_on() {
    let drive = drive();
    let whole = apart(&stored(&drive));
    let (t, channel) = apart(&given());
    let engine = Engine::<f64>::new(&description(Pairing::AllToAll, 0.0), Some(2)).unwrap();
    let stored =
        Sample { t: whole.0, channel: whole.1, duration: DURATION, drive: None, injection: None };
    let mut expected = Simulation::new(engine.clone(), stored, true).unwrap();
    expected.run_until(DURATION, Some(1), &mut ask).unwrap();
    let sample = Sample { t, channel, duration: DURATION, drive: Some(drive), injection: None };
    let mut found = Simulation::new(engine, sample, true).unwrap();
    let mut left = 0;
    let n_stops = (0..).take_while(|_| {
        left = 7;
        let mut poll = || {
            left -= 1;
            if left == 0 { Err(crate::Error::Interrupted) } else { Ok(()) }
        };
        found.run_until(DURATION, Some(1), &mut poll).is_err()
    });
    assert!(n_stops.count() > 3);
    assert_eq!((found.stats(), found.spikes()), (expected.stats(), expected.spikes()));
    same_weights(&found.network(), &expected.network());
}

#[test]
fn a_drive_of_other_channels_is_refused() {
    let mut engine = Engine::<f64>::new(&description(Pairing::AllToAll, 0.0), Some(1)).unwrap();
    let drive = Drive::new(&[1.0], 0).unwrap();
    let input =
        Input { t: &[], channel: &[], duration: 1000, drive: Some(&drive), injection: None };
    let mut spikes = SpikeList::default();
    let refused = [
        engine.run(&input, &mut spikes, None, &mut ask).err(),
        engine.learn(&input, &mut spikes, None, &mut ask).err(),
        engine.learn_batch(&[input], None, &mut ask).err(),
    ];
    for error in refused {
        assert!(error.unwrap().to_string().contains("rates"));
    }
}
