//! A projection whose weights are only read, and what that is for: adding them to what neurons receive.

use std::ops::Range;

use super::span;
use crate::queue::{Due, FAR, NEAR, SOON_AT_HAND};
use crate::real::Real;
use crate::real::simd::{
    self, Index, Kernel, LINE, MOST_LANES, Table, Vector, ask, prefetch, prefetch_lines,
};
use crate::targets::{Onto, with_targets};

/// Synapses of a segment that are asked for before it is delivered, and while it is so many ahead.
const ASKED: usize = 128;
/// So many synapses lie in memory and not in caches, nor do the tables that say where their pages are.
const FAR_FROM_HAND: usize = 1 << 22;
/// Segments that are then asked for together.
const TOGETHER: usize = 4;
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

/// Targets that are added to at once if they follow one another, as they do where each place of a plane has
/// the same neurons.
const RUN: usize = MOST_LANES;

/// Whether that is worth it: of some of the segments, which begin at their places of `start`, most targets
/// follow one another.
pub(super) fn are_in_runs(targets: Onto<'_>, start: &[u32]) -> bool {
    /// Segments that are looked at.
    const SOME: usize = 1000;
    let n_segments = start.len() - 1;
    let (mut n, mut n_in_runs) = (0, 0);
    for segment in (0..n_segments).step_by(n_segments / SOME + 1) {
        let segment = targets.of(span(start, segment as u32));
        n += segment.len();
        with_targets!(segment, segment => {
            n_in_runs += RUN * segment.as_chunks().0.iter().filter(|run| is_run(run)).count();
        });
    }
    2 * n_in_runs > n
}

/// Whether targets, which ascend, follow one another.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of a kernel")]
fn is_run<I: Index>(targets: &[I; RUN]) -> bool {
    debug_assert!(targets.is_sorted_by(|a, b| a < b));
    targets[RUN - 1].place() - targets[0].place() == RUN - 1
}

/// [`add`] where many targets follow one another.
struct AddRuns<'a, T, I> {
    targets: &'a [I],
    weights: &'a [T],
    input: &'a mut Table<T>,
}

impl<T: Real, I: Index> Kernel<T> for AddRuns<'_, T, I> {
    type Output = ();

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "compiled for each level as a whole")]
    fn run<V: Vector<Scalar = T>>(self) {
        let Self { targets, weights, input } = self;
        let (blocks, rest) = targets.as_chunks::<RUN>();
        let (block_weights, rest_weights) = weights.as_chunks::<RUN>();
        for (targets, weights) in blocks.iter().zip(block_weights) {
            ask(targets.as_ptr().wrapping_add(ASKED));
            ask(weights.as_ptr().wrapping_add(ASKED));
            if !is_run(targets) {
                add(targets, weights, input);
                continue;
            }
            let input = &mut input[targets[0].place()..][..RUN];
            for first in (0..RUN).step_by(V::LANES) {
                let sums = V::load(&input[first..]).plus(V::load(&weights[first..]));
                sums.store(&mut input[first..]);
            }
        }
        add(rest, rest_weights, input);
    }
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
    /// Whether most targets of a segment, which ascend, follow one another.
    pub are_in_runs: bool,
}

impl<T: Real, I: Index> Reading<'_, T, I> {
    /// Add the weights of all segments of `run` to what their targets receive; returns how many there are.
    pub fn deliver_all(&self, run: &[Due], input: &mut Table<T>) -> usize {
        if self.are_in_runs {
            self.deliver_each::<true>(run, input)
        } else if self.target.len() >= FAR_FROM_HAND {
            self.deliver_from_far(run, input)
        } else {
            self.deliver_each::<false>(run, input)
        }
    }

    fn deliver_each<const ARE_IN_RUNS: bool>(&self, run: &[Due], input: &mut Table<T>) -> usize {
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
            n_synapses += self.deliver::<ARE_IN_RUNS>(delivery.segment(), input);
        }
        n_synapses
    }

    /// The same where finding the pages of a segment takes as long as reading it: those of some are looked
    /// for side by side.
    #[inline(never)]
    fn deliver_from_far(&self, run: &[Due], input: &mut Table<T>) -> usize {
        let ahead = |first: usize| {
            let some = run.get(first..).unwrap_or_default();
            some[..some.len().min(TOGETHER)].iter().map(|due| due.segment())
        };
        let mut n_synapses = 0;
        for (k, together) in (0..).step_by(TOGETHER).zip(run.chunks(TOGETHER)) {
            ahead(k + FAR).for_each(|segment| prefetch(self.start, segment as usize));
            ahead(k + NEAR).for_each(|segment| self.ask_where(segment));
            ahead(k + NEAR).for_each(|segment| self.prefetch(segment));
            for delivery in together {
                n_synapses += self.deliver::<false>(delivery.segment(), input);
            }
        }
        n_synapses
    }

    /// Ask for the beginning of `segment`, and so for where in memory its pages are.
    #[inline]
    fn ask_where(&self, segment: u32) {
        let Range { start, .. } = span(self.start, segment);
        ask(self.cells.as_ptr().wrapping_add(self.n_fields * start));
        ask(self.target.as_ptr().wrapping_add(start));
    }

    /// Add the weights of `segment` to what its targets receive; returns how many there are.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a call takes as long as some synapses")]
    fn deliver<const ARE_IN_RUNS: bool>(&self, segment: u32, input: &mut Table<T>) -> usize {
        let Range { start, end } = span(self.start, segment);
        let n = end - start;
        let (weights, targets) =
            (&self.cells[self.n_fields * start..][..n], &self.target[start..][..n]);
        if ARE_IN_RUNS {
            simd::run(AddRuns { targets, weights, input });
        } else if n <= ASKED {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::real::simd::{Level, run_at, table};
    use proptest::prelude::*;

    fn bits(all: &[f32]) -> Vec<u32> {
        all.iter().map(|x| x.to_bits()).collect()
    }

    proptest! {
        #[test]
        fn runs_receive_what_others_do(
            lengths in prop::collection::vec((0_u32..4, 0_u32..60), 0..12), seed in 1_u32..1000,
        ) {
            let (mut targets, mut next) = (Vec::<u32>::new(), 0);
            for (gap, n) in lengths {
                targets.extend(next + gap..next + gap + n);
                next += gap + n + 1;
            }
            let number = |k: u32| ((seed + k) % 97) as f32 / 7.0;
            let weights: Vec<f32> = (0..targets.len() as u32).map(number).collect();
            let mut right = table(0.0, 0);
            for (i, input) in right.iter_mut().enumerate() {
                *input = number(5 * i as u32);
            }
            let before = right.clone();
            add(&targets, &weights, &mut right);
            let near: Vec<u16> = targets.iter().map(|&target| target as u16).collect();
            for level in Level::ALL {
                let mut found = before.clone();
                run_at(level, AddRuns { targets: &targets, weights: &weights, input: &mut found });
                prop_assert_eq!(bits(&found), bits(&right), "{:?}", level);
                let mut found = before.clone();
                run_at(level, AddRuns { targets: &near, weights: &weights, input: &mut found });
                prop_assert_eq!(bits(&found), bits(&right), "{:?}, in 16 bits", level);
            }
        }
    }

    #[test]
    fn what_is_far_from_hand_is_delivered_in_the_same_order() {
        // Segments of 0 to 170 synapses, some of which come twice, onto few neurons: an order shows in the bits.
        let lengths = (0..40_u32).map(|segment| segment * 53 % 171);
        let start: Vec<u32> = std::iter::once(0)
            .chain(lengths.scan(0, |sum, n| {
                *sum += n;
                Some(*sum)
            }))
            .collect();
        let n = start[40] as usize;
        let target: Vec<u16> = (0..n + MOST_LANES).map(|k| (k % 7) as u16).collect();
        let cells: Vec<f32> = (0..n + MOST_LANES).map(|k| 1.0 / (k + 3) as f32).collect();
        let reading = Reading {
            start: &start,
            target: &target,
            cells: &cells,
            n_fields: 1,
            are_in_runs: false,
        };
        for n_segments in [0, 1, 4, 5, 39] {
            let run: Vec<Due> = (0..n_segments).map(|k| Due::new(0, 0, k * 7 % 37 % 40)).collect();
            let [mut found, mut right] = [table(0.0, 0), table(0.0, 0)];
            let n_found = reading.deliver_from_far(&run, &mut found);
            assert_eq!(n_found, reading.deliver_each::<false>(&run, &mut right));
            assert_eq!(bits(&found[..7]), bits(&right[..7]));
        }
    }

    #[test]
    fn runs_are_found_where_most_targets_follow_one_another() {
        let runs: Vec<u16> = (0..32).chain(64..96).collect();
        let others: Vec<u16> = (0..64).map(|k| 2 * k).collect();
        let both: Vec<u16> = (0..32).chain(64..72).chain((100..140).step_by(2)).collect();
        assert!(are_in_runs(Onto::Near(&runs), &[0, 64]));
        assert!(are_in_runs(Onto::Near(&runs), &[0, 32, 32, 64]));
        assert!(are_in_runs(Onto::Near(&both), &[0, 60]));
        assert!(!are_in_runs(Onto::Near(&others), &[0, 64]));
        assert!(!are_in_runs(Onto::Near(&runs), &[0, 8, 16, 24, 32]));
        assert!(!are_in_runs(Onto::Near(&[]), &[0]));
        assert!(!are_in_runs(Onto::Near(&[]), &[0, 0, 0]));
    }
}
