//! The way of the centre through a recording.
//!
//! Lives here: the instants at which something is known or asked, the centre and the spread at
//! each, and the side to which the centre moves. Not here: the plane of channels.

use super::moments::{Place, Square, Trail, Weighted};
use super::{Mirror, Point, Recording, Settings, Smoothing};

/// The spread is not taken for less than this, in pixels, however few pixels send events.
const LEAST_SPREAD: f64 = 1.0;
/// The centre moves to the other side when it has gone back by more than this share of the spread.
const TURN: f64 = 0.5;

/// Events of one µs; none where the centre is only asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instant {
    pub(super) t: i64,
    pub(super) start: usize,
    pub(super) stop: usize,
}

impl Instant {
    pub(super) fn is_asked(&self) -> bool {
        self.start == self.stop
    }
}

/// Times of events and times that are asked for, both in order; events stand before questions.
pub(super) fn instants(t: &[i64], asked: &[i64]) -> Vec<Instant> {
    let mut instants = Vec::with_capacity(asked.len());
    let mut asked = asked.iter().peekable();
    let mut start = 0;
    while start < t.len() {
        let now = t[start];
        while let Some(&t) = asked.next_if(|&&t| t < now) {
            instants.push(Instant { t, start, stop: start });
        }
        let stop = start + t[start..].iter().take_while(|&&t| t == now).count();
        instants.push(Instant { t: now, start, stop });
        start = stop;
    }
    instants.extend(asked.map(|&t| Instant { t, start, stop: start }));
    instants
}

/// A recording under some settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene<'a> {
    pub(super) settings: &'a Settings,
    pub(super) seen: Recording<'a>,
}

impl Scene<'_> {
    /// Columns and rows of an event from the middle of the sensor: exact, and negated by a mirror.
    pub(super) fn offset(&self, event: usize) -> (f64, f64) {
        let from_middle = |place: u16, n: usize| f64::from(place) - (n as f64 - 1.0) / 2.0;
        (
            from_middle(self.seen.x[event], self.settings.width),
            from_middle(self.seen.y[event], self.settings.height),
        )
    }

    /// Where the events of an instant are.
    fn place(&self, instant: Instant) -> Place {
        let n = (instant.stop - instant.start) as f64;
        let (mut x, mut y) = (0.0, 0.0);
        // Halves below 2^53 in every partial sum: exact, in whatever order.
        for event in instant.start..instant.stop {
            let (column, row) = self.offset(event);
            x += column;
            y += row;
        }
        if n > 0.0 { Place::new(n, x / n, y / n) } else { Place::default() }
    }

    /// How far the events of an instant are from the centre: squares, the mean of both axes.
    fn square(&self, instant: Instant, x: f64, y: f64) -> Square {
        let n = (instant.stop - instant.start) as f64;
        let mut sum = 0.0;
        for event in instant.start..instant.stop {
            let (column, row) = self.offset(event);
            let (column, row) = (column - x, row - y);
            sum += column * column + row * row;
        }
        if n > 0.0 { Square::new(n, sum / (2.0 * n)) } else { Square::default() }
    }

    /// Call `visit` with each instant and what is known of the centre then.
    pub(super) fn follow(&self, instants: &[Instant], mut visit: impl FnMut(Instant, Point)) {
        let settled = self.settings.time_constant;
        let until = match self.settings.mirror {
            Mirror::Never | Mirror::Running => 0,
            Mirror::FirstThird => self.seen.duration / 3,
            Mirror::Whole => self.seen.duration,
        };
        let mut side = Side::default();
        if until > 0 {
            // The side is known at the end, and the points are kept for it: they are half the work.
            let mut points = Vec::with_capacity(instants.len());
            self.each_point(instants, |instant, point| {
                if instant.t < until {
                    side.see(settled, instant.t, point);
                }
                points.push(point);
            });
            for (&instant, mut point) in instants.iter().zip(points) {
                point.is_mirrored = side.is_left;
                visit(instant, point);
            }
            return;
        }
        self.each_point(instants, |instant, mut point| {
            if self.settings.mirror == Mirror::Running {
                side.see(settled, instant.t, point);
            }
            point.is_mirrored = side.is_left;
            visit(instant, point);
        });
    }

    fn each_point(&self, instants: &[Instant], mut visit: impl FnMut(Instant, Point)) {
        if self.settings.smoothing == Smoothing::Centred {
            let tau = Some(self.settings.time_constant);
            let slow = self.settings.spread_constant;
            let places: Vec<Place> = instants.iter().map(|&instant| self.place(instant)).collect();
            let places = both_ways(instants, places, tau);
            let squares = (instants.iter().zip(&places))
                .map(|(&instant, place)| self.square(instant, place.x, place.y))
                .collect();
            let squares = both_ways(instants, squares, slow);
            for ((&instant, &place), &square) in instants.iter().zip(&places).zip(&squares) {
                visit(instant, point(place, square));
            }
            return;
        }
        let mut memory = Memory::default();
        for &instant in instants {
            let now = memory.take_in(self, instant);
            visit(instant, now);
        }
    }
}

/// What of the past a causal centre is made of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Memory {
    pub(super) place: Trail<Place>,
    pub(super) square: Trail<Square>,
}

impl Memory {
    /// Take in the events of the next instant of a scene; what is known then.
    fn take_in(&mut self, scene: &Scene<'_>, instant: Instant) -> Point {
        let Settings { time_constant, spread_constant, .. } = *scene.settings;
        self.place.add(instant.t, scene.place(instant), Some(time_constant));
        let centre = self.place.latest();
        let square = scene.square(instant, centre.x, centre.y);
        self.square.add(instant.t, square, spread_constant);
        point(centre, self.square.latest())
    }

    /// Go on through the next instants of a scene whose earlier ones are known by this and `side` alone.
    pub(super) fn follow(
        &mut self,
        side: &mut Side,
        scene: &Scene<'_>,
        instants: &[Instant],
        mut visit: impl FnMut(Instant, Point),
    ) {
        for &instant in instants {
            let mut now = self.take_in(scene, instant);
            if scene.settings.mirror == Mirror::Running {
                side.see(scene.settings.time_constant, instant.t, now);
            }
            now.is_mirrored = side.is_left;
            visit(instant, now);
        }
    }
}

/// At each instant the sum of what was seen until then and of what will be seen.
fn both_ways<M: Weighted>(instants: &[Instant], mut seen: Vec<M>, tau: Option<f64>) -> Vec<M> {
    let mut later = Trail::default();
    let mut rest = Vec::with_capacity(seen.len());
    for (instant, &now) in instants.iter().zip(&seen).rev() {
        rest.push(later.seen_from(instant.t, tau));
        later.add(instant.t, now, tau);
    }
    let mut earlier = Trail::default();
    for ((instant, now), rest) in instants.iter().zip(&mut seen).zip(rest.into_iter().rev()) {
        earlier.add(instant.t, *now, tau);
        *now = earlier.seen_from(instant.t, tau).with(rest);
    }
    seen
}

fn point(place: Place, square: Square) -> Point {
    let (velocity_x, velocity_y) = place.velocity();
    let spread = square.mean.sqrt();
    Point {
        x: place.x,
        y: place.y,
        velocity_x,
        velocity_y,
        spread: if spread > LEAST_SPREAD { spread } else { LEAST_SPREAD },
        is_mirrored: false,
        is_known: place.weight() > 0.0,
    }
}

/// The side to which the centre moves; to the right until it is known better.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Side {
    /// First µs at which the centre was known.
    pub(super) since: Option<i64>,
    /// The column farthest to the side to which it moves.
    pub(super) farthest: f64,
    pub(super) is_left: bool,
}

impl Side {
    fn see(&mut self, settled: f64, t: i64, point: Point) {
        if !point.is_known {
            return;
        }
        let since = *self.since.get_or_insert(t);
        // The first events are a hand or a foot, and no centre.
        if ((t - since) as f64) < settled {
            self.farthest = point.x;
            return;
        }
        let sign = if self.is_left { -1.0 } else { 1.0 };
        let ahead = sign * (point.x - self.farthest);
        if ahead > 0.0 {
            self.farthest = point.x;
        } else if -ahead > TURN * point.spread {
            self.farthest = point.x;
            self.is_left = !self.is_left;
        }
    }
}
