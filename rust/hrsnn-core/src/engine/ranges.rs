//! Which neurons go to which shard.

use std::iter;
use std::ops::Range;

use crate::competition::runs;
use crate::network::Connections;

/// Most neurons of a shard.
pub(super) const MOST_NEURONS: usize = 1 << 19;

/// Cut the neurons into `n` ranges with about equally many synapses onto each, or into more where
/// one would have more neurons than a shard can, or into fewer where there are not so many groups:
/// what belongs together by `group` is not divided.
pub(super) fn ranges_of_equal_work(
    all: &[&Connections],
    group: Option<&[u32]>,
    n_neurons: usize,
    n: usize,
) -> Vec<Range<u32>> {
    if n == 1 && n_neurons <= MOST_NEURONS {
        return iter::once(0..n_neurons as u32).collect();
    }
    let mut work = vec![1_u32; n_neurons];
    for connections in all {
        connections.graph.indices().iter().for_each(|&target| work[target as usize] += 1);
    }
    let together: Vec<Range<usize>> = match group {
        Some(group) => runs(group).collect(),
        None => (0..n_neurons).map(|i| i..i + 1).collect(),
    };
    let n = n.min(together.len());
    let sum: u64 = work.iter().map(|&n| u64::from(n)).sum();
    let (mut ranges, mut first, mut so_far) = (Vec::with_capacity(n), 0, 0);
    for (k, neurons) in together.iter().enumerate() {
        so_far += work[neurons.clone()].iter().map(|&n| u64::from(n)).sum::<u64>();
        let left = n.saturating_sub(ranges.len());
        let due = so_far * n as u64 >= sum * (ranges.len() as u64 + 1);
        let next = together.get(k + 1);
        let is_full = next.is_some_and(|next| next.end - first > MOST_NEURONS);
        if (due && left > 1) || together.len() - k == left || is_full || next.is_none() {
            ranges.push(first as u32..neurons.end as u32);
            first = neurons.end;
        }
    }
    ranges
}
