//! The queue: everything once, in order, whatever the width and however far ahead.

use super::*;
use proptest::prelude::*;

fn at(arrival: i64) -> Delivery {
    Delivery { arrival, projection: 0, segment: 0 }
}

/// What was handed out of the window that begins at `start`.
fn unpacked(start: i64, bucket: &[Due]) -> Vec<Delivery> {
    let unpack = |due: &Due| Delivery {
        arrival: start + due.us(),
        projection: due.projection() as u32,
        segment: due.segment(),
    };
    bucket.iter().map(unpack).collect()
}

fn taken(queue: &mut Queue, window: i64) -> Vec<Delivery> {
    let mut bucket = Vec::new();
    let start = queue.take(window, &mut bucket);
    assert_eq!(start, window * queue.width);
    unpacked(start, &bucket)
}

fn arrivals(deliveries: &[Delivery]) -> Vec<i64> {
    deliveries.iter().map(|delivery| delivery.arrival).collect()
}

/// Everything that is left, window by window: its number, and what it holds.
fn drained(queue: &mut Queue) -> Vec<(i64, Vec<i64>)> {
    let mut windows = Vec::new();
    while let Some(first) = queue.first() {
        windows.push((first, arrivals(&taken(queue, first))));
    }
    windows
}

#[test]
fn an_empty_queue_has_no_first_window() {
    let mut queue = Queue::new(10);
    assert_eq!(queue.first(), None);
    let mut into = vec![Due::new(3, 0, 0)];
    assert_eq!(queue.take(5, &mut into), 50);
    assert!(into.is_empty(), "what was in the hand before is gone");
}

#[test]
fn a_window_is_handed_out_by_arrival_then_projection_then_in_the_order_of_pushing() {
    let mut queue = Queue::new(100);
    let sorted = [(0, 0, 1), (0, 0, 0), (0, 1, 7), (0, 1, 0), (98, 0, 3), (99, 0, 2), (99, 2, 1)]
        .map(|(arrival, projection, segment)| Delivery { arrival, projection, segment });
    for k in [2, 0, 6, 5, 1, 4, 3] {
        queue.push(sorted[k]);
    }
    queue.push(at(100));
    assert_eq!(taken(&mut queue, 0), sorted);
    assert_eq!(taken(&mut queue, 1), [at(100)]);
}

#[test]
fn spikes_of_one_time_come_as_each_would_alone() {
    let (mut together, mut one_by_one) = (Queue::new(10), Queue::new(10));
    // Near, beyond the calendar, in windows that are left; and more than once with the same memory.
    let delays = [0, 3, 25, 10 * BUCKETS as u32 + 4];
    let batches: [(i64, u32, &[u32]); 5] =
        [(1, 2, &[4, 9, 11]), (1, 0, &[5]), (2, 2, &[0, 9]), (13, 1, &[2, 3, 8, 9]), (19, 2, &[])];
    let mut into = [Vec::new(), Vec::new()];
    for round in 0..3 {
        for (t, projection, rows) in batches {
            let t = t + 10 * round;
            for segment in rows.iter().flat_map(|&row| 4 * row..4 * row + 4) {
                let arrival = t + i64::from(delays[segment as usize % 4]);
                one_by_one.push(Delivery { arrival, projection, segment });
            }
            together.push_together(t, projection, &delays, rows);
        }
        for (queue, into) in [&mut together, &mut one_by_one].into_iter().zip(&mut into) {
            queue.take(round, into);
            let after = into.partition_point(|due| due.us() < 5);
            queue.leave(round, 10 * round + 5, &into[after..]);
            queue.take(round, into);
        }
        // What was sent together is in order already within a µs.
        let [found, expected] = &into;
        assert!(!found.is_empty());
        assert_eq!(found, expected);
    }
    while let Some(window) = together.first() {
        let found = [&mut together, &mut one_by_one].map(|queue| {
            let mut into = Vec::new();
            queue.take(window, &mut into);
            into
        });
        assert_eq!(found[0], found[1], "{window}");
    }
    assert_eq!(one_by_one.first(), None);
    assert_eq!(together.first(), None);
    together.push_together(20_000, 0, &delays, &[1, 2]);
    together.reset();
    assert_eq!(together.first(), None);
}

#[test]
fn a_parcel_comes_as_a_whole_in_the_order_of_pushing() {
    let mut queue = Queue::new(10);
    queue.push(Delivery { arrival: 14, projection: 1, segment: 3 });
    queue.push_parcel(14, 1, 5);
    queue.push_together(12, 1, &[2, 9], &[4, 6]);
    queue.push_parcel(14, 0, PARCEL - 1);
    let mut into = Vec::new();
    queue.take(1, &mut into);
    let found = |into: &[Due]| -> Vec<_> {
        into.iter().map(|due| (due.us(), due.projection(), due.parcel())).collect()
    };
    let all = [(4, 0, Some(PARCEL - 1)), (4, 1, None), (4, 1, Some(5)), (4, 1, None), (4, 1, None)];
    assert_eq!(found(&into), all);
    assert_eq!([1, 3, 4].map(|k| into[k].segment()), [3, 8, 12]);
    assert_eq!(n_together(&into, Due::rank), 1);
    assert_eq!(n_together(&into[1..], Due::rank), 4);
    assert_eq!(n_together(&[], Due::rank), 0);
    // Left before it came, it is handed out again.
    queue.leave(1, 14, &into);
    queue.take(1, &mut into);
    assert_eq!(found(&into), all);
}

#[test]
fn windows_of_one_microsecond_hold_one_time() {
    for width in [0, 1] {
        let mut queue = Queue::new(width);
        for t in [7, 3, 5000, 3] {
            queue.push(at(t));
        }
        assert_eq!(drained(&mut queue), [(3, vec![3, 3]), (7, vec![7]), (5000, vec![5000])]);
    }
}

#[test]
fn what_lies_beyond_the_calendar_comes_in_its_window() {
    // A calendar's length ahead is the same bucket as now.
    for width in [1, 10] {
        for ahead in [BUCKETS - 1, BUCKETS, BUCKETS + 1, 2 * BUCKETS, 5 * BUCKETS + 17] {
            let mut queue = Queue::new(width as u32);
            queue.push(at(ahead * width));
            queue.push(at(0));
            let windows = [(0, vec![0]), (ahead, vec![ahead * width])];
            assert_eq!(drained(&mut queue), windows, "{ahead} windows of {width} µs ahead");
        }
    }
}

#[test]
fn what_was_far_comes_before_what_was_pushed_near_it_later() {
    let mut queue = Queue::new(10);
    let far = 10 * (BUCKETS + 5);
    queue.push(at(far));
    queue.push(at(60));
    assert_eq!(queue.first(), Some(6));
    let mut into = Vec::new();
    queue.take(6, &mut into);
    // Both in one window now, one from the heap and one from a bucket.
    queue.push(at(far + 9));
    queue.push(at(far + 10));
    queue.push(at(far - 1));
    let last = far / 10;
    assert_eq!(
        drained(&mut queue),
        [(last - 1, vec![far - 1]), (last, vec![far, far + 9]), (last + 1, vec![far + 10])]
    );
}

#[test]
fn the_first_window_may_be_one_that_was_far() {
    let mut queue = Queue::new(1);
    queue.push(at(BUCKETS + 2));
    queue.take(1, &mut Vec::new());
    assert_eq!(queue.first(), Some(BUCKETS + 2), "in the heap");
    queue.push(at(BUCKETS + 1));
    assert_eq!(queue.first(), Some(BUCKETS + 1), "in a bucket");
    assert_eq!(drained(&mut queue).len(), 2);
}

#[test]
fn a_queue_that_was_reset_is_as_good_as_new() {
    for handed_out in 0..3 {
        let mut queue = Queue::new(10);
        for t in [5, 15, 25, 10 * BUCKETS + 35, 90 * BUCKETS] {
            queue.push(at(t));
        }
        let mut into = Vec::new();
        for window in 0..handed_out {
            queue.take(window, &mut into);
        }
        queue.reset();
        assert_eq!(queue.first(), None);
        queue.push(at(4));
        queue.push(at(20 * BUCKETS));
        let windows = [(0, vec![4]), (2 * BUCKETS, vec![20 * BUCKETS])];
        assert_eq!(drained(&mut queue), windows);
    }
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "is in the past")]
fn nothing_may_be_pushed_into_a_window_that_was_handed_out() {
    let mut queue = Queue::new(10);
    queue.take(2, &mut Vec::new());
    queue.push(at(30));
    queue.push(at(29));
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "assertion failed")]
fn no_window_is_handed_out_twice() {
    let mut queue = Queue::new(10);
    queue.take(2, &mut Vec::new());
    queue.take(3, &mut Vec::new());
    queue.take(3, &mut Vec::new());
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "assertion failed")]
fn no_window_may_be_skipped_that_holds_something() {
    let mut queue = Queue::new(10);
    queue.push(at(20));
    queue.take(1, &mut Vec::new());
    queue.take(3, &mut Vec::new());
}

#[test]
fn the_memory_of_a_window_serves_a_later_one() {
    let mut queue = Queue::new(10);
    let mut into = Vec::new();
    let allocated = |queue: &Queue| {
        queue.buckets.iter().chain(&queue.emptied).filter(|bucket| bucket.capacity() > 0).count()
    };
    for window in 0..3 * BUCKETS {
        for ahead in [1, 4, 4] {
            queue.push(at(10 * (window + ahead)));
        }
        queue.take(window, &mut into);
        assert!(allocated(&queue) <= 5, "{} in window {window}", allocated(&queue));
    }
    queue.reset();
    assert!(allocated(&queue) > 0, "what was waiting left its memory behind");
    queue.push(at(0));
    assert!(allocated(&queue) <= 5);
}

#[test]
fn what_was_far_keeps_the_order_of_pushing() {
    let mut queue = Queue::new(10);
    let far = 10 * (BUCKETS + 5) + 3;
    let pushed: Vec<_> =
        [7, 2, 9, 4].map(|segment| Delivery { arrival: far, projection: 0, segment }).into();
    for &delivery in &pushed {
        queue.push(delivery);
    }
    assert_eq!(taken(&mut queue, BUCKETS + 5), pushed);
}

#[test]
fn what_just_came_near_is_before_what_is_pushed_beside_it() {
    let mut queue = Queue::new(10);
    let segment = |segment| Delivery { arrival: 10 * BUCKETS, projection: 0, segment };
    queue.push(segment(9));
    queue.take(0, &mut Vec::new());
    queue.push(segment(4));
    assert_eq!(taken(&mut queue, BUCKETS), [9, 4].map(segment));
}

#[test]
fn what_makes_room_for_a_window_that_is_left_keeps_its_order() {
    let mut queue = Queue::new(10);
    let segment = |segment| Delivery { arrival: 10 * (2 + BUCKETS), projection: 0, segment };
    queue.push(at(21));
    queue.push(segment(9));
    queue.push(segment(4));
    queue.take(2, &mut Vec::new());
    queue.leave(2, 22, &[]);
    assert_eq!(queue.first(), Some(2 + BUCKETS), "nothing is left in the bucket");
    assert_eq!(taken(&mut queue, 2 + BUCKETS), [9, 4].map(segment));
}

#[test]
fn a_window_that_is_left_shares_its_bucket_with_none() {
    let mut queue = Queue::new(10);
    // The last of these comes near when window 0 is handed out, into the bucket of that window.
    let pushed = [2, 5, 7, 10 * BUCKETS + 3, 10 * BUCKETS + 4].map(at);
    for &delivery in &pushed {
        queue.push(delivery);
    }
    let mut into = Vec::new();
    queue.take(0, &mut into);
    assert_eq!(unpacked(0, &into), pushed[..3]);
    queue.leave(0, 5, &into[1..]);
    queue.push(at(8));
    let rest = [(0, vec![5, 7, 8]), (BUCKETS, vec![10 * BUCKETS + 3, 10 * BUCKETS + 4])];
    assert_eq!(drained(&mut queue), rest);
}

proptest! {
    #[test]
    fn windows_are_those_of_a_division(
        width in prop_oneof![1_u32..50, 1_u32..=1_000_000], windows in 0_i64..5000,
        before in 0_i64..3, delay in prop_oneof![0_i64..5000, 0_i64..1 << 32],
    ) {
        let mut queue = Queue::new(width);
        queue.take(windows, &mut Vec::new());
        let start = (windows + 1) * i64::from(width);
        // Often the last µs of a window or the first of the next.
        let edge = (start + delay) / i64::from(width) * i64::from(width) - before;
        for arrival in [start + delay, edge.max(start)] {
            let mut queue = queue.clone();
            queue.push(at(arrival));
            let window = arrival / i64::from(width);
            prop_assert_eq!(queue.first(), Some(window));
            prop_assert_eq!(taken(&mut queue, window), [at(arrival)]);
        }
    }

    #[test]
    fn every_delivery_is_handed_out_once_and_in_order(
        width in prop_oneof![1_u32..4, 1_u32..2000],
        steps in prop::collection::vec((0_i64..700, 1_i64..3_000_000), 1..60),
    ) {
        let mut queue = Queue::new(width);
        let (mut expected, mut seen) = (Vec::new(), Vec::new());
        let mut window = 0;
        for (number, (advance, delay)) in steps.into_iter().enumerate() {
            // Never into a window that was handed out: at least one width ahead. Sometimes so many
            // together that they are not sorted by comparing.
            for k in 0..if number % 8 == 0 { 90 } else { 1 } {
                let arrival = (window + 1) * i64::from(width) + delay + k * 37 % 300;
                let (projection, segment) = ((k as u32 + 5) % 3, expected.len() as u32);
                let delivery = Delivery { arrival, projection, segment };
                queue.push(delivery);
                expected.push(delivery);
            }
            for _ in 0..advance {
                if queue.first() == Some(window) {
                    seen.extend(taken(&mut queue, window));
                }
                window += 1;
            }
            for (number, bucket) in queue.buckets.iter().enumerate() {
                let is_filled = queue.filled[number / 64] >> (number % 64) & 1 == 1;
                prop_assert_eq!(is_filled, !bucket.is_empty());
            }
        }
        while let Some(first) = queue.first() {
            seen.extend(taken(&mut queue, first));
        }
        expected.sort_by_key(|delivery| (delivery.arrival, delivery.projection));
        prop_assert_eq!(seen, expected);
        prop_assert!(queue.filled.iter().all(|&bits| bits == 0));
    }
}

#[test]
fn a_window_left_early_is_ahead_again_with_the_rest_and_what_is_added() {
    let mut queue = Queue::new(10);
    let mut into = Vec::new();
    // The bucket of window 2 is that of window 2 + BUCKETS too, which is too far to be in it.
    let far = 10 * (2 + BUCKETS) + 3;
    for t in [27, 21, 25, 31, far] {
        queue.push(at(t));
    }
    queue.take(2, &mut into);
    assert_eq!(arrivals(&unpacked(20, &into)), [21, 25, 27]);
    queue.leave(2, 24, &into[1..]);
    queue.push(at(24));
    assert_eq!(queue.first(), Some(2));
    queue.take(2, &mut into);
    assert_eq!(arrivals(&unpacked(20, &into)), [24, 25, 27]);
    queue.leave(2, 26, &into[2..]);
    queue.take(2, &mut into);
    queue.leave(2, 30, &[]);
    assert_eq!(arrivals(&unpacked(20, &into)), [27]);
    assert_eq!(drained(&mut queue), [(3, vec![31]), (2 + BUCKETS, vec![far])]);

    // With nothing left over it is ahead again all the same.
    queue.reset();
    queue.push(at(5));
    queue.take(0, &mut into);
    queue.leave(0, 7, &[]);
    queue.push(at(8));
    assert_eq!(drained(&mut queue), [(0, vec![8])]);
}
