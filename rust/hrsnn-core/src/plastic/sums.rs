//! A visit whose changes are summed before they are held to the bounds.
//!
//! Lives here: what `visit` computes, with less work and the same bits, where changes do not depend on
//! the weight and the last visit is not long ago. Not here: rules whose changes depend on the weight,
//! which `visit` applies.
//!
//! **What must hold**, for the bits to be the same:
//!
//! - the rule [may be summed](may_be_summed);
//! - weights lie within the bounds before the visit, as `network` demands and every change leaves them;
//! - amplitudes, their scale and traces are at least 0. So potentiations only raise a weight, and what has
//!   passed the upper bound on the way has passed it at the end: one comparison is as good as one for each,
//!   and the lower bound cannot be met. Depression only lowers it, and cannot meet the upper one;
//! - the last visit was in this sample, no longer ago than [`reach`], so that no power of two is left out.

use super::visit::{Advance, Older, Same, constant, deep, deliver};
use crate::real::Real;
use crate::real::simd::{Index, Table, Vector, anew};
use crate::stdp::{LATEST, Pairing, Rule};

/// Whether changes may be summed: none depends on the weight, nor does the sign of a 0.
pub(super) fn may_be_summed<T: Real>(rule: &Rule<T>) -> bool {
    let zero = T::ZERO;
    let is_additive = rule.mu_plus == zero && rule.mu_minus == zero;
    is_additive && rule.pairing == Pairing::AllToAll && rule.w_max > zero
}

/// Whether `weights` are such as a visit must find.
pub(super) fn are_within<T: Real>(rule: &Rule<T>, weights: &[T]) -> bool {
    weights.iter().all(|w| (rule.w_min..=rule.w_max).contains(w))
}

/// The longest time in which no trace with one of these `halvings` becomes 0, µs.
pub(super) fn reach<'a, T: Real>(halvings: impl Iterator<Item = &'a T>) -> i32 {
    let most = halvings.fold(T::ZERO, |most, &halvings| most.max(halvings)).to_f64();
    // More is left out than halvings of 16 bits, times and their products are rounded by.
    (-T::LOWEST_POWER.to_f64() / most * 0.999) as i32
}

impl<T: Real, I: Index, const KIND: u8, const FIELDS: usize> Advance<'_, T, I, KIND, FIELDS> {
    /// [`Advance::block`] where changes [may be summed](may_be_summed) and all that counts is within
    /// [`reach`].
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    pub(super) fn summed_block<V: Vector<Scalar = T>, const ENDS: bool>(
        &mut self,
        same: &Same<'_, V>,
        latest: &Table<[i32; LATEST]>,
        first: usize,
    ) -> u64 {
        let Self { rule, n, now, history, halves, scales, .. } = *self;
        let Some(mut block) = self.strip.block::<V>(first) else { return 0 };
        // What is loaded again is loaded where it is used: registers are few.
        macro_rules! constant {
            ($number:expr) => {
                constant::<V, I, FIELDS, $number>(&block, first, n, halves, scales)
            };
        }
        let y_kept = block.load::<2>();
        let (early, late, mut y) = {
            let x = block.load::<1>();
            let after = x.plus(same.arrived);
            let [x_left, y_left] = V::pow2_within([
                same.elapsed.times(constant!(2)),
                same.elapsed.times(constant!(3)),
            ]);
            let x_now = after.times(x_left);
            if ENDS {
                block.store::<1>(x_now, x);
            } else {
                block.store_whole::<1>(x_now);
            }
            let a_plus = constant!(0).times(V::splat(rule.scale));
            (a_plus.times(x), a_plus.times(after), y_kept.times(y_left))
        };
        // After traces were stored, into which the last vector reaches.
        let w_kept = block.load::<0>();
        let mut w = w_kept;
        let marks = V::rows(latest, block.index());
        let mut live = same.pending(marks);
        if ENDS {
            for lanes in &mut live {
                *lanes = V::both(*lanes, V::first(block.len()));
            }
        }
        let mut updates = 0;
        if V::bits(live[0]) != 0 {
            // Spikes of two ranks, the older one first.
            macro_rules! apply {
                ($older:expr, $newer:expr) => {{
                    let (plus, minus) = (constant!(2), constant!(3));
                    let [a, b, c, d] = V::pow2_within([
                        V::from_int(V::int_minus(same.mark, marks[$older])).times(plus),
                        V::from_int(V::int_minus(same.mark, marks[$newer])).times(plus),
                        V::from_int(V::int_minus(marks[$older], same.end)).times(minus),
                        V::from_int(V::int_minus(marks[$newer], same.end)).times(minus),
                    ]);
                    for (rank, decay, left) in [($older, a, c), ($newer, b, d)] {
                        updates += u64::from(V::bits(live[rank]).count_ones());
                        // A spike in the µs of the last visit finds the trace without its arrivals.
                        let amount = early.or_else(V::equals(marks[rank], same.mark), late);
                        w = w.plus(amount.times(decay).only(live[rank]));
                        y = y.plus(left.only(live[rank]));
                    }
                }};
            }
            if V::bits(live[2]) != 0 {
                let (target, visits) = (block.index(), same.visits);
                let deep = deep(history, visits, V::bits(live[3]), target);
                if deep != 0 {
                    let older = Older { rule, visits, now, history };
                    let fields = [w, y, early, late, constant!(2), constant!(3)];
                    (w, y) = older.apply::<V, I, true>(deep, target, fields, &mut updates);
                }
                apply!(3, 2);
            }
            apply!(1, 0);
        }
        w = w.at_most(same.w_max);
        let target = anew(block.index());
        let target = if ENDS { &target[..block.len()] } else { target };
        deliver::<V, I, ENDS>(self.input, target, w);
        let a_minus = constant!(1).times(V::splat(rule.scale));
        let w = w.minus(a_minus.times(y)).at_least(same.w_min);
        if ENDS {
            block.store::<0>(w, w_kept);
            block.store::<2>(y, y_kept);
        } else {
            block.store_whole::<0>(w);
            block.store_whole::<2>(y);
        }
        updates
    }
}
