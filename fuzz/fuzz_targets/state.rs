//! The state of a stopped sample with any numbers in it: refused, or gone on with.
#![no_main]

use hrsnn_core::Error;
use hrsnn_core::engine::{Sample, Simulation, State};
use hrsnn_fuzz::{N_INPUTS, network};
use libfuzzer_sys::fuzz_target;

const DURATION: i64 = 60_000;

fn sample() -> Sample {
    let t: Vec<i64> = (0..60).map(|k| 997 * k).collect();
    let channel = (0..60).map(|k| k % N_INPUTS as u32).collect();
    Sample { t, channel, duration: DURATION, drive: None, injection: None }
}

/// Replace element `place`, or make the array longer or shorter where there is none.
fn put<X: Copy>(array: &mut Vec<X>, place: u8, value: X) {
    match (place, array.len()) {
        (254, _) => array.push(value),
        (255, _) => drop(array.pop()),
        (_, 0) => {}
        (place, n) => array[place as usize % n] = value,
    }
}

fn change(state: &mut State<f64>, [field, place, value @ ..]: [u8; 10]) {
    let bits = u64::from_le_bytes(value);
    let (whole, real) = (bits as i64, f64::from_bits(bits));
    match field % 19 {
        0 => state.t = whole,
        1 => state.is_over = !state.is_over,
        2 => state.settled = whole,
        3 => state.unsettled = bits,
        4 => state.counters.weight_updates = bits,
        5 => state.counters.synaptic_events = bits,
        6 => put(&mut state.potentials.v, place, real),
        7 => put(&mut state.potentials.since, place, whole),
        8 => put(&mut state.potentials.charge[0], place, real),
        9 => put(&mut state.potentials.charge[1], place, real),
        10 => put(&mut state.potentials.charge_since, place, whole),
        11 => put(&mut state.potentials.crossing, place, whole),
        12 => put(&mut state.traces[0].x, place, real),
        13 => put(&mut state.traces[0].y, place, real),
        14 => put(&mut state.traces[1].x, place, real),
        15 => put(&mut state.traces[1].y, place, real),
        16 => put(&mut state.spikes.t, place, whole),
        17 => put(&mut state.spikes.neuron, place, bits as u32),
        _ => state.n_drawn = bits,
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&[kind, stop], changes)) = bytes.split_first_chunk::<2>() else { return };
    let (currents, learns) = (kind & 1 == 1, kind & 2 == 2);
    let mut always = || Ok(());
    let mut simulation =
        Simulation::new(network(currents).expect("a network"), sample(), learns).expect("a sample");
    let stop = DURATION * i64::from(stop) / 255;
    simulation.run_until(stop, Some(1), &mut always).expect("up to there");
    let (before, mut state) = (simulation.state(), simulation.state());
    for change_of in changes.as_chunks::<10>().0 {
        change(&mut state, *change_of);
    }
    let unchanged = state == before;
    match Simulation::resumed(simulation.unsettled_network(), sample(), learns, state, &mut always)
    {
        Ok(mut again) => {
            again.run_until(DURATION, Some(1), &mut always).expect("to the end");
            assert!(
                again.spikes().t.iter().all(|t| (0..DURATION).contains(t)),
                "beyond the sample"
            );
            if unchanged {
                simulation.run_until(DURATION, Some(1), &mut always).expect("to the end");
                assert_eq!(again.spikes(), simulation.spikes());
                assert_eq!(again.state(), simulation.state());
            }
        }
        Err(Error::InvalidParameter { .. } | Error::ShapeMismatch { .. }) if !unchanged => {}
        Err(error) => panic!("{error}"),
    }
});
