//! One visit of one segment: the kernel of learning.
//!
//! Written once in vectors. Some blocks at a time are visited twice: first the post spikes that
//! are pending are listed and weighed (`pending`), then they are applied, and the rest is done,
//! block by block. A lane is a synapse, except where a synapse has so many spikes pending that a
//! vector of spikes is better.

use std::ops::Range;

use super::pending::{BLOCKS, Live, Pending};
use super::{ARRIVAL, CONSTANTS, END, STATE, Visit};
use crate::real::Real;
use crate::real::simd::{Block, Kernel, MOST_LANES, Strip, Table, Vector};
use crate::stdp::{History, LATEST, Pairing, Rule};

/// One visit of one segment.
///
/// There are 7 fields, or 3 and `halves`.
pub(super) struct Advance<'a, T, const KIND: u8, const FIELDS: usize> {
    pub(super) rule: Rule<T>,
    pub(super) n: usize,
    pub(super) strip: Strip<'a, T, FIELDS>,
    pub(super) halves: &'a [u16],
    pub(super) scales: [f32; 4],
    pub(super) visit: Visit,
    pub(super) now: i32,
    pub(super) history: &'a History,
    pub(super) pending: &'a mut Pending<T>,
    pub(super) input: &'a mut Table<T>,
}

impl<T: Real, const KIND: u8, const FIELDS: usize> Kernel<T> for Advance<'_, T, KIND, FIELDS> {
    type Output = u64;

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "compiled for each level as a whole")]
    fn run<V: Vector<Scalar = T>>(mut self) -> u64 {
        let mut updates = 0;
        let same = Same::<V>::new(self.rule, self.visit, self.now);
        for first in (0..self.n).step_by(BLOCKS * V::LANES) {
            let range = first..self.n.min(first + BLOCKS * V::LANES);
            updates += self.list(&same, range.clone());
            self.pending.weigh::<V>(KIND != END, self.visit.t + 1, self.now + 1);
            updates += self.apply(&same, range);
        }
        updates
    }
}

/// What all lanes of a visit share.
struct Same<V: Vector> {
    /// All lanes, or none where there was no visit before in this sample: traces are 0.
    are_traces: V::Mask,
    /// The pre trace after the last visit is that before, where it counts, plus this.
    counts: V::Mask,
    arrived: V,
    /// Minus the time since the last visit, µs.
    elapsed: V,
    w_min: V,
    w_max: V,
}

impl<T: Real, V: Vector<Scalar = T>> Same<V> {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn new(rule: Rule<T>, visit: Visit, now: i32) -> Self {
        let are_traces = visit != Visit::FRESH;
        let arrivals = if are_traces { visit.arrivals } else { 0 };
        let (counts, arrived) = match rule.pairing {
            Pairing::AllToAll => (are_traces, T::from_us(i64::from(arrivals))),
            Pairing::Nearest if arrivals > 0 => (false, T::ONE),
            Pairing::Nearest => (are_traces, T::ZERO),
        };
        let all = |is: bool| if is { u32::MAX } else { 0 };
        Self {
            are_traces: V::lanes(all(are_traces)),
            counts: V::lanes(all(counts)),
            arrived: V::splat(arrived),
            elapsed: V::splat(T::from_i32(visit.t - now)),
            w_min: V::splat(rule.w_min),
            w_max: V::splat(rule.w_max),
        }
    }

    /// Pre trace after the last visit, before which it was `x`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn after(&self, x: V) -> V {
        x.only(self.counts).plus(self.arrived)
    }
}

impl<T: Real, const KIND: u8, const FIELDS: usize> Advance<'_, T, KIND, FIELDS> {
    /// List the latest post spikes pending of the synapses `range`; returns how many.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn list<V: Vector<Scalar = T>>(&mut self, same: &Same<V>, range: Range<usize>) -> u64 {
        let (n, visit) = (self.n, self.visit);
        let (before, mark_of_visit) = (V::int(visit.t), V::int(visit.t + 1));
        let latest = self.history.latest();
        self.pending.clear();
        for (number, first) in range.step_by(V::LANES).enumerate() {
            let Some(block) = self.strip.block::<V>(first) else { break };
            let marks = V::rows(latest, block.index());
            let mut live = Live::default();
            // Loops rather than closures, for these are sure to be compiled for the level.
            for (rank, &mark) in marks.iter().enumerate() {
                live.set(rank, V::bits(V::above(mark, before)));
            }
            if block.len() < V::LANES {
                live = live.first(block.len());
            }
            self.pending.live[number % BLOCKS] = live;
            if live.is_empty() {
                continue;
            }
            let [a_plus, _, plus, minus] = constants(&block, first, n, self.halves, self.scales);
            let x = block.load::<1>().only(same.are_traces);
            let (early, late) = (a_plus.times(x), a_plus.times(same.after(x)));
            for rank in (0..live.n_ranks()).rev() {
                // A spike in the µs of the last visit finds the trace without its arrivals.
                let amount = early.or_else(V::equals(marks[rank], mark_of_visit), late);
                self.pending.push(live.get(rank), marks[rank], amount, [plus, minus]);
            }
        }
        self.pending.len() as u64
    }

    /// Apply what is listed of the synapses `range`, and what is older; deliver and depress.
    ///
    /// Returns the number of older spikes.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn apply<V: Vector<Scalar = T>>(&mut self, same: &Same<V>, range: Range<usize>) -> u64 {
        let whole = range.len() / V::LANES;
        let mut place = Place { number: 0, first: range.start, at: 0 };
        let mut updates = 0;
        for _ in 0..whole {
            updates += self.apply_block::<V, false>(same, &mut place);
        }
        if place.first < range.end {
            updates += self.apply_block::<V, true>(same, &mut place);
        }
        updates
    }

    /// The same of the block at `place`, which then is that of the next; `ENDS`: it is not whole.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn apply_block<V: Vector<Scalar = T>, const ENDS: bool>(
        &mut self,
        same: &Same<V>,
        place: &mut Place,
    ) -> u64 {
        let Self { rule, n, visit, now, history, .. } = *self;
        let Same { elapsed, w_min, w_max, .. } = *same;
        let first = place.first;
        let live = self.pending.live[place.number % BLOCKS];
        let Some(mut block) = self.strip.block::<V>(first) else { return 0 };
        let [w_kept, x_kept, y_kept]: [V; STATE] =
            [block.load::<0>(), block.load::<1>(), block.load::<2>()];
        let [a_plus, a_minus, plus, minus] = constants(&block, first, n, self.halves, self.scales);
        let (x, y) = (x_kept.only(same.are_traces), y_kept.only(same.are_traces));
        let after = same.after(x);
        let mut updates = 0;
        let mut w = w_kept;
        let mut y = if KIND == END { y } else { y.times(elapsed.times(minus).pow2()) };
        if !live.is_empty() {
            let n_ranks = live.n_ranks();
            if n_ranks == LATEST {
                let deep = deep(history, visit.t, live.get(LATEST - 1), block.index());
                if deep != 0 {
                    let older = Older { rule, visit, now, history };
                    let fields = [w, y, x, after, a_plus, plus, minus];
                    let target = block.index();
                    let (deep_w, deep_y) = older.apply::<V>(deep, target, fields, &mut updates);
                    let deep = V::lanes(deep);
                    (w, y) = (deep_w.or_else(deep, w), deep_y.or_else(deep, y));
                }
            }
            for rank in (0..n_ranks).rev() {
                let bits = live.get(rank);
                let (amount, left) = self.pending.unpacked::<V>(place.at, bits);
                let lanes = V::lanes(bits);
                let change = weighted(amount, w_max.minus(w), rule.mu_plus);
                w = w.plus(change).at_least(w_min).at_most(w_max).or_else(lanes, w);
                if KIND != END {
                    y = match rule.pairing {
                        Pairing::AllToAll => y.plus(left.only(lanes)),
                        Pairing::Nearest => left.or_else(lanes, y),
                    };
                }
                place.at += bits.count_ones() as usize;
            }
        }
        if KIND == ARRIVAL {
            let target = block.index();
            let mut delivered = [T::ZERO; MOST_LANES];
            w.store(&mut delivered);
            if ENDS {
                for (&target, &w) in target[..n - first].iter().zip(&delivered) {
                    self.input[target as usize] += w;
                }
            } else {
                for k in 0..V::LANES {
                    self.input[target[k] as usize] += delivered[k];
                }
            }
            let change = weighted(a_minus.times(y), w.minus(w_min), rule.mu_minus);
            w = w.minus(change).at_least(w_min).at_most(w_max);
        }
        if ENDS {
            block.store::<0>(w, w_kept);
        } else {
            block.store_whole::<0>(w);
        }
        if KIND != END {
            let x = after.times(elapsed.times(plus).pow2());
            if ENDS {
                block.store::<1>(x, x_kept);
                block.store::<2>(y, y_kept);
            } else {
                block.store_whole::<1>(x);
                block.store_whole::<2>(y);
            }
        }
        place.number += 1;
        place.first += V::LANES;
        updates
    }
}

/// Where a block is.
struct Place {
    number: usize,
    /// Its first synapse.
    first: usize,
    /// Its first pair in the list.
    at: usize,
}

/// `amount` times `room` to the power of `mu`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of a kernel")]
fn weighted<V: Vector>(amount: V, room: V, mu: V::Scalar) -> V {
    if mu == V::Scalar::ZERO {
        amount
    } else if mu == V::Scalar::ONE {
        amount.times(room)
    } else {
        let mut lanes = [V::Scalar::ZERO; MOST_LANES];
        room.store(&mut lanes);
        // Beyond the segment a lane holds anything.
        amount.times(V::load(&lanes.map(|room| room.max(V::Scalar::ZERO).pow(mu))))
    }
}

/// Amplitudes and halvings from synapse `first` of `n` on.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of a kernel")]
fn constants<V: Vector, const FIELDS: usize>(
    block: &Block<'_, '_, V, FIELDS>,
    first: usize,
    n: usize,
    halves: &[u16],
    scales: [f32; CONSTANTS],
) -> [V; CONSTANTS] {
    if FIELDS == STATE {
        [
            V::load_half(&halves[first..], scales[0]),
            V::load_half(&halves[n + first..], scales[1]),
            V::load_half(&halves[2 * n + first..], scales[2]),
            V::load_half(&halves[3 * n + first..], scales[3]),
        ]
    } else {
        [block.load::<3>(), block.load::<4>(), block.load::<5>(), block.load::<6>()]
    }
}

/// Those of the lanes `bits` whose synapses, onto `target`, have more pending than is listed.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of a kernel")]
fn deep(history: &History, visit: i32, mut bits: u32, target: &[u16]) -> u32 {
    let mut deep = 0;
    while bits != 0 {
        let k = bits.trailing_zeros();
        deep |= u32::from(history.fifth(target[k as usize] as usize) > visit) << k;
        bits &= bits - 1;
    }
    deep
}

/// Post spikes older than those that are listed: where few neurons fire much more than others,
/// many potentiations are here.
struct Older<'a, T> {
    rule: Rule<T>,
    visit: Visit,
    now: i32,
    history: &'a History,
}

impl<T: Real> Older<'_, T> {
    /// Weights and post traces with the older spikes of the lanes `deep` applied.
    ///
    /// Of each lane: `w`, `y` now, `x` before the visit and after it, `a_plus`, both halvings.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn apply<V: Vector<Scalar = T>>(
        &self,
        mut deep: u32,
        target: &[u16],
        fields: [V; 7],
        updates: &mut u64,
    ) -> (V, V) {
        let mut of_lane = [[T::ZERO; MOST_LANES]; 7];
        for (array, field) in of_lane.iter_mut().zip(fields) {
            field.store(array);
        }
        let (visit, end) = (V::int(self.visit.t + 1), V::int(self.now + 1));
        while deep != 0 {
            let k = deep.trailing_zeros() as usize;
            deep &= deep - 1;
            let [mut w, mut y, x, after, a_plus, plus, minus] = of_lane.map(|field| field[k]);
            let post = target[k] as usize;
            let (marks, count) = self.history.older(post, self.visit.t);
            *updates += count as u64;
            // A vector of spikes of one lane, instead of one spike of a vector of lanes.
            let mut left = count.next_multiple_of(V::LANES);
            let mut skipped = left - count;
            let (early, late) = (V::splat(a_plus * x), V::splat(a_plus * after));
            while left > 0 {
                let marks = &marks[marks.len() - left..];
                let mark = V::load_int(marks);
                let since = V::from_int(V::int_minus(visit, mark));
                let amount = early.or_else(V::equals(mark, visit), late);
                let amount = amount.times(since.times(V::splat(plus)).pow2());
                let until = V::from_int(V::int_minus(mark, end));
                let pair = until.times(V::splat(minus)).pow2();
                let (mut amounts, mut pairs) = ([T::ZERO; MOST_LANES], [T::ZERO; MOST_LANES]);
                amount.store(&mut amounts);
                pair.store(&mut pairs);
                for (&amount, &pair) in amounts[..V::LANES].iter().zip(&pairs).skip(skipped) {
                    w = self.rule.potentiated(w, amount);
                    y = match self.rule.pairing {
                        Pairing::AllToAll => y + pair,
                        Pairing::Nearest => pair,
                    };
                }
                left -= V::LANES;
                skipped = 0;
            }
            of_lane[0][k] = w;
            of_lane[1][k] = y;
        }
        (V::load(&of_lane[0]), V::load(&of_lane[1]))
    }
}
