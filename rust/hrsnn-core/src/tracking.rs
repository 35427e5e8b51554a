//! Events seen from a centre that follows them: place, size and side of what moves taken away.
//!
//! Lives here: the running centre, its velocity, the running spread, the side to which it moves,
//! and the plane of channels around it with its dead time. Not here: sensors and files.
//! Invariant: with [`Smoothing::Causal`] nothing at a time depends on a later event, unless
//! [`Mirror`] says so; and the order of events within one µs changes no bit of the track.

mod course;
mod follower;
mod moments;
#[cfg(test)]
mod tests;

use course::{Instant, Scene, instants};
pub use follower::{Followed, Follower};

use crate::{Error, Result};

/// Times and durations are below this (µs), so that sums of two stay within `i64`.
const MAX_TIME: i64 = 1 << 62;
/// Time from one report of the track to the next, µs.
pub const TRACK_STEP: i64 = 20_000;
/// Most reports of the track in one recording: what would fill the memory is refused.
const MAX_STEPS: i64 = 1 << 24;
/// Velocities in spreads per s from minus this to this have levels of their own.
const FASTEST: f64 = 10.0;
/// Largest number of levels of a quantity of the track.
const MAX_LEVELS: usize = 1 << 12;
/// Largest side of the plane.
const MAX_SIZE: usize = 1 << 12;

/// Which events the centre and the spread of a moment are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Smoothing {
    /// Those up to the moment.
    Causal,
    /// All, earlier and later ones alike.
    Centred,
}

/// What decides whether the plane is mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mirror {
    /// Nothing: it never is.
    Never,
    /// Each moment for itself: the way so far.
    Running,
    /// The way in the first third of the duration, for all of the recording.
    FirstThird,
    /// The way in all of the recording, for all of it.
    Whole,
}

/// How much of the sensor the plane shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum View {
    /// So many times the running spread.
    Zoom(f64),
    /// So many pixels.
    Extent(f64),
}

/// Parameters of a [`Tracker`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Rows of the sensor.
    pub height: usize,
    /// Columns of the sensor.
    pub width: usize,
    /// Rows and columns of the plane.
    pub size: usize,
    /// 2: ON and OFF have channels of their own; 1: they share them.
    pub polarities: usize,
    /// In which an event's weight in the centre falls by e, µs.
    pub time_constant: f64,
    /// The same for the spread, µs; `None`: never.
    pub spread_constant: Option<f64>,
    /// Which events count.
    pub smoothing: Smoothing,
    /// Size of what the plane shows.
    pub view: View,
    /// Time after a kept event in which its channel drops others, µs.
    pub dead_us: i64,
    /// When the plane is mirrored.
    pub mirror: Mirror,
    /// Channels of each of the track's four quantities; 0: the track is not sent.
    pub track_levels: usize,
}

/// Events of a sensor, sorted by time.
#[derive(Clone, Copy, Debug)]
pub struct Recording<'a> {
    /// Times, µs.
    pub t: &'a [i64],
    /// Columns.
    pub x: &'a [u16],
    /// Rows.
    pub y: &'a [u16],
    /// Polarities: 0 OFF, 1 ON.
    pub p: &'a [u8],
    /// Length, µs.
    pub duration: i64,
}

/// What is known of the centre at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Columns from the middle of the sensor.
    pub x: f64,
    /// Rows from the middle of the sensor.
    pub y: f64,
    /// Pixels per s.
    pub velocity_x: f64,
    /// Pixels per s.
    pub velocity_y: f64,
    /// Root of the mean squared distance from the centre along one axis, at least 1 pixel.
    pub spread: f64,
    /// Whether the plane is mirrored.
    pub is_mirrored: bool,
    /// Whether there was an event to know it from.
    pub is_known: bool,
}

/// Events of the plane, and what became of the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Encoded {
    /// Times, µs.
    pub t: Vec<i64>,
    /// Channels: (polarity * size + row) * size + column, then those of the track.
    pub channel: Vec<u32>,
    /// Events beside the plane.
    pub n_outside: usize,
    /// Events within the dead time of their channel.
    pub n_dead: usize,
    /// Events that came while the plane was mirrored.
    pub n_mirrored: usize,
    /// Events of the track: they are added, and in no other number.
    pub n_track: usize,
    /// Least and largest number of the sensor's pixels along one pixel of the plane.
    pub scale: Option<(f64, f64)>,
}

/// Follows events with a centre; see the module.
///
/// ```
/// use hrsnn_core::tracking::{Mirror, Recording, Settings, Smoothing, Tracker, View};
///
/// let tracker = Tracker::new(Settings {
///     height: 8,
///     width: 8,
///     size: 4,
///     polarities: 1,
///     time_constant: 1e5,
///     spread_constant: None,
///     smoothing: Smoothing::Causal,
///     view: View::Extent(4.0),
///     dead_us: 0,
///     mirror: Mirror::Never,
///     track_levels: 0,
/// })?;
/// let seen = Recording { t: &[0, 9], x: &[7, 7], y: &[0, 0], p: &[1, 1], duration: 10 };
/// assert_eq!(tracker.encode(seen)?.channel, [10, 10]);
/// # Ok::<(), hrsnn_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tracker {
    settings: Settings,
}

impl Tracker {
    /// Check the settings.
    ///
    /// # Errors
    /// If one of them is outside its range; the message names it.
    pub fn new(settings: Settings) -> Result<Self> {
        let side = usize::from(u16::MAX);
        for (name, value, least, most) in [
            ("height", settings.height, 1, side),
            ("width", settings.width, 1, side),
            ("size", settings.size, 1, MAX_SIZE),
            ("polarities", settings.polarities, 1, 2),
            ("track_levels", settings.track_levels, 0, MAX_LEVELS),
        ] {
            if !(least..=most).contains(&value) {
                return Err(Error::parameter(name, format!("in {least}..={most}"), value));
            }
        }
        let (name, view) = match settings.view {
            View::Zoom(zoom) => ("zoom", zoom),
            View::Extent(extent) => ("extent", extent),
        };
        for (name, value) in [
            ("time_constant", settings.time_constant),
            ("spread_constant", settings.spread_constant.unwrap_or(1.0)),
            (name, view),
        ] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(Error::parameter(name, "finite and greater than 0", value));
            }
        }
        if !(0..MAX_TIME).contains(&settings.dead_us) {
            return Err(Error::parameter("dead_time", "in [0, 2^62) µs", settings.dead_us));
        }
        Ok(Self { settings })
    }

    /// The centre at each of `at` (µs, not decreasing).
    ///
    /// # Errors
    /// If the recording is refused, as in [`Tracker::encode`], or a time of `at` is negative or
    /// smaller than the one before.
    pub fn track(&self, seen: Recording<'_>, at: &[i64]) -> Result<Vec<Point>> {
        self.check(seen)?;
        check_times("at", at, MAX_TIME)?;
        let mut points = Vec::with_capacity(at.len());
        let scene = Scene { settings: &self.settings, seen };
        scene.follow(&instants(seen.t, at), |instant, point| {
            if instant.is_asked() {
                points.push(point);
            }
        });
        Ok(points)
    }

    /// The events as seen from the centre.
    ///
    /// # Errors
    /// If the columns differ in length, a time is negative, decreases or is not before the end, a
    /// pixel lies outside the sensor, a polarity is not 0 or 1, or the track is to be sent and the
    /// recording lasts longer than 2^24 of its steps.
    pub fn encode(&self, seen: Recording<'_>) -> Result<Encoded> {
        self.check(seen)?;
        let asked = self.reports(0, seen.duration)?;
        let scene = Scene { settings: &self.settings, seen };
        let mut alive = self.all_alive();
        let mut plane = Plane::new(&self.settings, &mut alive, seen.t.len());
        scene.follow(&instants(seen.t, &asked), |instant, point| {
            plane.take_in(&scene, instant, point);
        });
        Ok(plane.encoded)
    }

    /// Times in `[from, until)` at which the track is sent.
    fn reports(&self, from: i64, until: i64) -> Result<Vec<i64>> {
        if self.settings.track_levels == 0 {
            return Ok(Vec::new());
        }
        if (until - from) / TRACK_STEP > MAX_STEPS {
            let expected = format!("at most {} µs where the track is sent", MAX_STEPS * TRACK_STEP);
            return Err(Error::parameter("duration", expected, until - from));
        }
        let steps_before = |t: i64| (t + TRACK_STEP - 1) / TRACK_STEP;
        let steps = steps_before(from.max(1))..steps_before(until);
        Ok(steps.map(|step| step * TRACK_STEP).collect())
    }

    /// For each channel of the plane the first µs at which it is alive.
    fn all_alive(&self) -> Vec<i64> {
        vec![0; self.settings.polarities * self.settings.size * self.settings.size]
    }

    fn check(&self, seen: Recording<'_>) -> Result<()> {
        let n = seen.t.len();
        for (name, length) in [("x", seen.x.len()), ("y", seen.y.len()), ("p", seen.p.len())] {
            if length != n {
                return Err(Error::length(name, n, length));
            }
        }
        if !(0..MAX_TIME).contains(&seen.duration) {
            return Err(Error::parameter("duration", "in [0, 2^62) µs", seen.duration));
        }
        check_times("t", seen.t, seen.duration)?;
        let Settings { width, height, .. } = self.settings;
        for (name, places, size) in [("x", seen.x, width), ("y", seen.y, height)] {
            if let Some(index) = places.iter().position(|&place| usize::from(place) >= size) {
                let expected = format!("below {size}");
                return Err(Error::element(name, expected, places[index], "event", index));
            }
        }
        match seen.p.iter().position(|&p| p > 1) {
            Some(index) => Err(Error::element("p", "0 or 1", seen.p[index], "event", index)),
            None => Ok(()),
        }
    }
}

fn check_times(name: &str, t: &[i64], end: i64) -> Result<()> {
    let mut previous = 0;
    for (index, &time) in t.iter().enumerate() {
        if !(0..end).contains(&time) {
            return Err(Error::element(name, format!("in [0, {end}) µs"), time, "event", index));
        }
        if time < previous {
            return Err(Error::NotSorted { name: name.into(), index, previous, value: time });
        }
        previous = time;
    }
    Ok(())
}

/// The channels around the centre.
struct Plane<'a> {
    settings: &'a Settings,
    /// First µs at which a channel is alive again.
    alive: &'a mut [i64],
    /// Pixels of the plane per column of the sensor, negative in a mirror, and per row.
    per_column: f64,
    per_row: f64,
    encoded: Encoded,
}

impl<'a> Plane<'a> {
    fn new(settings: &'a Settings, alive: &'a mut [i64], n_events: usize) -> Self {
        let encoded = Encoded {
            t: Vec::with_capacity(n_events),
            channel: Vec::with_capacity(n_events),
            ..Encoded::default()
        };
        Self { settings, alive, per_column: 0.0, per_row: 0.0, encoded }
    }

    /// Be moved to a point, and see the events of that instant, or report it.
    fn take_in(&mut self, scene: &Scene<'_>, instant: Instant, point: Point) {
        if instant.is_asked() {
            self.send_track(instant.t, point);
            return;
        }
        self.look(point, instant.stop - instant.start);
        for event in instant.start..instant.stop {
            self.see(instant.t, scene.offset(event), scene.seen.p[event], point);
        }
    }

    /// Be moved to a point at which `n` events came.
    fn look(&mut self, point: Point, n: usize) {
        let extent = match self.settings.view {
            View::Zoom(zoom) => zoom * point.spread,
            View::Extent(extent) => extent,
        };
        let size = self.settings.size as f64;
        self.per_row = size / extent;
        self.per_column = if point.is_mirrored { -self.per_row } else { self.per_row };
        let shown = extent / size;
        let scale = &mut self.encoded.scale;
        let (least, most) = *scale.get_or_insert((shown, shown));
        *scale = Some((
            if shown < least { shown } else { least },
            if shown > most { shown } else { most },
        ));
        if point.is_mirrored {
            self.encoded.n_mirrored += n;
        }
    }

    /// One event, `offset` from the middle of the sensor.
    fn see(&mut self, t: i64, offset: (f64, f64), polarity: u8, point: Point) {
        let Settings { size, polarities, dead_us, .. } = *self.settings;
        let half = size as f64 / 2.0;
        let column = (offset.0 - point.x) * self.per_column + half;
        let row = (offset.1 - point.y) * self.per_row + half;
        let inside = 0.0..size as f64;
        if !(inside.contains(&column) && inside.contains(&row)) {
            self.encoded.n_outside += 1;
            return;
        }
        let polarity = if polarities == 2 { usize::from(polarity) } else { 0 };
        let channel = (polarity * size + row as usize) * size + column as usize;
        if t < self.alive[channel] {
            self.encoded.n_dead += 1;
            return;
        }
        self.alive[channel] = t + dead_us;
        self.encoded.t.push(t);
        self.encoded.channel.push(channel as u32);
    }

    /// One event for each quantity of the track, in the channel of its level.
    fn send_track(&mut self, t: i64, point: Point) {
        if !point.is_known {
            return;
        }
        let Settings { height, width, track_levels, .. } = *self.settings;
        let side = if point.is_mirrored { -1.0 } else { 1.0 };
        let range = 2.0 * FASTEST * point.spread;
        let shares = [
            side * point.x / width as f64,
            point.y / height as f64,
            side * point.velocity_x / range,
            point.velocity_y / range,
        ];
        for (quantity, share) in shares.into_iter().enumerate() {
            // The cast gives 0 for what is below.
            let level = (((share + 0.5) * track_levels as f64) as usize).min(track_levels - 1);
            self.encoded.t.push(t);
            let channel = self.alive.len() + quantity * track_levels + level;
            self.encoded.channel.push(channel as u32);
            self.encoded.n_track += 1;
        }
    }
}
