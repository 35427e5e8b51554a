//! Tables of one element a neuron, and the numbers by which their elements are found.

use std::fmt::Debug;
use std::ops::{Deref, DerefMut};

use crate::real::large;

/// What 16 bits can count: least number of elements of a [`Table`].
pub const TABLE: usize = 1 << 16;

mod sealed {
    /// That no other type is an [`Index`](super::Index): a table relies on what its numbers are.
    pub trait Sealed {}
    impl Sealed for u16 {}
    impl Sealed for u32 {}
}

/// The number of an element: 16 bits where these suffice, 32 elsewhere.
pub trait Index: sealed::Sealed + Copy + Ord + Default + Debug + Send + Sync + 'static {
    /// Whether every table has an element of any such number.
    const IS_IN_EVERY_TABLE: bool;
    /// `number`, which has no more bits.
    fn new(number: u32) -> Self;
    /// As a place.
    fn place(self) -> usize;
    /// Those of `near` and `far` that are of this kind.
    fn among<'a>(near: &'a mut Vec<u16>, far: &'a mut Vec<u32>) -> &'a mut Vec<Self>;
    /// The same numbers, read from memory in one go: for those whose work is to read.
    fn at_once(two: &[Self; 2]) -> [Self; 2];
}

/// In which order two halves of a word stand in memory.
fn in_order<X>(low: X, high: X) -> [X; 2] {
    if cfg!(target_endian = "big") { [high, low] } else { [low, high] }
}

impl Index for u16 {
    const IS_IN_EVERY_TABLE: bool = true;

    #[inline(always)]
    fn new(number: u32) -> Self {
        number as Self
    }
    #[inline(always)]
    fn among<'a>(near: &'a mut Vec<u16>, _: &'a mut Vec<u32>) -> &'a mut Vec<Self> {
        near
    }
    #[inline(always)]
    fn place(self) -> usize {
        usize::from(self)
    }
    #[inline(always)]
    fn at_once(two: &[Self; 2]) -> [Self; 2] {
        // SAFETY: two numbers of 16 bits are one of 32, of which any bits are a value; the address
        // need not be aligned.
        let bits = unsafe { two.as_ptr().cast::<u32>().read_unaligned() };
        in_order(bits as Self, (bits >> 16) as Self)
    }
}

impl Index for u32 {
    const IS_IN_EVERY_TABLE: bool = false;

    #[inline(always)]
    fn new(number: u32) -> Self {
        number
    }
    #[inline(always)]
    fn among<'a>(_: &'a mut Vec<u16>, far: &'a mut Vec<u32>) -> &'a mut Vec<Self> {
        far
    }
    #[inline(always)]
    fn place(self) -> usize {
        self as usize
    }
    #[inline(always)]
    fn at_once(two: &[Self; 2]) -> [Self; 2] {
        // SAFETY: two numbers of 32 bits are one of 64, of which any bits are a value; the address
        // need not be aligned.
        let bits = unsafe { two.as_ptr().cast::<u64>().read_unaligned() };
        in_order(bits as Self, (bits >> 32) as Self)
    }
}

/// One element for each neuron, and at least [`TABLE`], so that no number of 16 bits is out of range.
#[derive(Debug)]
#[repr(transparent)]
pub struct Table<X>([X]);

/// A table with `x` everywhere, for `n` neurons.
pub fn table<X: Clone>(x: X, n: usize) -> Box<Table<X>> {
    let mut all = large::room(n.max(TABLE));
    all.resize(n.max(TABLE), x);
    boxed(all)
}

fn boxed<X>(all: Vec<X>) -> Box<Table<X>> {
    debug_assert!(all.len() >= TABLE);
    let all = Box::into_raw(all.into_boxed_slice());
    // SAFETY: a table is a slice with another name, and this one was made by a box.
    unsafe { Box::from_raw(all as *mut Table<X>) }
}

impl<X: Clone> Clone for Box<Table<X>> {
    fn clone(&self) -> Self {
        boxed(self.0.to_vec())
    }
}

impl<X> Table<X> {
    /// `all` as a table.
    ///
    /// # Panics
    /// If there are fewer than [`TABLE`].
    #[inline(always)]
    pub fn new(all: &[X]) -> &Self {
        assert!(all.len() >= TABLE);
        // SAFETY: a table is a slice with another name.
        unsafe { &*(std::ptr::from_ref(all) as *const Self) }
    }

    /// The element of a number.
    ///
    /// # Panics
    /// If there is none, which no number of 16 bits meets.
    #[inline(always)]
    pub fn at<I: Index>(&self, number: I) -> &X {
        if I::IS_IN_EVERY_TABLE {
            debug_assert!(number.place() < TABLE);
            // SAFETY: 16 bits are below TABLE, and no table is made with fewer elements.
            unsafe { self.0.get_unchecked(number.place()) }
        } else {
            &self.0[number.place()]
        }
    }

    /// The same to be changed.
    ///
    /// # Panics
    /// As [`Table::at`] does.
    #[inline(always)]
    pub fn at_mut<I: Index>(&mut self, number: I) -> &mut X {
        if I::IS_IN_EVERY_TABLE {
            debug_assert!(number.place() < TABLE);
            // SAFETY: as in `at`.
            unsafe { self.0.get_unchecked_mut(number.place()) }
        } else {
            &mut self.0[number.place()]
        }
    }
}

impl<X> Deref for Table<X> {
    type Target = [X];

    #[inline(always)]
    fn deref(&self) -> &[X] {
        &self.0
    }
}

impl<X> DerefMut for Table<X> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [X] {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_at_once_stand_in_their_order() {
        for numbers in [[1, 2], [0, u16::MAX], [0x1234, 0x8000]] {
            assert_eq!(Index::at_once(&numbers), numbers);
        }
        for numbers in [[1, 2], [0, u32::MAX], [0x1234_5678, 0x8000_0000]] {
            assert_eq!(Index::at_once(&numbers), numbers);
        }
    }

    #[test]
    fn elements_are_found_by_either_kind_of_number() {
        let mut all = table(0, TABLE + 2);
        *all.at_mut(u16::MAX) = 3;
        *all.at_mut(TABLE as u32 + 1) = 4;
        assert_eq!((*all.at(u32::from(u16::MAX)), all[TABLE + 1], all.len()), (3, 4, TABLE + 2));
        assert_eq!(all.clone()[..], all[..]);
        assert_eq!(table(0, 5).len(), TABLE);
        assert_eq!(*Table::new(&all).at(u16::MAX), 3);
        let panics =
            |f: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).is_err();
        assert!(panics(&|| assert_eq!(*all.at(TABLE as u32 + 2), 0)));
        assert!(panics(&|| assert!(Table::new(&all[1..4]).is_empty())));
    }
}
