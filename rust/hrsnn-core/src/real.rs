//! The two number types of the simulator and their own `exp`, `ln`, `pow` and powers of two.
//!
//! Lives here: arithmetic that must give the same bits on every machine, of single numbers and
//! of vectors ([`simd`]). Not here: any model. Invariant: only `+ - * /`, comparisons and bit moves are used, in a fixed order
//! and never fused, so that a result depends on nothing but its argument.

pub mod large;
pub mod simd;

use std::fmt::{Debug, Display};
use std::ops::{Add, AddAssign, Div, Mul, Sub};

/// `f32` or `f64`.
pub trait Real:
    Copy
    + Debug
    + Default
    + Display
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + 'static
{
    /// The vectors of this type that AVX2 is used through.
    #[cfg(target_arch = "x86_64")]
    type Avx2: simd::Vector<Scalar = Self>;
    /// The vectors of this type that AVX-512 is used through.
    #[cfg(target_arch = "x86_64")]
    type Avx512: simd::Vector<Scalar = Self>;

    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// Powers of two are 0 below this exponent.
    const LOWEST_POWER: Self;

    /// Nearest value.
    fn from_f64(value: f64) -> Self;
    /// Exact.
    fn to_f64(self) -> f64;
    /// Nearest value of a span of time in µs.
    fn from_us(us: i64) -> Self;
    /// Nearest value.
    fn from_i32(value: i32) -> Self;
    /// A number of 16 bits without sign, times `scale`, which holds 2^112 to set its exponent right.
    fn from_half(bits: u16, scale: f32) -> Self;
    /// 2 to the power of `self <= 0`, within 2 units in the last place; 0 below -125 (single
    /// precision) or -1021 (double), where results would soon be subnormal.
    #[must_use]
    fn pow2(self) -> Self;
    /// e to the power of `self`; 0 below the smallest normal result. Within 2 units in the last place.
    #[must_use]
    fn exp(self) -> Self;
    /// The smaller of two numbers.
    #[must_use]
    fn min(self, other: Self) -> Self;
    /// The larger of two numbers.
    #[must_use]
    fn max(self, other: Self) -> Self;

    /// `self^exponent` for `self >= 0`.
    #[must_use]
    fn pow(self, exponent: Self) -> Self {
        if exponent == Self::ZERO {
            Self::ONE
        } else if exponent == Self::ONE || self == Self::ZERO {
            self
        } else {
            Self::from_f64((exponent.to_f64() * ln(self.to_f64())).exp_bits())
        }
    }
}

/// e^r for |r| <= 0.35.
#[inline(always)]
#[allow(clippy::inline_always, reason = "see exp_bits")]
fn near_one(r: f64) -> f64 {
    let r2 = r * r;
    let r4 = r2 * r2;
    let p0 = (1.0 + r) + r2 * (0.5 + r * (1.0 / 6.0));
    let p1 = (1.0 / 24.0 + r * (1.0 / 120.0)) + r2 * (1.0 / 720.0 + r * (1.0 / 5040.0));
    let p2 = (1.0 / 40_320.0 + r * (1.0 / 362_880.0))
        + r2 * (1.0 / 3_628_800.0 + r * (1.0 / 39_916_800.0));
    let p3 = 1.0 / 479_001_600.0 + r * (1.0 / 6_227_020_800.0);
    (p0 + r4 * p1) + (r4 * r4) * (p2 + r4 * p3)
}

/// `exp` under another name than the standard library's inherent method.
trait ExpBits {
    fn exp_bits(self) -> Self;
}

impl ExpBits for f64 {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "so that loops over synapses become vector code")]
    fn exp_bits(self) -> f64 {
        /// 1.5 * 2^52: adding it leaves the rounded integer in the low bits.
        const MAGIC: f64 = 6_755_399_441_055_744.0;
        const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
        const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
        const LOWEST: f64 = -708.0;
        let x = if self < LOWEST { LOWEST } else { self };
        let x = if x > 709.0 { 709.0 } else { x };
        let shifted = x * std::f64::consts::LOG2_E + MAGIC;
        let k = shifted - MAGIC;
        let r = (x - k * LN2_HIGH) - k * LN2_LOW;
        let p = near_one(r);
        let scale = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
        if self < LOWEST { 0.0 } else { p * scale }
    }
}

impl ExpBits for f32 {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "so that loops over synapses become vector code")]
    fn exp_bits(self) -> f32 {
        /// 1.5 * 2^23.
        const MAGIC: f32 = 12_582_912.0;
        const LN2_HIGH: f32 = 0.693_359_4;
        const LN2_LOW: f32 = -2.121_944_4e-4;
        const LOWEST: f32 = -87.0;
        let x = if self < LOWEST { LOWEST } else { self };
        let x = if x > 88.0 { 88.0 } else { x };
        let shifted = x * std::f32::consts::LOG2_E + MAGIC;
        let k = shifted - MAGIC;
        let r = (x - k * LN2_HIGH) - k * LN2_LOW;
        let r2 = r * r;
        let p0 = (1.0 + r) + r2 * (0.5 + r * (1.0 / 6.0));
        let p1 = (1.0 / 24.0 + r * (1.0 / 120.0)) + r2 * (1.0 / 720.0 + r * (1.0 / 5040.0));
        let p = p0 + (r2 * r2) * p1;
        let scale = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
        if self < LOWEST { 0.0 } else { p * scale }
    }
}

/// Powers of two in single precision: what both the scalar and the vector code use.
pub(crate) mod pow2 {
    /// 1.5 * 2^23: adding it leaves the rounded integer in the low bits.
    pub(crate) const MAGIC: f32 = 12_582_912.0;
    /// Results are 0 below it, and normal numbers from it on.
    pub(crate) const LOWEST: f32 = -125.0;
    /// Of the polynomial nearest to 2^f for |f| <= 1/2 that is 1 at 0; off by 9.2e-8 at most.
    #[expect(clippy::approx_constant, reason = "the best first term is near ln 2, and is not it")]
    pub(crate) const TERMS: [f32; 5] =
        [0.693_147, 0.240_222_42, 0.055_507_34, 0.009_671_51, 0.001_326_47];
}

/// Natural logarithm of a positive normal number, within 2 units in the last place.
pub fn ln(x: f64) -> f64 {
    debug_assert!(x >= f64::MIN_POSITIVE);
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i64 - 1023;
    let mut mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    // ln m = 2 atanh(s), s = (m - 1) / (m + 1), |s| < 0.172.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let z = s * s;
    let mut sum = 1.0 / 23.0;
    for denominator in (3..=21).rev().step_by(2) {
        sum = sum * z + 1.0 / f64::from(denominator);
    }
    exponent as f64 * std::f64::consts::LN_2 + (2.0 * s + 2.0 * s * z * sum)
}

/// What the two types do in ways of their own.
trait Own {
    fn pow2_bits(self) -> Self;
}

impl Own for f32 {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "see exp_bits")]
    fn pow2_bits(self) -> f32 {
        let shifted = self + pow2::MAGIC;
        let f = self - (shifted - pow2::MAGIC);
        let [a, b, c, d, e] = pow2::TERMS;
        let p = 1.0 + f * (a + f * (b + f * (c + f * (d + f * e))));
        let power = f32::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 23));
        if self >= pow2::LOWEST { power } else { 0.0 }
    }
}

impl Own for f64 {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "see exp_bits")]
    fn pow2_bits(self) -> f64 {
        /// 1.5 * 2^52.
        const MAGIC: f64 = 6_755_399_441_055_744.0;
        let shifted = self + MAGIC;
        let p = near_one((self - (shifted - MAGIC)) * std::f64::consts::LN_2);
        let power = f64::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 52));
        if self >= Self::LOWEST_POWER { power } else { 0.0 }
    }
}

macro_rules! real {
    ($float:ty, $lowest:expr, $avx2:ty, $avx512:ty) => {
        impl Real for $float {
            #[cfg(target_arch = "x86_64")]
            type Avx2 = $avx2;
            #[cfg(target_arch = "x86_64")]
            type Avx512 = $avx512;

            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const LOWEST_POWER: Self = $lowest;

            #[inline]
            fn from_f64(value: f64) -> Self {
                value as $float
            }
            #[inline]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline]
            fn from_us(us: i64) -> Self {
                us as $float
            }
            #[inline]
            fn from_i32(value: i32) -> Self {
                value as $float
            }
            #[inline]
            fn from_half(bits: u16, scale: f32) -> Self {
                (f32::from_bits(u32::from(bits) << 13) * scale) as $float
            }
            #[inline(always)]
            #[allow(clippy::inline_always, reason = "see exp_bits")]
            fn pow2(self) -> Self {
                self.pow2_bits()
            }
            #[inline(always)]
            #[allow(clippy::inline_always, reason = "see exp_bits")]
            fn exp(self) -> Self {
                self.exp_bits()
            }
            #[inline]
            fn min(self, other: Self) -> Self {
                if other < self { other } else { self }
            }
            #[inline]
            fn max(self, other: Self) -> Self {
                if other > self { other } else { self }
            }
        }
    };
}
real!(f32, pow2::LOWEST, simd::avx2::Avx2, simd::avx512::Avx512);
real!(f64, -1021.0, simd::Plain<f64>, simd::Plain<f64>);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn exp_is_within_two_units_in_the_last_place(x in -700.0_f64..20.0, y in -86.0_f32..20.0) {
            let error = (Real::exp(x) - x.exp()).abs() / x.exp();
            prop_assert!(error <= 2.0 * f64::EPSILON, "exp({x}) off by {error}");
            let exact = f64::from(y).exp();
            let error = (f64::from(Real::exp(y)) - exact).abs() / exact;
            prop_assert!(error <= 2.0 * f64::from(f32::EPSILON), "exp({y}) off by {error}");
        }

        #[test]
        fn ln_and_pow_agree_with_the_standard_library(x in 1e-300_f64..1e300, mu in 0.01_f64..3.0, b in 1e-6_f64..10.0) {
            prop_assert!((ln(x) - x.ln()).abs() <= 4.0 * f64::EPSILON * x.ln().abs().max(1.0));
            prop_assert!((Real::pow(b, mu) - b.powf(mu)).abs() <= 1e-13 * b.powf(mu));
        }
    }

    #[test]
    fn limits_are_exact() {
        assert_eq!(Real::exp(0.0_f64), 1.0);
        assert_eq!(Real::exp(0.0_f32), 1.0);
        assert_eq!(Real::exp(-1e9_f64), 0.0);
        assert_eq!(Real::exp(-1e9_f32), 0.0);
        assert_eq!(ln(1.0), 0.0);
        assert_eq!(Real::pow(0.0_f64, 0.5), 0.0);
        assert_eq!(Real::pow(3.0_f64, 0.0), 1.0);
    }
}
