//! A projection whose weights are only read, and what that is for: adding them to what neurons receive.

use std::ops::Range;

use super::span;
use crate::queue::{Due, FAR, NEAR, SOON_AT_HAND};
use crate::real::Real;
use crate::real::simd::{Index, LINE, Table, ask, prefetch, prefetch_lines};

/// Synapses of a segment that are asked for before it is delivered, and while it is so many ahead.
const ASKED: usize = 128;
/// Synapses between two requests: a line of weights in single precision.
const BETWEEN: usize = LINE / size_of::<f32>();

/// Add `weights` to what `targets` receive.
#[inline]
pub fn add<T: Real, I: Index>(targets: &[I], weights: &[T], input: &mut Table<T>) {
    let (blocks, rest) = targets.as_chunks::<8>();
    let (block_weights, rest_weights) = weights.as_chunks::<8>();
    for (targets, weights) in blocks.iter().zip(block_weights) {
        for (two, weights) in targets.as_chunks().0.iter().zip(weights.chunks_exact(2)) {
            for (target, &w) in I::at_once(two).into_iter().zip(weights) {
                *input.at_mut(target) += w;
            }
        }
    }
    for (&target, &w) in rest.iter().zip(rest_weights) {
        *input.at_mut(target) += w;
    }
}

/// The same, where they are more than [`ASKED`]: each line is asked for so many before it is reached.
fn add_asking<T: Real, I: Index>(targets: &[I], weights: &[T], input: &mut Table<T>) {
    let n_asking = (targets.len() - ASKED) / BETWEEN * BETWEEN;
    let (asking, asked) = targets.split_at(n_asking);
    let (asking_weights, asked_weights) = weights.split_at(n_asking);
    let lines = asking.as_chunks::<BETWEEN>().0.iter();
    for (targets, weights) in lines.zip(asking_weights.as_chunks::<BETWEEN>().0) {
        ask(targets.as_ptr().wrapping_add(ASKED));
        ask(weights.as_ptr().wrapping_add(ASKED));
        add(targets, weights, input);
    }
    add(asked, asked_weights, input);
}

/// A projection whose weights are only read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a, T, I> {
    /// First synapse of each segment, and the number of synapses.
    pub start: &'a [u32],
    /// Post neurons, and [`MOST_LANES`](crate::real::simd::MOST_LANES) more places.
    pub target: &'a [I],
    /// So many numbers for each synapse, and as many more places; those of a segment begin with its
    /// weights.
    pub cells: &'a [T],
    /// How many numbers.
    pub n_fields: usize,
}

impl<T: Real, I: Index> Reading<'_, T, I> {
    /// Add the weights of all segments of `run` to what their targets receive; returns how many there are.
    pub fn deliver_all(&self, run: &[Due], input: &mut Table<T>) -> usize {
        let are_far = self.start.len() >= SOON_AT_HAND;
        let ask = self.target.len() >= SOON_AT_HAND;
        let mut n_synapses = 0;
        for (k, delivery) in run.iter().enumerate() {
            if are_far && let Some(far) = run.get(k + FAR) {
                prefetch(self.start, far.segment() as usize);
            }
            if ask && let Some(near) = run.get(k + NEAR) {
                self.prefetch(near.segment());
            }
            n_synapses += self.deliver(delivery.segment(), input);
        }
        n_synapses
    }

    /// Add the weights of `segment` to what its targets receive; returns how many there are.
    #[inline]
    fn deliver(&self, segment: u32, input: &mut Table<T>) -> usize {
        let Range { start, end } = span(self.start, segment);
        let n = end - start;
        let (weights, targets) =
            (&self.cells[self.n_fields * start..][..n], &self.target[start..][..n]);
        if n <= ASKED {
            add(targets, weights, input);
        } else {
            add_asking(targets, weights, input);
        }
        n
    }

    /// Ask for the memory of `segment`.
    #[inline]
    pub fn prefetch(&self, segment: u32) {
        let Range { start, end } = span(self.start, segment);
        let n = (end - start).min(ASKED);
        if n == 0 {
            return;
        }
        if n <= BETWEEN {
            // Two lines at most of either.
            let cells = self.cells.as_ptr().wrapping_add(self.n_fields * start);
            let targets = self.target.as_ptr().wrapping_add(start);
            ask(cells);
            ask(cells.wrapping_add(n - 1));
            ask(targets);
            ask(targets.wrapping_add(n - 1));
            return;
        }
        prefetch_lines(self.cells, self.n_fields * start, n);
        prefetch_lines(self.target, start, n);
    }
}
