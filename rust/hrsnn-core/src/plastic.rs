//! Synapses that learn, and the kernel that visits them.
//!
//! Lives here: their layout, and what a visit is. Not here: how it is computed (`plastic/visit.rs`), which
//! of them are visited together (`plastic/arrival.rs`), the rule itself and the post spikes (`stdp`), and
//! when a row is visited (`shard`).
//!
//! **Row only, deferred.** Nothing happens to a weight when its post neuron spikes; the spike
//! goes into a history. When a presynaptic spike arrives, the row is visited once: each
//! synapse first takes the potentiations by the post spikes since the last visit, in their
//! order, then delivers its weight, then is depressed. A weight is only read on arrival, so
//! the result is that of doing each at once, provided that pending potentiations are settled
//! before weights are read in any other way ([`PlasticSynapses::settle`]).
//!
//! **What a visit leaves behind.** Per segment (synapses of one row with one delay, which see
//! the same arrivals) the time of the visit and the number of arrivals at that µs; per synapse
//! the traces *just before* that visit. So a post spike in the same µs as an arrival finds the
//! pre trace without it, and a coincidence changes nothing.
//!
//! **Layout.** The fields of a segment lie side by side, so that a visit streams through one
//! stretch of memory, and any number of lanes may be read at any place of it. The last vector of
//! a field reaches into the next field: what it read there it writes back unchanged, and the
//! order of stores (w, x, y) lets the owner of a place write last.

use std::ops::Range;

use crate::real::Real;
use crate::real::large::{self, Large};
use crate::real::simd::{self, MOST_LANES, Strip, Table, prefetch, prefetch_lines};
use crate::stdp::{History, Rule};
use crate::targets::{Onto, Targets, with_targets};
pub use constants::half_scale;
use constants::{Constants, half_of};
use pieces::Room;
use visit::Advance;

/// The last visit of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    /// When, µs from the base of the history.
    t: i32,
    /// Arrivals at that µs; 0 where the segment was only settled.
    arrivals: u32,
}

impl Visit {
    /// None in this sample: whatever the traces hold, they are 0.
    const FRESH: Self = Self { t: 0, arrivals: u32::MAX };
}

/// Synapses that learn, in the order of their projection's segments.
#[derive(Debug, Clone)]
pub struct PlasticSynapses<T> {
    /// What they share.
    pub rule: Rule<T>,
    /// Post neurons, counted within the shard; then as many as a vector may reach beyond.
    targets: Targets,
    /// Of each segment: weights (mV), pre traces, post traces, and with [`Constants::Full`] also
    /// `a_plus`, `a_minus` (mV), and for `tau_plus` and `tau_minus` the halvings in a µs.
    cells: Large<T>,
    constants: Constants,
    /// Last visit of each segment.
    visits: Vec<Visit>,
    /// Where short segments are visited side by side.
    room: Box<Room<T>>,
    /// How long ago a last visit may be at one whose changes are summed, µs; see `sums`.
    reach: i32,
}

const STATE: usize = 3;
const CONSTANTS: usize = 4;
const FULL: usize = STATE + CONSTANTS;

/// What is done at a visit.
const ARRIVAL: u8 = 0;
/// Only potentiate.
const SETTLING: u8 = 1;
/// Only potentiate, and leave no traces.
const END: u8 = 2;

impl<T: Real> PlasticSynapses<T> {
    /// Synapses whose segment `k` is `start[k]..start[k + 1]`; `constants` are `a_plus`, `a_minus`
    /// and the halvings in a µs by `tau_plus` and `tau_minus`, kept in 16 bits each and divided by
    /// its [`half_scale`] if these are given.
    pub fn new(
        rule: Rule<T>,
        start: &[u32],
        mut targets: Targets,
        weight: &[T],
        constants: &[Vec<T>; CONSTANTS],
        half: Option<[f32; CONSTANTS]>,
    ) -> Self {
        debug_assert!(
            constants[..2].iter().flatten().all(|&amplitude| amplitude >= T::ZERO),
            "potentiation raises and depression lowers: see `sums`"
        );
        (0..MOST_LANES).for_each(|_| targets.push(0));
        let reach = sums::reach(constants[2].iter().chain(&constants[3]));
        let (in_cells, in_halves) =
            if half.is_some() { (STATE, CONSTANTS) } else { (STATE + CONSTANTS, 0) };
        let mut cells = large::room(in_cells * weight.len() + MOST_LANES);
        let mut halves = large::room(in_halves * weight.len() + MOST_LANES);
        for pair in start.windows(2) {
            let segment = pair[0] as usize..pair[1] as usize;
            cells.extend_from_slice(&weight[segment.clone()]);
            cells.resize(cells.len() + 2 * segment.len(), T::ZERO);
            for (number, field) in constants.iter().enumerate() {
                let values = &field[segment.clone()];
                if let Some(scales) = half {
                    halves.extend(values.iter().map(|&value| half_of(value, scales[number])));
                } else {
                    cells.extend_from_slice(values);
                }
            }
        }
        cells.resize(cells.len() + MOST_LANES, T::ZERO);
        let constants = if let Some(scales) = half {
            halves.resize(halves.len() + MOST_LANES, 0);
            Constants::Half(halves.into(), scales)
        } else {
            Constants::Full
        };
        let visits = vec![Visit::FRESH; start.len().saturating_sub(1)];
        let room = Box::default();
        Self { rule, targets, cells: cells.into(), constants, visits, room, reach }
    }

    /// Number of synapses.
    pub fn len(&self) -> usize {
        self.targets.len() - MOST_LANES
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Post neurons, counted within the shard; more than there are synapses.
    #[inline]
    pub fn targets(&self) -> Onto<'_> {
        self.targets.all()
    }

    /// Weights of the synapses `range`, which is one segment, mV.
    pub fn weights(&self, range: &Range<usize>) -> &[T] {
        let first = self.constants.n_fields() * range.start;
        &self.cells[first..first + range.len()]
    }

    /// So many numbers for each synapse; those of a segment begin with its weights.
    pub fn cells(&self) -> (&[T], usize) {
        (&self.cells, self.constants.n_fields())
    }

    /// Post neurons and weights of one segment.
    pub fn weights_mut(&mut self, range: &Range<usize>) -> (Onto<'_>, &mut [T]) {
        let first = self.constants.n_fields() * range.start;
        (self.targets.of(range.clone()), &mut self.cells[first..first + range.len()])
    }

    /// The state at t = 0 of a sample: no traces, no visits; amplitudes are `scale` times as large in it.
    pub fn reset(&mut self, scale: T) {
        debug_assert!(scale >= T::ZERO, "see `sums`");
        self.rule.scale = scale;
        self.visits.fill(Visit::FRESH);
    }

    /// All segments were settled at a time that is the new base of the history.
    pub fn rebase(&mut self) {
        self.visits.fill(Visit { t: 0, arrivals: 0 });
    }

    /// Ask for the memory of the last visit of a segment that will be visited soon.
    #[inline]
    pub fn prefetch_visit(&self, segment: usize) {
        prefetch(&self.visits, segment);
    }

    /// Ask for the memory of a segment, whose synapses are `range`, that will be visited soon.
    #[inline]
    pub fn prefetch(&self, range: &Range<usize>) {
        let n_fields = self.constants.n_fields();
        let first = n_fields * range.start;
        if range.len() <= 2 * simd::AHEAD {
            prefetch_lines(&self.cells, first, n_fields * range.len());
        } else {
            for field in 0..n_fields {
                prefetch_lines(&self.cells, first + field * range.len(), simd::AHEAD);
            }
        }
        self.targets().prefetch(range.start, range.len());
        if let Constants::Half(halves, _) = &self.constants {
            prefetch_lines(halves, CONSTANTS * range.start, CONSTANTS * range.len());
        }
    }

    /// Apply what is pending at time `t`, a moment before which all has been delivered.
    ///
    /// Returns the number of weight updates.
    pub fn settle(
        &mut self,
        segment: usize,
        range: Range<usize>,
        t: i64,
        history: &History,
        input: &mut Table<T>,
    ) -> u64 {
        let now = history.since_base(t);
        let visit = std::mem::replace(&mut self.visits[segment], Visit { t: now, arrivals: 0 });
        self.advance::<SETTLING>(visit, range, now, history, input)
    }

    /// Apply all that is pending at the end of a sample, after which traces begin anew.
    ///
    /// Returns the number of weight updates.
    pub fn end(
        &mut self,
        segment: usize,
        range: Range<usize>,
        history: &History,
        input: &mut Table<T>,
    ) -> u64 {
        let visit = std::mem::replace(&mut self.visits[segment], Visit::FRESH);
        if visit == Visit::FRESH {
            // Without a pre trace every potentiation is by nothing.
            let targets = self.targets.of(range).iter();
            return targets.map(|target| history.count(target) as u64).sum();
        }
        self.advance::<END>(visit, range, visit.t, history, input)
    }

    /// Bring `range` from the last visit to the time `now`.
    #[inline]
    fn advance<const KIND: u8>(
        &mut self,
        visit: Visit,
        range: Range<usize>,
        now: i32,
        history: &History,
        input: &mut Table<T>,
    ) -> u64 {
        let (rule, n) = (self.rule, range.len());
        let is_near = visit != Visit::FRESH && now - visit.t <= self.reach;
        let sums = is_near && sums::may_be_summed(&rule);
        debug_assert!(!sums || sums::are_within(&rule, self.weights(&range)));
        let cells = &mut self.cells[self.constants.n_fields() * range.start..];
        let beyond = range.end + MOST_LANES;
        let index = self.targets.of(range.start..beyond);
        // The same kernel with the constants among the cells, or beside them.
        macro_rules! run {
            ($fields:expr, $halves:expr, $scales:expr) => {
                with_targets!(index, index => {
                let (strip, halves, scales) = (Strip::new(cells, index, n), $halves, $scales);
                simd::run(Advance::<T, _, KIND, $fields> {
                    rule,
                    n,
                    strip,
                    halves,
                    scales,
                    visit,
                    now,
                    history,
                    input,
                    sums,
                })
                })
            };
        }
        match &self.constants {
            Constants::Full => run!(FULL, &[], [1.0; 4]),
            Constants::Half(halves, scales) => {
                run!(STATE, &halves[CONSTANTS * range.start..], *scales)
            }
        }
    }
}

mod arrival;
mod constants;
mod pieces;
mod sums;
mod traces;
mod visit;

#[cfg(test)]
mod tests;
