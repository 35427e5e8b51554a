//! Every operation has the same bits in each kind of vector.

use proptest::prelude::*;

use super::*;

/// Everything a vector can do, lane by lane, as bits.
struct Everything<'a, I> {
    a: &'a [f32],
    b: &'a [f32],
    pairs: &'a [Pair<f32>],
    rows: &'a Table<[i32; 4]>,
    half_bits: &'a [u16],
    index: &'a [I],
    bits: u32,
}

impl<I: Index> Kernel<f32> for Everything<'_, I> {
    type Output = Vec<Vec<u32>>;

    #[inline(always)]
    fn run<V: Vector<Scalar = f32>>(self) -> Self::Output {
        let mut found = vec![Vec::new(); 29];
        for first in (0..16).step_by(V::LANES) {
            let load = |from: &[f32]| V::load(&from[first..]);
            let (a, b) = (load(self.a), load(self.b));
            let half = V::load_half(&self.half_bits[first..], 0.25);
            let [p, q, r, s] = V::rows(self.rows, &self.index[first..]);
            let bits = self.bits >> first & ((1 << V::LANES) - 1);
            let mask = V::lanes(bits);
            let upper = V::first((self.index[0].place() % 17).saturating_sub(first));
            let [below, lower] = [a, b].map(|a| V::splat(0.0).minus(a.times(a)));
            let [power, other] = V::pow2_each([below, lower]);
            let [alone] = V::pow2_within([below]);
            let alone = alone.only(below.reaches(V::splat(f32::LOWEST_POWER)));
            let reals = [
                a.plus(b),
                a.minus(b),
                a.times(b),
                a.at_least(b),
                a.at_most(b),
                alone,
                V::pairs(&self.pairs[first..]).0,
                a.or_else(mask, b),
                a.only(mask),
                V::from_int(p),
                V::from_int(V::int_minus(p, q)),
                half,
                V::from_int(r),
                V::from_int(s),
            ];
            for (found, real) in found.iter_mut().zip(reals) {
                let mut lanes = [0.0; MOST_LANES];
                real.store(&mut lanes);
                found.extend(lanes[..V::LANES].iter().map(|lane| lane.to_bits()));
            }
            let masks = [
                a.reaches(b),
                a.differs(b),
                V::both(V::above(p, q), mask),
                V::both(V::equals(p, V::int(7)), upper),
                upper,
            ];
            for (found, mask) in found[14..].iter_mut().zip(masks) {
                let bits = V::bits(mask);
                found.extend((0..V::LANES).map(|lane| bits >> lane & 1));
            }
            let bits_of = |pairs: &[Pair<f32>]| -> Vec<u32> {
                pairs.iter().flat_map(|pair| [pair.real.to_bits(), pair.int as u32]).collect()
            };
            let mut pairs = self.pairs.to_vec();
            let (real, int) = V::pairs(&pairs[first..]);
            let int = V::int_or_else(mask, V::int(-7), int);
            real.plus(b).store_pairs(int, &mut pairs[first..]);
            found[19].extend(bits_of(&pairs[first..first + V::LANES]));
            let mut lanes = [0.0; MOST_LANES];
            // Each four lanes have four places, so that any vector finds the same twice.
            let place = |(k, i): (usize, &I)| I::new(((k + 4) % 16 / 4 * 4 + i.place() % 4) as u32);
            let places: Vec<I> = self.index.iter().enumerate().map(place).skip(first).collect();
            let places = Places::new(&places, 16).vector(0, V::LANES);
            let gathered = V::gather(self.a, places);
            let (real, int) = V::pairs_at(self.pairs, places);
            let mut pairs = self.pairs.to_vec();
            real.plus(b).store_pairs_at(V::int_minus(int, q), &mut pairs, places);
            for k in 0..V::LANES {
                found[28].extend(bits_of(&[*places.of(&pairs, k)]));
            }
            let table: Vec<_> = (0..16).map(|k| [k as f32, self.a[k], self.b[k], -1.0]).collect();
            let [c, d, e, f] = V::columns(&table, places);
            let reals = [gathered, real, power, other, c, d, e, f];
            for (found, real) in found[20..].iter_mut().zip(reals) {
                real.store(&mut lanes);
                found.extend(lanes[..V::LANES].iter().map(|lane| lane.to_bits()));
            }
        }
        found
    }
}

fn number() -> impl Strategy<Value = f32> {
    prop_oneof![-12.0_f32..12.0, Just(0.0), Just(-0.0), Just(1.5), -1e30_f32..1e30]
}

proptest! {
    #[test]
    fn levels_agree_to_the_bit(
        a in prop::collection::vec(number(), 16),
        b in prop::collection::vec(number(), 16),
        whole in prop::collection::vec(any::<i32>(), 16),
        index in prop::collection::vec(0_u16..0x7c00, 16),
        row in prop::collection::vec(prop::array::uniform4(-3_i32..20), 16),
        bits in 0_u32..1 << 16,
    ) {
        let mut rows = table([0; 4], 0);
        for (&index, row) in index.iter().zip(row) {
            rows[index as usize] = row;
        }
        let pairs: Vec<_> = whole.iter().zip(&b).map(|(&int, &real)| Pair { real, int }).collect();
        let wide: Vec<_> = index.iter().map(|&i| u32::from(i)).collect();
        let (a, b, pairs, rows, half_bits) = (&a[..], &b[..], &pairs[..], &*rows, &index[..]);
        let near = || Everything { a, b, pairs, rows, half_bits, index: &index[..], bits };
        let far = || Everything { a, b, pairs, rows, half_bits, index: &wide[..], bits };
        let plain = run_at(Level::Baseline, near());
        for level in Level::ALL {
            prop_assert_eq!(&run_at(level, near()), &plain, "{:?}", level);
            prop_assert_eq!(&run_at(level, far()), &plain, "{:?}, in 32 bits", level);
        }
    }

    #[test]
    fn pow2_is_within_two_units_in_the_last_place(z in -1000.0_f64..=0.0, y in -125.0_f32..=0.0) {
        let error = (Real::pow2(z) - z.exp2()).abs() / z.exp2();
        prop_assert!(error <= 2.0 * f64::EPSILON, "2^{z} off by {error:e}");
        let exact = f64::from(y).exp2();
        let error = (f64::from(Real::pow2(y)) - exact).abs() / exact;
        prop_assert!(error <= 2.0 * f64::from(f32::EPSILON), "2^{y} off by {error:e}");
    }
}

#[test]
fn limits_of_pow2() {
    assert_eq!((Real::pow2(0.0_f64), Real::pow2(-0.0_f32)), (1.0, 1.0));
    assert_eq!((Real::pow2(-1.0_f64), Real::pow2(-3.0_f32)), (0.5, 0.125));
    assert_eq!(
        (Real::pow2(-1021.0_f64), Real::pow2(-1021.5_f64)),
        (1021.0_f64.exp2().recip(), 0.0)
    );
    assert_eq!((Real::pow2(-125.0_f32), Real::pow2(-125.5_f32)), (125.0_f32.exp2().recip(), 0.0));
    for far in [-1e4, -1e30] {
        assert_eq!((Real::pow2(far), Real::pow2(far as f32)), (0.0_f64, 0.0_f32));
    }
}

#[test]
fn the_best_level_is_used() {
    assert_eq!(Level::in_use(), Level::detected());
    prefetch(&[1, 2, 3], 1);
    prefetch(&[1, 2, 3], 7);
    assert_eq!(anew(&[1, 2, 3]), [1, 2, 3]);
}

#[test]
fn places_are_read_and_written_where_they_are() {
    let (all, index) = ([10, 11, 12, 13, 14], [4_u16, 0, 3, 3]);
    let places = Places::new(&index, all.len());
    assert_eq!([0, 1, 2, 3].map(|k| *places.of(&all, k)), [14, 10, 13, 13]);
    assert_eq!([0, 1].map(|k| *places.vector(1, 2).of(&all, k)), [13, 13]);
    let mut changed = all;
    *places.of_mut(&mut changed, 1) = -1;
    assert_eq!(changed, [-1, 11, 12, 13, 14]);
}

#[test]
fn a_place_beyond_the_end_is_found_before_anything_is_read() {
    let panics = |f: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).is_err();
    assert!(panics(&|| assert_eq!(*Places::new(&[0_u16, 5, 1], 5).of(&[0; 6], 0), 0)));
    let index = [0_u16, 4, 1];
    let places = Places::new(&index, 5);
    assert!(panics(&|| assert_eq!(*places.of(&[0; 4], 0), 0)), "an array that is too short");
    assert!(panics(&|| *places.of_mut(&mut [0; 4], 0) = 1), "the same");
    assert!(panics(&|| assert_eq!(*places.of(&[0; 5], 3), 0)), "more places than there are");
}
