//! One visit of one segment: the kernel of learning.
//!
//! Written once in vectors, block by block. A lane is a synapse, except where a synapse has so many
//! spikes pending that a vector of spikes is better. What is pending is weighed for all lanes, two
//! ranks of spikes at a time, whichever lanes have it: leaving out the idle ones costs more than
//! they do. Powers are computed side by side, for each is a chain of steps that wait.
//!
//! Loops and macros rather than closures: these are sure to be compiled for the level.

use super::{ARRIVAL, CONSTANTS, END, STATE, Visit};
use crate::real::Real;
use crate::real::simd::{Block, Index, Kernel, MOST_LANES, Strip, Table, Vector};
use crate::stdp::{History, LATEST, Pairing, Rule};

/// One visit of one segment.
///
/// There are 7 fields, or 3 and `halves`.
pub(super) struct Advance<'a, T, I, const KIND: u8, const FIELDS: usize> {
    pub(super) rule: Rule<T>,
    pub(super) n: usize,
    pub(super) strip: Strip<'a, T, I, FIELDS>,
    pub(super) halves: &'a [u16],
    pub(super) scales: [f32; 4],
    pub(super) visit: Visit,
    pub(super) now: i32,
    pub(super) history: &'a History,
    pub(super) input: &'a mut Table<T>,
    /// Whether changes are summed at this visit: see `sums`.
    pub(super) sums: bool,
}

impl<T: Real, I: Index, const KIND: u8, const FIELDS: usize> Kernel<T>
    for Advance<'_, T, I, KIND, FIELDS>
{
    type Output = u64;

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "compiled for each level as a whole")]
    fn run<V: Vector<Scalar = T>>(mut self) -> u64 {
        let visits = [self.visit.t; MOST_LANES];
        let same = Same::<V>::new(self.rule, self.visit, &visits, self.now);
        let (whole, mut first, mut updates) = (self.n - self.n % V::LANES, 0, 0);
        if KIND == ARRIVAL && self.sums {
            let latest = self.history.latest();
            while first < whole {
                self.strip.ask_ahead(first);
                updates += self.summed_block::<V, false>(&same, latest, first);
                first += V::LANES;
            }
            if whole < self.n {
                updates += self.summed_block::<V, true>(&same, latest, whole);
            }
            return updates;
        }
        while first < whole {
            self.strip.ask_ahead(first);
            updates += self.block::<V, false>(&same, first);
            first += V::LANES;
        }
        if whole < self.n {
            updates += self.block::<V, true>(&same, whole);
        }
        updates
    }
}

/// What the lanes of a block are visited with.
pub(super) struct Same<'a, V: Vector> {
    /// Lanes that were visited before in this sample; the traces of the others are 0.
    are_traces: V::Mask,
    /// The pre trace after the last visit is that before, where it counts, plus this.
    counts: V::Mask,
    pub(super) arrived: V,
    /// Minus the time since the last visit, µs.
    pub(super) elapsed: V,
    pub(super) w_min: V,
    pub(super) w_max: V,
    /// The last visit of each lane as a time, twice, and as a mark; the mark of now.
    pub(super) visits: &'a [i32],
    visit: V::Int,
    pub(super) mark: V::Int,
    pub(super) end: V::Int,
}

impl<'a, T: Real, V: Vector<Scalar = T>> Same<'a, V> {
    /// Of lanes that had one `visit`, whose time is in all of `visits`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn new(rule: Rule<T>, visit: Visit, visits: &'a [i32], now: i32) -> Self {
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
            visits,
            visit: V::int(visit.t),
            mark: V::int(visit.t + 1),
            end: V::int(now + 1),
        }
    }

    /// Of lanes each of which had its one of `visits`, with so many arrivals; where there was none, its
    /// traces are 0 and so is what has `arrived`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    pub(super) fn of_each(rule: Rule<T>, visits: &'a [i32], arrived: &[T], now: i32) -> Self {
        let (visit, arrived) = (V::load_int(visits), V::load(arrived));
        let (all, zero) = (V::lanes(u32::MAX), V::splat(T::ZERO));
        let (counts, arrived) = match rule.pairing {
            Pairing::AllToAll => (all, arrived),
            Pairing::Nearest => {
                (zero.reaches(arrived), V::splat(T::ONE).only(arrived.differs(zero)))
            }
        };
        Self {
            are_traces: all,
            counts,
            arrived,
            elapsed: V::from_int(V::int_minus(visit, V::int(now))),
            w_min: V::splat(rule.w_min),
            w_max: V::splat(rule.w_max),
            visits,
            visit,
            // What is less by -1 is more by 1.
            mark: V::int_minus(visit, V::int(-1)),
            end: V::int(now + 1),
        }
    }

    /// The lanes whose post spikes of each rank, with these `marks`, are pending.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    pub(super) fn pending(&self, [a, b, c, d]: [V::Int; LATEST]) -> [V::Mask; LATEST] {
        let visit = self.visit;
        [V::above(a, visit), V::above(b, visit), V::above(c, visit), V::above(d, visit)]
    }

    /// Pre trace after the last visit, before which it was `x`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn after(&self, x: V) -> V {
        x.only(self.counts).plus(self.arrived)
    }
}

impl<T: Real, I: Index, const KIND: u8, const FIELDS: usize> Advance<'_, T, I, KIND, FIELDS> {
    /// Apply what is pending of the block from synapse `first` on, deliver and depress; returns the
    /// number of updates by post spikes. `ENDS`: the block is not whole.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    pub(super) fn block<V: Vector<Scalar = T>, const ENDS: bool>(
        &mut self,
        same: &Same<'_, V>,
        first: usize,
    ) -> u64 {
        let Self { rule, n, now, history, .. } = *self;
        let Same { elapsed, w_min, w_max, visits, .. } = *same;
        let Some(mut block) = self.strip.block::<V>(first) else { return 0 };
        let [w_kept, x_kept, y_kept]: [V; STATE] =
            [block.load::<0>(), block.load::<1>(), block.load::<2>()];
        let [a_plus, a_minus, plus, minus] = constants(&block, first, n, self.halves, self.scales);
        let scale = V::splat(rule.scale);
        let (a_plus, a_minus) = (a_plus.times(scale), a_minus.times(scale));
        let (x, y) = (x_kept.only(same.are_traces), y_kept.only(same.are_traces));
        let after = same.after(x);
        let mut updates = 0;
        let mut w = w_kept;
        let (x_now, mut y) = if KIND == END {
            (x, y)
        } else {
            let [x_left, y_left] = V::pow2_each([elapsed.times(plus), elapsed.times(minus)]);
            (after.times(x_left), y.times(y_left))
        };
        let marks = V::rows(history.latest(), block.index());
        let mut live = same.pending(marks);
        if ENDS {
            // What lies beyond the segment stays as it is, and counts for nothing.
            for lanes in &mut live {
                *lanes = V::both(*lanes, V::first(block.len()));
            }
        }
        if V::bits(live[0]) != 0 {
            // A spike in the µs of the last visit finds the trace without its arrivals.
            let (early, late) = (a_plus.times(x), a_plus.times(after));
            // Spikes of two ranks, the older one first.
            macro_rules! apply {
                ($older:expr, $newer:expr) => {
                    let since = [
                        V::from_int(V::int_minus(same.mark, marks[$older])).times(plus),
                        V::from_int(V::int_minus(same.mark, marks[$newer])).times(plus),
                    ];
                    let (decay, left) = if KIND == END {
                        // No post trace is left.
                        (V::pow2_each(since), since)
                    } else {
                        let [a, b, c, d] = V::pow2_each([
                            since[0],
                            since[1],
                            V::from_int(V::int_minus(marks[$older], same.end)).times(minus),
                            V::from_int(V::int_minus(marks[$newer], same.end)).times(minus),
                        ]);
                        ([a, b], [c, d])
                    };
                    for (k, rank) in [$older, $newer].into_iter().enumerate() {
                        let lanes = live[rank];
                        updates += u64::from(V::bits(lanes).count_ones());
                        let amount = early.or_else(V::equals(marks[rank], same.mark), late);
                        let amount = amount.times(decay[k]);
                        let change = weighted(amount, w_max.minus(w), rule.mu_plus);
                        w = w.plus(change).at_least(w_min).at_most(w_max).or_else(lanes, w);
                        if KIND != END {
                            y = match rule.pairing {
                                Pairing::AllToAll => y.plus(left[k].only(lanes)),
                                Pairing::Nearest => left[k].or_else(lanes, y),
                            };
                        }
                    }
                };
            }
            if V::bits(live[2]) != 0 {
                let deep = deep(history, visits, V::bits(live[3]), block.index());
                if deep != 0 {
                    let older = Older { rule, visits, now, history };
                    let fields = [w, y, early, late, plus, minus];
                    let target = block.index();
                    let (deep_w, deep_y) =
                        older.apply::<V, I, false>(deep, target, fields, &mut updates);
                    let deep = V::lanes(deep);
                    (w, y) = (deep_w.or_else(deep, w), deep_y.or_else(deep, y));
                }
                apply!(3, 2);
            }
            apply!(1, 0);
        }
        if KIND == ARRIVAL {
            let target = block.index();
            let target = if ENDS { &target[..block.len()] } else { target };
            deliver::<V, I, ENDS>(self.input, target, w);
            let change = weighted(a_minus.times(y), w.minus(w_min), rule.mu_minus);
            w = w.minus(change).at_least(w_min).at_most(w_max);
        }
        if ENDS {
            block.store::<0>(w, w_kept);
        } else {
            block.store_whole::<0>(w);
        }
        if KIND != END {
            if ENDS {
                block.store::<1>(x_now, x_kept);
                block.store::<2>(y, y_kept);
            } else {
                block.store_whole::<1>(x_now);
                block.store_whole::<2>(y);
            }
        }
        updates
    }
}

/// Add `w`, of which there may be fewer than lanes only where `ENDS`, to the `input` of `target`.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of a kernel")]
pub(super) fn deliver<V: Vector, I: Index, const ENDS: bool>(
    input: &mut Table<V::Scalar>,
    target: &[I],
    w: V,
) {
    let mut delivered = [V::Scalar::ZERO; MOST_LANES];
    w.store(&mut delivered);
    if ENDS {
        for (&target, &w) in target.iter().zip(&delivered) {
            *input.at_mut(target) += w;
        }
    } else {
        for k in 0..V::LANES {
            *input.at_mut(target[k]) += delivered[k];
        }
    }
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

/// Constant `NUMBER` (amplitudes, then halvings) from synapse `first` of `n` on.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of a kernel")]
pub(super) fn constant<V: Vector, I: Index, const FIELDS: usize, const NUMBER: usize>(
    block: &Block<'_, '_, V, I, FIELDS>,
    first: usize,
    n: usize,
    halves: &[u16],
    scales: [f32; CONSTANTS],
) -> V {
    if FIELDS == STATE {
        return V::load_half(&halves[NUMBER * n + first..], scales[NUMBER]);
    }
    match NUMBER {
        0 => block.load::<3>(),
        1 => block.load::<4>(),
        2 => block.load::<5>(),
        _ => block.load::<6>(),
    }
}

/// All four.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of a kernel")]
fn constants<V: Vector, I: Index, const FIELDS: usize>(
    block: &Block<'_, '_, V, I, FIELDS>,
    first: usize,
    n: usize,
    halves: &[u16],
    scales: [f32; CONSTANTS],
) -> [V; CONSTANTS] {
    [
        constant::<V, I, FIELDS, 0>(block, first, n, halves, scales),
        constant::<V, I, FIELDS, 1>(block, first, n, halves, scales),
        constant::<V, I, FIELDS, 2>(block, first, n, halves, scales),
        constant::<V, I, FIELDS, 3>(block, first, n, halves, scales),
    ]
}

/// Those of the lanes `bits` whose synapses, onto `target`, have more pending than is listed.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of a kernel")]
pub(super) fn deep<I: Index>(
    history: &History,
    visits: &[i32],
    mut bits: u32,
    target: &[I],
) -> u32 {
    let mut deep = 0;
    while bits != 0 {
        let k = bits.trailing_zeros();
        let fifth = history.fifth(target[k as usize].place());
        deep |= u32::from(fifth > visits[k as usize]) << k;
        bits &= bits - 1;
    }
    deep
}

/// Post spikes older than those that are listed: where few neurons fire much more than others,
/// many potentiations are here.
pub(super) struct Older<'a, T> {
    pub(super) rule: Rule<T>,
    /// When each lane was visited.
    pub(super) visits: &'a [i32],
    pub(super) now: i32,
    pub(super) history: &'a History,
}

impl<T: Real> Older<'_, T> {
    /// Weights and post traces with the older spikes of the lanes `deep` applied.
    ///
    /// Of each lane: `w`, `y` now, potentiations at the visit and just after it, both halvings. `SUMMED`:
    /// see `sums`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    pub(super) fn apply<V: Vector<Scalar = T>, I: Index, const SUMMED: bool>(
        &self,
        mut deep: u32,
        target: &[I],
        fields: [V; 6],
        updates: &mut u64,
    ) -> (V, V) {
        let mut of_lane = [[T::ZERO; MOST_LANES]; 6];
        for (array, field) in of_lane.iter_mut().zip(fields) {
            field.store(array);
        }
        let end = V::int(self.now + 1);
        while deep != 0 {
            let k = deep.trailing_zeros() as usize;
            deep &= deep - 1;
            let visit = V::int(self.visits[k] + 1);
            let [mut w, mut y, early, late, plus, minus] =
                std::array::from_fn(|field| of_lane[field][k]);
            let post = target[k].place();
            let (marks, count) = self.history.older(post, self.visits[k]);
            *updates += count as u64;
            // A vector of spikes of one lane, instead of one spike of a vector of lanes.
            let mut left = count.next_multiple_of(V::LANES);
            let mut skipped = left - count;
            let (early, late) = (V::splat(early), V::splat(late));
            while left > 0 {
                let marks = &marks[marks.len() - left..];
                let mark = V::load_int(marks);
                let since = V::from_int(V::int_minus(visit, mark));
                let amount = early.or_else(V::equals(mark, visit), late);
                let until = V::from_int(V::int_minus(mark, end));
                let powers = [since.times(V::splat(plus)), until.times(V::splat(minus))];
                let [decay, pair] =
                    if SUMMED { V::pow2_within(powers) } else { V::pow2_each(powers) };
                let amount = amount.times(decay);
                let (mut amounts, mut pairs) = ([T::ZERO; MOST_LANES], [T::ZERO; MOST_LANES]);
                amount.store(&mut amounts);
                pair.store(&mut pairs);
                for (&amount, &pair) in amounts[..V::LANES].iter().zip(&pairs).skip(skipped) {
                    if SUMMED {
                        (w, y) = (w + amount, y + pair);
                        continue;
                    }
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
