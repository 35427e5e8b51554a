//! What the membrane of each neuron was at some moment.
//!
//! Lives here: potentials with their times side by side, as vectors read them. Not here: how a
//! potential moves on (`neuron`). Invariant: no time is rounded or lost. A time is counted from a
//! base in 32 bits; where that does not reach, [`FAR`] stands for it and it is kept apart.

use std::collections::BTreeMap;

use super::Neurons;
use crate::real::simd::Pair;
use crate::real::{Real, large};
use crate::time::{Grid, LONGEST_SPAN};

/// Stands for a time that is not near the base: to vectors it is one in the future, so that they
/// pass by that neuron.
const FAR: i32 = i32::MAX;

/// Potentials of a range of neurons, mV, each with the time at which it held, µs.
#[derive(Debug, Clone, Default)]
pub struct Held<T> {
    pub(super) pairs: Vec<Pair<T>>,
    base: i64,
    /// By neuron.
    far: BTreeMap<u32, i64>,
}

impl<T: Real> Held<T> {
    /// All neurons at rest at t = 0.
    pub fn reset(&mut self, v_rest: &[T]) {
        self.pairs.clear();
        if self.pairs.capacity() < v_rest.len() {
            self.pairs = large::room(v_rest.len());
        }
        self.pairs.extend(v_rest.iter().map(|&real| Pair { real, int: 0 }));
        self.base = 0;
        self.far.clear();
    }

    /// Potential of neuron `i` when it was last known, mV.
    #[inline]
    pub fn v(&self, i: usize) -> T {
        self.pairs[i].real
    }

    /// When that was, µs; in the future while the neuron is refractory.
    #[inline]
    pub fn since(&self, i: usize) -> i64 {
        match self.pairs[i].int {
            FAR => self.far[&(i as u32)],
            us => self.base + i64::from(us),
        }
    }

    /// Neuron `i` is at `v` at the time `since`.
    #[inline]
    pub fn set(&mut self, i: usize, v: T, since: i64) {
        let us = since - self.base;
        let is_near = (-LONGEST_SPAN..i64::from(FAR)).contains(&us);
        if self.pairs[i].int == FAR || !is_near {
            self.set_far(i, (!is_near).then_some(since));
        }
        self.pairs[i] = Pair { real: v, int: if is_near { us as i32 } else { FAR } };
    }

    #[cold]
    fn set_far(&mut self, i: usize, since: Option<i64>) {
        self.far.remove(&(i as u32));
        self.far.extend(since.map(|since| (i as u32, since)));
    }

    /// `t`, which is not before what this was asked for before, from the base.
    #[inline]
    pub fn since_base(&mut self, neurons: &Neurons<T>, t: i64) -> i32 {
        if t - self.base >= LONGEST_SPAN {
            self.rebase(t);
            self.let_go(neurons);
        }
        (t - self.base) as i32
    }

    /// Count times from a base near `t`, which is not before what this was asked for before.
    #[inline]
    pub fn reach(&mut self, t: i64) {
        if t - self.base >= LONGEST_SPAN {
            self.rebase(t);
        }
    }

    /// Count times from the beginning of the epoch of `t`.
    #[cold]
    fn rebase(&mut self, t: i64) {
        let all: Vec<_> = (0..self.pairs.len()).map(|i| (self.v(i), self.since(i))).collect();
        self.base = t - t % LONGEST_SPAN;
        for (i, (v, since)) in all.into_iter().enumerate() {
            self.set(i, v, since);
        }
    }

    /// Potentials that held too long before the base are said of the base, if nothing is left of them.
    #[cold]
    fn let_go(&mut self, neurons: &Neurons<T>) {
        for (i, since) in self.far.clone() {
            let (i, elapsed) = (i as usize, self.base - since);
            if elapsed > 0 && neurons.leak(i, elapsed) == T::ZERO {
                self.set(i, neurons.relaxed(i, self.v(i), elapsed), self.base);
            }
        }
    }

    /// The base, if all times of `grid`, and all that is held, are so near to it that vectors may count
    /// them.
    #[inline]
    pub(super) fn base_near(&self, grid: Grid) -> Option<i64> {
        let first = grid.first - self.base;
        let span = grid.every.saturating_mul(grid.n as i64);
        let is_near = !self.has_far() && first >= 0 && first.saturating_add(span) < LONGEST_SPAN;
        is_near.then_some(self.base)
    }

    /// Neurons that vectors pass by.
    pub fn far(&self) -> impl Iterator<Item = usize> {
        self.far.keys().map(|&i| i as usize)
    }

    /// Whether there are any.
    #[inline]
    pub fn has_far(&self) -> bool {
        !self.far.is_empty()
    }
}

#[cfg(test)]
mod tests;
