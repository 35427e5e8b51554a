//! Whether further threads pay, found by measuring.
//!
//! Lives here: the choice between one thread and several, from the time that work has taken
//! either way. It decides how fast a result comes, never what it is.
//!
//! Both ways are measured in stretches of some windows. Every stretch counts a little, for a thread
//! loses its core now and then, and that must not decide alone; the other way is tried rarely, and
//! more rarely the longer nothing comes of it. A run of a network tells the next what it has come to,
//! so that many short runs are no dearer than a long one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
/// The same at the beginning of a run.
const BEGINNING: Duration = Duration::from_millis(2);
/// Share of what was known that a stretch leaves of it.
const KEPT: f64 = 15.0 / 16.0;
/// Stretches until one thread is tried again, and several. One thread soon, for a trial of it costs no
/// more than what the others save in that time; several later, for whoever shares its core with a
/// neighbour may be held up for longer than a stretch.
const PATIENCE: [u32; 2] = [6, 32];
/// Most stretches between two trials of the slower way.
const MOST_PATIENCE: u32 = 1024;
/// Share of the time alone below which it pays to take further cores, which others may want.
const WORTH: f64 = 0.9;

/// What a run leaves for the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Next {
    n_threads: usize,
    together: bool,
    /// Stretches until the other way is tried, and how many to wait with the next trial of several
    /// threads.
    left: u32,
    patience: u32,
}

/// The same, of all runs that only run and of those that learn.
#[derive(Debug, Clone, Default)]
pub(super) struct Paces(Arc<[Mutex<Option<Next>>; 2]>);

impl Paces {
    /// For a run on `n_threads`, one of those that learn or of the others; `is_forced`: the choice,
    /// for tests.
    pub(super) fn begin(&self, n_threads: usize, learns: bool, is_forced: Option<bool>) -> Pace {
        let next = self.kept(learns).filter(|next| next.n_threads == n_threads);
        Pace::new(n_threads, is_forced, next)
    }

    /// What a run leaves for those after it.
    pub(super) fn end(&self, pace: &Pace, learns: bool) {
        if let Some(next) = pace.next() {
            *self.kept(learns) = Some(next);
        }
    }

    fn kept(&self, learns: bool) -> MutexGuard<'_, Option<Next>> {
        self.0[usize::from(learns)].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nanoseconds an event alone and together, and which is being measured.
pub(super) struct Pace {
    n_threads: usize,
    is_forced: Option<bool>,
    together: bool,
    /// Whether it is done together once the beginning is over: whoever has no more to do than that
    /// starts no thread.
    resumes: bool,
    cost: [Option<f64>; 2],
    since: Instant,
    /// Events and windows of the present stretch.
    events: u64,
    windows: u64,
    /// How long the present stretch is not measured yet: it has just begun, or the way has changed.
    unmeasured: Option<Duration>,
    /// Stretches until the other way is tried, and how many to wait with a trial of either.
    left: u32,
    patience: [u32; 2],
    is_trial: bool,
}

impl Pace {
    fn new(n_threads: usize, is_forced: Option<bool>, next: Option<Next>) -> Self {
        let begin = Next { n_threads, together: false, left: 1, patience: PATIENCE[1] };
        let Next { together, left, patience, .. } = next.unwrap_or(begin);
        Self {
            n_threads,
            is_forced: if n_threads > 1 { is_forced } else { Some(false) },
            together: false,
            resumes: together,
            cost: [None; 2],
            since: Instant::now(),
            events: 0,
            windows: 0,
            unmeasured: Some(BEGINNING),
            left,
            patience: [PATIENCE[0], patience],
            is_trial: false,
        }
    }

    /// What is worth knowing when the next run begins, if this one could choose.
    fn next(&self) -> Option<Next> {
        let (n_threads, patience) = (self.n_threads, self.patience[1]);
        let together = self.resumes || self.together != self.is_trial;
        // One thread is tried again in each run, for that costs little.
        let left = if together || self.is_trial { 1 } else { self.left };
        self.is_forced.is_none().then_some(Next { n_threads, together, left, patience })
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
        if !is_over && self.unmeasured.is_none() && (self.windows < WINDOWS || self.events < EVENTS)
        {
            return;
        }
        let now = now();
        let time = now.duration_since(self.since);
        if !is_over && time < self.unmeasured.unwrap_or(TIME) {
            return;
        }
        if self.unmeasured.take().is_none() {
            self.judge(time.as_nanos() as f64);
        } else if std::mem::take(&mut self.resumes) {
            self.change(true, false);
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
        self.unmeasured = (self.together != together).then_some(CHANGE);
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
        one_of_many(&Paces::default(), ms, events, cost)
    }

    /// The same for one run of those that `paces` knows of.
    fn one_of_many(
        paces: &Paces,
        ms: f64,
        events: u64,
        cost: impl Fn(bool, f64, f64) -> f64,
    ) -> [f64; 2] {
        let mut pace = paces.begin(2, false, None);
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
        paces.end(&pace, false);
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

    /// What an event takes two threads at `t` if one of them loses its core for 4 ms every `ms`.
    fn held_up(ms: f64, t: f64) -> f64 {
        let window = 0.5 * EVENTS_OF_A_WINDOW as f64;
        let is_held_up = t % (ms * MS) < window;
        0.5 + if is_held_up { 4.0 * MS / EVENTS_OF_A_WINDOW as f64 } else { 0.0 }
    }

    fn second_with_hold_ups(ms: f64) -> [f64; 2] {
        second(EVENTS_OF_A_WINDOW, |_, t| held_up(ms, t))
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
    fn what_one_run_has_found_out_the_next_need_not() {
        let paces = Paces::default();
        // 40 ms each, of which the first two are cold.
        let run = |together: &dyn Fn(f64) -> f64| {
            one_of_many(&paces, 40.0, EVENTS_OF_A_WINDOW, |way, _, t| {
                let cold = if t < 2.0 * MS { 1.0 } else { 0.0 };
                cold + if way { together(t) } else { 1.0 }
            })
        };
        let busy = |t| held_up(5.0, t);
        let mean_busy = || (0..60).map(|_| run(&busy)[0] / 60.0).sum::<f64>();
        let [first, _] = run(&busy);
        let later = mean_busy();
        // The cold beginning alone makes 1.025.
        assert!(first > 1.1 && later < 1.05, "{first}, {later}");
        let quiet = |_| 0.6;
        let shares: Vec<_> = (0..30).map(|_| run(&quiet)[1]).collect();
        // All but the beginning and a trial of one thread.
        assert!(shares[29] > 0.8, "the neighbour is gone: {shares:?}");
        // Too short to gain anything.
        let short = one_of_many(&paces, 1.5, EVENTS_OF_A_WINDOW, |_, _, _| 1.0);
        assert_eq!(short, [1.0, 0.0]);
        assert!(run(&quiet)[1] > 0.8, "nor is anything forgotten");
        let later = mean_busy();
        assert!(later < 1.06, "one that comes is found: {later}");
    }

    #[test]
    fn runs_of_another_kind_or_on_other_threads_begin_by_themselves() {
        let paces = Paces::default();
        let next = Next { n_threads: 4, together: false, left: 70, patience: 128 };
        *paces.kept(true) = Some(next);
        assert_eq!(paces.begin(4, true, None).next(), Some(next));
        let patience = PATIENCE[1];
        let anew = |n_threads| Some(Next { n_threads, together: false, left: 1, patience });
        assert_eq!(paces.begin(4, false, None).next(), anew(4));
        assert_eq!(paces.begin(3, true, None).next(), anew(3));
        // Who had no choice has found out nothing.
        paces.end(&paces.begin(1, true, None), true);
        paces.end(&paces.begin(4, true, Some(true)), true);
        assert_eq!(paces.clone().begin(4, true, None).next(), Some(next), "a copy knows it too");
    }

    #[test]
    fn little_work_is_never_shared() {
        let [time, share] = second(TOO_LITTLE / 2, |_, _| 0.5);
        assert_eq!([time, share], [1.0, 0.0]);
    }

    #[test]
    fn a_trial_that_meets_little_work_is_made_later() {
        let mut pace = Pace::new(2, None, None);
        for (events, together) in [(EVENTS, true), (100, false), (EVENTS, true)] {
            (pace.events, pace.windows) = (events, 10);
            pace.judge(events as f64);
            assert_eq!(pace.together(), together);
        }
    }

    #[test]
    fn without_further_threads_there_is_no_choice() {
        let mut pace = Pace::new(1, Some(true), None);
        pace.done(1 << 40);
        assert!(!pace.together());
    }
}
