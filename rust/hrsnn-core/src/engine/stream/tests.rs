//! However a stream is cut, forgotten and put back: the spikes and features of one sample.

use proptest::prelude::*;

use super::super::tests::{N, N_INPUTS, description, with_currents};
use super::*;
use crate::network::Description;
use crate::record::Windows;
use crate::stdp::Pairing;

const DURATION: i64 = 60_000;
const SPEC: FeatureSpec<'_> = FeatureSpec {
    n_windows: 3,
    windows: Windows::Events,
    counts: true,
    tau_lowpass: Some(30.0),
    pools: None,
};

fn engine(is_charged: bool, n_shards: usize) -> Engine<f64> {
    let plain = description(Pairing::AllToAll, 0.0);
    let description: Description = if is_charged { with_currents(plain) } else { plain };
    Engine::new(&description, Some(n_shards)).unwrap()
}

/// Those of the events that come within the duration.
fn events() -> (Vec<i64>, Vec<u32>) {
    let (mut t, mut channel) = super::super::tests::events();
    let n = t.partition_point(|&t| t < DURATION);
    t.truncate(n);
    channel.truncate(n);
    (t, channel)
}

/// All spikes and features of a sample.
fn at_once(
    engine: &Engine<f64>,
    t: &[i64],
    channel: &[u32],
    duration: i64,
) -> (SpikeList, Vec<f32>) {
    let input = Input { t, channel, duration, drive: None, injection: None };
    let mut spikes = SpikeList::default();
    engine.run(&input, &mut spikes, Some(1), &mut || Ok(())).unwrap();
    let features = engine.transform(&[input], SPEC, Some(1), &mut || Ok(())).unwrap().0;
    (spikes, features)
}

fn feed<T: Real>(stream: &mut Stream<T>, t: &[i64], channel: &[u32], until: i64) -> SpikeList {
    let from = stream.t();
    let inside = t.partition_point(|&t| t < from)..t.partition_point(|&t| t < until);
    let (t, channel) = (&t[inside.clone()], &channel[inside]);
    stream.feed(t, channel, until, Some(1), &mut || Ok(())).unwrap();
    stream.spikes_since(from)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn neither_cuts_nor_what_is_forgotten_nor_putting_back_shows(
        mut cuts in prop::collection::vec(0..DURATION, 0..8), is_charged: bool, keep in 0..20_000_i64,
    ) {
        let (t, channel) = events();
        let (whole, features) = at_once(&engine(is_charged, 1), &t, &channel, DURATION);
        let mut stream = Stream::new(engine(is_charged, 1), DURATION).unwrap();
        let mut short = Stream::new(engine(is_charged, 1), keep).unwrap();
        let mut sum = SpikeList::default();
        cuts.extend([DURATION / 2, DURATION / 2, DURATION]);
        cuts.sort_unstable();
        for (number, until) in cuts.into_iter().enumerate() {
            feed(&mut stream, &t, &channel, until);
            let part = feed(&mut short, &t, &channel, until);
            sum.t.extend(part.t);
            sum.neuron.extend(part.neuron);
            prop_assert_eq!(short.stats(), stream.stats());
            let of = |stream: &Stream<f64>| stream.features(keep, SPEC, &mut || Ok(())).unwrap();
            prop_assert_eq!(of(&short), of(&stream));
            let flow = short.flow();
            short = Stream::resumed(engine(is_charged, 1 + number % 3), keep, flow).unwrap();
        }
        prop_assert_eq!(&sum, &whole);
        prop_assert_eq!(stream.spikes_since(0), whole);
        prop_assert_eq!(stream.features(DURATION, SPEC, &mut || Ok(())).unwrap(), features);
    }

    #[test]
    fn windows_that_end_now_are_those_of_a_sample_that_does(end in 0..DURATION) {
        let (t, channel) = events();
        let n = t.partition_point(|&t| t < end);
        let (_, features) = at_once(&engine(false, 1), &t[..n], &channel[..n], end);
        let mut stream = Stream::new(engine(false, 1), DURATION).unwrap();
        feed(&mut stream, &t, &channel, end);
        prop_assert_eq!(stream.features(DURATION, SPEC, &mut || Ok(())).unwrap(), features);
    }
}

#[test]
fn the_memory_of_a_long_stream_stays_small() {
    let mut stream = Stream::new(engine(false, 1), 10_000).unwrap();
    let (mut most, mut n) = (0, 0);
    for piece in 0..200_i64 {
        let t: Vec<i64> = (0..50).map(|k| piece * 1000 + k * 20).collect();
        let channel: Vec<u32> = (0..50).map(|k| k % N_INPUTS as u32).collect();
        stream.feed(&t, &channel, (piece + 1) * 1000, Some(1), &mut || Ok(())).unwrap();
        most = most.max(stream.simulation.sample.t.len());
        n += t.len() as u64;
    }
    let stats = stream.stats();
    assert_eq!(stats.n_input_events, n);
    assert!(stats.n_spikes as usize > 2 * stream.simulation.spikes.t.len());
    // Twice what lies within the past that is kept, which is longer than 10 ms where delays are.
    let kept = stream.keep as usize * 50 / 1000;
    assert!((kept..=2 * kept + 100).contains(&most), "{most} of {kept}");
    assert!(stream.simulation.engine.n_neurons == N);
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let mut stream = Stream::new(engine(false, 1), 1000).unwrap();
    let mut feed = |t: &[i64], channel: &[u32], until| {
        let fed = stream.feed(t, channel, until, Some(1), &mut || Ok(()));
        fed.map_err(|error| error.to_string()).unwrap_err()
    };
    assert!(feed(&[5, 3], &[0, 0], 10).starts_with("t must not decrease; got 3 after 5"));
    assert!(feed(&[5], &[0], 5).starts_with("t must be below duration (5 µs); got 5"));
    assert!(feed(&[5], &[99], 10).starts_with("channel must be below n_inputs (20); got 99"));
    assert!(feed(&[5], &[], 10).starts_with("channel must have length 1"));
    stream.feed(&[], &[], 10, Some(1), &mut || Ok(())).unwrap();
    let mut feed = |t: &[i64], channel: &[u32], until| {
        stream.feed(t, channel, until, Some(1), &mut || Ok(())).unwrap_err().to_string()
    };
    let expected = "must be at least 10 µs, where the stream stands; got";
    assert_eq!(feed(&[9], &[0], 20), format!("t {expected} 9 at event 0."));
    assert_eq!(feed(&[], &[], 9), format!("until {expected} 9."));
    assert_eq!(stream.stats(), Stats::default());
    let beyond = stream.features(stream.keep + 1, SPEC, &mut || Ok(())).unwrap_err().to_string();
    assert!(beyond.starts_with("span must be between 0 and"), "{beyond}");
    let error = Stream::new(engine(false, 1), -1).unwrap_err().to_string();
    assert!(error.starts_with("keep must be between 0 and"), "{error}");
}

#[test]
fn a_stream_is_put_back_only_where_one_can_have_been() {
    let (t, channel) = events();
    let mut stream = Stream::new(engine(false, 1), 50_000).unwrap();
    feed(&mut stream, &t, &channel, DURATION);
    let good = stream.flow();
    for (change, words) in [
        ((|f| f.recent.t[0] = -1) as fn(&mut Flow<f64>), "t must be at least 0 µs"),
        (|f| *f.recent.t.last_mut().unwrap() = DURATION, "event_t must be below 60000 µs"),
        (|f| f.recent.channel[0] = 99, "channel must be below n_inputs"),
        (|f| f.n_spikes = 0, "n_spikes must be between"),
        (|f| f.n_input_events = 0, "n_input_events must be between"),
        (|f| f.state.spikes.neuron[0] = 99, "spike_neuron must be below n_neurons"),
        (|f| f.state.potentials.v[3] = f64::NAN, "v must be between"),
    ] {
        let mut bad = good.clone();
        change(&mut bad);
        let error = Stream::resumed(engine(false, 1), 50_000, bad).unwrap_err().to_string();
        assert!(error.starts_with(words), "{error}");
    }
}
