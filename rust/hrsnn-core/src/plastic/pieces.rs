//! Many short segments visited as if they were one.
//!
//! Lives here: their synapses side by side in a room of their own, so that every lane of a vector has
//! one. Not here: what a visit computes (`plastic/visit.rs`). A lane does not see what the others are
//! of, and all deliver in their order, so no bit shows how they were taken together.

use super::sums::may_be_summed;
use super::visit::{Advance, Same};
use super::{ARRIVAL, CONSTANTS, STATE, Visit};
use crate::real::Real;
use crate::real::simd::{Index, Kernel, MOST_LANES, Strip, Strips, Table, Vector};
use crate::stdp::{History, Rule};

/// Longest segment that is visited together with others.
pub(super) const LONGEST: u32 = 32;
/// Most synapses in the room, and from field to field of it: a vector may begin with the last.
const MOST: usize = 256;
const STRIDE: usize = MOST + MOST_LANES;

/// Most segments that are visited together; as many are asked for before these are, for memory takes its time.
pub(super) const TOGETHER: usize = 16;

/// A segment of at least one synapse and at most [`LONGEST`], and its last visit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) start: u32,
    pub(super) n: u32,
    pub(super) visit: Visit,
}

/// Where segments wait and are visited.
#[derive(Debug, Clone, Default)]
pub(super) struct Room<T> {
    pieces: Vec<Piece>,
    n_synapses: u32,
    /// Post neurons, of one of two kinds.
    near: Vec<u16>,
    far: Vec<u32>,
    /// Fields of the synapses, as those of one segment.
    cells: Vec<T>,
    halves: Vec<u16>,
    /// When each synapse was visited, and by how many arrivals.
    visits: Vec<i32>,
    arrived: Vec<T>,
}

/// So many places for what each synapse has one of; a number that is known when it is compiled.
const PLACES: usize = STRIDE + MOST_LANES;

/// As many as were [made](Room::make).
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of a kernel")]
fn all_places<X>(made: &mut [X]) -> &mut [X; PLACES] {
    made.try_into().expect("it was made so long")
}

impl<T: Real> Room<T> {
    /// Whether `n` more synapses have a place.
    #[inline]
    pub(super) fn has_place(&self, n: u32) -> bool {
        self.n_synapses + n <= MOST as u32
    }

    /// One more, for which there must be a place.
    #[inline]
    pub(super) fn push(&mut self, piece: Piece) {
        self.n_synapses += piece.n;
        self.pieces.push(piece);
    }

    /// Make its arrays, if they were not.
    #[inline]
    fn make<I: Index, const FIELDS: usize>(&mut self) {
        if self.visits.is_empty() {
            I::among(&mut self.near, &mut self.far).resize(PLACES, I::default());
            self.cells.resize(FIELDS * STRIDE + MOST_LANES, T::ZERO);
            self.halves.resize(CONSTANTS * STRIDE + MOST_LANES, 0);
            self.visits.resize(PLACES, 0);
            self.arrived.resize(PLACES, T::ZERO);
        }
    }

    /// What waits.
    #[inline]
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Nothing waits any more.
    #[inline]
    pub(super) fn clear(&mut self) {
        self.pieces.clear();
        self.n_synapses = 0;
    }
}

/// One arrival at each segment that waits in `room`.
///
/// There are 7 fields, or 3 and `halves`.
pub(super) struct Pieces<'a, T, I, const FIELDS: usize> {
    pub(super) rule: Rule<T>,
    pub(super) cells: &'a mut [T],
    pub(super) index: &'a [I],
    pub(super) halves: &'a [u16],
    pub(super) scales: [f32; CONSTANTS],
    pub(super) room: &'a mut Room<T>,
    pub(super) now: i32,
    pub(super) history: &'a History,
    pub(super) input: &'a mut Table<T>,
    /// See `sums`.
    pub(super) reach: i32,
}

/// Do something with each of the fields, whose numbers are known when it is compiled.
macro_rules! each {
    ($do:ident, $fields:expr) => {
        $do!(0);
        $do!(1);
        $do!(2);
        if $fields > STATE {
            $do!(3);
            $do!(4);
            $do!(5);
            $do!(6);
        }
    };
}

impl<T: Real, I: Index, const FIELDS: usize> Kernel<T> for Pieces<'_, T, I, FIELDS> {
    type Output = u64;

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "compiled for each level as a whole")]
    fn run<V: Vector<Scalar = T>>(self) -> u64 {
        let Self { rule, cells, index, halves, scales, room, now, history, input, reach } = self;
        room.make::<I, FIELDS>();
        let Room {
            pieces, near, far, cells: beside, halves: halves_beside, visits, arrived, ..
        } = room;
        let places = all_places(I::among(near, far));
        let (visits, arrived) = (all_places(visits), all_places(arrived));
        let mut strips = Strips::<T, I, FIELDS>::new(cells, index);
        // What is written here has its places only when all of them are known.
        let nowhere = [I::default(); PLACES];
        let mut strip = Strip::<T, I, FIELDS>::new(beside, &nowhere, STRIDE);
        let (mut n, mut earliest) = (0, now);
        for &Piece { start, n: len, visit } in &*pieces {
            earliest = earliest.min(visit.t);
            let is_known = visit != Visit::FRESH;
            let known = V::lanes(if is_known { u32::MAX } else { 0 });
            let arrivals = T::from_us(if is_known { i64::from(visit.arrivals) } else { 0 });
            let (start, len) = (start as usize, len as usize);
            let mut from = strips.strip(start, len);
            // Counted by hand: what `step_by` divides is as long as many a piece.
            let mut first = 0;
            while first < len {
                let at = n + first;
                let Some(from) = from.block::<V>(first) else { break };
                let Some(mut to) = strip.block::<V>(at) else { break };
                places[at..at + V::LANES].copy_from_slice(from.index());
                visits[at..at + V::LANES].fill(visit.t);
                V::splat(arrivals).store(&mut arrived[at..at + V::LANES]);
                macro_rules! take {
                    (1) => {
                        to.store_whole::<1>(from.load::<1>().only(known))
                    };
                    (2) => {
                        to.store_whole::<2>(from.load::<2>().only(known))
                    };
                    ($field:tt) => {
                        to.store_whole::<$field>(from.load::<$field>())
                    };
                }
                each!(take, FIELDS);
                if FIELDS == STATE {
                    for field in 0..CONSTANTS {
                        let from = &halves[CONSTANTS * start + field * len + first..];
                        let to = &mut halves_beside[field * STRIDE + at..];
                        to[..V::LANES].copy_from_slice(&from[..V::LANES]);
                    }
                }
                first += V::LANES;
            }
            n += len;
        }
        // What fills the last vector delivers nothing, and nothing of it is pending or read again.
        let first = places[0];
        places[n..n + V::LANES].fill(first);
        visits[n..n + V::LANES].fill(now);
        V::splat(T::ZERO).store(&mut arrived[n..n + V::LANES]);
        if FIELDS == STATE {
            for field in 0..CONSTANTS {
                halves_beside[field * STRIDE + n..][..V::LANES].fill(0);
            }
        }
        if let Some(mut rest) = strip.block::<V>(n) {
            macro_rules! clear {
                ($field:tt) => {
                    rest.store_whole::<$field>(V::splat(T::ZERO))
                };
            }
            each!(clear, FIELDS);
        }
        let strip = Strip::<T, I, FIELDS>::new(beside, places, STRIDE);
        let mut advance = Advance::<T, I, ARRIVAL, FIELDS> {
            rule,
            n: STRIDE,
            strip,
            halves: halves_beside,
            scales,
            visit: Visit::FRESH,
            now,
            history,
            input,
            sums: now - earliest <= reach && may_be_summed(&rule),
        };
        let mut updates = 0;
        let latest = history.latest();
        for first in (0..n).step_by(V::LANES) {
            let same = Same::of_each(rule, &visits[first..], &arrived[first..], now);
            updates += if advance.sums {
                advance.summed_block::<V, false>(&same, latest, first)
            } else {
                advance.block::<V, false>(&same, first)
            };
        }
        put_back::<T, I, V, FIELDS>(&mut strips, &mut advance.strip, pieces);
        updates
    }
}

/// Weights and traces of `pieces`, which stand side by side in `strip`, go back to their own places.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of a kernel")]
fn put_back<T: Real, I: Index, V: Vector<Scalar = T>, const FIELDS: usize>(
    strips: &mut Strips<'_, T, I, FIELDS>,
    strip: &mut Strip<'_, T, I, FIELDS>,
    pieces: &[Piece],
) {
    let mut at = 0;
    for &Piece { start, n: len, .. } in pieces {
        let (mut to, mut first) = (strips.strip(start as usize, len as usize), 0);
        while first < len as usize {
            let Some(mut to) = to.block::<V>(first) else { break };
            let Some(from) = strip.block::<V>(at + first) else { break };
            // All of them first: what was just stored is not at hand for a load of other places.
            let kept = [to.load::<0>(), to.load::<1>(), to.load::<2>()];
            to.store::<0>(from.load::<0>(), kept[0]);
            to.store::<1>(from.load::<1>(), kept[1]);
            to.store::<2>(from.load::<2>(), kept[2]);
            first += V::LANES;
        }
        at += len as usize;
    }
}
