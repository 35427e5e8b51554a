//! Deliveries in the order of their arrival.
//!
//! Lives here: a calendar of windows, one bucket a window, and a heap for what lies beyond
//! it. Not here: what a delivery does. Invariants: a window is handed out once, sorted by
//! (arrival, projection, segment), an order that no thread can influence; nothing may be
//! pushed into a window that was handed out.

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

/// Calendar queue with windows of a fixed width.
#[derive(Debug, Clone)]
pub struct Queue {
    width: i64,
    /// First window that has not been handed out.
    next: i64,
    buckets: Vec<Vec<Delivery>>,
    in_buckets: usize,
    far: BinaryHeap<Reverse<Delivery>>,
}

impl Queue {
    /// An empty queue at t = 0 whose windows last `width` µs.
    pub fn new(width: u32) -> Self {
        Self {
            width: i64::from(width.max(1)),
            next: 0,
            buckets: vec![Vec::new(); BUCKETS as usize],
            in_buckets: 0,
            far: BinaryHeap::new(),
        }
    }

    /// Forget everything and go back to t = 0.
    pub fn reset(&mut self) {
        if self.in_buckets > 0 {
            self.buckets.iter_mut().for_each(Vec::clear);
        }
        self.in_buckets = 0;
        self.far.clear();
        self.next = 0;
    }

    /// Add a delivery; its window must still be ahead.
    #[inline]
    pub fn push(&mut self, delivery: Delivery) {
        let window = delivery.arrival / self.width;
        debug_assert!(window >= self.next, "{delivery:?} is in the past");
        if window < self.next + BUCKETS {
            self.buckets[(window % BUCKETS) as usize].push(delivery);
            self.in_buckets += 1;
        } else {
            self.far.push(Reverse(delivery));
        }
    }

    /// First window at or after the present that holds a delivery.
    pub fn first(&self) -> Option<i64> {
        let near = (self.next..self.next + BUCKETS)
            .take(if self.in_buckets > 0 { BUCKETS as usize } else { 0 })
            .find(|window| !self.buckets[(window % BUCKETS) as usize].is_empty());
        // What was far when it was pushed may have come near since.
        let far = self.far.peek().map(|Reverse(delivery)| delivery.arrival / self.width);
        [near, far].into_iter().flatten().min()
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
        into.clear();
        std::mem::swap(into, &mut self.buckets[(window % BUCKETS) as usize]);
        self.in_buckets -= into.len();
        self.next = window + 1;
        if !into.is_sorted() {
            into.sort_unstable();
        }
    }
}

#[cfg(test)]
mod tests;
