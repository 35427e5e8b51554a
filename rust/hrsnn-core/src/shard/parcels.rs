//! Synapses that spikes of one µs reach after one delay, side by side.
//!
//! Lives here: copies of their targets and weights, made when the spikes are sent. A row is then read once
//! as it lies in memory, instead of in as many short segments as it has delays, each at a time of its
//! own. Only for synapses that do not change meanwhile. Not here: when a parcel arrives (`queue`).
//! Invariant: in a parcel synapses stand in the order in which their segments would have been sent, so
//! that what is summed has the same bits.

use crate::projection::{Reading, add};
use crate::queue::Queue;
use crate::real::Real;
use crate::real::simd::{
    self, Copies, Index, Kernel, MOST_LANES, Table, Vector, prefetch, prefetch_lines,
};
use crate::targets::{Onto, with_targets};

/// How many rows before it a row is asked for, and the place that says where it begins.
const NEAR: usize = 3;
const FAR: usize = 8;
/// Bits of the number of a delay.
const DELAY_BITS: u32 = 6;
/// Most delays of spikes that are sent in parcels.
pub(super) const MOST_DELAYS: usize = 1 << DELAY_BITS;

/// The parcels of spikes of one µs, one for each delay, in arrays that may have more room.
#[derive(Debug, Clone, Default)]
struct Load<T> {
    rows: Vec<u32>,
    /// Targets, of one of two kinds.
    near: Vec<u16>,
    far: Vec<u32>,
    /// mV.
    weight: Vec<T>,
    /// Where each parcel begins, and where it ends.
    first: Vec<u32>,
    end: Vec<u32>,
    /// Parcels that have not arrived.
    n_left: usize,
}

impl<T: Real> Load<T> {
    /// Targets of parcel `k`; those of a shard are all of one kind.
    #[inline]
    fn targets(&self, k: usize) -> Onto<'_> {
        let range = self.first[k] as usize..self.end[k] as usize;
        if self.far.is_empty() {
            Onto::Near(&self.near[range])
        } else {
            Onto::Far(&self.far[range])
        }
    }
}

/// Parcels on their way, and memory for those to come.
#[derive(Debug, Clone, Default)]
pub(super) struct Parcels<T> {
    loads: Vec<Load<T>>,
    free: Vec<u32>,
}

impl<T: Real> Parcels<T> {
    /// Forget everything.
    pub(super) fn clear(&mut self) {
        self.free = (0..self.loads.len() as u32).collect();
    }

    /// Send spikes of `rows` at the time `t`, which arrive at the projection of this number after each of
    /// its `delays`, µs; its segments are those of `reading`.
    pub(super) fn send<I: Index>(
        &mut self,
        queue: &mut Queue,
        (projection, reading): (u32, Reading<'_, T, I>),
        delays: &[u32],
        t: i64,
        rows: &[u32],
    ) {
        let number = self.free.pop().unwrap_or_else(|| {
            self.loads.push(Load::default());
            self.loads.len() as u32 - 1
        });
        let load = &mut self.loads[number as usize];
        load.rows.clear();
        load.rows.extend_from_slice(rows);
        simd::run(Fill { load, reading, n_delays: delays.len() });
        load.n_left = 0;
        for (k, &delay) in delays.iter().enumerate() {
            if load.first[k] < load.end[k] {
                load.n_left += 1;
                let parcel = number << DELAY_BITS | k as u32;
                queue.push_parcel(t + i64::from(delay), projection, parcel);
            }
        }
        if load.n_left == 0 {
            self.free.push(number);
        }
    }

    #[inline]
    fn find(&self, parcel: u32) -> (&Load<T>, usize) {
        (&self.loads[(parcel >> DELAY_BITS) as usize], parcel as usize % MOST_DELAYS)
    }

    /// Targets in a parcel.
    #[inline]
    pub(super) fn targets(&self, parcel: u32) -> Onto<'_> {
        let (load, k) = self.find(parcel);
        load.targets(k)
    }

    /// Targets in a parcel of segments that begin at their places of `start`, segment by segment, within
    /// which they are different.
    pub(super) fn segments(&self, parcel: u32, start: &[u32]) -> impl Iterator<Item = Onto<'_>> {
        let (load, k) = self.find(parcel);
        let (targets, n_delays) = (load.targets(k), load.first.len());
        let mut first = 0;
        load.rows.iter().map(move |&row| {
            let segment = row as usize * n_delays + k;
            let n = (start[segment + 1] - start[segment]) as usize;
            let range = first..first + n;
            first = range.end;
            targets.of(range)
        })
    }

    /// Add what is in a parcel to the `input` of its targets; returns how many synapses there are.
    pub(super) fn deliver(&self, parcel: u32, input: &mut Table<T>) -> usize {
        let (load, k) = self.find(parcel);
        let range = load.first[k] as usize..load.end[k] as usize;
        let n = range.len();
        with_targets!(load.targets(k), targets => add(targets, &load.weight[range], input));
        n
    }

    /// A parcel is over.
    pub(super) fn drop(&mut self, parcel: u32) {
        let number = parcel >> DELAY_BITS;
        let load = &mut self.loads[number as usize];
        load.n_left -= 1;
        if load.n_left == 0 {
            self.free.push(number);
        }
    }
}

/// Fill the parcels of a load with the segments of its rows.
struct Fill<'a, T, I> {
    load: &'a mut Load<T>,
    reading: Reading<'a, T, I>,
    n_delays: usize,
}

impl<T: Real, I: Index> Kernel<T> for Fill<'_, T, I> {
    type Output = ();

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "compiled for each level as a whole")]
    fn run<V: Vector<Scalar = T>>(self) {
        let Self { load: Load { rows, near, far, weight, first, end, .. }, reading, .. } = self;
        let Reading { start, target, cells, n_fields, .. } = reading;
        let n_delays = self.n_delays;
        // Where the segments of a row begin, and where they end.
        let places = |row: u32| {
            let first = row as usize * n_delays;
            (&start[first..][..n_delays], &start[first + 1..][..n_delays])
        };
        end.clear();
        end.resize(n_delays, 0);
        for (k, &row) in rows.iter().enumerate() {
            if let Some(&far) = rows.get(k + FAR) {
                prefetch(start, far as usize * n_delays);
            }
            let (from, to) = places(row);
            for ((n, from), to) in end.iter_mut().zip(from).zip(to) {
                *n += to - from;
            }
        }
        // The last copy of a segment reaches beyond it.
        first.clear();
        let mut n = 0;
        for end in &mut *end {
            first.push(n);
            n += *end + MOST_LANES as u32;
            *end = first[first.len() - 1];
        }
        let targets = I::among(near, far);
        if weight.len() < n as usize {
            targets.resize(n as usize, I::default());
            weight.resize(n as usize, T::ZERO);
        }
        let mut copies = Copies::new((target, cells, n_fields), targets, weight);
        for (k, &row) in rows.iter().enumerate() {
            if let Some(&near) = rows.get(k + NEAR) {
                let (from, to) = places(near);
                let (from, to) = (from[0] as usize, to[n_delays - 1] as usize);
                prefetch_lines(target, from, to - from);
                prefetch_lines(cells, n_fields * from, n_fields * (to - from));
            }
            let (from, to) = places(row);
            for ((place, &from), &to) in end.iter_mut().zip(from).zip(to) {
                let n = to - from;
                let (from, at) = (from as usize, *place as usize);
                *place += n;
                if n == 0 {
                    continue;
                }
                copies.copy::<V>(from, at, 0);
                let mut done = MOST_LANES;
                while done < n as usize {
                    copies.copy::<V>(from, at, done);
                    done += MOST_LANES;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
