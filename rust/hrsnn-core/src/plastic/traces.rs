//! The traces of single synapses and the visits of segments, to read and to put back.

use std::ops::Range;

use super::{PlasticSynapses, Visit};
use crate::real::Real;

impl<T: Real> PlasticSynapses<T> {
    /// Pre and post traces just before the last visit of `segment`, of the synapse `k` of its
    /// `range`; 0 where there was no visit in this sample.
    pub fn traces(&self, segment: usize, range: &Range<usize>, k: usize) -> [T; 2] {
        if self.visits[segment] == Visit::FRESH {
            return [T::ZERO; 2];
        }
        let first = self.constants.n_fields() * range.start + k;
        [self.cells[first + range.len()], self.cells[first + 2 * range.len()]]
    }

    /// Put back what [`PlasticSynapses::traces`] gave.
    pub fn set_traces(&mut self, range: &Range<usize>, k: usize, [x, y]: [T; 2]) {
        let first = self.constants.n_fields() * range.start + k;
        self.cells[first + range.len()] = x;
        self.cells[first + 2 * range.len()] = y;
    }

    /// The last visit of `segment` was at `t`, µs from the base of the history, by so many
    /// `arrivals`, at least one.
    pub fn set_visit(&mut self, segment: usize, t: i32, arrivals: u32) {
        self.visits[segment] = Visit { t, arrivals };
    }
}
