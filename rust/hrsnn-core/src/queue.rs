//! Deliveries in the order of their arrival.
//!
//! Lives here: a calendar of windows, one bucket a window, and a heap for what lies beyond
//! it. Spikes of one µs wait together, one entry for each of their delays, and become deliveries one by
//! one where their window is handed out, or are a parcel that is handed out as it is. Not here: what a delivery does. Invariants: a window is handed out once, unless it was left
//! early, and sorted by (arrival, projection) and within these in the order of pushing, an order
//! that no thread can influence as long as each projection's spikes are sent in their order; nothing
//! may be pushed into a window that was handed out.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use batches::Batches;

mod batches;

/// A spike on its way: all synapses of one segment receive it at `arrival`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// How many deliveries before it what a delivery needs is asked for: memory takes as long as some.
pub const NEAR: usize = 6;
/// The same for the place where that is.
pub const FAR: usize = 16;
/// As many elements as are soon in the nearest memory and need not be asked for.
pub const SOON_AT_HAND: usize = 1 << 14;

/// A delivery of one window as one number: µs from the beginning of the window, projection, whether it is
/// many deliveries in one, and segment or number of those from the high bits down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due(u64);

/// Bits of the segment, which do not count in sorting.
const SEGMENT_BITS: u32 = MOST_SEGMENTS.ilog2();
const PROJECTION_BITS: u32 = MOST_PROJECTIONS.ilog2();
const MANY: u64 = 1 << SEGMENT_BITS;
/// In a number of many: whether they are a parcel.
const PARCEL: u32 = MOST_SEGMENTS >> 1;
/// Bits below those by which windows are sorted.
const BELOW_RANK: u32 = SEGMENT_BITS + 1;

impl Due {
    /// The delivery to a segment, `us` after the beginning of the window.
    #[inline]
    pub(crate) fn new(us: i64, projection: u32, segment: u32) -> Self {
        debug_assert!(segment < MOST_SEGMENTS && projection < MOST_PROJECTIONS);
        let place = u64::from(projection) << BELOW_RANK | u64::from(segment);
        Self((us as u64) << (BELOW_RANK + PROJECTION_BITS) | place)
    }

    /// When, in µs from the beginning of the window.
    #[inline]
    pub fn us(self) -> i64 {
        (self.0 >> (BELOW_RANK + PROJECTION_BITS)) as i64
    }

    /// As [`Delivery::projection`].
    #[inline]
    pub fn projection(self) -> usize {
        (self.0 >> BELOW_RANK) as usize & (MOST_PROJECTIONS as usize - 1)
    }

    /// As [`Delivery::segment`].
    #[inline]
    pub fn segment(self) -> u32 {
        self.0 as u32 & (MOST_SEGMENTS - 1)
    }

    /// By what windows are sorted: time, and then projection.
    #[inline]
    pub fn rank(self) -> u64 {
        self.0 >> BELOW_RANK
    }

    /// Many deliveries of this number, at the same time and of the same projection.
    #[inline]
    fn of_many(self, number: u32) -> Self {
        Self(self.with_segment(number).0 | MANY)
    }

    /// Another segment at the same time and of the same projection.
    #[inline]
    fn with_segment(self, segment: u32) -> Self {
        debug_assert!(segment < MOST_SEGMENTS);
        Self(self.0 >> BELOW_RANK << BELOW_RANK | u64::from(segment))
    }

    /// Whether it stands for the deliveries of a batch.
    #[inline]
    fn is_group(self) -> bool {
        self.0 & (MANY | u64::from(PARCEL)) == MANY
    }

    /// The number of the parcel in which these deliveries are, if they are in one and not of a segment.
    #[inline]
    pub fn parcel(self) -> Option<u32> {
        self.is_parcel().then_some(self.0 as u32 & (PARCEL - 1))
    }

    /// Whether there is one.
    #[inline]
    pub fn is_parcel(self) -> bool {
        self.0 & MANY != 0
    }
}

/// How many at the beginning of `all`, which are sorted by it, have the same `key` as the first.
#[inline]
pub fn n_together<K: PartialEq>(all: &[Due], key: impl Fn(Due) -> K) -> usize {
    let Some(&first) = all.first() else { return 0 };
    if all.last().is_some_and(|&last| key(last) == key(first)) {
        return all.len();
    }
    all.partition_point(|&due| key(due) == key(first))
}

/// As many as is known when it is compiled: no place among them needs to be checked.
type Buckets = Box<[Vec<Due>; BUCKETS as usize]>;

fn empty_buckets() -> Buckets {
    vec![Vec::new(); BUCKETS as usize].try_into().expect("it was made so long")
}

/// Which bucket holds a window.
#[inline]
fn bucket_of(window: i64) -> usize {
    // Without a sign this is one instruction.
    (window as u64 % BUCKETS as u64) as usize
}

/// Calendar queue with windows of a fixed width.
#[derive(Debug, Clone)]
pub struct Queue {
    width: i64,
    /// The whole number above 2^64 / `width`.
    inverse: u128,
    /// First window that has not been handed out, and when it begins.
    next: i64,
    start: i64,
    buckets: Buckets,
    /// Memory of buckets that were emptied, the last one last: the next to be filled takes it, for
    /// it is still at hand, while its own would have been left a whole turn of the calendar ago.
    emptied: Vec<Vec<Due>>,
    /// One bit for each bucket that holds something.
    filled: [u64; BUCKETS as usize / 64],
    /// What lies beyond the buckets: window, number in the order of pushing, delivery.
    far: BinaryHeap<Reverse<(i64, u64, Due)>>,
    n_far: u64,
    batches: Batches,
    /// What sorting works with.
    sorted: Vec<Due>,
}

impl Queue {
    /// An empty queue at t = 0 whose windows last `width` µs, at most 2^30.
    pub fn new(width: u32) -> Self {
        debug_assert!(width <= 1 << 30);
        let width = width.max(1);
        Self {
            width: i64::from(width),
            inverse: (1 << 64) / u128::from(width) + 1,
            next: 0,
            start: 0,
            buckets: empty_buckets(),
            emptied: Vec::new(),
            filled: [0; BUCKETS as usize / 64],
            far: BinaryHeap::new(),
            n_far: 0,
            batches: Batches::default(),
            sorted: Vec::new(),
        }
    }

    /// Forget everything and go back to t = 0.
    pub fn reset(&mut self) {
        while let Some(window) = self.first_near() {
            let deliveries = self.empty(bucket_of(window));
            self.keep(deliveries);
        }
        self.far.clear();
        self.batches.clear();
        (self.next, self.start, self.n_far) = (0, 0, 0);
    }

    /// Add a delivery; its window must still be ahead.
    #[inline]
    pub fn push(&mut self, delivery: Delivery) {
        let (windows, us) = self.ahead(delivery.arrival);
        self.push_due(windows, Due::new(us, delivery.projection, delivery.segment));
    }

    /// Add what comes so many windows after the next.
    #[inline]
    fn push_due(&mut self, windows: i64, due: Due) {
        let window = self.next + windows;
        if windows < BUCKETS { self.push_near(window, due) } else { self.push_far(window, due) }
    }

    /// Add what follows from spikes of `rows` of one projection at the time `t`: of each row one segment
    /// for each of its `delays` (µs), which are the same for all: number k of row r is r * `delays.len()` + k.
    ///
    #[inline]
    pub fn push_together(&mut self, t: i64, projection: u32, delays: &[u32], rows: &[u32]) {
        let n_delays = delays.len() as u32;
        if let &[row] = rows {
            for (segment, &delay) in (row * n_delays..).zip(delays) {
                self.push(Delivery { arrival: t + i64::from(delay), projection, segment });
            }
            return;
        }
        let batch = self.batches.begin(rows);
        for (k, &delay) in (0..).zip(delays) {
            let (windows, us) = self.ahead(t + i64::from(delay));
            let group = self.batches.wait(batch, k, n_delays);
            self.push_due(windows, Due::new(us, projection, 0).of_many(group));
        }
    }

    /// Add the parcel of this number, which arrives as a whole: its window must still be ahead.
    #[inline]
    pub fn push_parcel(&mut self, arrival: i64, projection: u32, number: u32) {
        debug_assert!(number < PARCEL, "too many parcels");
        let (windows, us) = self.ahead(arrival);
        self.push_due(windows, Due::new(us, projection, 0).of_many(PARCEL | number));
    }

    /// In how many windows from the next on `arrival` is, which must not be past, and how many µs
    /// after its beginning.
    #[inline]
    fn ahead(&self, arrival: i64) -> (i64, i64) {
        debug_assert!(arrival >= self.start, "{arrival} is in the past of {}", self.start);
        let ahead = (arrival - self.start) as u64;
        // A product instead of a division: the same, as far as a delay can reach.
        debug_assert!(ahead.checked_mul(self.width as u64).is_some(), "{arrival} is too far");
        let windows = ((u128::from(ahead) * self.inverse) >> 64) as i64;
        (windows, ahead as i64 - windows * self.width)
    }

    #[inline]
    fn push_near(&mut self, window: i64, due: Due) {
        let number = bucket_of(window);
        if self.buckets[number].is_empty() {
            self.begin(number);
        }
        self.buckets[number].push(due);
    }

    /// Give the bucket `number`, which is empty, memory for what it is to hold.
    #[cold]
    fn begin(&mut self, number: usize) {
        self.buckets[number] = self.emptied.pop().unwrap_or_default();
        self.filled[number / 64] |= 1 << (number % 64);
    }

    #[cold]
    fn push_far(&mut self, window: i64, due: Due) {
        self.far.push(Reverse((window, self.n_far, due)));
        self.n_far += 1;
    }

    /// Take what the bucket `number` holds.
    fn empty(&mut self, number: usize) -> Vec<Due> {
        self.filled[number / 64] &= !(1 << (number % 64));
        std::mem::take(&mut self.buckets[number])
    }

    /// Keep the memory of what was taken for the next bucket that is filled.
    fn keep(&mut self, mut taken: Vec<Due>) {
        if taken.capacity() > 0 {
            taken.clear();
            self.emptied.push(taken);
        }
    }

    /// First window at or after the present whose bucket holds a delivery.
    fn first_near(&self) -> Option<i64> {
        let words = self.filled.len();
        let start = bucket_of(self.next);
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
        self.first_near().or_else(|| self.far.peek().map(|Reverse((window, ..))| *window))
    }

    /// Hand out `window`, sorted, into `into`, and say when it begins; all windows before it must be
    /// empty.
    pub fn take(&mut self, window: i64, into: &mut Vec<Due>) -> i64 {
        debug_assert!(window >= self.next && self.first().is_none_or(|first| first >= window));
        self.bring_near(window + BUCKETS);
        let start = window * self.width;
        (self.next, self.start) = (window + 1, start + self.width);
        let mut bucket = self.empty(bucket_of(window));
        sort(&mut bucket, &mut self.sorted);
        self.unfold(&mut bucket);
        let before = std::mem::replace(into, bucket);
        self.keep(before);
        // The bucket just emptied is that of the window that comes near now.
        self.bring_near(self.next + BUCKETS);
        start
    }

    /// Put its deliveries in the place of each group.
    fn unfold(&mut self, bucket: &mut Vec<Due>) {
        if !bucket.iter().any(|due| due.is_group()) {
            return;
        }
        self.sorted.clear();
        for &due in &*bucket {
            if due.is_group() {
                let segments = self.batches.come(due.segment());
                self.sorted.extend(segments.map(|segment| due.with_segment(segment)));
            } else {
                self.sorted.push(due);
            }
        }
        std::mem::swap(bucket, &mut self.sorted);
    }

    /// Put what lies before window `end` into its buckets, before anything is pushed beside it.
    fn bring_near(&mut self, end: i64) {
        while let Some(&Reverse((window, _, due))) = self.far.peek() {
            if window >= end {
                break;
            }
            self.far.pop();
            self.push_near(window, due);
        }
    }

    /// Leave `window`, which was just handed out, at the time `end`: if that is before its own
    /// end it is ahead again, with the `rest` of its deliveries.
    pub fn leave(&mut self, window: i64, end: i64, rest: &[Due]) {
        let start = window * self.width;
        debug_assert!(self.next == window + 1 && rest.iter().all(|due| start + due.us() >= end));
        if end >= self.start {
            return;
        }
        // Its bucket may already hold what has come near for it.
        for due in self.empty(bucket_of(window)) {
            self.push_far(window + BUCKETS, due);
        }
        (self.next, self.start) = (window, start);
        for &due in rest {
            self.push_near(window, due);
        }
    }
}

/// Sort by time and projection; what is equal in both keeps its order. `sorted` is room to work in.
fn sort(bucket: &mut Vec<Due>, sorted: &mut Vec<Due>) {
    const DIGIT: u32 = 8;
    if bucket.is_sorted_by_key(|due| due.rank()) {
        return;
    }
    if bucket.len() <= 1 << (DIGIT - 2) {
        bucket.sort_by_key(|due| due.rank());
        return;
    }
    let first = bucket[0].rank();
    let differing = bucket.iter().fold(0, |bits, due| bits | (due.rank() ^ first));
    for shift in (0..u64::BITS - BELOW_RANK).step_by(DIGIT as usize) {
        let digit = |rank: u64| (rank >> shift) as usize & ((1 << DIGIT) - 1);
        if digit(differing) == 0 {
            continue;
        }
        let mut places = [0_u32; 1 << DIGIT];
        for due in &*bucket {
            places[digit(due.rank())] += 1;
        }
        let mut before = 0;
        for place in &mut places {
            before += std::mem::replace(place, before);
        }
        sorted.resize(bucket.len(), Due(0));
        let room = sorted.as_mut_slice();
        for &due in &*bucket {
            let place = &mut places[digit(due.rank())];
            room[*place as usize] = due;
            *place += 1;
        }
        std::mem::swap(bucket, sorted);
    }
}

#[cfg(test)]
mod tests;
