//! What the registers of all levels share.

use super::Vector;
use crate::real::pow2;

/// Registers of numbers of 32 bits.
pub(super) trait Register: Vector<Scalar = f32> {
    /// The same lanes, computed after those for which this was asked before.
    fn in_turn(self) -> Self;
    /// Lanes of which the exponents are raised by the lowest bits of those of `shifted`.
    fn raised(self, shifted: Self) -> Self;
}

/// [`Vector::pow2_each`].
#[inline(always)]
pub(super) fn pow2_each<R: Register, const N: usize>(of: [R; N]) -> [R; N] {
    let mut p = pow2_within(of);
    let lowest = R::splat(pow2::LOWEST);
    for k in 0..N {
        p[k] = p[k].only(of[k].reaches(lowest));
    }
    p
}

/// [`Vector::pow2_within`].
#[inline(always)]
pub(super) fn pow2_within<R: Register, const N: usize>(of: [R; N]) -> [R; N] {
    // Step by step all of them, and the compiler is held to it: each step of one waits for the
    // last, and the machine looks ahead only so far.
    let magic = R::splat(pow2::MAGIC);
    let mut shifted = of;
    let mut f = of;
    for k in 0..N {
        shifted[k] = of[k].plus(magic);
    }
    for k in 0..N {
        f[k] = of[k].minus(shifted[k].minus(magic));
    }
    let [a, b, c, d, e] = pow2::TERMS;
    let mut p = [R::splat(e); N];
    for term in [d, c, b, a, 1.0] {
        let term = R::splat(term);
        for k in 0..N {
            p[k] = term.plus(f[k].times(p[k]));
            if N > 1 {
                p[k] = p[k].in_turn();
            }
        }
    }
    for k in 0..N {
        p[k] = p[k].raised(shifted[k]);
    }
    p
}

/// Operations that are one instruction on each register.
macro_rules! lane_by_lane {
    ($($name:ident($($argument:ident),*) = $instruction:expr;)*) => {
        $(
            #[inline(always)]
            fn $name(self, $($argument: Self),*) -> Self {
                // SAFETY: the level is there, see above.
                Self(unsafe { $instruction(self.0, $($argument.0),*) })
            }
        )*
    };
}
pub(super) use lane_by_lane;

/// Two functions of registers `$lanes`, of the class `$class`, that say nothing but keep the compiler
/// from what it would do.
macro_rules! same_lanes {
    ($feature:literal, $lanes:ty, $class:ident) => {
        /// The same lanes, without the compiler's knowing where they come from.
        ///
        /// Choosing and storing would else become a masked store, which takes tens of cycles on many
        /// machines.
        #[inline]
        #[target_feature(enable = $feature)]
        fn opaque(lanes: $lanes) -> $lanes {
            let mut same = lanes;
            // SAFETY: the empty instruction reads and changes nothing.
            unsafe {
                std::arch::asm!("/* {0} */", inout($class) same,
                    options(pure, nomem, nostack, preserves_flags));
            }
            same
        }

        /// [`Register::in_turn`].
        #[inline]
        #[target_feature(enable = $feature)]
        fn in_turn(lanes: $lanes) -> $lanes {
            let mut same = lanes;
            // SAFETY: the empty instruction reads and changes nothing.
            unsafe {
                std::arch::asm!("/* {0} */", inout($class) same,
                    options(nomem, nostack, preserves_flags));
            }
            same
        }
    };
}
pub(super) use same_lanes;

/// The four columns of registers that hold rows, four times 32 bits each: row 0, 4 and so on in the
/// first of them, row 1, 5 and so on in the second.
macro_rules! columns {
    ([$a:ident, $b:ident, $c:ident, $d:ident], [$low:ident, $high:ident], [$low_2:ident, $high_2:ident]) => {{
        let (ab_first, ab_last) = ($low($a, $b), $high($a, $b));
        let (cd_first, cd_last) = ($low($c, $d), $high($c, $d));
        [
            $low_2(ab_first, cd_first),
            $high_2(ab_first, cd_first),
            $low_2(ab_last, cd_last),
            $high_2(ab_last, cd_last),
        ]
    }};
}
pub(super) use columns;

/// What is one instruction on a register of `$n` lanes, whole: to fill, load and store it, and whole
/// numbers.
macro_rules! whole_registers {
    (
        $n:literal, $int:ty, $splat:ident, $load:ident, $store:ident,
        $int_splat:ident, $int_load:ident, $int_minus:ident, $from_int:ident
    ) => {
        const LANES: usize = $n;

        #[inline(always)]
        fn splat(value: f32) -> Self {
            // SAFETY: the level is there, see above.
            Self(unsafe { $splat(value) })
        }
        #[inline(always)]
        fn load(from: &[f32]) -> Self {
            let from: &[f32] = &from[..$n];
            // SAFETY: all elements are there; the address need not be aligned.
            Self(unsafe { $load(from.as_ptr()) })
        }
        #[inline(always)]
        fn store(self, to: &mut [f32]) {
            let to: &mut [f32] = &mut to[..$n];
            // SAFETY: all elements are there; the address need not be aligned.
            unsafe { $store(to.as_mut_ptr(), self.0) };
        }
        #[inline(always)]
        fn pow2_each<const N: usize>(of: [Self; N]) -> [Self; N] {
            pow2_each(of)
        }
        #[inline(always)]
        fn pow2_within<const N: usize>(of: [Self; N]) -> [Self; N] {
            pow2_within(of)
        }
        #[inline(always)]
        fn int(value: i32) -> $int {
            // SAFETY: the level is there, see above.
            unsafe { $int_splat(value) }
        }
        #[inline(always)]
        fn load_int(from: &[i32]) -> $int {
            let from: &[i32] = &from[..$n];
            // SAFETY: all elements are there; the address need not be aligned.
            unsafe { $int_load(from.as_ptr().cast()) }
        }
        #[inline(always)]
        fn int_minus(a: $int, b: $int) -> $int {
            // SAFETY: the level is there, see above.
            unsafe { $int_minus(a, b) }
        }
        #[inline(always)]
        fn from_int(a: $int) -> Self {
            // SAFETY: the level is there, see above.
            Self(unsafe { $from_int(a) })
        }
        #[inline(always)]
        fn columns<I: Index>(table: &[[f32; 4]], places: Places<'_, I>) -> [Self; 4] {
            columns_of!(|k| *places.of(table, k)).map(Self::of_bits)
        }
        #[inline(always)]
        fn rows<I: Index>(table: &Table<[i32; 4]>, index: &[I]) -> [$int; 4] {
            let index: &[I] = &index[..$n];
            columns_of!(|k| *table.at(index[k]))
        }
    };
}
pub(super) use whole_registers;
