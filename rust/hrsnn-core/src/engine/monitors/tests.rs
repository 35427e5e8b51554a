//! What is recorded: the same bits whoever did the work, and nothing else is moved by it.

use super::super::tests::{N, N_INPUTS, description, events, with_currents};
use super::super::*;
use super::*;
use crate::competition::Competition;
use crate::csr::Csr;
use crate::network::{Connections, Plasticity};
use crate::record::SpikeList;
use crate::stdp::Pairing;
use crate::time::LONGEST_SPAN;

const DURATION: i64 = 400_000;
const EVERY: i64 = 1700;
/// Places of what `all` wants.
const V: usize = 0;
const U_EX: usize = 1;
const U_IN: usize = 2;
const THETA: usize = 3;
const WEIGHT: usize = 4;
const INPUT_WEIGHT: usize = 5;

fn sample() -> Sample {
    let (t, channel) = events();
    Sample { t, channel, duration: DURATION, drive: None, injection: None }
}

fn pairs<T: Real>(engine: &Engine<T>, source: Source) -> Vec<[u32; 2]> {
    let Synaptic { indptr, indices, .. } = engine.synapses(source);
    let rows = (0..).zip(indptr.windows(2));
    let of_row = |(row, ends): (u32, &[i64])| {
        indices[ends[0] as usize..ends[1] as usize].iter().map(move |&post| [row, post])
    };
    rows.flat_map(of_row).collect()
}

/// Everything, in an order of its own.
fn all<T: Real>(engine: &Engine<T>, description: &Description, every: i64) -> Monitors {
    let order: Vec<u32> = (0..N as u32).map(|i| i * 7 % N as u32).collect();
    let with = |tau: &[f64]| order.iter().copied().filter(|&i| tau[i as usize] > 0.0).collect();
    let wanted = vec![
        Wanted::V(order.clone()),
        Wanted::Charge(Receptor::Excitatory, with(&description.neurons.tau_syn_ex)),
        Wanted::Charge(Receptor::Inhibitory, with(&description.neurons.tau_syn_in)),
        Wanted::Theta(order.iter().copied().take(9).collect()),
        Wanted::Weight(Source::Recurrent, pairs(engine, Source::Recurrent)),
        Wanted::Weight(Source::Input, pairs(engine, Source::Input)),
    ];
    Monitors { every, wanted }
}

/// Networks that have everything: currents, competition, inputs that learn, both pairings.
fn networks() -> Vec<Description> {
    let mut learning_inputs = description(Pairing::Nearest, 0.5);
    let recurrent = learning_inputs.recurrent.plasticity.clone().unwrap();
    let n = learning_inputs.inputs.len();
    let repeated = |values: &[f64]| values.iter().copied().cycle().take(n).collect::<Vec<_>>();
    learning_inputs.inputs.plasticity = Some(Plasticity {
        plastic: vec![true; n],
        a_plus: repeated(&recurrent.a_plus),
        a_minus: repeated(&recurrent.a_minus),
        tau_plus: repeated(&recurrent.tau_plus),
        tau_minus: repeated(&recurrent.tau_minus),
        w_max: 6.0,
        half_precision: true,
        ..recurrent
    });
    let mut competing = with_currents(description(Pairing::AllToAll, 1.0));
    let group = (0..N as u32).map(|i| i / 7).collect();
    competing.competition = Some(Competition { group, inhibition: 2.0, hold_us: 4000 });
    vec![description(Pairing::AllToAll, 0.0), learning_inputs, competing]
}

fn values<T: Real>(courses: &[Course<T>]) -> Vec<Vec<T>> {
    courses.iter().map(Course::values).collect()
}

fn bits<T: Real>(courses: &[Vec<T>]) -> Vec<Vec<u64>> {
    let of = |course: &Vec<T>| course.iter().map(|value| value.to_f64().to_bits()).collect();
    courses.iter().map(of).collect()
}

/// Engine, spikes and courses after one sample.
fn recorded<T: Real>(
    description: &Description,
    n_shards: usize,
    n_threads: usize,
    settle_after: u64,
    learns: bool,
) -> (Engine<T>, SpikeList, Vec<Vec<T>>) {
    let base = Engine::<T>::new(description, Some(n_shards)).unwrap();
    let mut engine = Engine { settle_after, together: Some(n_threads > 1), ..base };
    let (monitors, sample) = (all(&engine, description, EVERY), sample());
    let (input, mut spikes, poll) = (sample.input(), SpikeList::default(), &mut || Ok(()));
    let n = Some(n_threads);
    let (_, courses) = if learns {
        engine.learn_watched(&input, 1.0, &monitors, &mut spikes, n, poll).unwrap()
    } else {
        engine.run_watched(&input, &monitors, &mut spikes, n, poll).unwrap()
    };
    (engine, spikes, values(&courses))
}

fn same_for_any_split<T: Real>(description: &Description) {
    for learns in [true, false] {
        let (engine, spikes, courses) = recorded::<T>(description, 1, 1, 1 << 16, learns);
        let n_times = (DURATION as usize).div_ceil(EVERY as usize);
        assert_eq!(courses[V].len(), n_times * N);
        // Nothing else has moved.
        let mut silent = Engine::<T>::new(description, Some(1)).unwrap();
        let (sample, mut alone, poll) = (sample(), SpikeList::default(), &mut || Ok(()));
        if learns {
            silent.learn(&sample.input(), &mut alone, Some(1), poll).unwrap();
        } else {
            silent.run(&sample.input(), &mut alone, Some(1), poll).unwrap();
        }
        assert_eq!(alone, spikes);
        assert!(spikes.t.len() > 1000);
        for source in [Source::Input, Source::Recurrent] {
            let weight = |engine: &Engine<T>| bits(&[engine.synapses(source).weight]);
            assert_eq!(weight(&silent), weight(&engine));
        }
        assert_eq!(silent.theta(), engine.theta());
        // When histories are settled moves roundings, but hangs on the spikes alone.
        for settle_after in [1 << 16, 20] {
            let (_, _, right) = recorded::<T>(description, 1, 1, settle_after, learns);
            for (n_shards, n_threads) in [(2, 1), (3, 2), (7, 3), (8, 7)] {
                let (_, _, found) =
                    recorded::<T>(description, n_shards, n_threads, settle_after, learns);
                assert!(bits(&found) == bits(&right), "{n_shards} shards, {settle_after}");
            }
        }
    }
}

#[test]
fn neither_shards_nor_threads_nor_looking_change_a_bit() {
    for description in networks() {
        same_for_any_split::<f32>(&description);
        same_for_any_split::<f64>(&description);
    }
}

/// Run to after each time of the grid and read what a stop shows.
fn agrees_with_stops<T: Real>(description: &Description, settle_after: u64) {
    let base = Engine::<T>::new(description, Some(2)).unwrap();
    let engine = Engine { settle_after, ..base };
    let monitors = all(&engine, description, 9_000);
    let (sample, poll) = (sample(), &mut || Ok(()));
    let mut whole = Simulation::new(engine.clone(), sample.clone(), true).unwrap();
    let courses = values(&whole.run_until_watched(DURATION, &monitors, Some(2), poll).unwrap());
    let mut stopped = Simulation::new(engine, sample, true).unwrap();
    let order = |number: usize| match &monitors.wanted[number] {
        Wanted::V(some) | Wanted::Charge(_, some) | Wanted::Theta(some) => some.as_slice(),
        Wanted::Weight(..) => &[],
    };
    let row = |number: usize, k: usize| {
        let width = monitors.wanted[number].len();
        &courses[number][k * width..(k + 1) * width]
    };
    let (mut n_read, mut changed) = (0, [false; 2]);
    for (k, t) in Grid::within(9_000, 0, DURATION).times().enumerate() {
        stopped.run_until(t + 1, Some(1), poll).unwrap();
        let (state, network) = (stopped.state(), stopped.network());
        for (&i, &v) in order(V).iter().zip(row(V, k)) {
            // Who was brought to this very µs, or is refractory, is where it is.
            if state.potentials.since[i as usize] >= t {
                assert_eq!(v, state.potentials.v[i as usize], "v of {i} at {t}");
                n_read += 1;
            }
        }
        for (kind, number) in [U_EX, U_IN].into_iter().enumerate() {
            for (&i, &u) in order(number).iter().zip(row(number, k)) {
                if state.potentials.charge_since[i as usize] == t {
                    assert_eq!(u, state.potentials.charge[kind][i as usize], "u of {i} at {t}");
                    n_read += 1;
                }
            }
        }
        let theta = network.theta();
        for (&i, value) in order(THETA).iter().zip(row(THETA, k)) {
            assert_eq!(value.to_f64(), theta[i as usize], "theta of {i} at {t}");
        }
        for (source, number) in [(Source::Recurrent, WEIGHT), (Source::Input, INPUT_WEIGHT)] {
            let weight = network.synapses(source).weight;
            assert!(weight == row(number, k), "{source:?} at {t}");
            changed[number - WEIGHT] |= weight != row(number, 0);
        }
    }
    assert!(n_read > 100, "{n_read}");
    assert!(changed[0], "the recurrent weights have not moved");
    let learning_inputs = description.inputs.plasticity.is_some();
    assert_eq!(changed[1], learning_inputs);
}

#[test]
fn what_is_recorded_is_what_a_stop_after_that_microsecond_shows() {
    for description in networks() {
        for settle_after in [1 << 16, 20] {
            agrees_with_stops::<f64>(&description, settle_after);
            agrees_with_stops::<f32>(&description, settle_after);
        }
    }
}

#[test]
fn a_record_in_parts_is_the_whole_one_cut() {
    for description in networks() {
        let engine = Engine::<f32>::new(&description, Some(3)).unwrap();
        let monitors = all(&engine, &description, EVERY);
        let (sample, poll) = (sample(), &mut || Ok(()));
        let mut whole = Simulation::new(engine.clone(), sample.clone(), true).unwrap();
        let courses = values(&whole.run_until_watched(DURATION, &monitors, Some(1), poll).unwrap());
        let mut parts = vec![Vec::new(); courses.len()];
        let mut simulation = Simulation::new(engine, sample, true).unwrap();
        // Before, at and after a time of the grid; none; and what is beyond the end.
        for stop in
            [0, 1, EVERY, EVERY + 1, EVERY + 1, EVERY + 2, 7 * EVERY - 1, DURATION, DURATION]
        {
            let part = simulation.run_until_watched(stop, &monitors, Some(2), poll).unwrap();
            parts.iter_mut().zip(values(&part)).for_each(|(all, part)| all.extend(part));
        }
        assert_eq!(bits(&parts), bits(&courses));
    }
}

#[test]
fn silence_longer_than_any_count_is_recorded_and_can_be_interrupted() {
    let mut description = description(Pairing::AllToAll, 0.0);
    description.neurons.bias.iter_mut().for_each(|bias| *bias = bias.min(-0.5));
    let engine = Engine::<f64>::new(&description, Some(2)).unwrap();
    let everyone: Vec<u32> = (0..N as u32).collect();
    let sample = Sample {
        t: vec![0],
        channel: vec![0],
        duration: 3 * LONGEST_SPAN,
        drive: None,
        injection: None,
    };
    let monitors = Monitors { every: LONGEST_SPAN / 2, wanted: vec![Wanted::V(everyone)] };
    let mut spikes = SpikeList::default();
    let (_, courses) = engine
        .run_watched(&sample.input(), &monitors, &mut spikes, Some(1), &mut || Ok(()))
        .unwrap();
    let v = courses[0].values();
    assert_eq!(v.len(), 6 * N);
    // Nothing is left of the one event, and v_rest is 0.
    assert_eq!(v[5 * N..], description.neurons.bias);
    let many = Monitors { every: 1, ..monitors };
    let (mut polls, short) = (0, Sample { duration: 2_000_000, ..sample });
    let stopped = engine.run_watched(&short.input(), &many, &mut spikes, Some(1), &mut || {
        polls += 1;
        if polls < 6 { Ok(()) } else { Err(Error::Interrupted) }
    });
    assert!(matches!(stopped, Err(Error::Interrupted)) && polls == 6);
}

#[test]
fn what_cannot_be_recorded_is_refused_by_name() {
    let mut description = description(Pairing::AllToAll, 0.0);
    // Two synapses from one channel to one neuron.
    let indptr = [vec![0], vec![3; N_INPUTS]].concat();
    description.inputs = Connections {
        graph: Csr::with_repeats(indptr, vec![4, 5, 5], N).unwrap(),
        weight: vec![1.0; 3],
        delay: vec![0.0, 0.0, 1.0],
        plasticity: None,
    };
    let engine = Engine::<f32>::new(&description, Some(3)).unwrap();
    let message = |every, wanted| {
        let monitors = Monitors { every, wanted: vec![wanted] };
        let (sample, mut spikes) = (sample(), SpikeList::default());
        let refused =
            engine.run_watched(&sample.input(), &monitors, &mut spikes, Some(1), &mut || Ok(()));
        refused.unwrap_err().to_string()
    };
    assert_eq!(message(0, Wanted::V(vec![])), "every must be at least 1 µs; got 0.");
    assert_eq!(
        message(1, Wanted::V(vec![0, N as u32])),
        "record['v'] must be below n_neurons (60); got 60 at index 1."
    );
    assert_eq!(
        message(1, Wanted::Charge(Receptor::Excitatory, vec![3])),
        "record['u_ex'] must be neurons with tau_syn_ex > 0; got 3 at index 0."
    );
    assert_eq!(
        message(1, Wanted::Charge(Receptor::Inhibitory, vec![N as u32])),
        "record['u_in'] must be below n_neurons (60); got 60 at index 0."
    );
    let there = pairs(&engine, Source::Recurrent)[0];
    assert_eq!(
        message(1, Wanted::Weight(Source::Recurrent, vec![there, [5, 5]])),
        "record['weight'] must be pairs (pre, post) with a synapse; got (5, 5) at index 1."
    );
    assert_eq!(
        message(1, Wanted::Weight(Source::Input, vec![[N_INPUTS as u32, 0]])),
        "record['input_weight'] must be pairs (pre, post) with a synapse; got (20, 0) at index 0."
    );
    assert_eq!(
        message(1, Wanted::Weight(Source::Input, vec![[0, 4], [0, 5]])),
        "record['input_weight'] must be pairs (pre, post) with one synapse, not several; \
         got (0, 5) at index 1."
    );
}
