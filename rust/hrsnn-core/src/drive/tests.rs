//! Events of a drive: their law, that they are the same whoever draws them, and what is refused.

use super::*;

fn events(drive: &Drive, blocks: std::ops::Range<i64>) -> Vec<(i64, u32)> {
    let mut events = Vec::new();
    blocks.for_each(|number| drive.draw(number, i64::MAX, &mut events));
    events
}

#[test]
fn counts_are_those_of_poisson_processes() {
    let rates = [0.0, 20.0, 0.0, 300.0, 0.0];
    let events = events(&Drive::new(&rates, 5).unwrap(), 0..6400);
    let seconds = (6400 * BLOCK_US) as f64 / 1e6;
    for (channel, rate) in rates.iter().enumerate() {
        let n = events.iter().filter(|event| event.1 as usize == channel).count() as f64;
        // 5 standard deviations of a Poisson count.
        assert!((n - rate * seconds).abs() <= 5.0 * (rate * seconds).sqrt(), "{channel}: {n}");
    }
    assert!(events.is_sorted());
    // Gaps of an exponential law: their variance is the square of their mean.
    let gaps: Vec<f64> = events.windows(2).map(|pair| (pair[1].0 - pair[0].0) as f64).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let square = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
    // Standard error of the ratio: sqrt(8 / n), n = 33,554; 5 of them, and rounding to µs.
    assert!((square / mean.powi(2) - 1.0).abs() < 5.0 * (8.0 / gaps.len() as f64).sqrt());
}

#[test]
fn a_block_is_the_same_whoever_draws_it() {
    let drive = Drive::new(&[1000.0, 2000.0], 7).unwrap();
    let all = events(&drive, 0..20);
    let one = events(&drive, 13..14);
    let range = 13 * BLOCK_US..14 * BLOCK_US;
    let within: Vec<_> = all.into_iter().filter(|event| range.contains(&event.0)).collect();
    assert!(!one.is_empty());
    assert_eq!(one, within);
    let (mut cut, end) = (Vec::new(), 13 * BLOCK_US + 5000);
    drive.draw(13, end, &mut cut);
    assert_eq!(cut, one.into_iter().filter(|event| event.0 < end).collect::<Vec<_>>());
    assert_ne!(events(&Drive::new(&[1000.0, 2000.0], 8).unwrap(), 13..14), cut);
}

/// Two channels whose rates change within blocks, at their ends, and where nothing changes.
fn in_bins(seed: u64) -> (Vec<i64>, Vec<[f64; 2]>, Drive) {
    let edges = vec![5000, 9000, BLOCK_US, BLOCK_US + 1, 5 * BLOCK_US - 3, 40 * BLOCK_US];
    let rates = vec![[3e3, 0.0], [0.0, 0.0], [5e3, 2e5], [0.0, 4e3], [800.0, 20.0]];
    let drive = Drive::in_bins(&rates.concat(), 2, &edges, seed).unwrap();
    (edges, rates, drive)
}

#[test]
fn silence_is_passed_over() {
    let (edges, _, drive) = in_bins(3);
    let speaks = [(0, edges[0]), (6000, 6000), (9000, edges[2]), (BLOCK_US, BLOCK_US)];
    for (from, next) in speaks {
        assert_eq!(drive.silent_until(from), next);
    }
    assert_eq!(drive.silent_until(edges[5]), i64::MAX);
    assert_eq!(Drive::new(&[0.0], 3).unwrap().silent_until(5), i64::MAX);
    let (all, far) = (events(&drive, 0..50), 1 << 61);
    assert_eq!(drive.count(far, &mut || Ok(())).unwrap(), all.len() as u64);
    let mut drawn = Vec::new();
    drive.draw_within(BLOCK_US + 7..far, &mut drawn, &mut || Ok(())).unwrap();
    assert_eq!(drawn, all[all.partition_point(|event| event.0 < BLOCK_US + 7)..]);
}

#[test]
fn counts_of_bins_are_those_of_their_rates() {
    let mut n = [[0.0; 2]; 5];
    let n_seeds = 300;
    for seed in 0..n_seeds {
        let (edges, _, drive) = in_bins(seed);
        let events = events(&drive, 0..50);
        assert!(events.is_sorted());
        for (t, channel) in events {
            let bin = edges.partition_point(|&edge| edge <= t) - 1;
            n[bin][channel as usize] += 1.0;
        }
    }
    let (edges, rates, _) = in_bins(0);
    for (bin, (found, rates)) in n.iter().zip(&rates).enumerate() {
        let seconds = (edges[bin + 1] - edges[bin]) as f64 / 1e6 * n_seeds as f64;
        for (n, rate) in found.iter().zip(rates) {
            // 5 standard deviations of a Poisson count.
            let expected = rate * seconds;
            assert!((n - expected).abs() <= 5.0 * expected.sqrt(), "{bin}: {n}, {expected}");
        }
    }
}

#[test]
fn bins_of_equal_rates_are_one() {
    let rates = [700.0, 0.0, 30.0];
    let whole = events(&Drive::new(&rates, 9).unwrap(), 0..60);
    let edges: Vec<i64> = (0..=60).map(|k| k * BLOCK_US).collect();
    let cut = Drive::in_bins(&rates.repeat(60), 3, &edges, 9).unwrap();
    assert_eq!(events(&cut, 0..60), whole);
    assert!(events(&cut, 60..70).is_empty());
    // Within a block rounding may move what lies at an edge, and nothing else.
    let edges: Vec<i64> = (0..=600).map(|k| k * BLOCK_US / 10).collect();
    let cut = events(&Drive::in_bins(&rates.repeat(600), 3, &edges, 9).unwrap(), 0..60);
    assert_eq!(cut.len(), whole.len());
    let moved = cut.iter().zip(&whole).map(|(a, b)| (a.0 - b.0).abs()).max();
    assert!(moved.unwrap() <= 1);
}

#[test]
fn each_sample_has_events_of_its_own() {
    let drive = Drive::new(&[1000.0], 3).unwrap();
    assert_eq!(events(&drive.of(0), 0..4), events(&drive, 0..4));
    let all: Vec<_> = (0..4).map(|number| events(&drive.of(number), 0..4)).collect();
    for (k, one) in all.iter().enumerate() {
        assert!(!one.is_empty() && all[..k].iter().all(|other| other != one));
    }
    assert_eq!(events(&drive.of(2).of(1), 0..4), all[1]);
}

#[test]
fn a_span_is_cut_out_of_its_blocks() {
    for drive in [Drive::new(&[4000.0, 10.0], 1).unwrap(), in_bins(2).2] {
        let all = events(&drive, 0..50);
        for span in [0..3, 0..BLOCK_US, 7000..7000, 8000..3 * BLOCK_US + 5, BLOCK_US..BLOCK_US * 2]
        {
            let mut found = vec![(7, 7)];
            drive.draw_within(span.clone(), &mut found, &mut || Ok(())).unwrap();
            let expected = all.iter().filter(|event| span.contains(&event.0));
            assert!(found[1..].iter().eq(expected), "{span:?}");
            let before = all.iter().filter(|event| event.0 < span.end).count();
            let n = drive.count(span.end, &mut || Ok(())).unwrap();
            assert_eq!(n, before as u64);
        }
    }
}

#[test]
fn the_latest_events_of_each_channel_are_found_from_the_end() {
    let constant = Drive::new(&[4000.0, 0.0, 10.0], 1).unwrap();
    for drive in [in_bins(2).2, in_bins(4).2, constant] {
        let all = events(&drive, 0..50);
        for (since, span) in [
            (0, 0..3),
            (0, 7000..7000),
            (9001, BLOCK_US..3 * BLOCK_US),
            (77, 45 * BLOCK_US + 5..46 * BLOCK_US),
            (46 * BLOCK_US, 47 * BLOCK_US..48 * BLOCK_US + 1),
        ] {
            let mut found = Vec::new();
            drive.draw_latest(since, span.clone(), &mut found, &mut || Ok(())).unwrap();
            found.sort_unstable();
            let within: Vec<_> = all.iter().filter(|e| span.contains(&e.0)).collect();
            assert!(found.iter().filter(|e| e.0 >= span.start).eq(within));
            for channel in 0..3 {
                let last_of = |events: &[(i64, u32)]| {
                    let before = events.iter().filter(|e| e.1 == channel);
                    let mut before = before.map(|e| e.0).filter(|&t| t < span.start).rev();
                    let last = before.next().filter(|&t| t >= since);
                    last.map(|t| (t, 1 + before.take_while(|&other| other == t).count()))
                };
                assert_eq!(last_of(&found), last_of(&all), "{channel}, {since}, {span:?}");
                // However far back another channel is looked for, memory holds one block of each.
                let mut earlier = found.iter().filter(|e| e.1 == channel && e.0 < span.start);
                let first = earlier.next().map(|e| e.0 / BLOCK_US);
                assert!(earlier.all(|e| Some(e.0 / BLOCK_US) == first));
            }
            assert!(found.iter().all(|event| event.0 >= since));
        }
    }
}

#[test]
fn a_long_past_is_not_drawn_where_all_have_spoken() {
    // One is silent for ever, another from the first second on.
    let edges = [0, 1_000_000, i64::MAX];
    let rates = [[500.0, 0.0, 0.0], [500.0, 0.0, 800.0]].concat();
    let drive = Drive::in_bins(&rates, 3, &edges, 6).unwrap();
    let (mut n_asked, now) = (0, 100_000 * BLOCK_US);
    let mut poll = || {
        n_asked += 1;
        Ok(())
    };
    drive.draw_latest(0, now - 20_000..now, &mut Vec::new(), &mut poll).unwrap();
    // That a channel of 500 Hz does not speak in a block has a probability of 3e-4.
    assert!(n_asked < 10, "{n_asked} blocks");
}

#[test]
fn nonsense_is_refused_and_silence_is_none() {
    for wrong in [-1.0, f64::NAN, f64::INFINITY] {
        let error = Drive::new(&[1.0, wrong], 0).unwrap_err().to_string();
        assert!(error.contains("rates") && error.contains("channel 1"), "{error}");
    }
    for rates in [&[0.0, 0.0][..], &[]] {
        assert!(events(&Drive::new(rates, 0).unwrap(), 0..9).is_empty());
    }
    for (edges, n_channels, said) in
        [(&[0, 5, 5][..], 1, "edge 2"), (&[0, 5], 1, "rates"), (&[0, 5, 9], 2, "rates")]
    {
        let error = Drive::in_bins(&[1.0, 2.0], n_channels, edges, 0).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let late = Drive::in_bins(&[9e3], 1, &[3 * BLOCK_US, 3 * BLOCK_US + 9000], 0).unwrap();
    assert!(events(&late, 0..3).is_empty() && events(&late, 4..9).is_empty());
    assert!(!events(&late, 3..4).is_empty());
}
