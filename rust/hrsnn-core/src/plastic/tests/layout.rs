//! Reading and writing across the edges of segments, 16 bits, and equality of the levels.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::queue::Due;
use crate::real::simd::{Level, run_at};

/// Segments of these lengths; every number differs from every other.
fn synapses<T: Real>(lengths: &[usize], half: bool) -> (PlasticSynapses<T>, Vec<Range<usize>>) {
    let mut start = vec![0];
    for length in lengths {
        start.push(start[start.len() - 1] + *length as u32);
    }
    let n = start[lengths.len()] as usize;
    let numbers = |from: f64, step: f64| -> Vec<T> {
        (0..n).map(|s| T::from_f64(from + step * s as f64)).collect()
    };
    let constants =
        [numbers(0.01, 1e-3), numbers(0.02, 1e-3), numbers(1e-4, 1e-6), numbers(2e-4, 1e-6)];
    let rule = Rule {
        w_min: T::ZERO,
        w_max: T::from_f64(100.0),
        mu_plus: T::ZERO,
        mu_minus: T::ONE,
        pairing: Pairing::AllToAll,
        scale: T::ONE,
    };
    let targets = targets((0..n as u32).map(|s| s % 7), false);
    let scales = |field: usize| half_scale(constants[field].iter().map(|value: &T| value.to_f64()));
    let half = half.then(|| std::array::from_fn(scales));
    let synapses =
        PlasticSynapses::new(rule, &start, targets, &numbers(1.0, 0.5), &constants, half);
    let ranges = start.windows(2).map(|pair| pair[0] as usize..pair[1] as usize).collect();
    (synapses, ranges)
}

/// Updates, cells and what was delivered, as bits, of one visit of `n` synapses.
fn visited<const FIELDS: usize>(
    level: Level,
    sums: bool,
    n: usize,
    arrivals: u32,
    mut all: PlasticSynapses<f32>,
    history: &History,
) -> (u64, Vec<u32>, Vec<u32>) {
    let mut input = table(0.0, 0);
    let (halves, scales): (&[u16], _) = match &all.constants {
        Constants::Full => (&[], [1.0; 4]),
        Constants::Half(halves, scales) => (halves, *scales),
    };
    let Onto::Near(targets) = all.targets.all() else { panic!("they were made so") };
    let kernel = Advance::<f32, _, ARRIVAL, FIELDS> {
        rule: all.rule,
        n,
        strip: Strip::new(&mut all.cells, targets, n),
        halves,
        scales,
        visit: Visit { t: 1000, arrivals },
        now: 6000,
        history,
        input: &mut input,
        sums,
    };
    let updates = run_at(level, kernel);
    (updates, bits(&all.cells), bits(&input[..7]))
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|x| x.to_bits()).collect()
}

proptest! {
    #[test]
    fn what_arrives_together_changes_what_it_would_one_by_one(
        lengths in vec(0_usize..40, 1..50), half in any::<bool>(), far in any::<bool>(),
        nearest in any::<bool>(), runs in vec(vec(0_usize..50, 0..60), 1..4),
    ) {
        let (mut all, ranges) = synapses::<f32>(&lengths, half);
        if far {
            all.targets = targets(all.targets.all().iter().map(|target| target as u32), true);
        }
        if nearest {
            all.rule.pairing = Pairing::Nearest;
        }
        let mut start: Vec<_> = ranges.iter().map(|range| range.start as u32).collect();
        start.push(ranges[ranges.len() - 1].end as u32);
        let mut one_by_one = all.clone();
        let mut history = History::default();
        history.reset(7);
        let [mut input, mut expected_input] = [table(0.0, 0), table(0.0, 0)];
        for (t, run) in (0..).step_by(700).zip(runs) {
            // One segment may come again in the same µs.
            let run: Vec<_> = run.iter().map(|segment| segment % ranges.len()).collect();
            let (mut n_synapses, mut updates) = (0, 0);
            for &segment in &run {
                let range = ranges[segment].clone();
                n_synapses += range.len();
                updates += one_by_one.arrive(segment, range, t, &history, &mut expected_input);
            }
            let dues: Vec<_> = run.iter().map(|&segment| Due::new(0, 0, segment as u32)).collect();
            let found = all.arrive_all(&start, &dues, t, &history, &mut input);
            prop_assert_eq!(found, (n_synapses, updates));
            prop_assert_eq!(bits(&input[..7]), bits(&expected_input[..7]));
            prop_assert_eq!(bits(&all.cells), bits(&one_by_one.cells));
            let visits = |all: &PlasticSynapses<f32>| {
                let visited = ranges.iter().zip(&all.visits).filter(|(range, _)| !range.is_empty());
                visited.map(|(_, visit)| *visit).collect::<Vec<_>>()
            };
            prop_assert_eq!(visits(&all), visits(&one_by_one));
            // Some neurons spike often, so that some lanes have much pending.
            for k in 0..30 {
                (0..7).filter(|i| k % (1 + i * i) == 0).for_each(|i| history.push(i, t + 1 + 20 * k as i64));
            }
        }
    }

    /// Pieces whose changes are summed, against segments by themselves whose weights are held to the
    /// bounds after each change.
    #[test]
    fn pieces_whose_changes_are_summed_change_as_one_by_one_to_the_bit(
        lengths in vec(0_usize..40, 2..30), half in any::<bool>(), width in 0.01_f64..20.0,
        scale in prop::sample::select(vec![1.0, 0.0, 0.1]),
        runs in vec(vec(0_usize..30, 2..40), 2..5), spikes in vec((0_usize..7, 0_i64..3500), 0..150),
    ) {
        let (mut all, ranges) = synapses::<f32>(&lengths, half);
        let (w_min, w_max) = ((30.0 - width) as f32, (30.0 + width) as f32);
        all.rule = Rule { w_min, w_max, mu_minus: 0.0, scale, ..all.rule };
        for range in &ranges {
            let rule = all.rule;
            all.weights_mut(range).1.iter_mut().for_each(|w| *w = rule.clip(*w));
        }
        let mut start: Vec<_> = ranges.iter().map(|range| range.start as u32).collect();
        start.push(ranges[ranges.len() - 1].end as u32);
        prop_assert!(sums::may_be_summed(&all.rule) && all.reach >= 3500);
        // Whose last visit is always too long ago to be summed.
        let mut one_by_one = PlasticSynapses { reach: -1, ..all.clone() };
        // Some in the µs of arrivals, and of the first neuron more than are listed.
        let often = (0..5).flat_map(|run| (0..30).map(move |k| (0, 700 * run + k)));
        let moved = |(i, t): (usize, i64)| (i, if t % 5 == 0 { t / 700 * 700 } else { t });
        let mut spikes: Vec<_> = spikes.into_iter().map(moved).chain(often).collect();
        spikes.sort_by_key(|spike| spike.1);
        let mut history = History::default();
        history.reset(7);
        let [mut input, mut expected_input] = [table(0.0, 0), table(0.0, 0)];
        for (t, run) in (0..).step_by(700).zip(runs) {
            let run: Vec<_> = run.iter().map(|segment| segment % ranges.len()).collect();
            let (mut n_synapses, mut updates) = (0, 0);
            for &segment in &run {
                let range = ranges[segment].clone();
                n_synapses += range.len();
                updates += one_by_one.arrive(segment, range, t, &history, &mut expected_input);
            }
            let dues: Vec<_> = run.iter().map(|&segment| Due::new(0, 0, segment as u32)).collect();
            let found = all.arrive_all(&start, &dues, t, &history, &mut input);
            prop_assert_eq!(found, (n_synapses, updates));
            prop_assert_eq!(bits(&input[..7]), bits(&expected_input[..7]));
            prop_assert_eq!(bits(&all.cells), bits(&one_by_one.cells));
            for &(i, at) in spikes.iter().filter(|spike| (t..t + 700).contains(&spike.1)) {
                history.push(i, at);
            }
        }
    }

    #[test]
    fn a_visit_changes_its_segment_and_no_other(
        lengths in vec(0_usize..21, 1..6), pick in 0_usize..6, half in any::<bool>(),
    ) {
        let (mut all, ranges) = synapses::<f32>(&lengths, half);
        let pick = pick % ranges.len();
        let before = all.cells.clone();
        let mut history = History::default();
        history.reset(7);
        let mut input = table(0.0, 0);
        for k in 0..7 {
            history.push(k, 100 + k as i64);
        }
        all.arrive(pick, ranges[pick].clone(), 500, &history, &mut input);
        all.arrive(pick, ranges[pick].clone(), 900, &history, &mut input);
        let owned = all.constants.n_fields() * ranges[pick].start..all.constants.n_fields() * ranges[pick].end;
        for (place, (now, before)) in all.cells.iter().zip(before.iter()).enumerate() {
            if !owned.contains(&place) {
                prop_assert_eq!(now, before, "place {} of segments {:?}", place, &ranges);
            }
        }
        let n = ranges[pick].len();
        if !half {
            prop_assert_eq!(
                &all.cells[owned.start + 3 * n..owned.end], &before[owned.start + 3 * n..owned.end]
            );
        }
        let delivered: f32 = input.iter().sum();
        prop_assert_eq!(delivered > 0.0, n > 0);
    }

    #[test]
    fn constants_in_16_bits_are_near_and_keep_zeros(
        values in vec(prop_oneof![Just(0.0), 1e-6_f64..10.0], 1..40), size in -30_i32..18,
    ) {
        let values: Vec<f64> = values.into_iter().map(|v| v * 10.0_f64.powi(size)).collect();
        let scale = half_scale(values.iter().copied());
        for value in values {
            let kept: f64 = Real::from_half(half_of(value, scale), scale);
            // Ten bits of fraction, ties to even.
            prop_assert!((kept - value).abs() <= value / 2048.0, "{value} became {kept}");
        }
    }

    #[test]
    fn levels_agree_to_the_bit(
        n in 1_usize..40, half in any::<bool>(), arrivals in 1_u32..3,
        spikes in vec((0_usize..7, 0_i64..5000), 0..60), mu in 0_usize..3, nearest in any::<bool>(),
    ) {
        let (mut all, _) = synapses::<f32>(&[n], half);
        all.rule.mu_plus = [0.0, 1.0, 0.5][mu];
        all.rule.pairing = if nearest { Pairing::Nearest } else { Pairing::AllToAll };
        for (k, cell) in all.cells[n..3 * n].iter_mut().enumerate() {
            *cell = 0.1 * (k % 9) as f32;
        }
        let mut spikes = spikes;
        spikes.sort_by_key(|spike| spike.1);
        let mut history = History::default();
        history.reset(7);
        for (i, t) in spikes {
            history.push(i, t);
        }
        let outcome = |level: Level, all: PlasticSynapses<f32>| {
            if half {
                visited::<STATE>(level, false, n, arrivals, all, &history)
            } else {
                visited::<FULL>(level, false, n, arrivals, all, &history)
            }
        };
        let plain = outcome(Level::Baseline, all.clone());
        for level in Level::ALL {
            prop_assert_eq!(&outcome(level, all.clone()), &plain, "{:?}", level);
        }
    }

    #[test]
    fn summed_changes_are_those_of_one_after_another_to_the_bit(
        n in 1_usize..40, half in any::<bool>(), arrivals in 1_u32..3, width in 0.01_f64..3.0,
        spikes in vec((0_usize..7, 0_i64..5000), 0..60), scale in prop::sample::select(vec![1.0, 0.0, 0.3]),
    ) {
        let (mut all, _) = synapses::<f32>(&[n], half);
        // Of weights from 1 on in steps of 0.5 one is in the middle; the others are at the bounds.
        let (w_min, w_max) = (10.0 - width, 10.0 + width);
        all.rule = Rule { w_min: w_min as f32, w_max: w_max as f32, mu_minus: 0.0, scale, ..all.rule };
        prop_assert!(sums::may_be_summed(&all.rule) && all.reach >= 5000);
        for cell in &mut all.cells[..n] {
            *cell = all.rule.clip(*cell);
        }
        for (k, cell) in all.cells[n..3 * n].iter_mut().enumerate() {
            *cell = 0.1 * (k % 9) as f32;
        }
        let mut spikes = spikes;
        spikes.sort_by_key(|spike| spike.1);
        let mut history = History::default();
        history.reset(7);
        for (i, t) in spikes {
            // Some at the last visit.
            history.push(i, if t < 1500 { t.min(1000) } else { t });
        }
        for level in Level::ALL {
            let [one_by_one, summed] = [false, true].map(|sums| {
                let all = all.clone();
                if half {
                    visited::<STATE>(level, sums, n, arrivals, all, &history)
                } else {
                    visited::<FULL>(level, sums, n, arrivals, all, &history)
                }
            });
            prop_assert_eq!(summed, one_by_one, "{:?}", level);
        }
    }

    #[test]
    fn no_trace_is_0_within_reach(halvings in vec(1e-9_f64..1.0, 1..5)) {
        fn holds<T: Real>(halvings: &[f64]) -> bool {
            let all: Vec<T> = halvings.iter().map(|&halvings| T::from_f64(halvings)).collect();
            let reach = sums::reach(all.iter());
            let left = |elapsed: i32, &halvings: &T| (T::from_i32(-elapsed) * halvings).pow2();
            // And not much less than that.
            let far = (f64::from(reach) * 1.002 + 2.0) as i32;
            let is_far = far == i32::MAX || all.iter().any(|halvings| left(far, halvings) == T::ZERO);
            is_far && all.iter().all(|halvings| left(reach, halvings) > T::ZERO)
        }
        prop_assert!(holds::<f32>(&halvings) && holds::<f64>(&halvings));
    }
}
