//! Any times, channels and durations into a small network, learning or not, on two shards.
#![no_main]

use hrsnn_core::record::SpikeList;
use hrsnn_core::sample::Input;
use hrsnn_fuzz::network;
use libfuzzer_sys::fuzz_target;

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
    let input = Input { t: &t, channel: &channel, duration, drive: None, injection: None };
    let (mut engine, mut spikes) =
        (network(head[8] & 64 == 64).expect("a network"), SpikeList::default());
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
