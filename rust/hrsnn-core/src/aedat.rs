//! AEDAT 3.1: files of event cameras, as DVS128 Gesture is shipped.
//!
//! Lives here: header, packets and polarity events, as a stream. Not here: labels and folders.
//! Invariant: the reader holds one buffer, whatever the file promises, and either gives every
//! valid polarity event that the file promises or an error with the byte where it went wrong.
//!
//! The format: lines of text that begin with `#`, the first `#!AER-DAT3.1`, the last
//! `#!END-HEADER`; then packets, little-endian, of 28 bytes of header (`type i16, source i16,
//! size i32, timestamp offset i32, timestamp overflow i32, capacity i32, number i32, valid i32`)
//! and `number` events of `size` bytes. A polarity event is `data u32` (bit 0 valid, bit 1
//! polarity, bits 2-16 y, bits 17-31 x) and `timestamp i32`, which counts µs since the start of
//! the recording or the latest of the `overflow` times that it ran over 2^31.

mod event;
mod header;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use self::event::{
    EVENT, append, first_unknown_special, first_wrong, parts, reserve, words, x_of, y_of,
};
use self::header::{Line, PACKET_HEADER, POLARITY, PacketHeader, SPECIAL};
use crate::camera::SensorEvents;
use crate::{Error, Result};

/// Bytes that are held at a time; a multiple of [`EVENT`].
const BUFFER: usize = 1 << 16;
/// Longest line of a file's header, bytes.
const MAX_LINE: usize = 1 << 12;
/// Longest header of a file, bytes.
const MAX_HEADER: u64 = 1 << 20;

/// What was met in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Packets of all types.
    pub n_packets: u64,
    /// Valid polarity events.
    pub n_events: u64,
    /// Polarity events that the camera's software has marked as invalid.
    pub n_invalid: u64,
    /// Events of other types, by type.
    pub others: BTreeMap<i16, u64>,
    /// Times of the first and last polarity events, µs.
    pub span: Option<(i64, i64)>,
}

/// The packet that is being read.
#[derive(Clone, Copy, Debug)]
struct Packet {
    header: PacketHeader,
    /// Where it begins.
    offset: u64,
    /// Bytes of events still to be read.
    left: u64,
    /// Valid events met so far.
    met: u64,
    /// Whether an event at or after the end of the window was met before it.
    is_after_stop: bool,
}

impl Packet {
    fn is_polarity(&self) -> bool {
        self.header.kind == POLARITY
    }
}

/// Events of a file, piece by piece.
///
/// ```
/// use hrsnn_core::aedat::AedatReader;
/// use hrsnn_core::camera::SensorEvents;
///
/// let mut file = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#!END-HEADER\r\n".to_vec();
/// file.extend([1_i16, 0].map(i16::to_le_bytes).as_flattened());
/// file.extend([8_i32, 4, 0, 1, 1, 1].map(i32::to_le_bytes).as_flattened());
/// file.extend([5_u32 << 17 | 3 << 2 | 0b11, 70].map(u32::to_le_bytes).as_flattened());
///
/// let mut reader = AedatReader::new(std::io::Cursor::new(file), "made up", 128, 128)?;
/// let mut events = SensorEvents::default();
/// assert_eq!(reader.read(&mut events, 1000)?, 1);
/// assert_eq!((events.t[0], events.x[0], events.y[0], events.p[0]), (70, 5, 3, 1));
/// # Ok::<(), hrsnn_core::Error>(())
/// ```
#[derive(Debug)]
pub struct AedatReader<R> {
    source: BufReader<R>,
    name: String,
    length: u64,
    offset: u64,
    height: u32,
    width: u32,
    is_dvs128: bool,
    /// The camera of the first events.
    camera: Option<i16>,
    packet: Option<Packet>,
    /// Time of the latest event.
    time: i64,
    start: i64,
    stop: i64,
    is_past_stop: bool,
    is_confirmed: bool,
    broken: Option<String>,
    buffer: Vec<u8>,
    summary: Summary,
}

impl AedatReader<File> {
    /// Open a file of a sensor of `height` × `width`.
    ///
    /// # Errors
    /// If the file cannot be opened or its header is not that of AEDAT 3.1.
    pub fn open(path: &Path, height: usize, width: usize) -> Result<Self> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|source| Error::Io { path: name.clone(), source })?;
        Self::new(file, &name, height, width)
    }
}

impl<R: Read + Seek> AedatReader<R> {
    /// Read from `source`, which errors call `name`.
    ///
    /// # Errors
    /// If a size is 0 or above 2^15, or the header is not that of AEDAT 3.1.
    pub fn new(mut source: R, name: &str, height: usize, width: usize) -> Result<Self> {
        for (argument, size) in [("height", height), ("width", width)] {
            if size == 0 || size > 1 << 15 {
                return Err(Error::parameter(argument, "in 1..=32768", size));
            }
        }
        let failed = |source| Error::Io { path: name.to_owned(), source };
        let length = source.seek(SeekFrom::End(0)).map_err(failed)?;
        source.rewind().map_err(failed)?;
        let mut reader = Self {
            source: BufReader::with_capacity(BUFFER, source),
            name: name.to_owned(),
            length,
            offset: 0,
            height: height as u32,
            width: width as u32,
            is_dvs128: false,
            camera: None,
            packet: None,
            time: 0,
            start: 0,
            stop: i64::MAX,
            is_past_stop: false,
            is_confirmed: false,
            broken: None,
            buffer: Vec::new(),
            summary: Summary::default(),
        };
        reader.read_header()?;
        Ok(reader)
    }

    /// Give events of `[start, stop)` (µs) only, from now on.
    ///
    /// Packets that end before `start` are passed over by their headers, and reading ends with
    /// the first packet after `stop`.
    pub fn set_window(&mut self, start: i64, stop: i64) {
        (self.start, self.stop) = (start, stop);
    }

    /// Whether an event at or after the window's end was met: all events of the window are there.
    pub fn is_past_stop(&self) -> bool {
        self.is_past_stop
    }

    /// What was met until now.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Append up to about `max_events` events; 0 means that there are no more.
    ///
    /// A piece ends with a buffer, so that it may hold 8191 events more than asked for.
    ///
    /// # Errors
    /// If a packet or an event is not what the format says, the file ends within a packet, an
    /// event lies outside the sensor, or times go back. Events before it were appended, and
    /// every further call gives the same error.
    pub fn read(&mut self, events: &mut SensorEvents, max_events: usize) -> Result<usize> {
        if let Some(reason) = &self.broken {
            return Err(Error::Format { path: self.name.clone(), reason: reason.clone() });
        }
        let result = self.read_packets(events, max_events);
        if let Err(Error::Format { reason, .. }) = &result {
            self.broken = Some(reason.clone());
        }
        result
    }

    fn read_packets(&mut self, events: &mut SensorEvents, max_events: usize) -> Result<usize> {
        let before = events.t.len();
        if (self.start, self.stop) == (0, i64::MAX) {
            // What the file can hold, whatever it promises.
            let most = (self.length - self.offset) / EVENT as u64;
            reserve(events, max_events.min(most as usize));
        }
        while events.t.len() - before < max_events {
            let packet = match self.packet.take() {
                Some(packet) => packet,
                // One wrong time must not end the window: the next packet has to agree.
                None if self.is_confirmed => break,
                None => match self.next_packet()? {
                    Some(packet) if self.ends_before_window(&packet)? => {
                        self.skip(packet.left)?;
                        continue;
                    }
                    Some(packet) => packet,
                    None => break,
                },
            };
            self.packet = self.read_part(packet, events)?;
            self.is_confirmed |=
                self.packet.is_none() && packet.is_polarity() && packet.is_after_stop;
        }
        Ok(events.t.len() - before)
    }

    /// Walk through all that is left by the packets' headers alone.
    ///
    /// # Errors
    /// As [`Self::read`], but for what only the events themselves can tell.
    pub fn scan(&mut self) -> Result<&Summary> {
        while let Some(packet) = self.next_packet()? {
            if packet.is_polarity() && packet.left > 0 {
                let first = self.peek(&packet, 0)?;
                let last = self.peek(&packet, packet.left - EVENT as u64)?;
                for time in [first, last].into_iter().flatten() {
                    self.pass(packet.offset, time)?;
                }
                self.count(&packet);
            }
            self.skip(packet.left)?;
        }
        Ok(&self.summary)
    }

    fn wrong(&self, offset: u64, reason: impl Display) -> Error {
        Error::Format { path: self.name.clone(), reason: format!("byte {offset}: {reason}") }
    }

    /// Refuse what was found wrong at the event of that number, counted from the reader's offset.
    fn refuse_event(&self, found: Option<(usize, String)>) -> Result<()> {
        found.map_or(Ok(()), |(place, reason)| {
            Err(self.wrong(self.offset + (place * EVENT) as u64, reason))
        })
    }

    fn failed(&self, source: io::Error) -> Error {
        if source.kind() == io::ErrorKind::UnexpectedEof {
            return self.wrong(self.offset, "the file became shorter while it was read");
        }
        Error::Io { path: self.name.clone(), source }
    }

    fn skip(&mut self, n_bytes: u64) -> Result<()> {
        // Not above the length of the file, which is below 2^63.
        self.source.seek_relative(n_bytes as i64).map_err(|error| self.failed(error))?;
        self.offset += n_bytes;
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes).map_err(|error| self.failed(error))?;
        self.offset += N as u64;
        Ok(bytes)
    }

    /// Time of the event at byte `place` of the packet, if it is valid; goes back again.
    fn peek(&mut self, packet: &Packet, place: u64) -> Result<Option<i64>> {
        let begin = self.offset;
        self.skip(place)?;
        let (data, time) = parts(self.take()?);
        let back = (self.offset - begin) as i64;
        self.source.seek_relative(-back).map_err(|error| self.failed(error))?;
        self.offset = begin;
        let time = packet.header.overflow << 31 | i64::from(time.cast_signed());
        Ok((data & 1 == 1).then_some(time))
    }

    /// Whether the whole packet may be passed over. Its last two events must agree on that, so
    /// that one wrong time cannot hide the others.
    fn ends_before_window(&mut self, packet: &Packet) -> Result<bool> {
        let is_candidate = self.start > 0 && packet.is_polarity() && packet.header.number > 1;
        if !is_candidate {
            return Ok(false);
        }
        let last = self.peek(packet, packet.left - EVENT as u64)?;
        let before = self.peek(packet, packet.left - 2 * EVENT as u64)?;
        let (Some(before), Some(last)) = (before, last) else { return Ok(false) };
        if before >= self.start || last >= self.start {
            return Ok(false);
        }
        self.pass(packet.offset, before)?;
        self.pass(packet.offset, last)?;
        self.count(packet);
        Ok(true)
    }

    /// Move on to `time`, which an event has.
    fn pass(&mut self, offset: u64, time: i64) -> Result<()> {
        let previous = self.time;
        if time < previous {
            let reason = format!("times must not decrease; got {time} after {previous} µs");
            return Err(self.wrong(offset, reason));
        }
        self.time = time;
        self.summary.span = Some((self.summary.span.map_or(time, |(since, _)| since), time));
        Ok(())
    }

    fn count(&mut self, packet: &Packet) {
        self.summary.n_events += packet.header.valid;
        self.summary.n_invalid += packet.header.number - packet.header.valid;
    }

    fn read_header(&mut self) -> Result<()> {
        let mut is_first = true;
        let mut text = Vec::new();
        loop {
            let begin = self.offset;
            text.clear();
            while text.last() != Some(&b'\n') {
                if self.offset == self.length {
                    return Err(self.wrong(begin, "the file ends within its header"));
                }
                if self.offset >= MAX_HEADER || text.len() >= MAX_LINE {
                    return Err(self.wrong(begin, "the header has no end"));
                }
                text.extend(self.take::<1>()?);
                if text[0] != b'#' {
                    return Err(self.wrong(begin, "lines of the header must begin with #"));
                }
            }
            match header::line(&text, is_first).map_err(|reason| self.wrong(begin, reason))? {
                Line::End => return Ok(()),
                Line::Dvs128 => self.is_dvs128 = true,
                Line::Other => {}
            }
            is_first = false;
        }
    }

    /// The next packet, its header checked against the file; `None` at the end of the file.
    fn next_packet(&mut self) -> Result<Option<Packet>> {
        let offset = self.offset;
        let left = self.length - offset;
        if left == 0 {
            return Ok(None);
        }
        if left < PACKET_HEADER as u64 {
            let reason =
                format!("the file is cut: {left} bytes of a packet's header of {PACKET_HEADER}");
            return Err(self.wrong(offset, reason));
        }
        let header = header::packet(self.take()?, self.is_dvs128)
            .map_err(|reason| self.wrong(offset, reason))?;
        // Both factors are below 2^31.
        let promised = header.number * header.size;
        let left = left - PACKET_HEADER as u64;
        if promised > left {
            let number = header.number;
            let reason = format!(
                "the file is cut: a packet of {number} events has {promised} bytes, {left} are left"
            );
            return Err(self.wrong(offset, reason));
        }
        self.summary.n_packets += 1;
        if header.kind == POLARITY {
            let (source, first) = (header.source, *self.camera.get_or_insert(header.source));
            if source != first {
                let reason = format!("events of two cameras, sources {first} and {source}");
                return Err(self.wrong(offset, reason));
            }
        } else {
            *self.summary.others.entry(header.kind).or_default() += header.number;
        }
        let is_after_stop = self.is_past_stop;
        Ok(Some(Packet { header, offset, left: promised, met: 0, is_after_stop }))
    }

    /// Read a bufferful of the packet; what is left of it, if anything.
    fn read_part(
        &mut self,
        mut packet: Packet,
        events: &mut SensorEvents,
    ) -> Result<Option<Packet>> {
        if !packet.is_polarity() && packet.header.kind != SPECIAL {
            self.skip(packet.left)?;
            return Ok(None);
        }
        let n_bytes = packet.left.min(BUFFER as u64);
        let mut bytes = std::mem::take(&mut self.buffer);
        bytes.resize(n_bytes as usize, 0);
        self.source.read_exact(&mut bytes).map_err(|error| self.failed(error))?;
        if packet.is_polarity() {
            packet.met += self.decode(packet.header.overflow << 31, &bytes, events)?;
        } else {
            self.refuse_event(first_unknown_special(&bytes))?;
        }
        self.buffer = bytes;
        self.offset += n_bytes;
        packet.left -= n_bytes;
        if packet.left > 0 {
            return Ok(Some(packet));
        }
        if packet.is_polarity() {
            let (valid, met) = (packet.header.valid, packet.met);
            if met != valid {
                let reason = format!("the packet promises {valid} valid events and has {met}");
                return Err(self.wrong(packet.offset, reason));
            }
            self.count(&packet);
        }
        Ok(None)
    }

    /// Check and append the events in `bytes`, which begin at the reader's offset; how many of
    /// them are valid. `base` is the time of their latest overflow.
    fn decode(&mut self, base: i64, bytes: &[u8], events: &mut SensorEvents) -> Result<u64> {
        // The latest time as this packet would write it, if it can.
        let latest = (self.time - base).max(0);
        let mut wrong = u32::from(latest >> 31 != 0);
        let mut previous = latest as u32;
        let mut n_valid = 0_u64;
        for (data, time) in words(bytes) {
            let is_valid = data & 1;
            let time = if is_valid == 1 { time } else { previous };
            let is_wrong = u32::from(x_of(data) >= self.width)
                | u32::from(y_of(data) >= self.height)
                | u32::from(time < previous)
                | time >> 31;
            wrong |= is_wrong & is_valid;
            n_valid += u64::from(is_valid);
            previous = time;
        }
        let valid = words(bytes).filter(|(data, _)| data & 1 == 1);
        let Some((_, first)) = valid.clone().next() else { return Ok(0) };
        if wrong != 0 {
            let found = first_wrong(bytes, base, self.time, self.height, self.width);
            return self.refuse_event(found).map(|()| 0);
        }
        self.pass(self.offset, base | i64::from(first))?;
        self.pass(self.offset, base | i64::from(previous))?;
        self.is_past_stop |= self.time >= self.stop;
        let window = self.start..self.stop;
        if n_valid as usize == bytes.len() / EVENT {
            let (all, _) = bytes.as_chunks::<EVENT>();
            let place = |limit: i64| {
                all.partition_point(|event| (base | i64::from(parts(*event).1)) < limit)
            };
            let part = &all[place(window.start)..place(window.end).max(place(window.start))];
            append(base, part.iter().copied().map(parts), events);
        } else {
            let inside = valid.filter(|(_, time)| window.contains(&(base | i64::from(*time))));
            append(base, inside, events);
        }
        Ok(n_valid)
    }
}
