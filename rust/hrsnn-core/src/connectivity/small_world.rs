//! The directed ring of Watts & Strogatz.

use super::{check_probability, check_size, with_room};
use crate::csr::Csr;
use crate::random::{below, stream, uniform};
use crate::{Error, Result};

/// Neurons on a ring, each reaching its `k` nearest; each synapse is rewired with
/// probability `p_rewire` to a target drawn uniformly from those not reached (Watts &
/// Strogatz 1998, Nature 393:440, with directed edges: every out-degree stays `k`).
///
/// For odd `k` the odd neighbour is the next one clockwise. Row `r` draws from the stream
/// (`seed`, `purpose`, `r`).
///
/// ```
/// let ring = hrsnn_core::connectivity::small_world(5, 2, 0.0, 7, "recurrent")?;
/// assert_eq!(ring.row(0), [1, 4]);
/// # Ok::<(), hrsnn_core::Error>(())
/// ```
///
/// # Errors
/// If `k` is not below `n`, or `p_rewire` is not in [0, 1].
pub fn small_world(n: usize, k: usize, p_rewire: f64, seed: u64, purpose: &str) -> Result<Csr> {
    check_size("n_neurons", n)?;
    check_probability("p_rewire", p_rewire)?;
    if k >= n {
        let expected = format!("below the number of neurons, {n}");
        return Err(Error::parameter("k", expected, k));
    }
    // Distances along the ring, nearest first: +1, -1, +2, -2, ... The first k are taken.
    let mut steps: Vec<usize> = with_room("n_neurons", n)?;
    steps.extend((2..=n).map(|i| if i % 2 == 0 { i / 2 } else { n - i / 2 }));
    let n_free = (n - 1 - k) as u64;
    let mut indptr = with_room("n_neurons", n + 1)?;
    let mut indices = with_room("n_neurons * k", n.saturating_mul(k))?;
    let mut swaps = Vec::new();
    indptr.push(0);
    for row in 0..n {
        let mut rng = stream(seed, purpose, row as u64);
        if n_free > 0 {
            for i in 0..k {
                if uniform(&mut rng) < p_rewire {
                    let free = k + below(&mut rng, n_free) as usize;
                    steps.swap(i, free);
                    swaps.push((i, free));
                }
            }
        }
        let start = indices.len();
        indices.extend(steps[..k].iter().map(|step| ((row + step) % n) as u32));
        indices[start..].sort_unstable();
        indptr.push(indices.len() as u64);
        while let Some((i, free)) = swaps.pop() {
            steps.swap(i, free);
        }
    }
    Csr::new(indptr, indices, n)
}
