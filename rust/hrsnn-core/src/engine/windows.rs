//! The loop over windows: what goes into each, and what has come out of it.
//!
//! Not here: what happens within a window (`shard`), who works on it (`crew`), and whether that
//! pays (`pace`).

use std::ops::Range;
use std::sync::{Mutex, PoisonError, RwLock};

use super::crew::Crew;
use super::pace::Pace;
use super::{Engine, Poll};
use crate::error::Result;
use crate::pool;
use crate::projection::Source;
use crate::real::Real;
use crate::record::Record;
use crate::sample::{Input, Stats};
use crate::shard::{Activity, Counters, Pass, Spike};

/// What all shards are told of a window.
#[derive(Default)]
struct Round {
    window: i64,
    end: i64,
    /// Input events that lie in it.
    events: Range<usize>,
    /// Spikes of the window before.
    spikes: Vec<Spike>,
}

impl<T: Real> Engine<T> {
    pub(super) fn simulate<P: Pass<T> + Send>(
        &self,
        passes: Vec<(P, &mut Activity<T>)>,
        input: &Input<'_>,
        record: &mut dyn Record,
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<Stats> {
        let n_members = n_threads.unwrap_or_else(pool::all_cores).min(passes.len());
        // Each shard behind a lock that nobody else ever holds: so the compiler sees it too.
        let passes: Vec<_> = passes.into_iter().map(Mutex::new).collect();
        let round = RwLock::new(Round::default());
        let advance = |member: usize, of: usize| {
            let round = round.read().unwrap_or_else(PoisonError::into_inner);
            for pass in passes.iter().skip(member).step_by(of) {
                let (pass, activity) = &mut *lock(pass);
                activity.send(pass.shard(), Source::Recurrent, round.spikes.iter().copied());
                let times = input.t[round.events.clone()].iter().copied();
                let channels = input.channel[round.events.clone()].iter().copied();
                activity.send(pass.shard(), Source::Input, times.zip(channels));
                activity.advance(pass, round.window, round.end);
            }
        };
        let crew = Crew::new(n_members, &advance);
        std::thread::scope(|scope| {
            let mut helpers = None;
            self.lead(&passes, &round, input, record, poll, n_members, &mut |together| {
                if !together {
                    crew.alone();
                    return;
                }
                let helpers = helpers.get_or_insert_with(|| crew.start(scope));
                if helpers.are_complete() {
                    helpers.together();
                } else {
                    crew.alone();
                }
            })
        })
    }

    /// Window after window: what goes into each, and what has come out of it.
    fn lead<P: Pass<T>>(
        &self,
        passes: &[Mutex<(P, &mut Activity<T>)>],
        round: &RwLock<Round>,
        input: &Input<'_>,
        record: &mut dyn Record,
        poll: &mut Poll<'_>,
        n_members: usize,
        advance: &mut dyn FnMut(bool),
    ) -> Result<Stats> {
        let width = i64::from(self.width);
        let mut pace = Pace::new(n_members > 1, self.together);
        let (mut spikes, mut sent, mut unsettled) = (Vec::<Spike>::new(), 0, 0);
        let mut stats = Stats { n_input_events: input.t.len() as u64, ..Stats::default() };
        let result = loop {
            let of_input = input.t.get(sent).map(|t| t / width);
            let of_spikes = spikes.first().map(|(t, _)| t / width + 1);
            let waiting = passes.iter().map(|pass| lock(pass).1.first_window(width));
            let Some(window) = waiting.chain([of_input, of_spikes]).flatten().min() else {
                break Ok(());
            };
            if window * width >= input.duration {
                break Ok(());
            }
            let end = ((window + 1) * width).min(input.duration);
            if P::LEARNS {
                // Spikes are few; what has to be settled for the sake of time alone is rare.
                while let Some(t) = full_at(passes).filter(|&t| t <= window * width) {
                    settle(passes, t);
                }
            }
            let events = sent..sent + input.t[sent..].partition_point(|&t| t < end);
            sent = events.end;
            {
                let mut round = round.write().unwrap_or_else(PoisonError::into_inner);
                let spikes = std::mem::take(&mut spikes);
                *round = Round { window, end, events, spikes };
            }
            advance(pace.together());
            {
                let mut round = round.write().unwrap_or_else(PoisonError::into_inner);
                spikes = std::mem::take(&mut round.spikes);
            }
            spikes.clear();
            let before = stats.counters;
            let mut counters = Counters::default();
            for pass in passes {
                let (_, activity) = &*lock(pass);
                spikes.extend_from_slice(&activity.spikes);
                counters = counters.plus(activity.counters);
            }
            stats.counters = counters;
            spikes.sort_unstable();
            record.record(&spikes);
            stats.n_spikes += spikes.len() as u64;
            unsettled += spikes.len() as u64;
            if unsettled >= self.settle_after {
                unsettled = 0;
                settle(passes, end);
            }
            pace.done(counters.arrivals() - before.arrivals());
            if let Err(error) = poll() {
                break Err(error);
            }
            if end == input.duration {
                // What is still to come in this window lies beyond the sample.
                break Ok(());
            }
        };
        stats.counters = Counters::default();
        for pass in passes {
            let (pass, activity) = &mut *lock(pass);
            pass.end(activity);
            stats.counters = stats.counters.plus(activity.counters);
        }
        result.map(|()| stats)
    }
}

fn lock<X>(mutex: &Mutex<X>) -> std::sync::MutexGuard<'_, X> {
    // Whoever panicked ends the run; nothing is read after that.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn settle<T: Real, P: Pass<T>>(passes: &[Mutex<(P, &mut Activity<T>)>], t: i64) {
    for pass in passes {
        let (pass, activity) = &mut *lock(pass);
        pass.settle(activity, t);
    }
}

/// When the histories must be settled at the latest.
fn full_at<T: Real, P: Pass<T>>(passes: &[Mutex<(P, &mut Activity<T>)>]) -> Option<i64> {
    let learning = passes.iter().filter(|pass| lock(pass).0.shard().learns());
    learning.map(|pass| lock(pass).1.history.full_at()).min()
}
