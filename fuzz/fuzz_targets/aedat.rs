//! Any bytes, or packets made of them, as a recording in AEDAT 3.1: whole, in pieces, in a window and by its headers alone.
#![no_main]

use std::io::Cursor;

use hrsnn_core::aedat::{AedatReader, Summary};
use hrsnn_core::camera::SensorEvents;
use hrsnn_core::{Error, Result};
use libfuzzer_sys::fuzz_target;

const HEIGHT: usize = 128;
const WIDTH: usize = 128;

fn open(file: &[u8]) -> Result<AedatReader<Cursor<&[u8]>>> {
    AedatReader::new(Cursor::new(file), "made up", HEIGHT, WIDTH)
}

/// All events of the window, read in pieces of about `piece`, and whether an error ended them.
fn read(
    file: &[u8],
    piece: usize,
    window: Option<(i64, i64)>,
) -> (SensorEvents, Summary, Option<String>) {
    let mut events = SensorEvents::default();
    let mut reader = match open(file) {
        Ok(reader) => reader,
        Err(error) => return (events, Summary::default(), Some(told(&error))),
    };
    if let Some((start, stop)) = window {
        reader.set_window(start, stop);
    }
    loop {
        match reader.read(&mut events, piece) {
            Ok(0) => return (events, reader.summary().clone(), None),
            Ok(_) => {}
            Err(error) => return (events, reader.summary().clone(), Some(told(&error))),
        }
    }
}

fn told(error: &Error) -> String {
    assert!(matches!(error, Error::Format { .. }), "{error}");
    error.to_string()
}

/// A recording of packets that `bytes` describe, in each of which one number may be wrong.
fn recording(mut bytes: &[u8]) -> Vec<u8> {
    let mut file = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#!END-HEADER\r\n".to_vec();
    let mut time = 0_u32;
    while let Some((&[n, kind, field, value @ ..], rest)) = bytes.split_first_chunk::<7>() {
        let n = i32::from(n % 32);
        // Polarity, mostly.
        let kind = if kind < 192 { 1 } else { i32::from(kind % 4) };
        let mut header = [kind, 8, 4, 0, n, n, n];
        if let Some(number) = header.get_mut(field as usize) {
            *number = i32::from_le_bytes(value);
        }
        file.extend(header.map(i32::to_le_bytes).as_flattened());
        let (events, rest) = rest.split_at(rest.len().min(4 * n as usize));
        for &[x, y, bits, wait] in events.as_chunks::<4>().0 {
            time = time.wrapping_add(if wait == 255 { 1 << 30 } else { u32::from(wait) });
            // Seldom invalid, seldom outside the sensor.
            let is_valid = u32::from(bits & 0b111 != 0);
            let place = u32::from(x % 130) << 17 | u32::from(y % 130) << 2;
            let address = place | u32::from(bits >> 7) << 1 | is_valid;
            file.extend([address, time].map(u32::to_le_bytes).as_flattened());
        }
        bytes = rest;
    }
    file
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&[piece, start, length], rest)) = bytes.split_first_chunk::<3>() else { return };
    let file: &[u8] = if start % 4 == 0 { rest } else { &recording(rest) };
    let whole = read(file, 1 << 20, None);
    assert_eq!(whole, read(file, 1 + piece as usize, None), "pieces of {piece}");
    let (events, summary, error) = whole;
    assert!(events.t.is_sorted(), "times go back");
    assert!(events.t.len() <= file.len() / 8, "more than the file has");
    assert!(events.x.iter().all(|&x| usize::from(x) < WIDTH));
    assert!(events.y.iter().all(|&y| usize::from(y) < HEIGHT));
    if error.is_some() {
        return;
    }
    let scanned = open(file).and_then(|mut reader| reader.scan().cloned());
    assert_eq!(scanned.expect("what can be read can be scanned"), summary);
    let start = events.t.first().map_or(0, |first| first + i64::from(start) - 8);
    let window = (start, start + i64::from(length));
    let (found, _, error) = read(file, 1 + piece as usize, Some(window));
    assert_eq!(error, None, "in the window {window:?}");
    let within: Vec<i64> =
        events.t.into_iter().filter(|&t| window.0 <= t && t < window.1).collect();
    assert_eq!(found.t, within, "in the window {window:?}");
});
