//! Generators of graphs.
//!
//! Lives here: who reaches whom. Not here: weights and delays ([`crate::distribution`]),
//! signs, and which neurons are inhibitory. Invariant: each generator draws from streams
//! (seed, purpose, row) or (seed, purpose, target), so a graph is a function of its
//! arguments; each returns a checked [`Csr`] with sources as rows.

mod distance;
mod local;
mod small_world;
mod uniform;

pub use distance::{PairProbabilities, distance};
pub use local::{SensorPlane, local_inputs, local_recurrence};
pub use small_world::small_world;
pub use uniform::{fixed_in_degree, uniform};

use crate::csr::Csr;
use crate::error::with_room;
use crate::{Error, Result};

/// Refuse populations that 32-bit indices cannot number.
fn check_size(name: &str, n: usize) -> Result<()> {
    if u32::try_from(n).is_ok() { Ok(()) } else { Err(Error::parameter(name, "below 2^32", n)) }
}

/// Refuse probabilities outside [0, 1].
fn check_probability(name: &str, p: f64) -> Result<()> {
    if (0.0..=1.0).contains(&p) { Ok(()) } else { Err(Error::parameter(name, "in [0, 1]", p)) }
}

/// `n` times `value`, or an error where `vec!` would abort.
fn filled<T: Clone>(name: &str, n: usize, value: T) -> Result<Vec<T>> {
    let mut values = with_room(name, n)?;
    values.resize(n, value);
    Ok(values)
}

/// Turn the sources of each target (`k` each, target after target) into rows of sources.
fn from_sources(n_pre: usize, n_post: usize, k: usize, sources: &[u32]) -> Result<Csr> {
    let mut indptr = filled("n_pre", n_pre + 1, 0_u64)?;
    for &source in sources {
        indptr[source as usize + 1] += 1;
    }
    for row in 0..n_pre {
        indptr[row + 1] += indptr[row];
    }
    let mut next = indptr.clone();
    let mut indices = filled("n_post * k", sources.len(), 0_u32)?;
    // Targets come in increasing order, so each row is filled in increasing order.
    for (target, chosen) in sources.chunks_exact(k.max(1)).enumerate() {
        for &source in chosen {
            let place = &mut next[source as usize];
            indices[*place as usize] = target as u32;
            *place += 1;
        }
    }
    Csr::new(indptr, indices, n_post)
}

#[cfg(test)]
mod tests;
