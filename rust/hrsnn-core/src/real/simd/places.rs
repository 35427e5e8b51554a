//! Places of elements far from one another, checked once for all arrays that are read there.

use super::{Index, TABLE, Table};

/// Places in arrays of at least so many elements.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a, I> {
    places: &'a [I],
    n: usize,
}

impl<'a, I: Index> Places<'a, I> {
    /// `places`, all of which are below `n`.
    ///
    /// # Panics
    /// If one is not.
    #[inline(always)]
    pub fn new(places: &'a [I], n: usize) -> Self {
        let mut last = I::default();
        // No way out before the end: so it is done in vectors.
        for &place in places {
            last = last.max(place);
        }
        assert!(places.is_empty() || last.place() < n, "place {last:?} of {n}");
        Self { places, n }
    }

    /// `places` in `table`.
    ///
    /// # Panics
    /// If one is beyond it, which none of 16 bits is.
    #[inline(always)]
    pub fn of_table<X>(places: &'a [I], table: &Table<X>) -> Self {
        if I::IS_IN_EVERY_TABLE {
            return Self { places, n: TABLE };
        }
        Self::new(places, table.len())
    }

    /// Those of vector number `k`, if a vector has so many `lanes`.
    #[inline(always)]
    #[must_use]
    pub fn vector(&self, k: usize, lanes: usize) -> Self {
        Self { places: &self.places[k * lanes..][..lanes], n: self.n }
    }

    /// The element of `all` at place number `k`.
    ///
    /// # Panics
    /// If there are not so many places, or `all` is shorter than they were checked for.
    #[inline(always)]
    pub fn of<'b, X>(&self, all: &'b [X], k: usize) -> &'b X {
        assert!(all.len() >= self.n);
        let place = self.places[k].place();
        debug_assert!(place < all.len());
        // SAFETY: all places are below `n`, as was checked when they were taken, and `all` has as many.
        unsafe { all.get_unchecked(place) }
    }

    /// The same to be changed.
    ///
    /// # Panics
    /// As [`Places::of`] does.
    #[inline(always)]
    pub fn of_mut<'b, X>(&self, all: &'b mut [X], k: usize) -> &'b mut X {
        assert!(all.len() >= self.n);
        let place = self.places[k].place();
        debug_assert!(place < all.len());
        // SAFETY: as in `of`.
        unsafe { all.get_unchecked_mut(place) }
    }
}
