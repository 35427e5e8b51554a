//! A stream seen from a centre that follows it, piece by piece.
//!
//! Lives here: what is carried from one piece to the next, to be read and put back. Not here: the
//! centre and the plane, which are those of a recording. Invariant: however a stream is cut, what
//! comes out is what [`Tracker::encode`] makes of all of it.

use super::course::{Memory, Scene, Side, instants};
use super::moments::{Place, Square, Trail};
use super::{Encoded, MAX_TIME, Mirror, Plane, Recording, Smoothing, Tracker};
use crate::{Error, Result};

/// All that a [`Follower`] carries along.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Followed {
    /// Time reached; when place and spread were last changed; when the centre was first known, or
    /// -1; 1 where the plane is mirrored. µs.
    pub times: Vec<i64>,
    /// Weight, time, place and products of the centre; weight and square of the spread; the column
    /// farthest to the side.
    pub numbers: Vec<f64>,
    /// For each channel of the plane the first µs at which it is alive.
    pub alive: Vec<i64>,
}

/// Follows a stream of events with a centre; see the module.
#[derive(Clone, Debug)]
pub struct Follower {
    tracker: Tracker,
    memory: Memory,
    side: Side,
    alive: Vec<i64>,
    /// All before it was seen, µs.
    now: i64,
}

impl Follower {
    /// At the beginning of a stream.
    ///
    /// # Errors
    /// If the tracker looks ahead.
    pub fn new(tracker: Tracker) -> Result<Self> {
        let settings = &tracker.settings;
        if settings.smoothing != Smoothing::Causal {
            return Err(Error::parameter("smoothing", "causal in a stream", "centred"));
        }
        if !matches!(settings.mirror, Mirror::Never | Mirror::Running) {
            return Err(Error::parameter("mirror", "never or running in a stream", "a later side"));
        }
        let alive = tracker.all_alive();
        Ok(Self { tracker, memory: Memory::default(), side: Side::default(), alive, now: 0 })
    }

    /// All before it was seen, µs.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// The next piece: all events from where it stands to the piece's `duration`, which is a time of
    /// the stream.
    ///
    /// # Errors
    /// Those of [`Tracker::encode`], or if an event or the end lies before where it stands. Nothing
    /// has changed then.
    pub fn encode(&mut self, seen: Recording<'_>) -> Result<Encoded> {
        self.tracker.check(seen)?;
        let expected = || format!("at least {} µs, where the stream stands", self.now);
        if seen.duration < self.now {
            return Err(Error::parameter("duration", expected(), seen.duration));
        }
        if let Some(&t) = seen.t.first().filter(|&&t| t < self.now) {
            return Err(Error::element("t", expected(), t, "event", 0));
        }
        let asked = self.tracker.reports(self.now, seen.duration)?;
        let settings = &self.tracker.settings;
        let scene = Scene { settings, seen };
        let mut plane = Plane::new(settings, &mut self.alive, seen.t.len());
        let instants = instants(seen.t, &asked);
        self.memory.follow(&mut self.side, &scene, &instants, |instant, point| {
            plane.take_in(&scene, instant, point);
        });
        self.now = seen.duration;
        Ok(plane.encoded)
    }

    /// What is carried along.
    pub fn followed(&self) -> Followed {
        let (place_t, place) = self.memory.place.parts();
        let (square_t, square) = self.memory.square.parts();
        let Side { since, farthest, is_left } = self.side;
        Followed {
            times: vec![self.now, place_t, square_t, since.unwrap_or(-1), i64::from(is_left)],
            numbers: [&place[..], &square, &[farthest]].concat(),
            alive: self.alive.clone(),
        }
    }

    /// The follower that carried `followed` along.
    ///
    /// # Errors
    /// If the tracker looks ahead, or no follower can have carried this.
    pub fn resumed(tracker: Tracker, followed: Followed) -> Result<Self> {
        let mut follower = Self::new(tracker)?;
        let Followed { times, numbers, alive } = followed;
        let &[now, place_t, square_t, since, side] = &times[..] else {
            return Err(Error::length("times", 5, times.len()));
        };
        let &[weight, time, x, y, time_time, time_x, time_y, square_weight, mean, farthest] =
            &numbers[..]
        else {
            return Err(Error::length("numbers", 10, numbers.len()));
        };
        // What is beyond MAX_TIME is refused before it is looked at.
        let latest = now.min(MAX_TIME - 1);
        let ranges = [0..=MAX_TIME - 1, 0..=latest, 0..=latest, -1..=latest, 0..=1];
        for (index, (&t, range)) in times.iter().zip(ranges).enumerate() {
            if !range.contains(&t) {
                let expected = format!("in {range:?}");
                return Err(Error::element("times", expected, t, "place", index));
            }
        }
        for (index, &number) in numbers.iter().enumerate() {
            // Weights, a sum of squares and a mean of squares are never negative.
            let low = if matches!(index, 0 | 4 | 7 | 8) { 0.0 } else { f64::MIN };
            if !(low..=f64::MAX).contains(&number) {
                let expected = format!("finite and at least {low:e}");
                return Err(Error::element("numbers", expected, number, "place", index));
            }
        }
        if alive.len() != follower.alive.len() {
            return Err(Error::length("alive", follower.alive.len(), alive.len()));
        }
        let latest = now + follower.tracker.settings.dead_us;
        if let Some(index) = alive.iter().position(|t| !(0..=latest).contains(t)) {
            let expected = format!("between 0 and {latest} µs");
            return Err(Error::element("alive", expected, alive[index], "channel", index));
        }
        follower.memory = Memory {
            place: Trail::<Place>::of_parts(
                place_t,
                [weight, time, x, y, time_time, time_x, time_y],
            ),
            square: Trail::<Square>::of_parts(square_t, [square_weight, mean]),
        };
        let since = Some(since).filter(|&t| t >= 0);
        follower.side = Side { since, farthest, is_left: side == 1 };
        follower.alive = alive;
        follower.now = now;
        Ok(follower)
    }
}
