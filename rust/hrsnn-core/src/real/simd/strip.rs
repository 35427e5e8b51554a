//! Fields of one kind side by side in memory, walked vector by vector without checking each place.

use super::{Index, LINE, MOST_LANES, Vector, ask};
use crate::real::Real;

/// Places that are asked for before they are reached.
pub const AHEAD: usize = 48;

/// Fields of `n` numbers side by side, and `n` indices, to be walked vector by vector.
///
/// The last vector of a field reaches into what follows it; see [`Block::store`].
#[derive(Debug)]
pub struct Strip<'a, T, I, const FIELDS: usize> {
    cells: &'a mut [T],
    index: &'a [I],
    n: usize,
}

impl<'a, T: Real, I: Index, const FIELDS: usize> Strip<'a, T, I, FIELDS> {
    /// The first `FIELDS * n` of `cells` and the first `n` of `index`.
    ///
    /// # Panics
    /// If either has not [`MOST_LANES`] more than that.
    #[inline(always)]
    pub fn new(cells: &'a mut [T], index: &'a [I], n: usize) -> Self {
        assert!(cells.len() >= FIELDS * n + MOST_LANES && index.len() >= n + MOST_LANES);
        Self { cells, index, n }
    }

    /// Ask for what lies [`AHEAD`] places from `first` on, once for each line.
    #[inline(always)]
    pub fn ask_ahead(&self, first: usize) {
        if first + AHEAD >= self.n || !first.is_multiple_of(LINE / size_of::<T>()) {
            return;
        }
        let cells = self.cells.as_ptr().wrapping_add(first + AHEAD);
        for field in 0..FIELDS {
            ask(cells.wrapping_add(field * self.n));
        }
    }

    /// The vectors from place `first` on, unless the strip ends before.
    #[inline(always)]
    pub fn block<'b, V: Vector<Scalar = T>>(
        &'b mut self,
        first: usize,
    ) -> Option<Block<'a, 'b, V, I, FIELDS>> {
        (first < self.n).then_some(Block { strip: self, first, vector: std::marker::PhantomData })
    }
}

/// Many strips one after the other.
#[derive(Debug)]
pub struct Strips<'a, T, I, const FIELDS: usize> {
    cells: &'a mut [T],
    index: &'a [I],
    /// Where the last of them ends.
    end: usize,
}

impl<'a, T: Real, I: Index, const FIELDS: usize> Strips<'a, T, I, FIELDS> {
    /// As many as there is `index` for, but for the last [`MOST_LANES`].
    ///
    /// # Panics
    /// If there is not so much, or fewer `cells` than `FIELDS` for each and [`MOST_LANES`] more.
    #[inline(always)]
    pub fn new(cells: &'a mut [T], index: &'a [I]) -> Self {
        assert!(index.len() >= MOST_LANES);
        let end = index.len() - MOST_LANES;
        let n_cells = end.checked_mul(FIELDS).and_then(|n| n.checked_add(MOST_LANES));
        assert!(n_cells.is_some_and(|n| n <= cells.len()));
        Self { cells, index, end }
    }

    /// That of `n` places from `start` on.
    ///
    /// # Panics
    /// If they are not there.
    #[inline(always)]
    pub fn strip(&mut self, start: usize, n: usize) -> Strip<'_, T, I, FIELDS> {
        assert!(start <= self.end && n <= self.end - start);
        // SAFETY: the strip is within those that `new` has seen, beyond which are MOST_LANES.
        unsafe {
            let cells = self.cells.get_unchecked_mut(FIELDS * start..);
            Strip { cells, index: self.index.get_unchecked(start..), n }
        }
    }
}

/// A vector of each field of a [`Strip`].
#[derive(Debug)]
pub struct Block<'a, 'b, V: Vector, I, const FIELDS: usize> {
    strip: &'b mut Strip<'a, V::Scalar, I, FIELDS>,
    /// Below the number of places of the strip, always.
    first: usize,
    vector: std::marker::PhantomData<V>,
}

impl<V: Vector, I: Index, const FIELDS: usize> Block<'_, '_, V, I, FIELDS> {
    /// How many lanes are within the strip, at least 1 and at most all.
    #[inline(always)]
    pub fn len(&self) -> usize {
        V::LANES.min(self.strip.n - self.first)
    }

    /// Never: a strip ends before.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Lanes of field `FIELD`.
    ///
    /// # Panics
    /// If there are no more than `FIELD` fields, which is known when it is compiled.
    #[inline(always)]
    pub fn load<const FIELD: usize>(&self) -> V {
        assert!(FIELD < FIELDS && V::LANES <= MOST_LANES);
        let place = FIELD * self.strip.n + self.first;
        // SAFETY: `first` is below n and FIELD below FIELDS, so the lanes end at FIELDS * n +
        // MOST_LANES at the latest, and `Strip::new` has seen that as many cells are there.
        V::load(unsafe { self.strip.cells.get_unchecked(place..place + V::LANES) })
    }

    /// Replace the lanes of field `FIELD` that are within the strip; `kept` is what was loaded.
    ///
    /// Beyond the strip `kept` is written back: so store the fields in their order, and what a
    /// later field holds there is right again when it has been stored.
    ///
    /// # Panics
    /// As `load`.
    #[inline(always)]
    pub fn store<const FIELD: usize>(&mut self, lanes: V, kept: V) {
        assert!(FIELD < FIELDS && V::LANES <= MOST_LANES);
        let place = FIELD * self.strip.n + self.first;
        let here = V::first(self.strip.n - self.first);
        // SAFETY: as in `load`.
        let cells = unsafe { self.strip.cells.get_unchecked_mut(place..place + V::LANES) };
        lanes.or_else(here, kept).store(cells);
    }

    /// Replace the lanes of field `FIELD`, all of which must be within the strip.
    ///
    /// # Panics
    /// As `load`; and where debug assertions are on, if some are not, who would change the next field.
    #[inline(always)]
    pub fn store_whole<const FIELD: usize>(&mut self, lanes: V) {
        assert!(FIELD < FIELDS && V::LANES <= MOST_LANES);
        debug_assert!(self.len() == V::LANES);
        let place = FIELD * self.strip.n + self.first;
        // SAFETY: as in `load`.
        let cells = unsafe { self.strip.cells.get_unchecked_mut(place..place + V::LANES) };
        lanes.store(cells);
    }

    /// The index of each lane; those beyond the strip are of something else.
    #[inline(always)]
    pub fn index(&self) -> &[I] {
        let (index, first) = (self.strip.index, self.first);
        // SAFETY: `first` is below n, and `Strip::new` has seen n + MOST_LANES.
        unsafe { index.get_unchecked(first..first + V::LANES) }
    }
}
