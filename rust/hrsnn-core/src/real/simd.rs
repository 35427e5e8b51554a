//! Vectors, and the choice at run time of the instructions that compute them.
//!
//! Lives here: the few operations that kernels are written in, once for plain arrays of either
//! number type and once for the registers of each level. Not here: any kernel. Invariant: an
//! operation has the same bits in each implementation, for each is one IEEE operation or a fixed
//! sequence of them, and none is fused. So the level that runs is a matter of speed alone.

#![allow(unsafe_code, reason = "instructions chosen at run time; each block says why it is sound")]
#![allow(clippy::inline_always, reason = "a kernel must be compiled as a whole for its level")]

use std::sync::atomic::{AtomicU8, Ordering};

use crate::real::Real;
pub use copies::Copies;
pub use places::Places;
pub use strip::{AHEAD, Block, Strip, Strips};
pub use table::{Index, TABLE, Table, table};

/// Most lanes of any vector; arrays that vectors read have as many elements to spare at the end.
pub const MOST_LANES: usize = 16;

/// Whether the machine has all of some features.
#[cfg(target_arch = "x86_64")]
macro_rules! has {
    ($($feature:tt),*) => { $(is_x86_feature_detected!($feature))&&* };
}

/// Instructions that may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What every machine of this architecture has.
    Baseline = 1,
    /// 256-bit vectors of x86-64.
    Avx2 = 2,
    /// 512-bit vectors of x86-64.
    Avx512 = 3,
}

impl Level {
    /// From the least on.
    pub const ALL: [Self; 3] = [Self::Baseline, Self::Avx2, Self::Avx512];

    /// The best that this machine has.
    pub fn detected() -> Self {
        #[cfg(target_arch = "x86_64")]
        if has!("avx2", "bmi1", "bmi2", "popcnt", "lzcnt") {
            if has!("avx512f", "avx512dq", "avx512bw", "avx512vl") {
                return Self::Avx512;
            }
            return Self::Avx2;
        }
        Self::Baseline
    }

    /// The level in use: the best, unless the environment variable `HRSNN_SIMD` says `avx2` or `baseline`.
    #[inline]
    pub fn in_use() -> Self {
        static IN_USE: AtomicU8 = AtomicU8::new(0);
        match IN_USE.load(Ordering::Relaxed) {
            0 => {
                let most = match std::env::var("HRSNN_SIMD").as_deref() {
                    Ok("baseline") => Self::Baseline,
                    Ok("avx2") => Self::Avx2,
                    _ => Self::Avx512,
                };
                let level = most.min(Self::detected());
                IN_USE.store(level as u8, Ordering::Relaxed);
                level
            }
            3 => Self::Avx512,
            2 => Self::Avx2,
            _ => Self::Baseline,
        }
    }
}

/// A number with a whole number beside it, where 64 bits are read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Pair<T> {
    /// The number.
    pub real: T,
    /// The whole one.
    pub int: i32,
}

/// Work that is written in vectors of either kind.
pub trait Kernel<T: Real> {
    /// What it returns.
    type Output;
    /// Do it; implementations are `#[inline(always)]`, so that they are compiled for the level.
    fn run<V: Vector<Scalar = T>>(self) -> Self::Output;
}

/// Lanes of numbers, with lanes of `i32` and truth values beside them.
pub trait Vector: Copy {
    /// One lane.
    type Scalar: Real;
    /// `i32` in as many lanes.
    type Int: Copy;
    /// Truth in as many lanes.
    type Mask: Copy;
    /// How many lanes.
    const LANES: usize;

    /// The same number in each lane.
    fn splat(value: Self::Scalar) -> Self;
    /// The first numbers of `from`, which has enough.
    fn load(from: &[Self::Scalar]) -> Self;
    /// The elements of `from` at `places`.
    fn gather<I: Index>(from: &[Self::Scalar], places: Places<'_, I>) -> Self;
    /// The four columns of the rows of `table` at `places`.
    fn columns<I: Index>(table: &[[Self::Scalar; 4]], places: Places<'_, I>) -> [Self; 4];
    /// `half_bits` as numbers of 16 bits without sign, times `scale`; see [`Real::from_half`].
    fn load_half(half_bits: &[u16], scale: f32) -> Self;
    /// Write to the first places of `to`, which has enough.
    fn store(self, to: &mut [Self::Scalar]);
    /// Sum.
    #[must_use]
    fn plus(self, other: Self) -> Self;
    /// Difference.
    #[must_use]
    fn minus(self, other: Self) -> Self;
    /// Product.
    #[must_use]
    fn times(self, other: Self) -> Self;
    /// The larger of both, `other` where they are equal.
    #[must_use]
    fn at_least(self, other: Self) -> Self;
    /// The smaller of both, `other` where they are equal.
    #[must_use]
    fn at_most(self, other: Self) -> Self;
    /// [`Real::pow2`] of each of some, which do not wait for one another.
    fn pow2_each<const N: usize>(of: [Self; N]) -> [Self; N];
    /// The same from [`Real::LOWEST_POWER`] to 0; elsewhere a lane is anything.
    fn pow2_within<const N: usize>(of: [Self; N]) -> [Self; N];
    /// The first pairs of `from`, which has enough.
    fn pairs(from: &[Pair<Self::Scalar>]) -> (Self, Self::Int);
    /// The pairs of `from` at `places`.
    fn pairs_at<I: Index>(from: &[Pair<Self::Scalar>], places: Places<'_, I>) -> (Self, Self::Int);
    /// Write, with `int` beside, to the first places of `to`, which has enough.
    fn store_pairs(self, int: Self::Int, to: &mut [Pair<Self::Scalar>]);
    /// The same to `places`; where some are the same, the first of them counts.
    fn store_pairs_at<I: Index>(
        self,
        int: Self::Int,
        to: &mut [Pair<Self::Scalar>],
        places: Places<'_, I>,
    );
    /// `self` where `mask` holds, `other` elsewhere.
    #[must_use]
    fn or_else(self, mask: Self::Mask, other: Self) -> Self;
    /// `self` where `mask` holds, 0 elsewhere.
    #[must_use]
    fn only(self, mask: Self::Mask) -> Self;
    /// Where `self >= other`.
    fn reaches(self, other: Self) -> Self::Mask;
    /// Where `self != other`.
    fn differs(self, other: Self) -> Self::Mask;

    /// The same number in each lane.
    fn int(value: i32) -> Self::Int;
    /// The first numbers of `from`, which has enough.
    fn load_int(from: &[i32]) -> Self::Int;
    /// `a - b`.
    fn int_minus(a: Self::Int, b: Self::Int) -> Self::Int;
    /// `a` where `mask` holds, `b` elsewhere.
    fn int_or_else(mask: Self::Mask, a: Self::Int, b: Self::Int) -> Self::Int;
    /// As numbers, rounded.
    fn from_int(a: Self::Int) -> Self;
    /// Where `a > b`.
    fn above(a: Self::Int, b: Self::Int) -> Self::Mask;
    /// Where `a == b`.
    fn equals(a: Self::Int, b: Self::Int) -> Self::Mask;
    /// The four columns of the rows of `table` at the first places of `index`.
    fn rows<I: Index>(table: &Table<[i32; 4]>, index: &[I]) -> [Self::Int; 4];

    /// The first `n` lanes.
    fn first(n: usize) -> Self::Mask;
    /// The lanes whose bits are set.
    fn lanes(bits: u32) -> Self::Mask;
    /// One bit for each lane.
    fn bits(mask: Self::Mask) -> u32;
    /// Where both hold.
    fn both(a: Self::Mask, b: Self::Mask) -> Self::Mask;
}

/// Lanes in an array: for either number type, on every machine.
#[derive(Debug, Clone, Copy)]
pub struct Plain<T>([T; PLAIN]);

const PLAIN: usize = 4;

impl<T: Real> Plain<T> {
    #[inline(always)]
    fn zip<R: Copy + Default>(self, other: Self, f: impl Fn(T, T) -> R) -> [R; PLAIN] {
        std::array::from_fn(|k| f(self.0[k], other.0[k]))
    }
}

impl<T: Real> Vector for Plain<T> {
    type Scalar = T;
    type Int = [i32; PLAIN];
    type Mask = [bool; PLAIN];
    const LANES: usize = PLAIN;

    #[inline(always)]
    fn splat(value: T) -> Self {
        Self([value; PLAIN])
    }
    #[inline(always)]
    fn load(from: &[T]) -> Self {
        Self(std::array::from_fn(|k| from[k]))
    }
    #[inline(always)]
    fn gather<I: Index>(from: &[T], places: Places<'_, I>) -> Self {
        Self(std::array::from_fn(|k| *places.of(from, k)))
    }
    #[inline(always)]
    fn columns<I: Index>(table: &[[T; 4]], places: Places<'_, I>) -> [Self; 4] {
        let rows: [_; PLAIN] = std::array::from_fn(|k| *places.of(table, k));
        std::array::from_fn(|column| Self(rows.map(|row| row[column])))
    }
    #[inline(always)]
    fn load_half(half_bits: &[u16], scale: f32) -> Self {
        Self(std::array::from_fn(|k| T::from_half(half_bits[k], scale)))
    }
    #[inline(always)]
    fn store(self, to: &mut [T]) {
        to[..PLAIN].copy_from_slice(&self.0);
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Self(self.zip(other, |a, b| a + b))
    }
    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        Self(self.zip(other, |a, b| a - b))
    }
    #[inline(always)]
    fn times(self, other: Self) -> Self {
        Self(self.zip(other, |a, b| a * b))
    }
    #[inline(always)]
    fn at_least(self, other: Self) -> Self {
        Self(self.zip(other, |a, b| if a > b { a } else { b }))
    }
    #[inline(always)]
    fn at_most(self, other: Self) -> Self {
        Self(self.zip(other, |a, b| if a < b { a } else { b }))
    }
    #[inline(always)]
    fn pow2_each<const N: usize>(of: [Self; N]) -> [Self; N] {
        of.map(|lanes| Self(lanes.0.map(T::pow2)))
    }
    #[inline(always)]
    fn pow2_within<const N: usize>(of: [Self; N]) -> [Self; N] {
        Self::pow2_each(of)
    }
    #[inline(always)]
    fn pairs(from: &[Pair<T>]) -> (Self, Self::Int) {
        (Self(std::array::from_fn(|k| from[k].real)), std::array::from_fn(|k| from[k].int))
    }
    #[inline(always)]
    fn pairs_at<I: Index>(from: &[Pair<T>], places: Places<'_, I>) -> (Self, Self::Int) {
        let pairs: [_; PLAIN] = std::array::from_fn(|k| *places.of(from, k));
        Self::pairs(&pairs)
    }
    #[inline(always)]
    fn store_pairs(self, int: Self::Int, to: &mut [Pair<T>]) {
        for (to, (real, int)) in to.iter_mut().zip(self.0.into_iter().zip(int)) {
            *to = Pair { real, int };
        }
    }
    #[inline(always)]
    fn store_pairs_at<I: Index>(self, int: Self::Int, to: &mut [Pair<T>], places: Places<'_, I>) {
        for k in (0..PLAIN).rev() {
            *places.of_mut(to, k) = Pair { real: self.0[k], int: int[k] };
        }
    }
    #[inline(always)]
    fn or_else(self, mask: Self::Mask, other: Self) -> Self {
        Self(std::array::from_fn(|k| if mask[k] { self.0[k] } else { other.0[k] }))
    }
    #[inline(always)]
    fn only(self, mask: Self::Mask) -> Self {
        self.or_else(mask, Self::splat(T::ZERO))
    }
    #[inline(always)]
    fn reaches(self, other: Self) -> Self::Mask {
        self.zip(other, |a, b| a >= b)
    }
    #[inline(always)]
    fn differs(self, other: Self) -> Self::Mask {
        self.zip(other, |a, b| a != b)
    }
    #[inline(always)]
    fn int(value: i32) -> Self::Int {
        [value; PLAIN]
    }
    #[inline(always)]
    fn load_int(from: &[i32]) -> Self::Int {
        std::array::from_fn(|k| from[k])
    }
    #[inline(always)]
    fn int_minus(a: Self::Int, b: Self::Int) -> Self::Int {
        std::array::from_fn(|k| a[k].wrapping_sub(b[k]))
    }
    #[inline(always)]
    fn int_or_else(mask: Self::Mask, a: Self::Int, b: Self::Int) -> Self::Int {
        std::array::from_fn(|k| if mask[k] { a[k] } else { b[k] })
    }
    #[inline(always)]
    fn from_int(a: Self::Int) -> Self {
        Self(a.map(T::from_i32))
    }
    #[inline(always)]
    fn above(a: Self::Int, b: Self::Int) -> Self::Mask {
        std::array::from_fn(|k| a[k] > b[k])
    }
    #[inline(always)]
    fn equals(a: Self::Int, b: Self::Int) -> Self::Mask {
        std::array::from_fn(|k| a[k] == b[k])
    }
    #[inline(always)]
    fn rows<I: Index>(table: &Table<[i32; 4]>, index: &[I]) -> [Self::Int; 4] {
        let rows: [_; PLAIN] = std::array::from_fn(|k| *table.at(index[k]));
        std::array::from_fn(|column| rows.map(|row| row[column]))
    }
    #[inline(always)]
    fn first(n: usize) -> Self::Mask {
        std::array::from_fn(|k| k < n)
    }
    #[inline(always)]
    fn lanes(bits: u32) -> Self::Mask {
        std::array::from_fn(|k| (bits >> k) & 1 == 1)
    }
    #[inline(always)]
    fn bits(mask: Self::Mask) -> u32 {
        (0..PLAIN).fold(0, |bits, k| bits | u32::from(mask[k]) << k)
    }
    #[inline(always)]
    fn both(a: Self::Mask, b: Self::Mask) -> Self::Mask {
        std::array::from_fn(|k| a[k] && b[k])
    }
}

/// Run `kernel` in the vectors of `level`, or of the best there is if the machine has not that.
#[inline]
pub fn run_at<T: Real, K: Kernel<T>>(level: Level, kernel: K) -> K::Output {
    // SAFETY: no level is above what was detected.
    unsafe { run_in(level.min(Level::detected()), kernel) }
}

/// Run `kernel` in the vectors of the level in use.
#[inline]
pub fn run<T: Real, K: Kernel<T>>(kernel: K) -> K::Output {
    // SAFETY: `in_use` has asked the machine.
    unsafe { run_in(Level::in_use(), kernel) }
}

/// Run `kernel` in the vectors of `level`.
///
/// # Safety
/// The machine must have that level.
#[inline(always)]
unsafe fn run_in<T: Real, K: Kernel<T>>(level: Level, kernel: K) -> K::Output {
    match level {
        // SAFETY: the machine has this level, as the caller says.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { avx512::run_avx512(kernel) },
        // SAFETY: the same.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { avx2::run_avx2(kernel) },
        _ => kernel.run::<Plain<T>>(),
    }
}

/// The same elements, read from memory again wherever they are read: for those who would else hold more of
/// them than there are registers.
#[inline(always)]
pub fn anew<X>(of: &[X]) -> &[X] {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        let mut first = of.as_ptr();
        // SAFETY: the empty instruction changes nothing, neither the address nor what is there.
        unsafe {
            std::arch::asm!("/* {0} */", inout(reg) first,
                options(pure, readonly, nostack, preserves_flags));
            std::slice::from_raw_parts(first, of.len())
        }
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    of
}

/// Bytes of a cache line.
pub const LINE: usize = 64;

/// Ask for the cache line at `place`, which need not be anyone's, before it is needed.
#[inline(always)]
pub fn ask<X>(place: *const X) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the instruction reads nothing that a program can see, and never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// Ask for the cache line that holds the element `index` of `of`, if there is one.
#[inline(always)]
pub fn prefetch<X>(of: &[X], index: usize) {
    if let Some(element) = of.get(index) {
        ask(element);
    }
}

/// Ask for the cache lines of the few elements from the `first` of `of` on, of which there are `n`.
#[inline(always)]
pub fn prefetch_few<X>(of: &[X], first: usize, n: usize) {
    let first = of.as_ptr().wrapping_add(first).cast::<u8>();
    let last = (n * size_of::<X>()).wrapping_sub(1);
    let mut place = 0;
    while place < last {
        ask(first.wrapping_add(place));
        place += LINE;
    }
    ask(first.wrapping_add(last));
}

/// Ask for the first cache lines of `n` elements of `of` from the `first` on; whoever reads so many in
/// order is foreseen from there on.
#[inline(always)]
pub fn prefetch_lines<X>(of: &[X], first: usize, n: usize) {
    /// Most bytes that are asked for.
    const MOST: usize = 64 * LINE;
    let first = of.as_ptr().wrapping_add(first).cast::<u8>();
    let n_bytes = (n * size_of::<X>()).min(MOST);
    ask(first);
    // The end may lie in one more line than a whole number of lines from here.
    ask(first.wrapping_add(n_bytes));
    let mut place = LINE;
    while place < n_bytes {
        ask(first.wrapping_add(place));
        place += LINE;
    }
}

#[cfg(target_arch = "x86_64")]
pub mod avx2;
#[cfg(target_arch = "x86_64")]
pub mod avx512;
mod copies;
mod places;
#[cfg(target_arch = "x86_64")]
mod registers;
mod strip;
mod table;

#[cfg(test)]
mod tests;
