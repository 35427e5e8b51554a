//! Compressed sparse rows: which neuron reaches which.
//!
//! Lives here: the structure of a graph. Not here: weights and delays, which are arrays
//! aligned with [`Csr::indices`], and the generators ([`crate::connectivity`]).
//! Invariant: a [`Csr`] that exists is sorted and in range, and free of duplicates unless it was made
//! [`Csr::with_repeats`].

use std::ops::Range;

use crate::{Error, Result};

/// A directed graph, stored by source.
///
/// Row `r` holds the targets of source `r`: `indices[indptr[r]..indptr[r + 1]]`, strictly
/// increasing. The position of a target in `indices` is the number of its synapse; every
/// per-synapse array (weight, delay, `a_plus`, ...) has that order and that length. So a
/// graph takes 8 bytes a row and 4 bytes a synapse.
///
/// ```
/// use hrsnn_core::csr::Csr;
/// let csr = Csr::new(vec![0, 2, 2, 3], vec![1, 2, 0], 3)?;
/// assert_eq!(csr.row(0), [1, 2]);
/// assert_eq!(csr.span(2), 2..3);
/// # Ok::<(), hrsnn_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Csr {
    indptr: Vec<u64>,
    indices: Vec<u32>,
}

impl Csr {
    /// Check and wrap; `n_cols` is the number of possible targets.
    ///
    /// # Errors
    /// If `indptr` is empty, does not start at 0, decreases or does not end at the length
    /// of `indices`; if a target is not below `n_cols` or not above its predecessor in
    /// the row.
    pub fn new(indptr: Vec<u64>, indices: Vec<u32>, n_cols: usize) -> Result<Self> {
        Self::checked(indptr, indices, n_cols, false)
    }

    /// The same, but a target may stand in a row several times in a row: it is reached by several
    /// synapses, which something else has to tell apart.
    ///
    /// # Errors
    /// Those of [`Csr::new`] but for that.
    pub fn with_repeats(indptr: Vec<u64>, indices: Vec<u32>, n_cols: usize) -> Result<Self> {
        Self::checked(indptr, indices, n_cols, true)
    }

    fn checked(indptr: Vec<u64>, indices: Vec<u32>, n_cols: usize, repeats: bool) -> Result<Self> {
        let (Some(&first), Some(&last)) = (indptr.first(), indptr.last()) else {
            return Err(Error::ShapeMismatch {
                name: "indptr".into(),
                expected: "at least one element".into(),
                found: "length 0".into(),
            });
        };
        if first != 0 {
            return Err(Error::element("indptr", "0", first, "row", 0));
        }
        if let Some(row) = indptr.windows(2).position(|pair| pair[1] < pair[0]) {
            let expected = format!("at least {}", indptr[row]);
            return Err(Error::element("indptr", expected, indptr[row + 1], "row", row + 1));
        }
        if last != indices.len() as u64 {
            let expected = format!("the number of indices, {}", indices.len());
            return Err(Error::element("indptr", expected, last, "row", indptr.len() - 1));
        }
        let csr = Self { indptr, indices };
        for row in 0..csr.n_rows() {
            csr.check_row(row, n_cols, repeats)?;
        }
        Ok(csr)
    }

    fn check_row(&self, row: usize, n_cols: usize, repeats: bool) -> Result<()> {
        let targets = self.row(row);
        let is_wrong = |pair: &[u32]| pair[1] < pair[0] || (pair[1] == pair[0] && !repeats);
        if let Some(k) = targets.windows(2).position(is_wrong) {
            let least = if repeats { "at least" } else { "greater than" };
            let expected = format!("{least} its predecessor {} in row {row}", targets[k]);
            let synapse = self.span(row).start + k + 1;
            return Err(Error::element("indices", expected, targets[k + 1], "index", synapse));
        }
        // Sorted: if the last one is in range, all are.
        if targets.last().is_some_and(|&target| target as usize >= n_cols) {
            let k = targets.partition_point(|&target| (target as usize) < n_cols);
            let synapse = self.span(row).start + k;
            let expected = format!("below {n_cols}");
            return Err(Error::element("indices", expected, targets[k], "index", synapse));
        }
        Ok(())
    }

    /// Number of sources.
    pub fn n_rows(&self) -> usize {
        self.indptr.len() - 1
    }

    /// Number of synapses.
    pub fn n_synapses(&self) -> usize {
        self.indices.len()
    }

    /// Targets of source `row`, strictly increasing.
    ///
    /// # Panics
    /// If `row` is not below [`Csr::n_rows`].
    pub fn row(&self, row: usize) -> &[u32] {
        &self.indices[self.span(row)]
    }

    /// Numbers of the synapses that leave source `row`.
    ///
    /// # Panics
    /// If `row` is not below [`Csr::n_rows`].
    pub fn span(&self, row: usize) -> Range<usize> {
        self.indptr[row] as usize..self.indptr[row + 1] as usize
    }

    /// Where each row begins, and last the number of synapses.
    pub fn indptr(&self) -> &[u64] {
        &self.indptr
    }

    /// Target of each synapse.
    pub fn indices(&self) -> &[u32] {
        &self.indices
    }

    /// `indptr` and `indices`, without a copy.
    pub fn into_parts(self) -> (Vec<u64>, Vec<u32>) {
        (self.indptr, self.indices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(indptr: &[u64], indices: &[u32]) -> String {
        Csr::new(indptr.to_vec(), indices.to_vec(), 4).unwrap_err().to_string()
    }

    #[test]
    fn messages_name_argument_index_and_value() {
        assert_eq!(refusal(&[], &[]), "indptr must have at least one element; got length 0.");
        assert_eq!(refusal(&[1, 1], &[0]), "indptr must be 0; got 1 at row 0.");
        assert_eq!(refusal(&[0, 2, 1], &[0]), "indptr must be at least 2; got 1 at row 2.");
        assert_eq!(
            refusal(&[0, 2], &[0]),
            "indptr must be the number of indices, 1; got 2 at row 1."
        );
        assert_eq!(
            refusal(&[0, 1, 3], &[3, 2, 2]),
            "indices must be greater than its predecessor 2 in row 1; got 2 at index 2."
        );
        assert_eq!(refusal(&[0, 0, 3], &[1, 4, 9]), "indices must be below 4; got 4 at index 1.");
    }

    #[test]
    fn a_huge_indptr_is_refused_before_it_is_used() {
        assert!(refusal(&[0, u64::MAX], &[]).contains("18446744073709551615"));
    }

    #[test]
    fn no_rows_and_no_columns_are_a_graph() {
        let csr = Csr::new(vec![0], vec![], 0).unwrap();
        assert_eq!((csr.n_rows(), csr.n_synapses()), (0, 0));
    }
}
