//! A drive gives the spikes, weights and counts of the sample whose events were all stored.

use super::super::tests::{N_INPUTS, description, with_currents};
use super::*;
use crate::projection::Source;
use crate::record::SpikeList;
use crate::stdp::Pairing;

// Some blocks, and the beginning of one more.
const DURATION: i64 = 5 * BLOCK_US + 4321;

fn drive() -> Drive {
    let rates: Vec<f64> = (0..N_INPUTS).map(|channel| 15.0 * (channel % 4) as f64).collect();
    Drive::new(&rates, 11).unwrap()
}

/// Events at ends of blocks and in between.
fn given() -> Vec<(i64, u32)> {
    vec![(0, 1), (BLOCK_US - 1, 0), (BLOCK_US, 2), (BLOCK_US, 0), (3 * BLOCK_US + 7, 1)]
}

fn apart(events: &[(i64, u32)]) -> (Vec<i64>, Vec<u32>) {
    events.iter().copied().unzip()
}

fn stored() -> Vec<(i64, u32)> {
    let mut events = given();
    for number in 0..6 {
        drive().draw(number, DURATION, &mut events);
    }
    events.sort_by_key(|event| event.0);
    events
}

#[test]
fn the_sample_is_that_of_stored_events() {
    let (all, some) = (apart(&stored()), apart(&given()));
    let all = Input { t: &all.0, channel: &all.1, duration: DURATION };
    let some = Input { t: &some.0, channel: &some.1, duration: DURATION };
    for is_charged in [false, true] {
        let plain = description(Pairing::AllToAll, 0.0);
        let description = if is_charged { with_currents(plain) } else { plain };
        for (n_shards, n_threads) in [(1, 1), (3, 1), (3, 2)] {
            let mut engine = Engine::<f64>::new(&description, Some(n_shards)).unwrap();
            let mut other = engine.clone();
            let monitors = Monitors::default();
            let (mut spikes, mut expected) = (SpikeList::default(), SpikeList::default());
            let threads = Some(n_threads);
            let found = engine
                .run_driven(&some, &drive(), &monitors, &mut spikes, threads, &mut || Ok(()))
                .unwrap();
            let stats = other.run(&all, &mut expected, Some(1), &mut || Ok(())).unwrap();
            assert!(stats.n_spikes > 10, "{stats:?}");
            assert_eq!(
                (found.0, &spikes.t, &spikes.neuron),
                (stats, &expected.t, &expected.neuron)
            );
            let (mut spikes, mut expected) = (SpikeList::default(), SpikeList::default());
            let found = engine
                .learn_driven(&some, &drive(), 0.7, &monitors, &mut spikes, threads, &mut || Ok(()))
                .unwrap();
            let stats =
                other.learn_scaled(&all, 0.7, &mut expected, Some(1), &mut || Ok(())).unwrap();
            assert_eq!(
                (found.0, &spikes.t, &spikes.neuron),
                (stats, &expected.t, &expected.neuron)
            );
            assert!(stats.counters.weight_updates > 0);
            for source in [Source::Input, Source::Recurrent] {
                assert_eq!(engine.synapses(source).weight, other.synapses(source).weight);
            }
        }
    }
}

#[test]
fn a_drive_of_other_channels_is_refused() {
    let mut engine = Engine::<f64>::new(&description(Pairing::AllToAll, 0.0), Some(1)).unwrap();
    let drive = Drive::new(&[1.0], 0).unwrap();
    let input = Input { t: &[], channel: &[], duration: 1000 };
    let (monitors, mut spikes) = (Monitors::default(), SpikeList::default());
    let refused = [
        engine.run_driven(&input, &drive, &monitors, &mut spikes, None, &mut || Ok(())).err(),
        engine
            .learn_driven(&input, &drive, 1.0, &monitors, &mut spikes, None, &mut || Ok(()))
            .err(),
    ];
    for error in refused {
        assert!(error.unwrap().to_string().contains("rates"));
    }
}
