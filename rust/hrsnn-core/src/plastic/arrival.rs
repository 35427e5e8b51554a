//! Arrivals at segments: which of them are visited together, and what memory is asked for before.
//!
//! Not here: what a visit computes, of one segment (`visit`) or of many as if they were one (`pieces`).

use std::ops::Range;

use super::constants::Constants;
use super::pieces::{self, Piece, Pieces, TOGETHER};
use super::{ARRIVAL, CONSTANTS, FULL, PlasticSynapses, STATE, Visit, sums};
use crate::queue::{Due, FAR, NEAR, SOON_AT_HAND};
use crate::real::Real;
use crate::real::simd::{self, Table, prefetch, prefetch_few};
use crate::stdp::History;
use crate::targets::with_targets;

impl<T: Real> PlasticSynapses<T> {
    /// One arrival at time `t` at each of the `segments`, which begin at their places of `start`, in their
    /// order: settle, deliver, depress.
    ///
    /// Adds what is delivered to `input` and returns the numbers of synapses and of weight updates.
    pub fn arrive_all(
        &mut self,
        start: &[u32],
        segments: &[Due],
        t: i64,
        history: &History,
        input: &mut Table<T>,
    ) -> (usize, u64) {
        let now = history.since_base(t);
        let (mut n_synapses, mut updates) = (0, 0);
        let these = |from: usize, to: usize| {
            let to = to.min(segments.len());
            &segments[from.min(to)..to]
        };
        // The first of them were asked for by those that were delivered before.
        self.ask_for_visits(start, these(FAR, 2 * TOGETHER));
        self.ask_for(start, these(NEAR, TOGETHER));
        for (k, together) in (0..).step_by(TOGETHER).zip(segments.chunks(TOGETHER)) {
            self.ask_for_visits(start, these(k + 2 * TOGETHER, k + 3 * TOGETHER));
            self.ask_for(start, these(k + TOGETHER, k + 2 * TOGETHER));
            for &delivery in together {
                let segment = delivery.segment() as usize;
                let (end, first) = (start[segment + 1], start[segment]);
                if first < end {
                    n_synapses += (end - first) as usize;
                    updates += self.arrive_later(segment, first..end, now, history, input);
                }
            }
            updates += self.arrive_now(now, history, input);
        }
        (n_synapses, n_synapses as u64 + updates)
    }

    /// The same at one `segment`, whose synapses are `range`; returns the number of weight updates.
    #[cfg(test)]
    pub(super) fn arrive(
        &mut self,
        segment: usize,
        range: Range<usize>,
        t: i64,
        history: &History,
        input: &mut Table<T>,
    ) -> u64 {
        let now = history.since_base(t);
        let few = range.start as u32..range.end as u32;
        let updates = self.arrive_later(segment, few, now, history, input);
        range.len() as u64 + updates + self.arrive_now(now, history, input)
    }

    /// Ask for the memory that says where segments begin and when they were visited.
    #[inline]
    fn ask_for_visits(&self, start: &[u32], segments: &[Due]) {
        if start.len() < SOON_AT_HAND {
            return;
        }
        for delivery in segments {
            prefetch(start, delivery.segment() as usize);
            prefetch(&self.visits, delivery.segment() as usize);
        }
    }

    /// Ask for the memory of segments; of long ones for the beginning.
    #[inline]
    fn ask_for(&self, start: &[u32], segments: &[Due]) {
        if self.targets.len() < SOON_AT_HAND {
            return;
        }
        let n_fields = self.constants.n_fields();
        for delivery in segments {
            let segment = delivery.segment() as usize;
            let (end, first) = (start[segment + 1], start[segment]);
            if first >= end {
                continue;
            }
            let (first, n) = (first as usize, (end - first) as usize);
            if n > 2 * simd::AHEAD {
                self.prefetch(&(first..first + n));
                continue;
            }
            prefetch_few(&self.cells, n_fields * first, n_fields * n);
            with_targets!(self.targets(), targets => prefetch_few(targets, first, n));
            if let Constants::Half(halves, _) = &self.constants {
                prefetch_few(halves, CONSTANTS * first, CONSTANTS * n);
            }
        }
    }

    /// One arrival at `segment`, which may wait for [`PlasticSynapses::arrive_now`] if its synapses `range`
    /// are few; those that wait come first, so that all arrive in their order. Returns the number of
    /// updates by post spikes.
    #[inline]
    fn arrive_later(
        &mut self,
        segment: usize,
        range: Range<u32>,
        now: i32,
        history: &History,
        input: &mut Table<T>,
    ) -> u64 {
        let visit = std::mem::replace(&mut self.visits[segment], Visit { t: now, arrivals: 1 });
        let n = range.end - range.start;
        let is_again = visit.t == now && visit.arrivals > 0 && visit != Visit::FRESH;
        if !is_again && n <= pieces::LONGEST {
            let is_full = !self.room.has_place(n);
            let updates = if is_full { self.arrive_now(now, history, input) } else { 0 };
            self.room.push(Piece { start: range.start, n, visit });
            return updates;
        }
        let updates = self.arrive_now(now, history, input);
        let range = range.start as usize..range.end as usize;
        if is_again {
            self.visits[segment].arrivals = visit.arrivals + 1;
            self.arrive_again(&range, input);
            return updates;
        }
        updates + self.advance::<ARRIVAL>(visit, range, now, history, input)
    }

    /// All that waits arrives; returns the number of updates by post spikes.
    fn arrive_now(&mut self, now: i32, history: &History, input: &mut Table<T>) -> u64 {
        let updates = match *self.room.pieces() {
            [] => return 0,
            [Piece { start, n, visit }] => {
                let range = start as usize..(start + n) as usize;
                self.advance::<ARRIVAL>(visit, range, now, history, input)
            }
            _ => {
                let (rule, reach) = (self.rule, self.reach);
                debug_assert!(
                    !sums::may_be_summed(&rule)
                        || self.room.pieces().iter().all(|&Piece { start, n, .. }| {
                            let range = start as usize..(start + n) as usize;
                            sums::are_within(&rule, self.weights(&range))
                        })
                );
                let Self { targets, cells, constants, room, .. } = self;
                macro_rules! run {
                    ($fields:expr, $halves:expr, $scales:expr) => {
                        with_targets!(targets.all(), index => {
                            let (halves, scales) = ($halves, $scales);
                            simd::run(Pieces::<T, _, $fields> {
                                rule, cells, index, halves, scales, room, now, history, input, reach,
                            })
                        })
                    };
                }
                match constants {
                    Constants::Full => run!(FULL, &[], [1.0; 4]),
                    Constants::Half(halves, scales) => run!(STATE, halves, *scales),
                }
            }
        };
        self.room.clear();
        updates
    }

    /// A further arrival in the same µs: the traces before it are those already kept.
    fn arrive_again(&mut self, range: &Range<usize>, input: &mut Table<T>) {
        let first = self.constants.n_fields() * range.start;
        for k in 0..range.len() {
            let [_, a_minus, ..] = self.constants(range, k);
            let a_minus = a_minus * self.rule.scale;
            let w = self.cells[first + k];
            let trace_post = self.cells[first + 2 * range.len() + k];
            *input.at_mut(self.targets().get(range.start + k) as u32) += w;
            self.cells[first + k] = self.rule.depressed(w, a_minus * trace_post);
        }
    }
}
