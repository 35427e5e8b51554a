//! Events of eight bytes: their fields, and what is wrong with them.

use crate::camera::SensorEvents;

/// Bytes of an event.
pub(super) const EVENT: usize = 8;
/// Special events have types below this; no library that writes the format has more.
const N_SPECIAL: u32 = 32;

/// Data and time of an event.
pub(super) fn parts([a, b, c, d, e, f, g, h]: [u8; EVENT]) -> (u32, u32) {
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

/// Data and time of each event in `bytes`.
pub(super) fn words(bytes: &[u8]) -> impl Iterator<Item = (u32, u32)> + Clone {
    bytes.as_chunks::<EVENT>().0.iter().copied().map(parts)
}

pub(super) fn x_of(data: u32) -> u32 {
    data >> 17
}

pub(super) fn y_of(data: u32) -> u32 {
    data >> 2 & 0x7fff
}

/// Make room for `n` more events.
pub(super) fn reserve(events: &mut SensorEvents, n: usize) {
    events.t.reserve(n);
    events.x.reserve(n);
    events.y.reserve(n);
    events.p.reserve(n);
}

/// Append events that were checked; `base` is the time of their latest overflow, µs.
pub(super) fn append(
    base: i64,
    words: impl Iterator<Item = (u32, u32)> + Clone,
    events: &mut SensorEvents,
) {
    events.t.extend(words.clone().map(|(_, time)| base | i64::from(time)));
    events.x.extend(words.clone().map(|(data, _)| x_of(data) as u16));
    events.y.extend(words.clone().map(|(data, _)| y_of(data) as u16));
    events.p.extend(words.map(|(data, _)| (data >> 1 & 1) as u8));
}

/// Number of the first valid event in `bytes` that is wrong, and why; `previous` is the time of
/// the event before them, µs.
pub(super) fn first_wrong(
    bytes: &[u8],
    base: i64,
    mut previous: i64,
    height: u32,
    width: u32,
) -> Option<(usize, String)> {
    for (place, (data, time)) in words(bytes).enumerate().filter(|(_, (data, _))| data & 1 == 1) {
        let (x, y, time) = (x_of(data), y_of(data), time.cast_signed());
        if x >= width || y >= height {
            let reason = format!("event at x {x}, y {y}, outside a sensor of {height} x {width}");
            return Some((place, reason));
        }
        if time < 0 {
            return Some((place, format!("an event's time must not be negative; got {time}")));
        }
        let time = base | i64::from(time);
        if time < previous {
            let reason = format!("times must not decrease; got {time} after {previous} µs");
            return Some((place, reason));
        }
        previous = time;
    }
    None
}

/// Number of the first event in `bytes` that no camera sends as a special one, and why.
///
/// A packet that calls itself special by mistake would hide its events.
pub(super) fn first_unknown_special(bytes: &[u8]) -> Option<(usize, String)> {
    words(bytes).enumerate().find_map(|(place, (data, time))| {
        let (code, time) = (data >> 1 & 0x7f, time.cast_signed());
        let reason = || format!("no special event has type {code} at time {time}");
        (code >= N_SPECIAL || time < 0).then(|| (place, reason()))
    })
}
