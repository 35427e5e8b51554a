//! Connection probability that falls with distance on a grid.

use super::{check_probability, check_size};
use crate::csr::Csr;
use crate::random::{stream, uniform};
use crate::{Error, Result};

/// Probability at distance 0 for each pair of excitatory (e) and inhibitory (i) neurons,
/// source first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairProbabilities {
    /// Excitatory to excitatory.
    pub ee: f64,
    /// Excitatory to inhibitory.
    pub ei: f64,
    /// Inhibitory to excitatory.
    pub ie: f64,
    /// Inhibitory to inhibitory.
    pub ii: f64,
}

/// Neurons on a grid of unit spacing; `p = C exp(-(d / lambda)^2)` with `C` by the kinds
/// of source and target (Maass, Natschläger & Markram 2002, Neural Comput. 14:2531).
///
/// Neuron `(x * ny + y) * nz + z` sits at (x, y, z). No neuron reaches itself. Row `r`
/// draws from the stream (`seed`, `purpose`, `r`).
///
/// # Errors
/// If the grid has not as many places as `inhibitory` has neurons, `lambda` is not
/// positive, or a probability is not in [0, 1].
pub fn distance(
    grid: [usize; 3],
    lambda: f64,
    c: PairProbabilities,
    inhibitory: &[bool],
    seed: u64,
    purpose: &str,
) -> Result<Csr> {
    let n = inhibitory.len();
    check_size("n_neurons", n)?;
    let places = grid.iter().try_fold(1_usize, |product, &side| product.checked_mul(side));
    if places != Some(n) {
        let expected = format!("a grid of as many places as there are neurons ({n})");
        return Err(Error::parameter("grid", expected, format!("{grid:?}")));
    }
    if !(lambda.is_finite() && lambda > 0.0) {
        return Err(Error::parameter("lambda_", "greater than 0 and finite", lambda));
    }
    for (name, p) in [("c_ee", c.ee), ("c_ei", c.ei), ("c_ie", c.ie), ("c_ii", c.ii)] {
        check_probability(name, p)?;
    }
    let [_, ny, nz] = grid;
    let place = |neuron: usize| [neuron / (ny * nz), neuron / nz % ny, neuron % nz];
    // Probability depends on |dx|, |dy|, |dz| alone: as many values as there are places.
    let falloff: Vec<f64> = (0..n)
        .map(|offset| {
            let squares = place(offset).map(|d| (d as f64 / lambda).powi(2));
            (-squares.iter().sum::<f64>()).exp()
        })
        .collect();
    let places: Vec<[usize; 3]> = (0..n).map(place).collect();
    let mut indptr = Vec::with_capacity(n + 1);
    let mut indices = Vec::new();
    indptr.push(0);
    for (row, &[x, y, z]) in places.iter().enumerate() {
        let (to_e, to_i) = if inhibitory[row] { (c.ie, c.ii) } else { (c.ee, c.ei) };
        let mut rng = stream(seed, purpose, row as u64);
        for (target, &[tx, ty, tz]) in places.iter().enumerate() {
            let offset = (x.abs_diff(tx) * ny + y.abs_diff(ty)) * nz + z.abs_diff(tz);
            let scale = if inhibitory[target] { to_i } else { to_e };
            if uniform(&mut rng) < scale * falloff[offset] && target != row {
                indices.push(target as u32);
            }
        }
        indptr.push(indices.len() as u64);
    }
    Csr::new(indptr, indices, n)
}
