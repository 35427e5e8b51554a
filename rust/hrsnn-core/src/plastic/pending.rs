//! Potentiations that wait to be applied, packed so that no lane is idle.
//!
//! Lives here: a list of pairs of an arrival and a later post spike. At a visit most synapses have
//! none, some one, few many: lane by lane most of the arithmetic would be for nothing. So the pairs
//! of several blocks are packed, weighed as one dense list, and then handed back block by block.

use crate::real::Real;
use crate::real::simd::{MOST_LANES, Vector};
use crate::stdp::LATEST;

/// Most blocks whose pairs are listed at a time.
pub(super) const BLOCKS: usize = 16;
/// Most pairs of so many blocks: a power of two.
const MOST: usize = BLOCKS * MOST_LANES * LATEST;
/// As much as vectors may reach into.
const ROOM: usize = MOST + MOST_LANES;

/// Pairs of some blocks: block after block, in each the latest spikes of all lanes last.
#[derive(Debug, Clone)]
pub(super) struct Pending<T> {
    n: usize,
    /// Mark of the post spike.
    mark: [i32; ROOM],
    /// `a_plus` times the pre trace after the arrival, mV; then by how much the spike potentiates.
    amount: [T; ROOM],
    /// Halvings of the pre trace in a µs.
    plus: [T; ROOM],
    /// Halvings of the post trace in a µs; then what is left of the spike's own trace now.
    left: [T; ROOM],
    /// What is listed of each block.
    pub(super) live: [Live; BLOCKS],
}

/// Lanes of a block for which the latest spike is pending, the one before, and so on: a byte each.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Live(u32);

const _: () = assert!(MOST_LANES <= 8 && LATEST <= 4);

impl Live {
    /// None of any rank.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Lanes whose spike of `rank` is pending, as bits.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    pub(super) fn get(self, rank: usize) -> u32 {
        self.0 >> (8 * rank) & 0xff
    }

    /// Set those of `rank`, which were none.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    pub(super) fn set(&mut self, rank: usize, bits: u32) {
        self.0 |= bits << (8 * rank);
    }

    /// Those of the first `n` lanes.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    pub(super) fn first(self, n: usize) -> Self {
        Self(self.0 & (((1_u32 << n) - 1) * 0x0101_0101))
    }

    /// Ranks that must be looked at: two, or all.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    pub(super) fn n_ranks(self) -> usize {
        if self.0 >> 16 == 0 { 2 } else { LATEST }
    }
}

impl<T: Real> Pending<T> {
    /// An empty list.
    pub(super) fn new() -> Self {
        let zeros = [T::ZERO; ROOM];
        let live = [Live::default(); BLOCKS];
        Self { n: 0, mark: [0; ROOM], amount: zeros, plus: zeros, left: zeros, live }
    }

    /// Forget all pairs.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    pub(super) fn clear(&mut self) {
        self.n = 0;
    }

    /// Number of pairs.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    pub(super) fn len(&self) -> usize {
        self.n
    }

    /// Append the lanes `bits`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    pub(super) fn push<V: Vector<Scalar = T>>(
        &mut self,
        bits: u32,
        mark: V::Int,
        amount: V,
        [plus, minus]: [V; 2],
    ) {
        debug_assert!(self.n + bits.count_ones() as usize <= MOST);
        // The mask says nothing new: it spares checking each slice.
        let at = self.n & (MOST - 1);
        V::store_int(V::pack_int(mark, bits), &mut self.mark[at..]);
        amount.pack(bits).store(&mut self.amount[at..]);
        plus.pack(bits).store(&mut self.plus[at..]);
        minus.pack(bits).store(&mut self.left[at..]);
        self.n += bits.count_ones() as usize;
    }

    /// From the visit at mark `visit` on, seen at mark `now`: what each pair amounts to.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    pub(super) fn weigh<V: Vector<Scalar = T>>(
        &mut self,
        leaves_traces: bool,
        visit: i32,
        now: i32,
    ) {
        let (visit, now) = (V::int(visit), V::int(now));
        for at in (0..self.n).step_by(V::LANES) {
            let at = at & (MOST - 1);
            let mark = V::load_int(&self.mark[at..]);
            let since = V::from_int(V::int_minus(visit, mark));
            let decay = since.times(V::load(&self.plus[at..])).pow2();
            V::load(&self.amount[at..]).times(decay).store(&mut self.amount[at..]);
            if leaves_traces {
                let until = V::from_int(V::int_minus(mark, now));
                let left = until.times(V::load(&self.left[at..])).pow2();
                left.store(&mut self.left[at..]);
            }
        }
    }

    /// Amounts and what is left of the pairs from place `at` on, brought to the lanes `bits`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "part of a kernel")]
    pub(super) fn unpacked<V: Vector<Scalar = T>>(&self, at: usize, bits: u32) -> (V, V) {
        let at = at & (MOST - 1);
        let amount = V::load(&self.amount[at..]).unpack(bits);
        (amount, V::load(&self.left[at..]).unpack(bits))
    }
}
