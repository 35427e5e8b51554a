//! The registers of AVX-512.
//!
//! Every function here is `#[inline(always)]` into [`run_avx512`], the one door, which is compiled
//! for AVX-512 and only entered on a machine that has it. That is why each `unsafe` block that calls
//! an instruction is sound; blocks that read or write memory say further why the memory is there.
//! Elements far from one another are loaded one by one: the instructions that gather are slower
//! than that on many machines.

#![allow(clippy::wildcard_imports, reason = "each name says that it is an instruction")]

use std::arch::x86_64::*;

use super::registers::{
    Register, columns, lane_by_lane, pow2_each, pow2_within, same_lanes, whole_registers,
};
use super::{Index, Kernel, Pair, Places, Table, Vector};
use crate::real::Real;

/// Sixteen numbers of 32 bits.
#[derive(Debug, Clone, Copy)]
pub struct Avx512(__m512);

/// Run `kernel` compiled for AVX-512.
///
/// # Safety
/// The machine must have AVX2, the instructions on bits and the parts of AVX-512 that are named here.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt,avx512f,avx512dq,avx512bw,avx512vl")]
pub unsafe fn run_avx512<T: Real, K: Kernel<T>>(kernel: K) -> K::Output {
    kernel.run::<T::Avx512>()
}

/// The columns of twice eight pairs.
#[inline(always)]
fn columns_of_pairs(first: __m512, last: __m512) -> (Avx512, __m512i) {
    // SAFETY: AVX-512 is there, see above.
    unsafe {
        let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
        let odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
        let real = _mm512_permutex2var_ps(first, even, last);
        (Avx512(real), _mm512_castps_si512(_mm512_permutex2var_ps(first, odd, last)))
    }
}

same_lanes!("avx512f", __m512, zmm_reg);

/// The four columns of sixteen rows, number `$k` of which is `$row`, four times 32 bits.
macro_rules! columns_of {
    (|$k:ident| $row:expr) => {{
        macro_rules! row {
            ($number:expr) => {{
                let $k: usize = $number;
                _mm_loadu_si128((&raw const $row).cast())
            }};
        }
        macro_rules! four_rows {
            ($number:expr) => {{
                let rows = _mm512_castsi128_si512(row!($number));
                let rows = _mm512_inserti32x4::<1>(rows, row!($number + 4));
                let rows = _mm512_inserti32x4::<2>(rows, row!($number + 8));
                _mm512_inserti32x4::<3>(rows, row!($number + 12))
            }};
        }
        // SAFETY: a row has four elements; the address need not be aligned; AVX-512 is there, see above.
        unsafe {
            let (a, b, c, d) = (four_rows!(0), four_rows!(1), four_rows!(2), four_rows!(3));
            columns!(
                [a, b, c, d],
                [_mm512_unpacklo_epi32, _mm512_unpackhi_epi32],
                [_mm512_unpacklo_epi64, _mm512_unpackhi_epi64]
            )
        }
    }};
}

impl Avx512 {
    #[inline(always)]
    fn of_bits(bits: __m512i) -> Self {
        // SAFETY: AVX-512 is there, see above.
        Self(unsafe { _mm512_castsi512_ps(bits) })
    }
}

impl Register for Avx512 {
    #[inline(always)]
    fn in_turn(self) -> Self {
        // SAFETY: AVX-512 is there, see above.
        Self(unsafe { in_turn(self.0) })
    }
    #[inline(always)]
    fn raised(self, shifted: Self) -> Self {
        // SAFETY: AVX-512 is there, see above.
        Self(unsafe {
            let exponent = _mm512_slli_epi32::<23>(_mm512_castps_si512(shifted.0));
            _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(self.0), exponent))
        })
    }
}

impl Vector for Avx512 {
    type Scalar = f32;
    type Int = __m512i;
    type Mask = __mmask16;

    whole_registers!(
        16,
        __m512i,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_set1_epi32,
        _mm512_loadu_si512,
        _mm512_sub_epi32,
        _mm512_cvtepi32_ps
    );
    lane_by_lane! {
        plus(other) = _mm512_add_ps;
        minus(other) = _mm512_sub_ps;
        times(other) = _mm512_mul_ps;
        at_least(other) = _mm512_max_ps;
        at_most(other) = _mm512_min_ps;
    }

    #[inline(always)]
    fn gather<I: Index>(from: &[f32], places: Places<'_, I>) -> Self {
        let at = |k: usize| *places.of(from, k);
        // SAFETY: AVX-512 is there, see above.
        Self(unsafe {
            let low = _mm256_setr_ps(at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7));
            let high = _mm256_setr_ps(at(8), at(9), at(10), at(11), at(12), at(13), at(14), at(15));
            _mm512_insertf32x8::<1>(_mm512_castps256_ps512(low), high)
        })
    }
    #[inline(always)]
    fn load_half(half_bits: &[u16], scale: f32) -> Self {
        let from: &[u16] = &half_bits[..16];
        // SAFETY: sixteen elements of 16 bits are there; the address need not be aligned.
        Self(unsafe {
            let wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.as_ptr().cast()));
            let bits = _mm512_castsi512_ps(_mm512_slli_epi32::<13>(wide));
            _mm512_mul_ps(bits, _mm512_set1_ps(scale))
        })
    }
    #[inline(always)]
    fn pairs(from: &[Pair<f32>]) -> (Self, __m512i) {
        let from = from[..16].as_ptr().cast::<f32>();
        // SAFETY: sixteen pairs of 32 bits twice are there; the address need not be aligned.
        unsafe { columns_of_pairs(_mm512_loadu_ps(from), _mm512_loadu_ps(from.add(16))) }
    }
    #[inline(always)]
    fn pairs_at<I: Index>(from: &[Pair<f32>], places: Places<'_, I>) -> (Self, __m512i) {
        let mut pairs = [Pair { real: 0.0, int: 0 }; 16];
        for (k, pair) in pairs.iter_mut().enumerate() {
            *pair = *places.of(from, k);
        }
        Self::pairs(&pairs)
    }
    #[inline(always)]
    fn store_pairs(self, int: __m512i, to: &mut [Pair<f32>]) {
        let to = to[..16].as_mut_ptr().cast::<f32>();
        // SAFETY: sixteen pairs of 32 bits twice are there; the address need not be aligned.
        unsafe {
            let int = _mm512_castsi512_ps(int);
            let first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let last = _mm512_add_epi32(first, _mm512_set1_epi32(8));
            _mm512_storeu_ps(to, _mm512_permutex2var_ps(self.0, first, int));
            _mm512_storeu_ps(to.add(16), _mm512_permutex2var_ps(self.0, last, int));
        }
    }
    #[inline(always)]
    fn store_pairs_at<I: Index>(self, int: __m512i, to: &mut [Pair<f32>], places: Places<'_, I>) {
        let mut pairs = [Pair { real: 0.0, int: 0 }; 16];
        self.store_pairs(int, &mut pairs);
        for k in (0..16).rev() {
            *places.of_mut(to, k) = pairs[k];
        }
    }
    #[inline(always)]
    fn or_else(self, mask: __mmask16, other: Self) -> Self {
        // SAFETY: AVX-512 is there, see above.
        Self(unsafe { opaque(_mm512_mask_mov_ps(other.0, mask, self.0)) })
    }
    #[inline(always)]
    fn only(self, mask: __mmask16) -> Self {
        // SAFETY: AVX-512 is there, see above.
        Self(unsafe { _mm512_maskz_mov_ps(mask, self.0) })
    }
    #[inline(always)]
    fn reaches(self, other: Self) -> __mmask16 {
        // SAFETY: AVX-512 is there, see above.
        unsafe { _mm512_cmp_ps_mask::<_CMP_GE_OQ>(self.0, other.0) }
    }
    #[inline(always)]
    fn differs(self, other: Self) -> __mmask16 {
        // SAFETY: AVX-512 is there, see above.
        unsafe { _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(self.0, other.0) }
    }
    #[inline(always)]
    fn int_or_else(mask: __mmask16, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: AVX-512 is there, see above.
        unsafe { _mm512_mask_mov_epi32(b, mask, a) }
    }
    #[inline(always)]
    fn above(a: __m512i, b: __m512i) -> __mmask16 {
        // SAFETY: AVX-512 is there, see above.
        unsafe { _mm512_cmpgt_epi32_mask(a, b) }
    }
    #[inline(always)]
    fn equals(a: __m512i, b: __m512i) -> __mmask16 {
        // SAFETY: AVX-512 is there, see above.
        unsafe { _mm512_cmpeq_epi32_mask(a, b) }
    }
    #[inline(always)]
    fn first(n: usize) -> __mmask16 {
        ((1_u32 << n.min(16)) - 1) as __mmask16
    }
    #[inline(always)]
    fn lanes(bits: u32) -> __mmask16 {
        bits as __mmask16
    }
    #[inline(always)]
    fn bits(mask: __mmask16) -> u32 {
        u32::from(mask)
    }
    #[inline(always)]
    fn both(a: __mmask16, b: __mmask16) -> __mmask16 {
        a & b
    }
}
