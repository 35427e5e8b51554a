//! Graphs in which all pairs are alike: by probability, and by in-degree.

use super::{check_probability, check_size, filled, from_sources, with_room};
use crate::csr::Csr;
use crate::random::{Stream, below, stream, uniform as unit};
use crate::{Error, Result};

/// Each pair is connected with probability `p`, independently.
///
/// Row `r` jumps from target to target by geometric steps from the stream
/// (`seed`, `purpose`, `r`), so the cost grows with synapses, not with pairs. Without
/// `autapses` (of use where sources and targets are the same neurons) `r` skips itself.
///
/// ```
/// let csr = hrsnn_core::connectivity::uniform(3, 3, 1.0, false, 7, "recurrent")?;
/// assert_eq!(csr.row(1), [0, 2]);
/// # Ok::<(), hrsnn_core::Error>(())
/// ```
///
/// # Errors
/// If `p` is not in [0, 1], or there is no memory for such a graph.
pub fn uniform(
    n_pre: usize,
    n_post: usize,
    p: f64,
    autapses: bool,
    seed: u64,
    purpose: &str,
) -> Result<Csr> {
    check_size("n_pre", n_pre)?;
    check_size("n_post", n_post)?;
    check_probability("p", p)?;
    let mut indptr = with_room("n_pre", n_pre + 1)?;
    let mean = n_pre as f64 * n_post as f64 * p;
    // Room for the mean and 5 standard deviations; more would only cost a reallocation.
    let mut indices = with_room("n_pre * n_post * p", (mean + 5.0 * mean.sqrt()) as usize)?;
    indptr.push(0);
    for row in 0..n_pre {
        let skips_itself = !autapses && row < n_post;
        let n = n_post - usize::from(skips_itself);
        if p > 0.0 {
            let start = indices.len();
            push_row(&mut indices, n, p, &mut stream(seed, purpose, row as u64));
            if skips_itself {
                let own = indices[start..].partition_point(|&t| (t as usize) < row);
                indices[start + own..].iter_mut().for_each(|target| *target += 1);
            }
        }
        indptr.push(indices.len() as u64);
    }
    Csr::new(indptr, indices, n_post)
}

/// Append those of 0..n that are hit with probability `p` each.
fn push_row(indices: &mut Vec<u32>, n: usize, p: f64, rng: &mut Stream) {
    if p >= 1.0 {
        indices.extend(0..n as u32);
        return;
    }
    let scale = 1.0 / (-p).ln_1p();
    let mut next = 0.0;
    loop {
        // Number of misses before a hit; 1 - u is in (0, 1], so the logarithm is finite.
        next += ((1.0 - unit(rng)).ln() * scale).floor();
        if next >= n as f64 {
            return;
        }
        indices.push(next as u32);
        next += 1.0;
    }
}

/// Each target draws `k` distinct sources, all sets equally likely, from the stream
/// (`seed`, `purpose`, target), by Floyd's algorithm.
///
/// # Errors
/// If there are fewer than `k` sources (without `autapses`, a target is not its own).
pub fn fixed_in_degree(
    n_pre: usize,
    n_post: usize,
    k: usize,
    autapses: bool,
    seed: u64,
    purpose: &str,
) -> Result<Csr> {
    check_size("n_pre", n_pre)?;
    check_size("n_post", n_post)?;
    let fewest = n_pre - usize::from(!autapses && n_pre > 0 && n_post > 0);
    if k > fewest {
        let expected = format!("at most {fewest}, the number of possible sources");
        return Err(Error::parameter("k", expected, k));
    }
    let mut sources = with_room("n_post * k", n_post.saturating_mul(k))?;
    // last_target[s]: 1 + the last target that chose source s.
    let mut last_target = filled("n_pre", n_pre, 0_u32)?;
    for target in 0..n_post {
        let mut rng = stream(seed, purpose, target as u64);
        let skips_itself = !autapses && target < n_pre;
        let n = n_pre - usize::from(skips_itself);
        for top in n - k..n {
            let drawn = below(&mut rng, top as u64 + 1) as usize;
            let mark = target as u32 + 1;
            let chosen = if last_target[drawn] == mark { top } else { drawn };
            last_target[chosen] = mark;
            sources.push((chosen + usize::from(skips_itself && chosen >= target)) as u32);
        }
    }
    from_sources(n_pre, n_post, k, &sources)
}
