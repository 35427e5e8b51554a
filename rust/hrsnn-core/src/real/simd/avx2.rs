//! The registers of AVX2.
//!
//! Every function here is `#[inline(always)]` into [`run_avx2`], the one door, which is compiled
//! for AVX2 and only entered on a machine that has it. That is why each `unsafe` block that calls
//! an instruction is sound; blocks that read or write memory say further why the memory is there.

#![allow(clippy::wildcard_imports, reason = "each name says that it is an instruction")]

use std::arch::x86_64::*;

use super::registers::{
    Register, columns, lane_by_lane, pow2_each, pow2_within, same_lanes, whole_registers,
};
use super::{Index, Kernel, Pair, Places, Table, Vector};
use crate::real::Real;

/// Eight numbers of 32 bits.
#[derive(Debug, Clone, Copy)]
pub struct Avx2(__m256);

/// Run `kernel` compiled for AVX2.
///
/// # Safety
/// The machine must have AVX2 and the instructions on bits that are named here.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt")]
pub unsafe fn run_avx2<T: Real, K: Kernel<T>>(kernel: K) -> K::Output {
    kernel.run::<T::Avx2>()
}

/// The columns of eight pairs: 0, 1, 4 and 5 in the first register, the others in the second.
#[inline(always)]
fn columns_of_pairs(first: __m256, last: __m256) -> (Avx2, __m256i) {
    // SAFETY: AVX2 is there, see above.
    unsafe {
        let (real, int) =
            (_mm256_shuffle_ps::<0x88>(first, last), _mm256_shuffle_ps::<0xdd>(first, last));
        (Avx2(real), _mm256_castps_si256(int))
    }
}

/// What [`columns_of_pairs`] takes.
#[inline(always)]
fn pairs_of_columns(real: __m256, int: __m256i) -> [__m256; 2] {
    // SAFETY: AVX2 is there, see above.
    unsafe {
        let int = _mm256_castsi256_ps(int);
        [_mm256_unpacklo_ps(real, int), _mm256_unpackhi_ps(real, int)]
    }
}

same_lanes!("avx2", __m256, ymm_reg);

/// The four columns of eight rows, number `$k` of which is `$row`, four times 32 bits.
macro_rules! columns_of {
    (|$k:ident| $row:expr) => {{
        macro_rules! row {
            ($number:expr) => {{
                let $k: usize = $number;
                _mm_loadu_si128((&raw const $row).cast())
            }};
        }
        macro_rules! two_rows {
            ($number:expr) => {
                _mm256_set_m128i(row!($number + 4), row!($number))
            };
        }
        // SAFETY: a row has four elements; the address need not be aligned; AVX2 is there, see above.
        unsafe {
            let (a, b, c, d) = (two_rows!(0), two_rows!(1), two_rows!(2), two_rows!(3));
            columns!(
                [a, b, c, d],
                [_mm256_unpacklo_epi32, _mm256_unpackhi_epi32],
                [_mm256_unpacklo_epi64, _mm256_unpackhi_epi64]
            )
        }
    }};
}

impl Avx2 {
    #[inline(always)]
    fn of_bits(bits: __m256i) -> Self {
        // SAFETY: AVX2 is there, see above.
        Self(unsafe { _mm256_castsi256_ps(bits) })
    }
}

impl Register for Avx2 {
    #[inline(always)]
    fn in_turn(self) -> Self {
        // SAFETY: AVX2 is there, see above.
        Self(unsafe { in_turn(self.0) })
    }
    #[inline(always)]
    fn raised(self, shifted: Self) -> Self {
        // SAFETY: AVX2 is there, see above.
        Self(unsafe {
            let exponent = _mm256_slli_epi32::<23>(_mm256_castps_si256(shifted.0));
            _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(self.0), exponent))
        })
    }
}

impl Vector for Avx2 {
    type Scalar = f32;
    type Int = __m256i;
    type Mask = __m256;

    whole_registers!(
        8,
        __m256i,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_set1_epi32,
        _mm256_loadu_si256,
        _mm256_sub_epi32,
        _mm256_cvtepi32_ps
    );
    lane_by_lane! {
        plus(other) = _mm256_add_ps;
        minus(other) = _mm256_sub_ps;
        times(other) = _mm256_mul_ps;
        at_least(other) = _mm256_max_ps;
        at_most(other) = _mm256_min_ps;
    }

    #[inline(always)]
    fn gather<I: Index>(from: &[f32], places: Places<'_, I>) -> Self {
        let at = |k: usize| *places.of(from, k);
        // SAFETY: AVX2 is there, see above.
        Self(unsafe { _mm256_setr_ps(at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)) })
    }
    #[inline(always)]
    fn load_half(half_bits: &[u16], scale: f32) -> Self {
        let from: &[u16] = &half_bits[..8];
        // SAFETY: eight elements of 16 bits are there; the address need not be aligned.
        Self(unsafe {
            let wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(from.as_ptr().cast()));
            let bits = _mm256_castsi256_ps(_mm256_slli_epi32::<13>(wide));
            _mm256_mul_ps(bits, _mm256_set1_ps(scale))
        })
    }
    #[inline(always)]
    fn pairs(from: &[Pair<f32>]) -> (Self, __m256i) {
        let from = from[..8].as_ptr().cast::<f32>();
        // SAFETY: eight pairs of 32 bits twice are there; the address need not be aligned.
        unsafe {
            let two = |k: usize| _mm_loadu_ps(from.add(2 * k));
            columns_of_pairs(_mm256_set_m128(two(4), two(0)), _mm256_set_m128(two(6), two(2)))
        }
    }
    #[inline(always)]
    fn pairs_at<I: Index>(from: &[Pair<f32>], places: Places<'_, I>) -> (Self, __m256i) {
        let at = |k: usize| (&raw const *places.of(from, k)).cast::<f64>();
        // SAFETY: a pair has 64 bits, and its address is aligned to them; AVX2 is there, see above.
        unsafe {
            let two = |k: usize| _mm_castpd_ps(_mm_loadh_pd(_mm_load_sd(at(k)), at(k + 1)));
            columns_of_pairs(_mm256_set_m128(two(4), two(0)), _mm256_set_m128(two(6), two(2)))
        }
    }
    #[inline(always)]
    fn store_pairs(self, int: __m256i, to: &mut [Pair<f32>]) {
        let to = to[..8].as_mut_ptr().cast::<f32>();
        let [first, last] = pairs_of_columns(self.0, int);
        // SAFETY: eight pairs of 32 bits twice are there; the address need not be aligned.
        unsafe {
            _mm_storeu_ps(to, _mm256_castps256_ps128(first));
            _mm_storeu_ps(to.add(4), _mm256_castps256_ps128(last));
            _mm_storeu_ps(to.add(8), _mm256_extractf128_ps::<1>(first));
            _mm_storeu_ps(to.add(12), _mm256_extractf128_ps::<1>(last));
        }
    }
    #[inline(always)]
    fn store_pairs_at<I: Index>(self, int: __m256i, to: &mut [Pair<f32>], places: Places<'_, I>) {
        let [first, last] = pairs_of_columns(self.0, int);
        macro_rules! store_two {
            ($k:expr, $two:expr) => {{
                let two = _mm_castps_pd($two);
                _mm_storeh_pd((&raw mut *places.of_mut(to, $k + 1)).cast(), two);
                _mm_storel_pd((&raw mut *places.of_mut(to, $k)).cast(), two);
            }};
        }
        // SAFETY: a pair has 64 bits, and its address is aligned to them; AVX2 is there, see above.
        unsafe {
            store_two!(6, _mm256_extractf128_ps::<1>(last));
            store_two!(4, _mm256_extractf128_ps::<1>(first));
            store_two!(2, _mm256_castps256_ps128(last));
            store_two!(0, _mm256_castps256_ps128(first));
        }
    }
    #[inline(always)]
    fn or_else(self, mask: __m256, other: Self) -> Self {
        // SAFETY: AVX2 is there, see above.
        Self(unsafe { opaque(_mm256_blendv_ps(other.0, self.0, mask)) })
    }
    #[inline(always)]
    fn only(self, mask: __m256) -> Self {
        // SAFETY: AVX2 is there, see above.
        Self(unsafe { _mm256_and_ps(self.0, mask) })
    }
    #[inline(always)]
    fn reaches(self, other: Self) -> __m256 {
        // SAFETY: AVX2 is there, see above.
        unsafe { _mm256_cmp_ps::<_CMP_GE_OQ>(self.0, other.0) }
    }
    #[inline(always)]
    fn differs(self, other: Self) -> __m256 {
        // SAFETY: AVX2 is there, see above.
        unsafe { _mm256_cmp_ps::<_CMP_NEQ_UQ>(self.0, other.0) }
    }
    #[inline(always)]
    fn int_or_else(mask: __m256, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: AVX2 is there, see above.
        unsafe { _mm256_blendv_epi8(b, a, _mm256_castps_si256(mask)) }
    }
    #[inline(always)]
    fn above(a: __m256i, b: __m256i) -> __m256 {
        // SAFETY: AVX2 is there, see above.
        unsafe { _mm256_castsi256_ps(_mm256_cmpgt_epi32(a, b)) }
    }
    #[inline(always)]
    fn equals(a: __m256i, b: __m256i) -> __m256 {
        // SAFETY: AVX2 is there, see above.
        unsafe { _mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b)) }
    }
    #[inline(always)]
    fn first(n: usize) -> __m256 {
        // SAFETY: AVX2 is there, see above.
        unsafe {
            let lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(n as i32), lane))
        }
    }
    #[inline(always)]
    fn lanes(bits: u32) -> __m256 {
        // SAFETY: AVX2 is there, see above.
        unsafe {
            let lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
            let set = _mm256_and_si256(_mm256_set1_epi32(bits as i32), lane);
            _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, lane))
        }
    }
    #[inline(always)]
    fn bits(mask: __m256) -> u32 {
        // SAFETY: AVX2 is there, see above.
        unsafe { _mm256_movemask_ps(mask) as u32 }
    }
    #[inline(always)]
    fn both(a: __m256, b: __m256) -> __m256 {
        // SAFETY: AVX2 is there, see above.
        unsafe { _mm256_and_ps(a, b) }
    }
}
