//! Deliveries in the order of their arrival.
//!
//! Lives here: a calendar of windows, one bucket a window, and a heap for what lies beyond
//! it. Not here: what a delivery does. Invariants: a window is handed out once, unless it was left
//! early, and sorted by (arrival, projection, segment), an order that no thread can influence;
//! nothing may be pushed into a window that was handed out.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A spike on its way: all synapses of one segment receive it at `arrival`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delivery {
    /// µs.
    pub arrival: i64,
    /// Which set of rows of the shard.
    pub projection: u32,
    /// Which segment of it.
    pub segment: u32,
}

/// The buckets of the calendar; what arrives later than that many windows waits in a heap.
const BUCKETS: i64 = 1024;
/// Most segments that a projection may have.
pub const MOST_SEGMENTS: u32 = 1 << 30;
/// Most projections that there may be.
const MOST_PROJECTIONS: u32 = 1 << 3;

/// Calendar queue with windows of a fixed width.
///
/// In a bucket a delivery is one number: µs from the beginning of its window, projection and
/// segment from the high bits down, so that numbers sort as deliveries do.
#[derive(Debug, Clone)]
pub struct Queue {
    width: i64,
    /// First window that has not been handed out.
    next: i64,
    buckets: Vec<Vec<u64>>,
    /// One bit for each bucket that holds something.
    filled: [u64; BUCKETS as usize / 64],
    far: BinaryHeap<Reverse<Delivery>>,
}

impl Queue {
    /// An empty queue at t = 0 whose windows last `width` µs, at most 2^31.
    pub fn new(width: u32) -> Self {
        debug_assert!(width <= 1 << 31);
        Self {
            width: i64::from(width.max(1)),
            next: 0,
            buckets: vec![Vec::new(); BUCKETS as usize],
            filled: [0; BUCKETS as usize / 64],
            far: BinaryHeap::new(),
        }
    }

    /// Forget everything and go back to t = 0.
    pub fn reset(&mut self) {
        while let Some(window) = self.first_near() {
            let bucket = (window % BUCKETS) as usize;
            self.buckets[bucket].clear();
            self.filled[bucket / 64] &= !(1 << (bucket % 64));
        }
        self.far.clear();
        self.next = 0;
    }

    /// Add a delivery; its window must still be ahead.
    #[inline]
    pub fn push(&mut self, delivery: Delivery) {
        let window = delivery.arrival / self.width;
        debug_assert!(window >= self.next, "{delivery:?} is in the past");
        debug_assert!(delivery.segment < MOST_SEGMENTS && delivery.projection < MOST_PROJECTIONS);
        if window < self.next + BUCKETS {
            let bucket = (window % BUCKETS) as usize;
            let us = (delivery.arrival - window * self.width) as u64;
            let place = u64::from(delivery.projection) << 30 | u64::from(delivery.segment);
            self.buckets[bucket].push(us << 33 | place);
            self.filled[bucket / 64] |= 1 << (bucket % 64);
        } else {
            self.far.push(Reverse(delivery));
        }
    }

    /// First window at or after the present whose bucket holds a delivery.
    fn first_near(&self) -> Option<i64> {
        let words = self.filled.len();
        let start = (self.next % BUCKETS) as usize;
        // The word of the present first from its own bit on, and last up to there.
        for k in 0..=words {
            let word = (start / 64 + k) % words;
            let ahead = u64::MAX << (start % 64);
            let bits = match k {
                0 => self.filled[word] & ahead,
                _ if k == words => self.filled[word] & !ahead,
                _ => self.filled[word],
            };
            if bits != 0 {
                let bucket = (64 * word) as i64 + i64::from(bits.trailing_zeros());
                return Some(self.next + (bucket - start as i64).rem_euclid(BUCKETS));
            }
        }
        None
    }

    /// First window at or after the present that holds a delivery.
    pub fn first(&self) -> Option<i64> {
        // What was far when it was pushed may have come near since.
        let far = self.far.peek().map(|Reverse(delivery)| delivery.arrival / self.width);
        [self.first_near(), far].into_iter().flatten().min()
    }

    /// Hand out `window`, sorted, into `into`; all windows before it must be empty.
    pub fn take(&mut self, window: i64, into: &mut Vec<Delivery>) {
        debug_assert!(window >= self.next && self.first().is_none_or(|first| first >= window));
        self.next = window;
        while let Some(Reverse(delivery)) = self.far.peek().copied() {
            if delivery.arrival / self.width >= window + BUCKETS {
                break;
            }
            self.far.pop();
            self.push(delivery);
        }
        self.next = window + 1;
        into.clear();
        let number = (window % BUCKETS) as usize;
        let bucket = &mut self.buckets[number];
        if bucket.is_empty() {
            return;
        }
        if !bucket.is_sorted() {
            bucket.sort_unstable();
        }
        let start = window * self.width;
        into.extend(bucket.drain(..).map(|packed| Delivery {
            arrival: start + (packed >> 33) as i64,
            projection: (packed >> 30) as u32 & (MOST_PROJECTIONS - 1),
            segment: packed as u32 & (MOST_SEGMENTS - 1),
        }));
        self.filled[number / 64] &= !(1 << (number % 64));
    }

    /// Leave `window`, which was just handed out, at the time `end`: if that is before its own
    /// end it is ahead again, with the `rest` of its deliveries.
    pub fn leave(&mut self, window: i64, end: i64, rest: &[Delivery]) {
        debug_assert!(self.next == window + 1 && rest.iter().all(|d| d.arrival >= end));
        if end < (window + 1) * self.width {
            self.next = window;
            for &delivery in rest {
                self.push(delivery);
            }
        }
    }
}

#[cfg(test)]
mod tests;
