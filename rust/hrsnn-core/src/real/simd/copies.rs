//! Two arrays side by side, copied by vectors from places to others without checking each array.

use super::{Index, MOST_LANES, Vector};

/// Indices with so many cells each, and where they and the first cell of each go.
#[derive(Debug)]
pub struct Copies<'a, T, I> {
    index: &'a [I],
    cells: &'a [T],
    n_fields: usize,
    index_to: &'a mut [I],
    cells_to: &'a mut [T],
    /// Last places from which, and to which, [`MOST_LANES`] can be copied.
    last: usize,
    last_to: usize,
}

impl<'a, T: Copy, I: Index> Copies<'a, T, I> {
    /// From `index` and `n_fields` times as many `cells`, of both of which there are [`MOST_LANES`] more.
    ///
    /// # Panics
    /// If there are not, or if where they go is shorter than that.
    #[inline(always)]
    pub fn new(
        (index, cells, n_fields): (&'a [I], &'a [T], usize),
        index_to: &'a mut [I],
        cells_to: &'a mut [T],
    ) -> Self {
        let n_to = index_to.len().min(cells_to.len());
        assert!(index.len() >= MOST_LANES && n_to >= MOST_LANES && n_fields > 0);
        let (last, last_to) = (index.len() - MOST_LANES, n_to - MOST_LANES);
        let end = last.checked_mul(n_fields).and_then(|end| end.checked_add(MOST_LANES));
        assert!(end.is_some_and(|end| end <= cells.len()));
        Self { index, cells, n_fields, index_to, cells_to, last, last_to }
    }

    /// Copy [`MOST_LANES`] indices, from number `done` on of those that begin at `from`, to as many places after
    /// `to`; and as many cells, from number `done` on of those that begin at the first one of `from`.
    ///
    /// # Panics
    /// If there are not so many.
    #[inline(always)]
    pub fn copy<V: Vector<Scalar = T>>(&mut self, from: usize, to: usize, done: usize) {
        assert!(done <= self.last && from <= self.last - done);
        assert!(done <= self.last_to && to <= self.last_to - done);
        let (cell, from, to) = (self.n_fields * from + done, from + done, to + done);
        // SAFETY: `from`, `to` and so `cell` are not beyond the last places that `new` has seen, after
        // each of which MOST_LANES elements follow; V has at most so many lanes.
        unsafe {
            let some = self.index.get_unchecked(from..from + MOST_LANES);
            self.index_to.get_unchecked_mut(to..to + MOST_LANES).copy_from_slice(some);
            let some = self.cells.get_unchecked(cell..cell + MOST_LANES);
            let some_to = self.cells_to.get_unchecked_mut(to..to + MOST_LANES);
            for first in (0..MOST_LANES).step_by(V::LANES) {
                V::load(&some[first..]).store(&mut some_to[first..]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Plain;
    use super::*;

    #[test]
    fn as_many_as_a_vector_may_have_are_copied_and_none_beyond() {
        let index: Vec<u16> = (0..40).collect();
        let cells: Vec<f64> = (0..3 * 24 + 16).map(f64::from).collect();
        let (mut index_to, mut cells_to) = ([99; 20], [-1.0; 20]);
        let mut copies = Copies::new((&index, &cells, 3), &mut index_to, &mut cells_to);
        copies.copy::<Plain<f64>>(20, 0, 4);
        copies.copy::<Plain<f64>>(7, 1, 0);
        let expected =
            |first: u16, then: [u16; 3]| [99].into_iter().chain(first..first + 16).chain(then);
        assert!(index_to.into_iter().eq(expected(7, [37, 38, 39])));
        let cells_to = cells_to.map(|cell: f64| if cell < 0.0 { 99 } else { cell as u16 });
        assert!(cells_to.into_iter().eq(expected(21, [77, 78, 79])));
    }

    #[test]
    fn what_is_not_there_is_not_copied() {
        let panics =
            |f: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).is_err();
        let (index, cells) = (vec![0_u32; 17], vec![0.0_f32; 2 + 16]);
        let copy = |n: usize, n_cells: usize, n_to: usize, from: usize, to: usize| {
            let (mut index_to, mut cells_to) = (vec![0; n_to], vec![0.0; n_to]);
            let all = (&index[..n], &cells[..n_cells], 2);
            Copies::new(all, &mut index_to, &mut cells_to).copy::<Plain<f32>>(from, to, 0);
        };
        copy(17, 18, 18, 1, 2);
        assert!(panics(&|| copy(17, 18, 18, 2, 2)));
        assert!(panics(&|| copy(17, 18, 18, 1, 3)));
        assert!(panics(&|| copy(17, 17, 18, 0, 0)));
        assert!(panics(&|| copy(15, 18, 18, 0, 0)));
        assert!(panics(&|| copy(17, 18, 15, 0, 0)));
    }
}
