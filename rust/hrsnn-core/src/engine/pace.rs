//! Whether further threads pay, found by measuring.
//!
//! Lives here: the choice between one thread and several, from the time that work has taken
//! either way. It decides how fast a result comes, never what it is.

use std::time::Instant;

/// Synaptic events of a window below which no second thread is tried.
const TOO_LITTLE: u64 = 2_000;
/// Synaptic events after which a stretch is judged.
const STRETCH: u64 = 200_000;
/// Stretches between two trials of the slower way, at first and at most.
const PATIENCE: [u32; 2] = [16, 1024];
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
    /// Until the other way is tried again, and how long to wait after that.
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
            patience: [1, PATIENCE[0]],
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
        if self.is_forced.is_some() {
            return;
        }
        self.events += events;
        self.windows += 1;
        // A trial is short, for it may be costly.
        let enough = if self.is_trial { STRETCH / 4 } else { STRETCH };
        if self.events >= enough || self.windows >= 1_000 || self.is_held_up(enough) {
            self.judge(self.since.elapsed().as_nanos() as f64);
            self.since = Instant::now();
        }
    }

    /// Whether the present stretch of `enough` events has already taken as long as it would alone: a
    /// thread may have lost its core in the midst of its work.
    fn is_held_up(&self, enough: u64) -> bool {
        match self.cost[0] {
            Some(alone) if self.together => {
                self.since.elapsed().as_nanos() as f64 > alone * enough as f64
            }
            _ => false,
        }
    }

    fn judge(&mut self, ns: f64) {
        let (events, windows) = (self.events, self.windows);
        (self.events, self.windows) = (0, 0);
        if events / windows < TOO_LITTLE {
            (self.together, self.is_trial) = (false, false);
            return;
        }
        let now = ns / events as f64;
        let kept = &mut self.cost[usize::from(self.together)];
        // What is measured again and again is smoothed; a trial replaces what is long past.
        *kept = Some(match *kept {
            Some(before) if !self.is_trial => 0.5 * (before + now),
            _ => now,
        });
        let better = match self.cost {
            [Some(alone), Some(together)] => together < WORTH * alone,
            [None, Some(_)] => true,
            _ => false,
        };
        let before = self.together != self.is_trial;
        if self.is_trial || before && !better {
            // The longer nothing changes, the rarer the trials; the rarer, too, if what a trial
            // promised did not hold.
            self.patience[1] = match (before, better) {
                (false, true) => self.patience[1],
                (true, false) if self.is_trial => PATIENCE[0],
                _ => (self.patience[1] * 2).min(PATIENCE[1]),
            };
            self.patience[0] = self.patience[1];
            (self.together, self.is_trial) = (better, false);
            return;
        }
        self.patience[0] = self.patience[0].saturating_sub(1);
        if self.patience[0] == 0 || better != before {
            (self.together, self.is_trial) = (!before, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Share of events done together, if one thread takes 1 ns an event, and all together as much as
    /// `together` says of a trial and of any other stretch.
    fn share(together: [f64; 2], per_window: u64) -> f64 {
        let mut pace = Pace::new(true, None);
        let mut events = [0.0; 2];
        for _ in 0..400 {
            let (way, is_trial) = (pace.together(), pace.is_trial);
            let enough = if is_trial { STRETCH / 4 } else { STRETCH };
            pace.windows = enough / per_window;
            pace.events = per_window * pace.windows;
            events[usize::from(way)] += pace.events as f64;
            let cost = if way { together[usize::from(!is_trial)] } else { 1.0 };
            pace.judge(pace.events as f64 * cost);
        }
        events[1] / (events[0] + events[1])
    }

    #[test]
    fn the_faster_way_is_taken_and_the_other_tried_now_and_then() {
        assert!(share([0.6; 2], 20_000) > 0.95);
        for cost in [0.95, 1.2] {
            let wasted = share([cost; 2], 20_000);
            assert!(wasted > 0.0 && wasted < 0.02, "{cost}: {wasted}");
        }
    }

    #[test]
    fn what_was_promising_and_did_not_hold_is_tried_more_and_more_rarely() {
        let wasted = share([0.6, 4.0], 20_000);
        assert!(wasted > 0.0 && wasted < 0.03, "{wasted}");
    }

    #[test]
    fn little_work_is_never_shared() {
        assert_eq!(share([0.5; 2], 100), 0.0);
    }

    #[test]
    fn a_trial_that_meets_little_work_is_made_later() {
        let mut pace = Pace::new(true, None);
        for (events, together) in [(STRETCH, true), (100, false), (STRETCH, true)] {
            (pace.events, pace.windows) = (events, 10);
            pace.judge(events as f64);
            assert_eq!(pace.together(), together);
        }
    }

    #[test]
    fn a_stretch_together_ends_when_it_would_be_over_alone() {
        let mut pace = Pace::new(true, None);
        let long_ago = Instant::now().checked_sub(std::time::Duration::from_secs(1)).unwrap();
        (pace.cost, pace.together) = ([Some(1.0), Some(0.5)], true);
        pace.done(10_000);
        assert!(pace.together());
        pace.since = long_ago;
        pace.done(10_000);
        assert!(!pace.together() && pace.patience == [2 * PATIENCE[0]; 2]);
        // Alone it takes what it takes.
        pace.since = long_ago;
        pace.done(10_000);
        assert_eq!(pace.windows, 1);
    }

    #[test]
    fn without_further_threads_there_is_no_choice() {
        let mut pace = Pace::new(false, Some(true));
        pace.done(1 << 40);
        assert!(!pace.together());
    }
}
