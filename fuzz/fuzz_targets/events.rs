//! Any times, channels and durations into a small network, learning or not, on two shards.
#![no_main]

use hrsnn_core::csr::Csr;
use hrsnn_core::engine::Engine;
use hrsnn_core::network::{Connections, Description, NeuronParameters};
use hrsnn_core::record::SpikeList;
use hrsnn_core::sample::Input;
use libfuzzer_sys::fuzz_target;

const N: usize = 4;

fn network() -> Engine<f64> {
    let all = |value: f64| vec![value; N];
    let neurons = NeuronParameters {
        tau_m: all(20.0),
        v_rest: all(0.0),
        v_reset: all(0.0),
        v_threshold: all(10.0),
        t_ref: all(2.0),
        bias: all(0.0),
        tau_syn_ex: all(0.0),
        tau_syn_in: all(0.0),
        theta: all(0.0),
    };
    let connections = |indptr: Vec<u64>, indices: Vec<u32>, delay: f64| {
        let weight = vec![6.0; indices.len()];
        let graph = Csr::new(indptr, indices, N).expect("a graph");
        Connections { graph, weight, delay: vec![delay], plasticity: None }
    };
    let description = Description {
        neurons,
        inputs: connections(vec![0, 2, 4], vec![0, 1, 2, 3], 0.0),
        recurrent: connections(vec![0, 1, 2, 3, 4], vec![1, 2, 3, 0], 1.0),
        adaptation: None,
        incoming: vec![],
    };
    Engine::new(&description, Some(2)).expect("a network")
}

fuzz_target!(|bytes: &[u8]| {
    let Some((head, rest)) = bytes.split_first_chunk::<9>() else { return };
    let duration = i64::from_le_bytes(head[..8].try_into().expect("eight"));
    let (mut t, mut channel, mut now) = (vec![], vec![], 0_i64);
    for event in rest.chunks_exact(5) {
        let step = i32::from_le_bytes(event[..4].try_into().expect("four"));
        // Mostly in order, sometimes not, now and then far away.
        now = if head[8] & 1 == 0 {
            now.wrapping_add(i64::from(step.unsigned_abs()))
        } else {
            now.wrapping_add(i64::from(step) << (head[8] & 31))
        };
        t.push(now);
        channel.push(u32::from(event[4] & 3));
    }
    let input = Input { t: &t, channel: &channel, duration };
    let (mut engine, mut spikes) = (network(), SpikeList::default());
    let mut n_asked = 0_u32;
    // A sample of years would take long for good reasons.
    let mut poll = || {
        n_asked += 1;
        if n_asked > 10_000 { Err(hrsnn_core::Error::Interrupted) } else { Ok(()) }
    };
    if engine.learn(&input, &mut spikes, Some(1), &mut poll).is_ok() {
        assert!(spikes.t.is_sorted(), "spikes out of order");
        assert!(spikes.t.iter().all(|&t| (0..duration).contains(&t)), "a spike beyond the sample");
    }
});
