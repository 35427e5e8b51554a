//! Weighted means that run along with events.
//!
//! Lives here: weights that decay with the distance in time, mean place and velocity, and how two
//! means become one. Not here: which events are looked at. Invariant: places enter only through
//! sums and differences, so that a scene seen in a mirror gives the negated numbers, bit by bit.

use crate::real::Real;

/// Less than this is not left of a weight, so that what is known is never forgotten.
const LEAST: f64 = 1e-200;

/// What has a weight and can be put together.
pub(super) trait Weighted: Copy + Default {
    /// Sum of the weights.
    fn weight(&self) -> f64;
    /// The same from `us` µs later (earlier if negative), where the share `keep` of the weight is left.
    fn seen_from(self, us: i64, keep: f64) -> Self;
    /// Both as one, where neither weighs nothing.
    fn joined(self, other: Self) -> Self;

    /// Both as one.
    fn with(self, other: Self) -> Self {
        if other.weight() == 0.0 {
            self
        } else if self.weight() == 0.0 {
            other
        } else {
            self.joined(other)
        }
    }
}

/// A weighted sum as it was at its latest event: nothing is rounded while nothing happens.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trail<M> {
    t: i64,
    sum: M,
}

impl<M: Weighted> Trail<M> {
    /// The sum as it was, which is that of today but for its weight.
    pub(super) fn latest(&self) -> M {
        self.sum
    }

    /// The sum from `t`, later or earlier; `tau` in µs, `None`: weights do not decay.
    pub(super) fn seen_from(&self, t: i64, tau: Option<f64>) -> M {
        let us = t - self.t;
        let keep = tau.map_or(1.0, |tau| {
            let left = Real::exp(-(us.abs() as f64) / tau);
            if left > LEAST { left } else { LEAST }
        });
        self.sum.seen_from(us, keep)
    }

    /// Take in what was seen at `t`; nothing changes if it weighs nothing.
    pub(super) fn add(&mut self, t: i64, seen: M, tau: Option<f64>) {
        if seen.weight() > 0.0 {
            *self = Self { t, sum: self.seen_from(t, tau).with(seen) };
        }
    }
}

impl Trail<Place> {
    /// All of it: the time, and the numbers of [`Place`] in their order.
    pub(super) fn parts(&self) -> (i64, [f64; 7]) {
        let Place { weight, time, x, y, time_time, time_x, time_y } = self.sum;
        (self.t, [weight, time, x, y, time_time, time_x, time_y])
    }

    /// What had these [`Trail::parts`].
    pub(super) fn of_parts(
        t: i64,
        [weight, time, x, y, time_time, time_x, time_y]: [f64; 7],
    ) -> Self {
        Self { t, sum: Place { weight, time, x, y, time_time, time_x, time_y } }
    }
}

impl Trail<Square> {
    /// All of it: the time, the weight and the mean.
    pub(super) fn parts(&self) -> (i64, [f64; 2]) {
        (self.t, [self.sum.weight, self.sum.mean])
    }

    /// What had these [`Trail::parts`].
    pub(super) fn of_parts(t: i64, [weight, mean]: [f64; 2]) -> Self {
        Self { t, sum: Square { weight, mean } }
    }
}

/// Weighted events as seen from one moment: mean place and time, and the sums of products of
/// deviations that a straight line through them needs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    weight: f64,
    /// s after the moment.
    time: f64,
    pub(super) x: f64,
    pub(super) y: f64,
    time_time: f64,
    time_x: f64,
    time_y: f64,
}

impl Place {
    /// `n` events of this very moment around (`x`, `y`).
    pub(super) fn new(n: f64, x: f64, y: f64) -> Self {
        Self { weight: n, x, y, ..Self::default() }
    }

    /// Slope of the straight line through the events, in pixels per s; 0 at a single time.
    pub(super) fn velocity(&self) -> (f64, f64) {
        if self.time_time > 0.0 {
            (self.time_x / self.time_time, self.time_y / self.time_time)
        } else {
            (0.0, 0.0)
        }
    }
}

impl Weighted for Place {
    fn weight(&self) -> f64 {
        self.weight
    }

    fn seen_from(self, us: i64, keep: f64) -> Self {
        Self {
            weight: self.weight * keep,
            time: self.time - us as f64 * 1e-6,
            time_time: self.time_time * keep,
            time_x: self.time_x * keep,
            time_y: self.time_y * keep,
            ..self
        }
    }

    fn joined(self, other: Self) -> Self {
        let weight = self.weight + other.weight;
        let share = other.weight / weight;
        let common = self.weight * share;
        let (time, x, y) = (other.time - self.time, other.x - self.x, other.y - self.y);
        Self {
            weight,
            time: self.time + time * share,
            x: self.x + x * share,
            y: self.y + y * share,
            time_time: self.time_time + other.time_time + common * time * time,
            time_x: self.time_x + other.time_x + common * time * x,
            time_y: self.time_y + other.time_y + common * time * y,
        }
    }
}

/// Weighted mean of squared distances.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Square {
    weight: f64,
    pub(super) mean: f64,
}

impl Square {
    /// `n` of them.
    pub(super) fn new(n: f64, mean: f64) -> Self {
        Self { weight: n, mean }
    }
}

impl Weighted for Square {
    fn weight(&self) -> f64 {
        self.weight
    }

    fn seen_from(self, _us: i64, keep: f64) -> Self {
        Self { weight: self.weight * keep, ..self }
    }

    fn joined(self, other: Self) -> Self {
        let weight = self.weight + other.weight;
        Self { weight, mean: self.mean + (other.mean - self.mean) * (other.weight / weight) }
    }
}
