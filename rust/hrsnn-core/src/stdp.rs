//! Spike-timing-dependent plasticity: the rule, and the history of post spikes that it reads.
//!
//! Not here: the synapses that it changes (`plastic`), and when they are visited (`shard`).

use crate::real::Real;
use crate::real::simd::{MOST_LANES, TABLE, Table};
use crate::time::LONGEST_SPAN;

/// Which earlier spikes count in a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// All of them: a trace grows by 1 with each spike.
    AllToAll,
    /// The latest: a trace is set to 1 by each spike.
    Nearest,
}

/// What all plastic synapses of a projection share.
#[derive(Debug, Clone, Copy)]
pub struct Rule<T> {
    /// Lower bound, mV.
    pub w_min: T,
    /// Upper bound, mV.
    pub w_max: T,
    /// Exponent of the weight dependence of potentiation.
    pub mu_plus: T,
    /// Exponent of the weight dependence of depression.
    pub mu_minus: T,
    /// Which spikes pair.
    pub pairing: Pairing,
    /// Factor on both amplitudes of each synapse in this sample.
    pub scale: T,
}

impl<T: Real> Rule<T> {
    /// `w` within the bounds; compares as vectors do.
    #[inline]
    pub(crate) fn clip(&self, w: T) -> T {
        let w = if w > self.w_min { w } else { self.w_min };
        if w < self.w_max { w } else { self.w_max }
    }

    #[inline]
    pub(crate) fn potentiated(&self, w: T, amount: T) -> T {
        self.clip(w + amount * (self.w_max - w).pow(self.mu_plus))
    }

    #[inline]
    pub(crate) fn depressed(&self, w: T, amount: T) -> T {
        self.clip(w - amount * (w - self.w_min).pow(self.mu_minus))
    }
}

/// Post spikes of a range of neurons since the synapses onto them were last settled.
///
/// Times are kept in 32 bits, from a base that moves whenever everything has been settled
/// ([`History::full_at`] says when that is due). A *mark* is a time from the base plus 1, so that
/// 0 is none.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// µs.
    base: i64,
    n: usize,
    /// Marks of the latest spikes of each neuron, latest first: where synapses look first. Empty
    /// where nothing learns.
    latest: Vec<[i32; LATEST]>,
    /// The marks of each neuron before these, oldest first, in one cache line.
    recent: Vec<[i32; RECENT]>,
    /// All marks of each neuron, oldest first, after as many zeros as vectors may reach into.
    marks: Vec<Vec<i32>>,
}

/// Latest spikes of a neuron that lie beside each other for all neurons.
pub(crate) const LATEST: usize = 4;
const RECENT: usize = 16;

impl History {
    /// Forget everything and begin at t = 0; for `n` neurons.
    pub fn reset(&mut self, n: usize) {
        if self.latest.is_empty() {
            // Zeros from the system, whose pages cost nothing until they are touched.
            self.latest = vec![[0; LATEST]; n.max(TABLE)];
        }
        self.forget();
        self.n = n;
        self.recent.resize(n, [0; RECENT]);
        self.marks.resize(n, vec![0; MOST_LANES]);
        self.base = 0;
    }

    /// Forget spikes that every synapse has taken in.
    pub fn forget(&mut self) {
        self.latest[..self.n].fill([0; LATEST]);
        self.recent.fill([0; RECENT]);
        for marks in &mut self.marks {
            marks.truncate(MOST_LANES);
        }
    }

    /// Count times from `t` on; nothing may be left that was counted before.
    pub fn rebase(&mut self, t: i64) {
        debug_assert!(self.marks.iter().all(|marks| marks.len() == MOST_LANES));
        self.base = t;
    }

    /// When everything must be settled at the latest.
    pub fn full_at(&self) -> i64 {
        self.base + LONGEST_SPAN
    }

    /// Time `t` from the base.
    #[inline]
    pub(crate) fn since_base(&self, t: i64) -> i32 {
        debug_assert!((0..=i64::from(i32::MAX - 1)).contains(&(t - self.base)));
        (t - self.base) as i32
    }

    /// Neuron `i` spiked at `t`.
    pub fn push(&mut self, i: usize, t: i64) {
        let mark = self.since_base(t) + 1;
        let [first, second, third, fourth] = self.latest[i];
        self.latest[i] = [mark, first, second, third];
        let recent = &mut self.recent[i];
        recent.copy_within(1.., 0);
        recent[RECENT - 1] = fourth;
        self.marks[i].push(mark);
    }

    /// Marks of the latest spikes of each neuron, latest first.
    #[inline]
    pub(crate) fn latest(&self) -> &Table<[i32; LATEST]> {
        Table::new(&self.latest)
    }

    /// Mark of the fifth latest spike of neuron `i`.
    #[inline]
    pub(crate) fn fifth(&self, i: usize) -> i32 {
        self.recent[i][RECENT - 1]
    }

    /// Spikes of neuron `i` that were not forgotten.
    #[inline]
    pub(crate) fn count(&self, i: usize) -> usize {
        self.marks[i].len() - MOST_LANES
    }

    /// Marks of neuron `i` of spikes at or after `since` (from the base), oldest first.
    pub(crate) fn after(&self, i: usize, since: i32) -> &[i32] {
        let marks = &self.marks[i];
        &marks[marks.partition_point(|&mark| mark <= since)..]
    }

    /// Marks of neuron `i` without the latest [`LATEST`], oldest first, and how many at the end are of
    /// spikes at or after `since` (from the base); the slice is long enough for vectors that end
    /// with it to hold them.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    pub(crate) fn older(&self, i: usize, since: i32) -> (&[i32], usize) {
        let recent = &self.recent[i];
        if recent[0] <= since {
            return (recent, recent.iter().map(|&mark| usize::from(mark > since)).sum());
        }
        let marks = &self.marks[i];
        let marks = &marks[..marks.len() - LATEST];
        (marks, marks.iter().rev().take_while(|&&mark| mark > since).count())
    }
}

#[cfg(test)]
mod tests;
