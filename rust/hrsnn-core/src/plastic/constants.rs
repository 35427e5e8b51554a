//! The four constants of each synapse, as they are or in 16 bits.

use std::ops::Range;

use super::{CONSTANTS, PlasticSynapses, STATE};
use crate::real::Real;
use crate::real::large::Large;

/// The four constants of each synapse.
#[derive(Debug, Clone)]
pub(super) enum Constants {
    /// Beside the state, in its type.
    Full,
    /// Numbers of 16 bits, and what each of the four fields is multiplied by.
    Half(Large<u16>, [f32; 4]),
}

impl Constants {
    /// Fields in the cells of a segment.
    pub(super) fn n_fields(&self) -> usize {
        STATE + if matches!(self, Self::Full) { CONSTANTS } else { 0 }
    }
}

impl<T: Real> PlasticSynapses<T> {
    /// The constants, as in [`PlasticSynapses::new`], of synapse `k` of the segment `range`.
    pub fn constants(&self, range: &Range<usize>, k: usize) -> [T; CONSTANTS] {
        std::array::from_fn(|field| match &self.constants {
            Constants::Full => {
                let first = self.constants.n_fields() * range.start;
                self.cells[first + (STATE + field) * range.len() + k]
            }
            Constants::Half(halves, scales) => {
                let first = CONSTANTS * range.start;
                T::from_half(halves[first + field * range.len() + k], scales[field])
            }
        })
    }
}

/// The power of two by which `values` must be divided for the largest to be nearly the largest
/// number of 16 bits: six of exponent, ten of fraction, no sign.
///
/// Of all synapses of a network, so that nothing depends on how they are divided.
pub fn half_scale(values: impl Iterator<Item = f64>) -> f32 {
    let largest = values.fold(f64::MIN_POSITIVE, f64::max);
    // An exponent of 63 in single precision is 2^-64.
    let exponent = (largest.to_bits() >> 52) as i32 - 1023 + 64;
    f32::from_bits(((exponent.clamp(-126, 127) + 127) as u32) << 23)
}

/// The number of 16 bits nearest to `value / scale`, ties to even.
pub(super) fn half_of<T: Real>(value: T, scale: f32) -> u16 {
    let bits = ((value.to_f64() / f64::from(scale)) as f32).to_bits();
    ((bits + 0xfff + (bits >> 13 & 1)) >> 13).min(0xffff) as u16
}
