//! One visit of one segment: the kernel of learning.
//!
//! Written once in vectors. A lane is a synapse, except where a synapse has so many post spikes
//! pending that a vector of spikes is better.

use super::{ARRIVAL, CONSTANTS, END, STATE, Visit};
use crate::real::Real;
use crate::real::simd::{Block, Kernel, MOST_LANES, Strip, Table, Vector};
use crate::stdp::{History, Pairing, Rule};

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
    pub(super) input: &'a mut Table<T>,
}

/// What a potentiation needs of each lane.
struct Lanes<V: Vector> {
    /// Pre trace before the last visit, and after it.
    x: V,
    after: V,
    a_plus: V,
    halvings: [V; 2],
    w: V,
    /// Post trace now.
    y: V,
}

impl<T: Real, const KIND: u8, const FIELDS: usize> Kernel<T> for Advance<'_, T, KIND, FIELDS> {
    type Output = u64;

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "compiled for each level as a whole")]
    fn run<V: Vector<Scalar = T>>(self) -> u64 {
        let Self { rule, n, mut strip, halves, scales, visit, now, history, input } = self;
        let about = About { rule, visit, now, history };
        let is_fresh = visit == Visit::FRESH;
        let arrivals = if is_fresh { 0 } else { visit.arrivals };
        let elapsed = V::splat(T::from_i32(visit.t - now));
        let before = V::int(visit.t);
        let (latest, older) = (history.latest(), history.older());
        let (zero, w_min, w_max) = (V::splat(T::ZERO), V::splat(rule.w_min), V::splat(rule.w_max));
        let mut updates = 0;
        let mut first = 0;
        while let Some(mut block) = strip.block::<V>(first) {
            let here = V::first(n - first);
            let [w_kept, x_kept, y_kept]: [V; STATE] =
                [block.load::<0>(), block.load::<1>(), block.load::<2>()];
            let (x, y) = if is_fresh { (zero, zero) } else { (x_kept, y_kept) };
            let after = match (arrivals, rule.pairing) {
                (0, _) => x,
                (_, Pairing::Nearest) => V::splat(T::ONE),
                (count, Pairing::AllToAll) => x.plus(V::splat(T::from_us(i64::from(count)))),
            };
            let [a_plus, a_minus, plus, minus] = constants(&block, first, n, halves, scales);
            let y = if KIND == END { zero } else { y.times(elapsed.times(minus).pow2()) };
            let halvings = [plus, minus];
            let mut lanes = Lanes { x, after, a_plus, halvings, w: w_kept, y };

            let target = block.index();
            let (mark_1, mark_2) = V::pairs(latest, target);
            let mut live_1 = V::both(V::above(mark_1, before), here);
            if V::bits(live_1) != 0 {
                let mut live_2 = V::both(V::above(mark_2, before), here);
                if V::bits(live_2) != 0 {
                    let (mark_3, mark_4) = V::pairs(older, target);
                    let mut live_3 = V::both(V::above(mark_3, before), here);
                    let mut live_4 = V::both(V::above(mark_4, before), here);
                    let mut deep = 0;
                    if V::bits(live_4) != 0 {
                        deep = about.deep(V::bits(live_4), target);
                    }
                    if deep != 0 {
                        // These lanes have more than four and take them one by one.
                        let (w, y) = about.one_by_one::<V>(deep, target, &lanes, &mut updates);
                        let deep = V::lanes(deep);
                        lanes.w = w.or_else(deep, lanes.w);
                        lanes.y = y.or_else(deep, lanes.y);
                        for live in [&mut live_1, &mut live_2, &mut live_3, &mut live_4] {
                            *live = V::without(*live, deep);
                        }
                    }
                    for (mark, live) in [(mark_4, live_4), (mark_3, live_3), (mark_2, live_2)] {
                        let bits = V::bits(live);
                        if bits != 0 {
                            updates += u64::from(bits.count_ones());
                            about.potentiate::<V, KIND>(&mut lanes, mark, live);
                        }
                    }
                }
                updates += u64::from(V::bits(live_1).count_ones());
                about.potentiate::<V, KIND>(&mut lanes, mark_1, live_1);
            }

            let Lanes { mut w, y, .. } = lanes;
            if KIND == ARRIVAL {
                let mut delivered = [T::ZERO; MOST_LANES];
                w.store(&mut delivered);
                if first + V::LANES <= n {
                    for k in 0..V::LANES {
                        input[target[k] as usize] += delivered[k];
                    }
                } else {
                    for (&target, &w) in target[..n - first].iter().zip(&delivered) {
                        input[target as usize] += w;
                    }
                }
                let amount = a_minus.times(y);
                let change = weighted(amount, w.minus(w_min), rule.mu_minus);
                w = w.minus(change).at_least(w_min).at_most(w_max);
            }
            block.store::<0>(w, w_kept);
            if KIND != END {
                block.store::<1>(after.times(elapsed.times(plus).pow2()), x_kept);
                block.store::<2>(y, y_kept);
            }
            first += V::LANES;
        }
        updates
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

/// What all lanes of a visit share.
struct About<'a, T> {
    rule: Rule<T>,
    visit: Visit,
    now: i32,
    history: &'a History,
}

// Functions rather than closures, for these are sure to be compiled for the level.
impl<T: Real> About<'_, T> {
    /// Potentiate the lanes `live` for the spikes at `mark`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn potentiate<V: Vector<Scalar = T>, const KIND: u8>(
        &self,
        lanes: &mut Lanes<V>,
        mark: V::Int,
        live: V::Mask,
    ) {
        let (w_min, w_max) = (V::splat(self.rule.w_min), V::splat(self.rule.w_max));
        let visit = V::int(self.visit.t + 1);
        let since = V::from_int(V::int_minus(visit, mark));
        let decayed = lanes.after.times(since.times(lanes.halvings[0]).pow2());
        // A spike in the µs of the last visit finds the trace without its arrivals.
        let x = lanes.x.or_else(V::equals(mark, visit), decayed);
        let amount = lanes.a_plus.times(x);
        let change = weighted(amount, w_max.minus(lanes.w), self.rule.mu_plus);
        let w = lanes.w.plus(change);
        lanes.w = w.at_least(w_min).at_most(w_max).or_else(live, lanes.w);
        if KIND == END {
            return;
        }
        let until = V::from_int(V::int_minus(mark, V::int(self.now + 1)));
        let pair = until.times(lanes.halvings[1]).pow2();
        lanes.y = match self.rule.pairing {
            Pairing::AllToAll => lanes.y.plus(pair.only(live)),
            Pairing::Nearest => pair.or_else(live, lanes.y),
        };
    }

    /// Those of the lanes `bits` that have more than four spikes pending.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn deep(&self, mut bits: u32, target: &[u16]) -> u32 {
        let mut deep = 0;
        while bits != 0 {
            let k = bits.trailing_zeros();
            if self.history.fifth(target[k as usize] as usize) > self.visit.t {
                deep |= 1 << k;
            }
            bits &= bits - 1;
        }
        deep
    }

    /// Weights and post traces with all that is pending of the lanes `deep`: where few neurons
    /// fire much more than others, most potentiations are here.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    fn one_by_one<V: Vector<Scalar = T>>(
        &self,
        mut deep: u32,
        target: &[u16],
        lanes: &Lanes<V>,
        updates: &mut u64,
    ) -> (V, V) {
        let mut of_lane = [[T::ZERO; MOST_LANES]; 7];
        let [plus, minus] = lanes.halvings;
        let fields = [lanes.w, lanes.y, lanes.x, lanes.after, lanes.a_plus, plus, minus];
        for (array, field) in of_lane.iter_mut().zip(fields) {
            field.store(array);
        }
        let (visit, end) = (V::int(self.visit.t + 1), V::int(self.now + 1));
        while deep != 0 {
            let k = deep.trailing_zeros() as usize;
            deep &= deep - 1;
            let [mut w, mut y, x, after, a_plus, plus, minus] = of_lane.map(|field| field[k]);
            let post = target[k] as usize;
            let (marks, count) = self.history.pending(post, self.visit.t);
            *updates += count as u64;
            // A vector of spikes of one lane, instead of one spike of a vector of lanes.
            let mut left = count.next_multiple_of(V::LANES);
            let mut skipped = left - count;
            while left > 0 {
                let marks = &marks[marks.len() - left..];
                let mark = V::load_int(marks);
                let since = V::from_int(V::int_minus(visit, mark));
                let decayed = V::splat(after).times(since.times(V::splat(plus)).pow2());
                let x = V::splat(x).or_else(V::equals(mark, visit), decayed);
                let amount = V::splat(a_plus).times(x);
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
