//! What some neurons were at some moments, and their potentials from there on, vector by vector.
//!
//! Lives here: what is kept while a sample runs, which is little, and the closed form evaluated from it
//! later, on a grid. Not here: who wants to know (`shard::monitor`). Invariant: what is told has the
//! bits of [`Membranes::potential`].

use super::{Membranes, Neurons};
use crate::real::simd::{self, Kernel, Pair, Vector};
use crate::real::{Real, large};
use crate::time::Grid;

/// Times between which nothing happens to anybody.
#[derive(Debug, Clone, Copy)]
struct Look {
    grid: Grid,
    /// From where times are counted in what is kept, µs.
    base: i64,
}

/// The neurons that are looked at, and what was kept of them.
#[derive(Debug, Clone)]
pub struct Looks<T> {
    some: Vec<u32>,
    /// Of each of them.
    v_end: Vec<T>,
    halvings: Vec<T>,
    at: Vec<Look>,
    /// Of each look all of them.
    kept: Vec<Pair<T>>,
    n_times: usize,
}

impl<T: Real> Looks<T> {
    /// To look at the neurons `some`, at most at so many times.
    pub fn new(neurons: &Neurons<T>, some: Vec<u32>, most_times: usize) -> Self {
        let of = |values: &[T]| some.iter().map(|&i| values[i as usize]).collect();
        let (v_end, halvings) = (of(&neurons.v_end), of(&neurons.halvings));
        let kept = large::room(most_times * some.len());
        Self { some, v_end, halvings, at: Vec::new(), kept, n_times: 0 }
    }

    /// Keep what tells their potentials at the times of `grid`, between which nothing happens.
    #[inline]
    pub fn note(&mut self, membranes: &Membranes<T>, neurons: &Neurons<T>, grid: Grid) {
        self.n_times += grid.n;
        if let Some(base) = membranes.held.base_near(grid) {
            let pairs = &membranes.held.pairs[..];
            self.at.push(Look { grid, base });
            self.kept.extend(self.some.iter().map(|&i| pairs[i as usize]));
            return;
        }
        // Beyond what vectors count: each potential is told now, as one that holds at that time.
        for t in grid.times() {
            self.at.push(Look { grid: Grid { first: t, n: 1, ..grid }, base: t });
            let told = |&i: &u32| membranes.potential(neurons, i as usize, t);
            self.kept.extend(self.some.iter().map(|i| Pair { real: told(i), int: 0 }));
        }
    }

    /// How many times were noted.
    pub fn n_times(&self) -> usize {
        self.n_times
    }

    /// Potentials, mV: for each time one row.
    pub fn values(&self) -> Vec<T> {
        let mut out = large::room(self.n_times * self.some.len());
        out.resize(self.n_times * self.some.len(), T::ZERO);
        if !self.some.is_empty() {
            simd::run(Tell { looks: self, out: &mut out });
        }
        out
    }
}

/// Evaluate the closed form.
struct Tell<'a, T> {
    looks: &'a Looks<T>,
    out: &'a mut [T],
}

impl<T: Real> Kernel<T> for Tell<'_, T> {
    type Output = ();

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "compiled for each level as a whole")]
    fn run<V: Vector<Scalar = T>>(self) {
        let Looks { some, v_end, halvings, at, kept, .. } = self.looks;
        let n = some.len();
        let mut rest = self.out;
        for (look, kept) in at.iter().zip(kept.chunks_exact(n)) {
            let (out, later) = rest.split_at_mut(look.grid.n * n);
            rest = later;
            let (first, every) = ((look.grid.first - look.base) as i32, look.grid.every as i32);
            if n < V::LANES {
                let mut now = first;
                for row in out.chunks_exact_mut(n) {
                    for k in 0..n {
                        let Pair { real: v, int: since } = kept[k];
                        let left = (T::from_i32(since - now) * halvings[k]).pow2();
                        let later = v_end[k] + (v - v_end[k]) * left;
                        row[k] = if now > since { later } else { v };
                    }
                    now = now.wrapping_add(every);
                }
                continue;
            }
            let mut done = 0;
            while done < n {
                // Those that do not fill a vector come with some that are done.
                let from = done.min(n - V::LANES);
                let (v, since) = V::pairs(&kept[from..]);
                let (v_end, halvings) = (V::load(&v_end[from..]), V::load(&halvings[from..]));
                let distance = v.minus(v_end);
                let mut now = first;
                for row in out.chunks_exact_mut(n) {
                    let at_that_time = V::int(now);
                    let until = V::from_int(V::int_minus(since, at_that_time));
                    let [left] = V::pow2_each([until.times(halvings)]);
                    let later = v_end.plus(distance.times(left));
                    later.or_else(V::above(at_that_time, since), v).store(&mut row[from..]);
                    now = now.wrapping_add(every);
                }
                done = from + V::LANES;
            }
        }
    }
}

#[cfg(test)]
mod tests;
