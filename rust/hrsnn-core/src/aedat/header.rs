//! Headers: the text at the start of a file, and the 28 bytes before each packet.

/// Bytes of a packet's header.
pub(super) const PACKET_HEADER: usize = 28;
/// Type of packets of special events, such as resets of the clock.
pub(super) const SPECIAL: i16 = 0;
/// Type of packets of polarity events.
pub(super) const POLARITY: i16 = 1;
/// Bytes of an event, for the types of libcaer whose events have one size.
const SIZES: [(i16, i64); 9] =
    [(SPECIAL, 8), (POLARITY, 8), (3, 36), (4, 48), (5, 8), (6, 8), (7, 10), (12, 8), (13, 76)];

/// What a line of the file's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// The header ends.
    End,
    /// The camera is a DVS128, which sends nothing but special and polarity events.
    Dvs128,
    /// Nothing that matters here.
    Other,
}

/// Read a line of the header without its end; `Err` says what is wrong with it.
pub(super) fn line(text: &[u8], is_first: bool) -> Result<Line, String> {
    let Ok(text) = std::str::from_utf8(text) else {
        return Err("the header must be text".into());
    };
    let text = text.trim_end_matches(['\r', '\n']);
    if is_first {
        let shown: String = text.chars().take(20).collect();
        let is_known = text == "#!AER-DAT3.1";
        let wrong = || format!("must begin with #!AER-DAT3.1; got {shown:?}");
        return is_known.then_some(Line::Other).ok_or_else(wrong);
    }
    match text.strip_prefix("#Format: ") {
        Some("RAW") => Ok(Line::Other),
        Some(format) => Err(format!("format must be RAW; got {format:?}")),
        None if text == "#!END-HEADER" => Ok(Line::End),
        None if text.starts_with("#Source") && text.ends_with(": DVS128") => Ok(Line::Dvs128),
        None => Ok(Line::Other),
    }
}

/// What a packet's header says, in the order of the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct PacketHeader {
    pub(super) kind: i16,
    pub(super) source: i16,
    pub(super) size: u64,
    pub(super) overflow: i64,
    pub(super) number: u64,
    pub(super) valid: u64,
}

/// Read a packet's header; `Err` says what is wrong with it.
pub(super) fn packet(bytes: [u8; PACKET_HEADER], is_dvs128: bool) -> Result<PacketHeader, String> {
    let short = |at: usize| i16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let long = |at: usize| {
        let word = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        i64::from(i32::from_le_bytes(word))
    };
    let (kind, source) = (short(0), short(2));
    let (size, time_at, overflow) = (long(4), long(8), long(12));
    let (capacity, number, valid) = (long(16), long(20), long(24));
    if kind < 0 || source < 0 {
        return Err(format!("type {kind} and source {source} must not be negative"));
    }
    if is_dvs128 && kind > POLARITY {
        return Err(format!("a DVS128 sends no packets of type {kind}"));
    }
    let known = SIZES.iter().find(|(known, _)| *known == kind);
    if let Some((_, known)) = known
        && size != *known
    {
        return Err(format!("events of type {kind} have {known} bytes; got {size}"));
    }
    if size < 1 || number < 0 || overflow < 0 {
        let what = format!("{number} events of {size} bytes, overflow {overflow}");
        return Err(format!("a packet cannot have {what}"));
    }
    if (kind == POLARITY || kind == SPECIAL) && time_at != 4 {
        return Err(format!("times must be at byte 4 of an event; got {time_at}"));
    }
    if capacity != number {
        return Err(format!("capacity {capacity} must be the number of events, {number}"));
    }
    if !(0..=number).contains(&valid) {
        return Err(format!("{valid} of {number} events cannot be valid"));
    }
    let (size, number, valid) = (size as u64, number as u64, valid as u64);
    Ok(PacketHeader { kind, source, size, overflow, number, valid })
}
