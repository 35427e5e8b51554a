//! Single synapses: their traces and the visits of segments, to read and to put back, and their weights
//! as they would be if they were settled.

use std::ops::Range;

use super::{PlasticSynapses, Visit};
use crate::real::Real;
use crate::stdp::{History, Pairing};

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

    /// Weight of the synapse `k` of `range`, which is `segment`, with all that is pending: what
    /// [`PlasticSynapses::settle`] would make of it, to the bit.
    pub fn settled_weight(
        &self,
        segment: usize,
        range: &Range<usize>,
        k: usize,
        history: &History,
    ) -> T {
        let (rule, visit) = (self.rule, self.visits[segment]);
        let w = self.weights(range)[k];
        if visit == Visit::FRESH {
            // Without a pre trace every potentiation is by nothing.
            return w;
        }
        let [before, _] = self.traces(segment, range, k);
        let after = match rule.pairing {
            Pairing::Nearest if visit.arrivals > 0 => T::ONE,
            _ => before + T::from_us(i64::from(visit.arrivals)),
        };
        let [a_plus, _, plus, _] = self.constants(range, k);
        let a_plus = a_plus * rule.scale;
        let pending = history.after(self.targets().get(range.start + k), visit.t);
        pending.iter().fold(w, |w, &mark| {
            let trace = if mark == visit.t + 1 { before } else { after };
            let left = (T::from_i32(visit.t + 1 - mark) * plus).pow2();
            rule.potentiated(w, a_plus * trace * left)
        })
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
