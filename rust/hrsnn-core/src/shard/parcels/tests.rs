//! Parcels against the segments they were made of.

use super::*;
use crate::queue::Due;
use crate::real::simd::table;
use crate::targets::Targets;

const DELAYS: [u32; 3] = [2, 5, 9];

/// Rows of three segments each, of these lengths: where they begin, targets, and two fields: weights,
/// each a number of its own, and something else.
fn rows(lengths: &[[u32; 3]], far: bool) -> (Vec<u32>, Targets, Vec<f32>) {
    let mut start = vec![0];
    for n in lengths.iter().flatten() {
        start.push(start[start.len() - 1] + n);
    }
    let n = start[start.len() - 1] + MOST_LANES as u32;
    let mut targets = Targets::room(0, far);
    (0..n).for_each(|k| targets.push(k));
    let mut cells = Vec::new();
    for pair in start.windows(2) {
        cells.extend((pair[0]..pair[1]).map(|k| k as f32 + 0.5));
        cells.extend((pair[0]..pair[1]).map(|_| -1.0));
    }
    cells.resize(cells.len() + MOST_LANES, -1.0);
    (start, targets, cells)
}

fn taken(queue: &mut Queue) -> Vec<(i64, u32)> {
    let (mut all, mut dues) = (Vec::new(), Vec::<Due>::new());
    while let Some(window) = queue.first() {
        let start = queue.take(window, &mut dues);
        all.extend(dues.iter().map(|due| (start + due.us(), due.parcel().expect("a parcel"))));
    }
    all
}

#[test]
fn a_parcel_holds_its_segments_in_the_order_of_rows() {
    let lengths = [[3, 0, 40], [1, 2, 16], [0, 0, 17], [5, 0, 1]];
    for far in [false, true] {
        let (start, targets, cells) = rows(&lengths, far);
        let (mut parcels, mut queue) = (Parcels::default(), Queue::new(10));
        // Twice with the same memory, with more in it and then with less.
        for rows in [&[0, 2, 3, 1][..], &[2, 3]] {
            with_targets!(targets.all(), target => {
                let (start, cells) = (start.as_slice(), cells.as_slice());
                let reading = Reading { start, target, cells, n_fields: 2, are_in_runs: false };
                parcels.send(&mut queue, (1, reading), &DELAYS, 100, rows);
            });
            let mut expected = Vec::new();
            for (k, delay) in DELAYS.iter().enumerate() {
                let segments = rows.iter().map(|&row| 3 * row as usize + k);
                let segments = segments.map(|s| (start[s]..start[s + 1]).collect::<Vec<_>>());
                let segments: Vec<_> = segments.collect();
                if segments.iter().any(|segment| !segment.is_empty()) {
                    expected.push((100 + i64::from(*delay), segments));
                }
            }
            let found = taken(&mut queue);
            assert_eq!(found.len(), expected.len());
            for ((t, parcel), (expected_t, segments)) in found.iter().zip(&expected) {
                assert_eq!(t, expected_t);
                let number = |target: usize| target as u32;
                let told: Vec<Vec<_>> = parcels
                    .segments(*parcel, &start)
                    .map(|targets| targets.iter().map(number).collect())
                    .collect();
                assert_eq!(&told, segments);
                let all = segments.concat();
                assert!(parcels.targets(*parcel).iter().map(number).eq(all.iter().copied()));
                let mut input = table(0.0, 0);
                assert_eq!(parcels.deliver(*parcel, &mut input), all.len());
                for (target, &w) in input.iter().enumerate() {
                    let is_there = all.contains(&(target as u32));
                    assert_eq!(w, if is_there { target as f32 + 0.5 } else { 0.0 });
                }
            }
            for (_, parcel) in found {
                parcels.drop(parcel);
            }
            assert_eq!((parcels.loads.len(), parcels.free.len()), (1, 1));
            queue.reset();
        }
    }
}

#[test]
fn loads_on_their_way_are_apart_and_what_holds_nothing_is_not_sent() {
    let (start, targets, cells) = rows(&[[0, 0, 0], [1, 0, 0], [2, 2, 0]], false);
    let (mut parcels, mut queue) = (Parcels::default(), Queue::new(10));
    let mut send = |parcels: &mut Parcels<f32>, rows: &[u32]| {
        with_targets!(targets.all(), target => {
            let (start, cells) = (start.as_slice(), cells.as_slice());
                let reading = Reading { start, target, cells, n_fields: 2, are_in_runs: false };
            parcels.send(&mut queue, (0, reading), &DELAYS, 0, rows);
        });
        taken(&mut queue)
    };
    assert!(send(&mut parcels, &[0, 0]).is_empty());
    assert_eq!(parcels.free.len(), 1);
    let first = send(&mut parcels, &[1, 2]);
    assert_eq!(first.len(), 2);
    parcels.drop(first[0].1);
    assert!(parcels.free.is_empty(), "a part of it is on its way");
    parcels.clear();
    assert_eq!(parcels.free.len(), 1);
}
