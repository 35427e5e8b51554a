//! Potentials of many neurons at many times, vector by vector, while nothing happens to them.
//!
//! Lives here: [`Membranes::potential`] as a kernel, which must have its bits. Not here: who wants to
//! know (`shard::monitor`).

use super::{Membranes, Neurons};
use crate::real::Real;
use crate::real::simd::{Kernel, Places, Vector};
use crate::time::Grid;

pub(super) struct LookAt<'a, T> {
    pub(super) membranes: &'a Membranes<T>,
    pub(super) neurons: &'a Neurons<T>,
    pub(super) some: &'a [u16],
    pub(super) grid: Grid,
    /// The first time of the grid from the base.
    pub(super) first: i32,
    /// One row for each time.
    pub(super) out: &'a mut [T],
}

impl<T: Real> Kernel<T> for LookAt<'_, T> {
    type Output = ();

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "compiled for each level as a whole")]
    fn run<V: Vector<Scalar = T>>(self) {
        let Self { membranes, neurons, some, grid, first, out } = self;
        let n = some.len();
        if n < V::LANES {
            for (t, row) in grid.times().zip(out.chunks_exact_mut(n.max(1))) {
                for (out, &i) in row.iter_mut().zip(some) {
                    *out = membranes.potential(neurons, i.into(), t);
                }
            }
            return;
        }
        let every = grid.every as i32;
        let mut done = 0;
        while done < n {
            // Those that do not fill a vector come with some that are done.
            let at = done.min(n - V::LANES);
            let places = Places::new(&some[at..at + V::LANES], neurons.len());
            let (kept, since) = V::pairs_at(&membranes.held.pairs, places);
            let [v_end, halvings, ..] = V::columns(&neurons.together, places);
            let distance = kept.minus(v_end);
            let mut now = first;
            for row in out.chunks_exact_mut(n) {
                let at_that_time = V::int(now);
                let until = V::from_int(V::int_minus(since, at_that_time));
                let [left] = V::pow2_each([until.times(halvings)]);
                let v = v_end.plus(distance.times(left));
                v.or_else(V::above(at_that_time, since), kept).store(&mut row[at..]);
                now = now.wrapping_add(every);
            }
            done = at + V::LANES;
        }
    }
}

#[cfg(test)]
mod tests;
