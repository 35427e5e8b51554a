//! The track against sums over all events, and what must hold for every recording.

use proptest::prelude::*;

use super::*;
use crate::camera::dead_time;

const SETTINGS: Settings = Settings {
    height: 48,
    width: 64,
    size: 16,
    polarities: 2,
    time_constant: 50_000.0,
    spread_constant: Some(200_000.0),
    smoothing: Smoothing::Causal,
    view: View::Zoom(4.0),
    dead_us: 0,
    mirror: Mirror::Never,
    track_levels: 0,
};

#[derive(Clone, Debug, Default)]
struct Clip {
    t: Vec<i64>,
    x: Vec<u16>,
    y: Vec<u16>,
    p: Vec<u8>,
}

impl Clip {
    fn seen(&self) -> Recording<'_> {
        Recording { t: &self.t, x: &self.x, y: &self.y, p: &self.p, duration: 2_000_000 }
    }

    fn offset(&self, event: usize) -> (f64, f64) {
        (f64::from(self.x[event]) - 31.5, f64::from(self.y[event]) - 23.5)
    }

    fn picked(&self, order: &[usize]) -> Self {
        Self {
            t: order.iter().map(|&event| self.t[event]).collect(),
            x: order.iter().map(|&event| self.x[event]).collect(),
            y: order.iter().map(|&event| self.y[event]).collect(),
            p: order.iter().map(|&event| self.p[event]).collect(),
        }
    }

    fn before(&self, end: i64) -> Self {
        self.picked(&(0..self.t.partition_point(|&t| t < end)).collect::<Vec<_>>())
    }
}

/// Clips in which several events share a µs, and long gaps occur.
fn clips() -> impl Strategy<Value = Clip> {
    let gap = prop_oneof![Just(0_i64), 0..2_000_i64, 0..100_000_i64];
    prop::collection::vec((gap, 0..64_u16, 0..48_u16, 0..2_u8), 0..60).prop_map(|events| {
        let mut clip = Clip::default();
        let mut now = 0;
        for (gap, x, y, p) in events {
            now = (now + gap).min(1_999_999);
            clip.t.push(now);
            clip.x.push(x);
            clip.y.push(y);
            clip.p.push(p);
        }
        clip
    })
}

fn tracker(change: impl FnOnce(&mut Settings)) -> Tracker {
    let mut settings = SETTINGS;
    change(&mut settings);
    Tracker::new(settings).unwrap()
}

/// Centre and velocity at `t` from all events at once, by their definition.
fn slow_place(clip: &Clip, settings: &Settings, t: i64) -> [f64; 4] {
    let is_causal = settings.smoothing == Smoothing::Causal;
    let weights: Vec<f64> = (clip.t.iter())
        .map(|&other| {
            let counts = !is_causal || other <= t;
            f64::from(counts) * (-((t - other).abs() as f64) / settings.time_constant).exp()
        })
        .collect();
    let total: f64 = weights.iter().sum();
    let mean = |of: &dyn Fn(usize) -> f64| {
        weights.iter().enumerate().map(|(event, weight)| weight * of(event)).sum::<f64>() / total
    };
    let seconds = |event: usize| (clip.t[event] - t) as f64 * 1e-6;
    let x = mean(&|event| clip.offset(event).0);
    let y = mean(&|event| clip.offset(event).1);
    let middle = mean(&seconds);
    let variance = mean(&|event| (seconds(event) - middle).powi(2));
    // Of a single time the rounded middle may lie beside it.
    let counted = clip.t.iter().filter(|&&other| !is_causal || other <= t);
    let has_some = counted.clone().min() != counted.max();
    let slope = |of: &dyn Fn(usize) -> f64| {
        let common = mean(&|event| (seconds(event) - middle) * of(event));
        if has_some && variance > 0.0 { common / variance } else { 0.0 }
    };
    let velocity_x = slope(&|event| clip.offset(event).0 - x);
    let velocity_y = slope(&|event| clip.offset(event).1 - y);
    [x, y, velocity_x, velocity_y]
}

fn slow_spread(clip: &Clip, settings: &Settings, t: i64) -> f64 {
    let (mut total, mut sum) = (0.0, 0.0);
    for (event, &other) in clip.t.iter().enumerate() {
        if settings.smoothing == Smoothing::Causal && other > t {
            continue;
        }
        let [x, y, ..] = slow_place(clip, settings, other);
        let decay = settings.spread_constant.map_or(0.0, |tau| (t - other).abs() as f64 / tau);
        let (column, row) = clip.offset(event);
        total += (-decay).exp();
        sum += (-decay).exp() * ((column - x).powi(2) + (row - y).powi(2)) / 2.0;
    }
    (sum / total).sqrt().max(1.0)
}

proptest! {
    #[test]
    fn the_track_is_that_of_the_sums_over_all_events(
        clip in clips(), is_centred: bool, is_slow: bool, asked in 0..2_000_000_i64,
    ) {
        let tracker = tracker(|settings| {
            if is_centred {
                settings.smoothing = Smoothing::Centred;
            }
            if is_slow {
                settings.spread_constant = None;
            }
        });
        let mut at = clip.t.clone();
        at.insert(at.partition_point(|&t| t <= asked), asked);
        let points = tracker.track(clip.seen(), &at).unwrap();
        prop_assert_eq!(points.len(), at.len());
        for (&t, point) in at.iter().zip(points) {
            let is_known = is_centred && !clip.t.is_empty() || clip.t.first().is_some_and(|&first| first <= t);
            prop_assert_eq!(point.is_known, is_known);
            let [x, y, velocity_x, velocity_y] = slow_place(&clip, &tracker.settings, t);
            // Weights that vanish in the sums are still there in the trails: no sum to compare with.
            let nearest = clip.t.iter().filter(|&&other| is_centred || other <= t)
                .map(|&other| (t - other).abs()).min();
            if nearest.is_none_or(|us| us > 1_000_000) {
                continue;
            }
            prop_assert!((point.x - x).abs() < 1e-9 && (point.y - y).abs() < 1e-9, "{point:?} {x} {y}");
            let spread = slow_spread(&clip, &tracker.settings, t);
            prop_assert!((point.spread - spread).abs() < 1e-6, "{point:?} {spread}");
            // Two events 1 µs apart may be 64 pixels apart: what is left of rounding is 64e6 times that.
            for (fast, slow) in [(point.velocity_x, velocity_x), (point.velocity_y, velocity_y)] {
                prop_assert!((fast - slow).abs() < 1e-3 * (1.0 + slow.abs()), "{fast} {slow}");
            }
        }
    }

    #[test]
    fn each_event_is_kept_or_counted_and_the_dead_time_is_that_of_the_camera(
        clip in clips(), dead_us in 0..300_000_i64, polarities in 1..=2_usize, is_wide: bool,
    ) {
        let change = |dead_us| move |settings: &mut Settings| {
            settings.dead_us = dead_us;
            settings.polarities = polarities;
            settings.view = if is_wide { View::Extent(200.0) } else { View::Zoom(2.0) };
        };
        let alive = tracker(change(0)).encode(clip.seen()).unwrap();
        prop_assert_eq!(alive.n_dead, 0);
        prop_assert_eq!(alive.t.len() + alive.n_outside, clip.t.len());
        if is_wide {
            prop_assert_eq!(alive.n_outside, 0);
        }
        let encoded = tracker(change(dead_us)).encode(clip.seen()).unwrap();
        let keep = dead_time(&alive.t, &alive.channel, polarities * 256, dead_us).unwrap();
        let mut kept = keep.iter();
        prop_assert_eq!(&encoded.t, &alive.t.iter().copied().filter(|_| *kept.next().unwrap()).collect::<Vec<_>>());
        let mut kept = keep.iter();
        prop_assert_eq!(
            &encoded.channel,
            &alive.channel.iter().copied().filter(|_| *kept.next().unwrap()).collect::<Vec<_>>()
        );
        prop_assert_eq!(encoded.n_dead, alive.t.len() - encoded.t.len());
        prop_assert_eq!(encoded.n_outside, alive.n_outside);
    }

    #[test]
    fn nothing_depends_on_what_comes_later(clip in clips(), end in 0..2_000_000_i64) {
        let tracker = tracker(|settings| {
            settings.mirror = Mirror::Running;
            settings.track_levels = 8;
            settings.dead_us = 3_000;
        });
        let whole = tracker.encode(clip.seen()).unwrap();
        let cut = tracker.encode(clip.before(end).seen()).unwrap();
        let n = whole.t.partition_point(|&t| t < end);
        prop_assert_eq!(&whole.t[..n], &cut.t[..cut.t.partition_point(|&t| t < end)]);
        prop_assert_eq!(&whole.channel[..n], &cut.channel[..n]);
    }

    #[test]
    fn a_stream_is_what_its_recording_is_however_it_is_cut_and_carried_on(
        clip in clips(), mut cuts in prop::collection::vec(0..2_000_000_i64, 0..6), is_zoomed: bool,
    ) {
        let tracker = tracker(|settings| {
            settings.mirror = Mirror::Running;
            settings.track_levels = 8;
            settings.dead_us = 3_000;
            settings.view = if is_zoomed { View::Zoom(4.0) } else { View::Extent(40.0) };
        });
        let whole = tracker.encode(clip.seen()).unwrap();
        let mut sum = Encoded::default();
        let mut follower = Follower::new(tracker.clone()).unwrap();
        // An end may come twice: a piece without time.
        cuts.extend([1_000_000, 1_000_000, 2_000_000]);
        cuts.sort_unstable();
        for until in cuts {
            let from = follower.now();
            let inside: Vec<usize> =
                (0..clip.t.len()).filter(|&k| (from..until).contains(&clip.t[k])).collect();
            let piece = clip.picked(&inside);
            let part =
                follower.encode(Recording { duration: until, ..piece.seen() }).unwrap();
            sum.t.extend(part.t);
            sum.channel.extend(part.channel);
            sum.n_outside += part.n_outside;
            sum.n_dead += part.n_dead;
            sum.n_mirrored += part.n_mirrored;
            sum.n_track += part.n_track;
            sum.scale = match (sum.scale, part.scale) {
                (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.max(other.1))),
                (one, other) => one.or(other),
            };
            follower = Follower::resumed(tracker.clone(), follower.followed()).unwrap();
        }
        prop_assert_eq!(sum, whole);
    }

    #[test]
    fn a_mirror_negates_columns_and_the_order_within_a_microsecond_is_nothing(
        clip in clips(), is_centred: bool,
    ) {
        let tracker = tracker(|settings| {
            settings.smoothing = if is_centred { Smoothing::Centred } else { Smoothing::Causal };
        });
        let mut other = clip.clone();
        other.x.iter_mut().for_each(|x| *x = 63 - *x);
        let mut order: Vec<usize> = (0..clip.t.len()).collect();
        order.sort_by_key(|&event| (clip.t[event], usize::MAX - event));
        let seen = tracker.track(clip.seen(), &clip.t).unwrap();
        let mirrored = tracker.track(other.picked(&order).seen(), &clip.t).unwrap();
        for (here, there) in seen.into_iter().zip(mirrored) {
            prop_assert_eq!((-here.x, here.y, -here.velocity_x), (there.x, there.y, there.velocity_x));
            prop_assert!((here.spread - there.spread).abs() < 1e-12 * here.spread);
        }
    }
}

#[test]
fn faults_are_named() {
    let good = Clip { t: vec![0, 5], x: vec![0, 63], y: vec![0, 47], p: vec![0, 1] };
    let refused = |change: fn(&mut Clip)| {
        let mut clip = good.clone();
        change(&mut clip);
        tracker(|_| ()).encode(clip.seen()).unwrap_err().to_string()
    };
    for (error, words) in [
        (refused(|clip| clip.t[1] = -1), "t must be in [0, 2000000) µs; got -1 at event 1."),
        (refused(|clip| clip.t[1] = 2_000_000), "got 2000000 at event 1."),
        (refused(|clip| clip.t[0] = 6), "t must not decrease; got 5 after 6 at index 1."),
        (refused(|clip| clip.x[1] = 64), "x must be below 64; got 64 at event 1."),
        (refused(|clip| clip.y[0] = 48), "y must be below 48; got 48 at event 0."),
        (refused(|clip| clip.p[0] = 2), "p must be 0 or 1; got 2 at event 0."),
        (refused(|clip| clip.p.truncate(1)), "p must have length 2; got length 1."),
    ] {
        assert!(error.ends_with(words), "{error}");
    }
    let error = tracker(|_| ()).track(good.seen(), &[3, 2]).unwrap_err();
    assert_eq!(error.to_string(), "at must not decrease; got 2 after 3 at index 1.");
    let refused = |change: fn(&mut Settings)| {
        let mut settings = SETTINGS;
        change(&mut settings);
        Tracker::new(settings).unwrap_err().to_string()
    };
    for (error, name) in [
        (refused(|settings| settings.height = 0), "height"),
        (refused(|settings| settings.width = 1 << 16), "width"),
        (refused(|settings| settings.size = 0), "size"),
        (refused(|settings| settings.polarities = 3), "polarities"),
        (refused(|settings| settings.time_constant = 0.0), "time_constant"),
        (refused(|settings| settings.spread_constant = Some(f64::NAN)), "spread_constant"),
        (refused(|settings| settings.view = View::Zoom(-1.0)), "zoom"),
        (refused(|settings| settings.view = View::Extent(f64::INFINITY)), "extent"),
        (refused(|settings| settings.dead_us = -1), "dead_time"),
        (refused(|settings| settings.track_levels = 1 << 20), "track_levels"),
    ] {
        assert!(error.starts_with(name), "{error}");
    }
    let endless = Recording { duration: 1 << 60, ..good.seen() };
    assert!(tracker(|_| ()).encode(endless).is_ok());
    let error = tracker(|settings| settings.track_levels = 1).encode(endless).unwrap_err();
    assert!(error.to_string().starts_with("duration must be at most"), "{error}");
}

#[test]
fn a_stream_refuses_what_lies_ahead_or_behind() {
    let clip = Clip { t: vec![5, 900], x: vec![0, 63], y: vec![0, 47], p: vec![0, 1] };
    let ahead = |change: fn(&mut Settings)| Follower::new(tracker(change)).unwrap_err().to_string();
    let error = ahead(|settings| settings.smoothing = Smoothing::Centred);
    assert_eq!(error, "smoothing must be causal in a stream; got centred.");
    for error in [
        ahead(|settings| settings.mirror = Mirror::Whole),
        ahead(|settings| settings.mirror = Mirror::FirstThird),
    ] {
        assert!(error.starts_with("mirror must be never or running in a stream"), "{error}");
    }
    let mut follower = Follower::new(tracker(|_| ())).unwrap();
    follower.encode(Recording { duration: 1000, ..clip.seen() }).unwrap();
    let before = follower.followed();
    let error = follower.encode(clip.seen()).unwrap_err().to_string();
    assert_eq!(error, "t must be at least 1000 µs, where the stream stands; got 5 at event 0.");
    let nothing = Recording { t: &[], x: &[], y: &[], p: &[], duration: 999 };
    let error = follower.encode(nothing).unwrap_err().to_string();
    assert_eq!(error, "duration must be at least 1000 µs, where the stream stands; got 999.");
    assert_eq!(follower.followed(), before);
}

#[test]
fn a_follower_is_resumed_only_with_what_one_can_have_carried() {
    let clip = Clip { t: vec![5, 900], x: vec![0, 63], y: vec![0, 47], p: vec![0, 1] };
    let mut follower = Follower::new(tracker(|settings| settings.dead_us = 10)).unwrap();
    follower.encode(Recording { duration: 1000, ..clip.seen() }).unwrap();
    let good = follower.followed();
    for (change, words) in [
        ((|f| f.times[0] = i64::MAX) as fn(&mut Followed), "times must be in"),
        (|f| f.times[1] = 1001, "times must be in 0..=1000; got 1001 at place 1."),
        (|f| f.times[3] = -2, "times must be in -1..=1000; got -2 at place 3."),
        (|f| f.times[4] = 2, "times must be in 0..=1; got 2 at place 4."),
        (|f| f.times.truncate(2), "times must have length 5; got length 2."),
        (|f| f.numbers[0] = -1.0, "numbers must be finite and at least 0e0; got -1 at place 0."),
        (|f| f.numbers[2] = f64::NAN, "numbers must be finite"),
        (|f| f.numbers.truncate(2), "numbers must have length 10; got length 2."),
        (|f| f.alive.truncate(2), "alive must have length 512; got length 2."),
        (|f| f.alive[7] = 1011, "alive must be between 0 and 1010 µs; got 1011 at channel 7."),
    ] {
        let mut bad = good.clone();
        change(&mut bad);
        let tracker = tracker(|settings| settings.dead_us = 10);
        let error = Follower::resumed(tracker, bad).unwrap_err().to_string();
        assert!(error.starts_with(words), "{error}");
    }
}
