//! AEDAT 3.1: what is written is read, in any pieces, and nothing wrong is read in silence.

use std::io::Cursor;

use hrsnn_core::aedat::AedatReader;
use hrsnn_core::camera::SensorEvents;
use hrsnn_core::{Error, Result};
use proptest::prelude::*;

const HEAD: &str = "#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 0: DVS128\r\n#!END-HEADER\r\n";

type Event = (i64, u32, u32, u32);

/// A packet's header; the events' bytes are to follow.
fn header(kind: i16, size: i32, overflow: i32, number: usize, valid: usize) -> Vec<u8> {
    let mut bytes = [kind, 0].map(i16::to_le_bytes).as_flattened().to_vec();
    let number = number as i32;
    let rest = [size, 4, overflow, number, number, valid as i32];
    bytes.extend(rest.map(i32::to_le_bytes).as_flattened());
    bytes
}

fn word((t, x, y, p): Event, valid: u32) -> [u8; 8] {
    let data = x << 17 | y << 2 | p << 1 | valid;
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&data.to_le_bytes());
    bytes[4..].copy_from_slice(&((t & 0x7fff_ffff) as u32).to_le_bytes());
    bytes
}

fn packet(events: &[Event]) -> Vec<u8> {
    let overflow = events.first().map_or(0, |event| event.0 >> 31) as i32;
    let mut bytes = header(1, 8, overflow, events.len(), events.len());
    for &event in events {
        bytes.extend(word(event, 1));
    }
    bytes
}

fn file(packets: &[Vec<u8>]) -> Vec<u8> {
    [HEAD.as_bytes(), &packets.concat()].concat()
}

fn made_up(n: usize) -> Vec<Event> {
    (0..n)
        .map(|i| {
            let i = i as u32;
            (i64::from(i) * 7 / 3, i * 31 % 128, i * 17 % 128, i % 5 % 2)
        })
        .collect()
}

fn reader(bytes: &[u8]) -> Result<AedatReader<Cursor<Vec<u8>>>> {
    AedatReader::new(Cursor::new(bytes.to_vec()), "file", 128, 128)
}

fn read(bytes: &[u8], window: Option<(i64, i64)>, piece: usize) -> Result<Vec<Event>> {
    let mut reader = reader(bytes)?;
    if let Some((start, stop)) = window {
        reader.set_window(start, stop);
    }
    let mut events = SensorEvents::default();
    while reader.read(&mut events, piece)? > 0 {}
    let numbers = |values: &[u16]| values.iter().map(|&v| u32::from(v)).collect::<Vec<_>>();
    let columns = (numbers(&events.x), numbers(&events.y));
    Ok((0..events.t.len())
        .map(|i| (events.t[i], columns.0[i], columns.1[i], u32::from(events.p[i])))
        .collect())
}

fn complaint(bytes: &[u8]) -> String {
    match read(bytes, None, usize::MAX) {
        Err(error @ Error::Format { .. }) => error.to_string(),
        other => panic!("expected a complaint about the format; got {other:?}"),
    }
}

#[test]
fn what_is_written_is_read_in_pieces_of_any_size() {
    let events = made_up(30_000);
    let packets: Vec<_> = [&events[..3], &events[3..20_000], &[], &events[20_000..]]
        .iter()
        .map(|part| packet(part))
        .collect();
    let bytes = file(&packets);
    for piece in [1, 8192, 8193, usize::MAX] {
        assert_eq!(read(&bytes, None, piece).unwrap(), events);
    }
    let mut scanned = reader(&bytes).unwrap();
    let summary = scanned.scan().unwrap();
    assert_eq!((summary.n_packets, summary.n_events), (4, 30_000));
    assert_eq!(summary.span, Some((0, events[29_999].0)));
}

#[test]
fn a_window_gives_its_events_and_says_whether_all_were_there() {
    let events = made_up(3000);
    let packets: Vec<_> = events.chunks(100).map(packet).collect();
    let bytes = file(&packets);
    for (start, stop) in [(0, 1), (700, 1400), (699, 5000), (5000, 9000), (7, 7), (9, 3)] {
        let inside: Vec<_> =
            events.iter().copied().filter(|e| (start..stop).contains(&e.0)).collect();
        assert_eq!(read(&bytes, Some((start, stop)), 64).unwrap(), inside, "{start}..{stop}");
        let mut reader = reader(&bytes).unwrap();
        reader.set_window(start, stop);
        while reader.read(&mut SensorEvents::default(), 1000).unwrap() > 0 {}
        assert_eq!(reader.is_past_stop(), stop <= events[2999].0);
    }
}

#[test]
fn times_run_over_and_other_packets_are_passed_over_and_counted() {
    let events = [(5, 0, 0, 1), ((1 << 31) - 1, 1, 1, 0), (1 << 31, 2, 2, 1), (3 << 31, 3, 3, 1)];
    let mut special = header(0, 8, 0, 2, 2);
    special.extend(word((0, 0, 1, 0), 1));
    special.extend(word((0, 9, 2, 1), 1));
    let packets = [special, packet(&events[..2]), packet(&events[2..3]), packet(&events[3..])];
    assert_eq!(read(&file(&packets), None, 10).unwrap(), events);
    let mut imu = header(3, 36, 0, 2, 2);
    imu.extend([7; 72]);
    let davis = "#!AER-DAT3.1\n#Source 1: DAVIS240C\n#!END-HEADER\n";
    let bytes = [davis.as_bytes(), &imu, &packet(&events[..1])].concat();
    let mut reader = reader(&bytes).unwrap();
    let mut found = SensorEvents::default();
    assert_eq!(reader.read(&mut found, 9).unwrap(), 1);
    assert_eq!(reader.summary().others.clone().into_iter().collect::<Vec<_>>(), [(3, 2)]);
    let bytes = file(&[imu]);
    assert!(complaint(&bytes).contains("byte 61: a DVS128 sends no packets of type 3"));
}

#[test]
fn invalid_events_are_left_out_and_counted() {
    let mut bytes = header(1, 8, 0, 3, 2);
    bytes.extend(word((9, 1, 1, 1), 1));
    bytes.extend(word((2, 999, 999, 1), 0));
    bytes.extend(word((9, 2, 2, 0), 1));
    let bytes = file(&[bytes]);
    assert_eq!(read(&bytes, None, 10).unwrap(), [(9, 1, 1, 1), (9, 2, 2, 0)]);
    let mut reader = reader(&bytes).unwrap();
    assert_eq!(reader.scan().unwrap().n_invalid, 1);
}

#[test]
fn complaints_name_the_byte() {
    let good = packet(&made_up(4));
    let first = HEAD.len();
    let changed = |at: usize, value: i32| {
        let mut bytes = file(std::slice::from_ref(&good));
        bytes[first + at..first + at + 4].copy_from_slice(&value.to_le_bytes());
        complaint(&bytes)
    };
    for (at, value, reason) in [
        (0, 0xffff, "type -1 and source 0 must not be negative"),
        (0, 0, "byte 97: no special event has type 35 at time 2"),
        (4, 16, "events of type 1 have 8 bytes; got 16"),
        (8, 0, "times must be at byte 4 of an event; got 0"),
        (12, -1, "a packet cannot have 4 events of 8 bytes, overflow -1"),
        (16, 5, "capacity 5 must be the number of events, 4"),
        (24, 3, "byte 61: the packet promises 3 valid events and has 4"),
        (24, 5, "5 of 4 events cannot be valid"),
        (28, 128 << 17 | 1, "byte 89: event at x 128, y 0, outside a sensor of 128 x 128"),
        (36, 200 << 2 | 1, "byte 97: event at x 0, y 200, outside"),
        (40, -9, "byte 97: an event's time must not be negative; got -9"),
        (48, 1, "byte 105: times must not decrease; got 1 after 2"),
    ] {
        let said = changed(at, value);
        assert!(said.contains(reason), "{said} instead of {reason}");
    }
    let cut = |n: usize| complaint(&file(std::slice::from_ref(&good))[..n]);
    assert!(cut(40).contains("byte 28: the file ends within its header"));
    assert!(cut(first + 9).contains("byte 61: the file is cut: 9 bytes of a packet's header"));
    let said = cut(first + 59);
    assert!(said.contains("a packet of 4 events has 32 bytes, 31 are left"), "{said}");
    let two = [good.clone(), good.clone()];
    assert!(complaint(&file(&two)).contains("byte 149: times must not decrease; got 0 after 7"));
    for (text, reason) in [
        ("#!AER-DAT2.0\r\n", "byte 0: must begin with #!AER-DAT3.1; got \"#!AER-DAT2.0\""),
        ("#!AER-DAT3.1\r\n#Format: PNG\r\n", "byte 14: format must be RAW; got \"PNG\""),
        ("#!AER-DAT3.1\r\nhello\r\n", "byte 14: lines of the header must begin with #"),
        ("", "byte 0: the file ends within its header"),
    ] {
        assert!(complaint(text.as_bytes()).contains(reason), "{text:?}");
    }
    assert!(complaint(&[b'#'; 10_000]).contains("the header has no end"));
}

#[test]
fn a_broken_reader_stays_broken() {
    let mut bytes = file(&[packet(&made_up(9))]);
    bytes.extend([1; 10]);
    let mut reader = reader(&bytes).unwrap();
    let mut events = SensorEvents::default();
    assert_eq!(reader.read(&mut events, 5).unwrap(), 9);
    for _ in 0..2 {
        assert!(reader.read(&mut events, 5).is_err());
    }
}

#[test]
fn one_wrong_time_does_not_end_a_window_or_hide_a_packet() {
    let events = made_up(400);
    let bytes = file(&events.chunks(100).map(packet).collect::<Vec<_>>());
    let at = |event: usize| HEAD.len() + (event / 100 + 1) * 28 + event * 8 + 4;
    let with = |event: usize, time: i32| {
        let mut bytes = bytes.clone();
        bytes[at(event)..at(event) + 4].copy_from_slice(&time.to_le_bytes());
        read(&bytes, Some((300, 600)), 10_000)
    };
    assert_eq!(with(0, 0).unwrap().len(), 129);
    // The last of a packet jumps over the window's end; the last of another falls before its start.
    assert!(with(199, 5000).is_err());
    assert!(with(199, 250).is_err());
}

proptest! {
    #[test]
    fn changed_bytes_are_refused_or_lose_nothing(
        changes in prop::collection::vec((0_usize..1500, any::<u8>()), 1..4),
        cut in prop::option::of(0_usize..1500),
    ) {
        let events = made_up(150);
        let whole = file(&events.chunks(50).map(packet).collect::<Vec<_>>());
        let mut bytes = whole.clone();
        for (place, value) in changes {
            let place = place % bytes.len();
            bytes[place] = value;
        }
        let ends = [0, 1, 2, 3].map(|n| HEAD.len() + n * (28 + 400));
        if let Some(cut) = cut {
            bytes.truncate(cut);
        }
        let found = read(&bytes, None, 64);
        if let Ok(found) = &found {
            // Only a cut between packets cannot be seen: nothing promises the next one.
            let n = ends.iter().position(|&end| end == bytes.len());
            let mut reader = reader(&bytes).unwrap();
            let summary = reader.scan().unwrap();
            let others: u64 = summary.others.values().sum();
            prop_assert_eq!(found.len() as u64, summary.n_events);
            let all = summary.n_events + summary.n_invalid + others;
            prop_assert!(n.is_some_and(|n| all == 50 * n as u64), "{} events", all);
        }
        if let Ok(part) = read(&bytes, Some((100, 200)), 64) && cut.is_none() && found.is_ok() {
            let inside = found.unwrap().iter().filter(|e| (100..200).contains(&e.0)).count();
            prop_assert_eq!(part.len(), inside);
        }
    }
}
