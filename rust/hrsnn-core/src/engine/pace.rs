//! Whether further threads pay, found by measuring.
//!
//! Lives here: the choice between one thread and several, from the time that work has taken
//! either way. It decides how fast a result comes, never what it is.
//!
//! Both ways are measured in stretches of some windows. Every stretch counts a little, for a thread
//! loses its core now and then, and that must not decide alone; the other way is tried rarely, and
//! more rarely the longer nothing comes of it.

use std::time::{Duration, Instant};

/// Synaptic events of a window below which no second thread is tried.
const TOO_LITTLE: u64 = 2_000;
/// Least synaptic events of a stretch; the clock is not read before.
const EVENTS: u64 = 50_000;
/// Least windows of a stretch.
const WINDOWS: u64 = 2;
/// Least time of a stretch.
const TIME: Duration = Duration::from_millis(1);
/// Windows after which a stretch is over however little has happened.
const MOST_WINDOWS: u64 = 1_000;
/// Least after a change that is not measured: threads wake, and caches are filled.
const CHANGE: Duration = Duration::from_micros(200);
/// Share of what was known that a stretch leaves of it.
const KEPT: f64 = 15.0 / 16.0;
/// Stretches until one thread is tried again, and several. One thread soon, for at first it has filled
/// the caches; several later, for whoever shares its core with a neighbour may be held up for longer
/// than a stretch.
const PATIENCE: [u32; 2] = [6, 32];
/// Most stretches between two trials of the slower way.
const MOST_PATIENCE: u32 = 1024;
/// Share of the time alone below which it pays to take further cores, which others may want.
const WORTH: f64 = 0.9;

/// Nanoseconds an event alone and together, and which is being measured.
pub(super) struct Pace {
    is_forced: Option<bool>,
    together: bool,
    cost: [Option<f64>; 2],
    since: Instant,
    /// Events and windows of the present stretch.
    events: u64,
    windows: u64,
    /// Whether the present stretch is none, since the way has just changed.
    is_change: bool,
    /// Stretches until the other way is tried, and how many to wait with a trial of either.
    left: u32,
    patience: [u32; 2],
    is_trial: bool,
}

impl Pace {
    /// `can`: whether there is more than one thread; `is_forced`: the choice, for tests.
    pub(super) fn new(can: bool, is_forced: Option<bool>) -> Self {
        Self {
            is_forced: if can { is_forced } else { Some(false) },
            together: false,
            cost: [None; 2],
            since: Instant::now(),
            events: 0,
            windows: 0,
            is_change: false,
            left: 1,
            patience: PATIENCE,
            is_trial: false,
        }
    }

    /// Whether the next window is for all threads.
    #[inline]
    pub(super) fn together(&self) -> bool {
        self.is_forced.unwrap_or(self.together)
    }

    /// A window with so many events is done.
    #[inline]
    pub(super) fn done(&mut self, events: u64) {
        if self.is_forced.is_none() {
            self.done_by(events, Instant::now);
        }
    }

    /// The same where `now` is the clock.
    fn done_by(&mut self, events: u64, now: impl FnOnce() -> Instant) {
        self.events += events;
        self.windows += 1;
        let is_over = self.windows >= MOST_WINDOWS;
        if !is_over && !self.is_change && (self.windows < WINDOWS || self.events < EVENTS) {
            return;
        }
        let now = now();
        let time = now.duration_since(self.since);
        if !is_over && time < if self.is_change { CHANGE } else { TIME } {
            return;
        }
        if self.is_change {
            self.is_change = false;
        } else {
            self.judge(time.as_nanos() as f64);
        }
        (self.events, self.windows, self.since) = (0, 0, now);
    }

    /// The present stretch took `ns`.
    fn judge(&mut self, ns: f64) {
        if self.events / self.windows < TOO_LITTLE {
            self.change(false, false);
            return;
        }
        let now = ns / self.events as f64;
        let kept = &mut self.cost[usize::from(self.together)];
        // What is measured again and again is smoothed; a trial replaces what is long past.
        *kept = Some(match *kept {
            Some(before) if !self.is_trial => KEPT * before + (1.0 - KEPT) * now,
            _ => now,
        });
        let better = match self.cost {
            [Some(alone), Some(together)] => together < WORTH * alone,
            [None, Some(_)] => true,
            _ => false,
        };
        let before = self.together != self.is_trial;
        if self.is_trial || before && !better {
            let [alone, together] = &mut self.patience;
            match (before, better) {
                (false, true) => *alone = PATIENCE[0],
                (true, true) => *together = (*together / 2).max(PATIENCE[1]),
                (_, false) => {}
            }
            // The more often nothing comes of it, or what a trial promised does not hold, the rarer.
            let next = &mut self.patience[usize::from(!better)];
            self.left = *next;
            *next = (*next * 2).min(MOST_PATIENCE);
            self.change(better, false);
            return;
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 || better != before {
            self.change(!before, true);
        }
    }

    /// Go on alone or together, from now on or as a trial.
    fn change(&mut self, together: bool, is_trial: bool) {
        self.is_change = self.together != together;
        (self.together, self.is_trial) = (together, is_trial);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events of a window, each of which takes one thread 1 ns.
    const EVENTS_OF_A_WINDOW: u64 = 20_000;
    const MS: f64 = 1e6;

    /// Simulate what one thread would do in `ms`, and return the share of that time which it takes with
    /// a pace, and the share of the events done together. `cost` says how many ns an event takes, from
    /// whether it is done together and the ns since the way changed and since the beginning.
    fn simulate(ms: f64, events: u64, cost: impl Fn(bool, f64, f64) -> f64) -> [f64; 2] {
        let mut pace = Pace::new(true, None);
        let begin = pace.since;
        let (mut t, mut changed, mut n_together) = (0.0, 0.0, 0);
        let n_windows = (ms * MS) as u64 / events;
        for _ in 0..n_windows {
            let way = pace.together();
            t += events as f64 * cost(way, t - changed, t);
            n_together += u64::from(way);
            pace.done_by(events, || begin + Duration::from_nanos(t as u64));
            if pace.together() != way {
                changed = t;
            }
        }
        let alone = (n_windows * events) as f64;
        [t / alone, n_together as f64 / n_windows as f64]
    }

    /// The same of a second in which one thread takes 1 ns.
    fn second(events: u64, together: impl Fn(f64, f64) -> f64) -> [f64; 2] {
        simulate(1000.0, events, |way, changed, t| if way { together(changed, t) } else { 1.0 })
    }

    #[test]
    fn the_faster_way_is_taken_however_long_threads_take_to_wake() {
        for events in [5_000, 20_000, 100_000, 1_000_000, 50_000_000] {
            let waking = 0.3 * MS / events as f64;
            let [time, share] =
                second(events, |changed, _| 0.6 + if changed == 0.0 { waking } else { 0.0 });
            let [most, least] = if events < 10_000_000 { [0.64, 0.95] } else { [0.75, 0.7] };
            assert!(time < most && share > least, "{events}: {time}, {share}");
        }
    }

    #[test]
    fn the_slower_way_is_tried_now_and_then_and_costs_little() {
        for cost in [0.95, 1.2, 4.0] {
            let [time, share] = second(EVENTS_OF_A_WINDOW, |_, _| cost);
            assert!(time < 1.04 && share > 0.0 && share < 0.02, "{cost}: {time}, {share}");
        }
    }

    #[test]
    fn what_was_promising_and_does_not_hold_is_tried_more_and_more_rarely() {
        let promising = |changed: f64, _| if changed < 2.0 * MS { 0.6 } else { 4.0 };
        let [time, share] = second(EVENTS_OF_A_WINDOW, promising);
        assert!(time < 1.05 && share > 0.0 && share < 0.03, "{time}, {share}");
    }

    /// A thread that loses its core for 4 ms, as often as every `ms`.
    fn second_with_hold_ups(ms: f64) -> [f64; 2] {
        second(EVENTS_OF_A_WINDOW, |_, t| {
            let window = 0.5 * EVENTS_OF_A_WINDOW as f64;
            let is_held_up = t % (ms * MS) < window;
            0.5 + if is_held_up { 4.0 * MS / EVENTS_OF_A_WINDOW as f64 } else { 0.0 }
        })
    }

    #[test]
    fn a_thread_that_loses_its_core_now_and_then_is_worth_it() {
        let [time, share] = second_with_hold_ups(60.0);
        assert!(time < 0.6 && share > 0.8, "{time}, {share}");
    }

    #[test]
    fn a_thread_whose_core_a_neighbour_has_is_left_alone() {
        let [time, share] = second_with_hold_ups(5.0);
        assert!(time < 1.05 && share < 0.1, "{time}, {share}");
    }

    #[test]
    fn what_one_thread_takes_at_first_is_not_believed_for_long() {
        let cold = |way, _: f64, t| match way {
            true => 1.2,
            false if t < 2.0 * MS => 4.0,
            false => 1.0,
        };
        let [time, share] = simulate(100.0, EVENTS_OF_A_WINDOW, cold);
        // The first 2 ms are cold either way.
        assert!(time < 1.07 && share < 0.12, "{time}, {share}");
    }

    #[test]
    fn little_work_is_never_shared() {
        let [time, share] = second(TOO_LITTLE / 2, |_, _| 0.5);
        assert_eq!([time, share], [1.0, 0.0]);
    }

    #[test]
    fn a_trial_that_meets_little_work_is_made_later() {
        let mut pace = Pace::new(true, None);
        for (events, together) in [(EVENTS, true), (100, false), (EVENTS, true)] {
            (pace.events, pace.windows) = (events, 10);
            pace.judge(events as f64);
            assert_eq!(pace.together(), together);
        }
    }

    #[test]
    fn without_further_threads_there_is_no_choice() {
        let mut pace = Pace::new(false, Some(true));
        pace.done(1 << 40);
        assert!(!pace.together());
    }
}
