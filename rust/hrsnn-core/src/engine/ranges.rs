//! Which neurons go to which shard.

use std::ops::Range;

use crate::network::Connections;
use crate::shard::MOST_NEURONS;

/// Cut the neurons into `n` ranges with about equally many synapses onto each, or into more where
/// one would have more neurons than a shard can.
pub(super) fn ranges_of_equal_work(
    all: &[&Connections],
    n_neurons: usize,
    n: usize,
) -> Vec<Range<u32>> {
    let mut work = vec![1_u64; n_neurons];
    for connections in all {
        connections.graph.indices().iter().for_each(|&target| work[target as usize] += 1);
    }
    let sum: u64 = work.iter().sum();
    let (mut ranges, mut first, mut so_far) = (Vec::with_capacity(n), 0, 0);
    for (i, w) in work.iter().enumerate() {
        so_far += w;
        let left = n.saturating_sub(ranges.len());
        let due = so_far * n as u64 >= sum * (ranges.len() as u64 + 1);
        let is_full = i + 1 - first as usize == MOST_NEURONS;
        if (due && left > 1) || n_neurons - i == left || is_full || i + 1 == n_neurons {
            ranges.push(first..i as u32 + 1);
            first = i as u32 + 1;
        }
    }
    ranges
}
