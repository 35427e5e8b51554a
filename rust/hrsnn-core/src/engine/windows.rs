//! The loop over windows: what goes into each, and what has come out of it.
//!
//! Not here: what happens within a window (`shard`), who works on it (`crew`), whether that pays
//! (`pace`), and what a drive adds to the events (`driven`).

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::crew::Crew;
use super::driven::{Drawn, block_by_block};
use super::pace::Pace;
use super::{Engine, Poll};
use crate::error::Result;
use crate::pool;
use crate::projection::Source;
use crate::real::Real;
use crate::record::Record;
use crate::sample::{Input, Stats, next_before};
use crate::shard::{Activity, Counters, Pass, Spike};

/// How far a sample has come.
#[derive(Debug, Clone, Default)]
pub(super) struct Moment {
    /// µs; what happens before it has happened, and nothing else has.
    pub(super) t: i64,
    /// Spikes of the last window in which something happened, which no shard knows of yet.
    pub(super) spikes: Vec<Spike>,
    pub(super) n_spikes: u64,
    /// Spikes since the histories were settled because there were so many.
    pub(super) unsettled: u64,
    /// Events of the drive.
    pub(super) n_drawn: u64,
    /// What was last drawn of it.
    pub(super) block: Option<Arc<Drawn>>,
}

impl Moment {
    /// What the sample has taken so far.
    pub(super) fn stats<T: Real>(&self, input: &Input<'_>, activities: &[Activity<T>]) -> Stats {
        let counters = activities.iter().map(|activity| activity.counters);
        Stats {
            n_spikes: self.n_spikes,
            n_input_events: input.n_before(self.t) as u64 + self.n_drawn,
            counters: counters.fold(Counters::default(), Counters::plus),
        }
    }
}

/// What all shards are told of a window.
#[derive(Default)]
pub(super) struct Round {
    window: i64,
    end: i64,
    /// Input events that lie in it, of those of the sample or of those drawn.
    events: Range<usize>,
    /// Where there is a drive, all events of a block.
    pub(super) drawn: Option<Arc<Drawn>>,
    /// Spikes of the window before.
    spikes: Vec<Spike>,
}

impl<T: Real> Engine<T> {
    /// Bring a sample from its `moment` to the time `until`, at most its duration.
    ///
    /// Where that lies does not show: a window that is left in its middle goes on later, and
    /// histories are settled at the same times. On an error the moment is the end of a window.
    pub(super) fn simulate<P: Pass<T> + Send>(
        &self,
        passes: Vec<(P, &mut Activity<T>)>,
        input: &Input<'_>,
        moment: &mut Moment,
        until: i64,
        record: &mut dyn Record,
        n_threads: Option<usize>,
        poll: &mut Poll<'_>,
    ) -> Result<()> {
        let n_members = n_threads.unwrap_or_else(pool::all_cores).min(passes.len());
        // Each shard behind a lock that nobody else ever holds: so the compiler sees it too.
        let passes: Vec<_> = passes.into_iter().map(Mutex::new).collect();
        let round = RwLock::new(Round::default());
        let advance = |member: usize, of: usize| {
            let round = round.read().unwrap_or_else(PoisonError::into_inner);
            for pass in passes.iter().skip(member).step_by(of) {
                let (pass, activity) = &mut *lock(pass);
                let (t, channel) = match round.drawn.as_deref() {
                    None => (input.t, input.channel),
                    Some(Drawn { t, channel, .. }) => (&t[..], &channel[..]),
                };
                let times = t[round.events.clone()].iter().copied();
                let channels = channel[round.events.clone()].iter().copied();
                let (shard, learns) = (pass.shard(), P::LEARNS);
                activity.send(shard, Source::Input, learns, &times.zip(channels));
                activity.send(shard, Source::Recurrent, learns, &round.spikes.iter().copied());
                activity.advance(pass, round.window, round.end);
            }
        };
        let crew = Crew::new(n_members, &advance);
        std::thread::scope(|scope| {
            let mut helpers = None;
            let mut share = |together: bool| {
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
            };
            let mut pace = self.paces.begin(n_members, P::LEARNS, self.together);
            let mut lead = |t: &[i64], moment: &mut Moment, until: i64| {
                let (record, poll, of) = (&mut *record, &mut *poll, (until, input.duration));
                self.lead(&passes, &round, t, moment, of, record, poll, &mut pace, &mut share)
            };
            let done = match input.drive {
                None => lead(input.t, moment, until),
                Some(drive) => block_by_block(input, drive, &round, moment, until, &mut lead),
            };
            self.paces.end(&pace, P::LEARNS);
            done
        })
    }

    /// Window after window: what goes into each, and what has come out of it; input events come at
    /// `times`, and it goes on until a time of the duration.
    fn lead<P: Pass<T>>(
        &self,
        passes: &[Mutex<(P, &mut Activity<T>)>],
        round: &RwLock<Round>,
        times: &[i64],
        moment: &mut Moment,
        (until, duration): (i64, i64),
        record: &mut dyn Record,
        poll: &mut Poll<'_>,
        pace: &mut Pace,
        advance: &mut dyn FnMut(bool),
    ) -> Result<()> {
        let width = i64::from(self.width);
        let mut sent = times.partition_point(|&event| event < moment.t);
        let is_watched = passes.iter().any(|pass| lock(pass).1.monitor.is_some());
        let mut n_arrivals: u64 = passes.iter().map(|pass| lock(pass).1.counters.arrivals()).sum();
        loop {
            let of_input = times.get(sent).map(|t| t / width);
            let of_spikes = moment.spikes.first().map(|(t, _)| t / width + 1);
            let waiting = passes.iter().map(|pass| lock(pass).1.first_window(width));
            let next = waiting.chain([of_input, of_spikes]).flatten().min();
            let start = next.map_or(i64::MAX, |window| window * width);
            if is_watched {
                note_quietly(passes, start.max(moment.t).min(until), poll)?;
            }
            let boundary = up_to_window(moment.t, width).min(duration);
            if moment.unsettled >= self.settle_after && start.min(until) >= boundary {
                moment.unsettled = 0;
                settle(passes, boundary);
            }
            let full_at = || full_at(passes).map(|t| up_to_window(t, width));
            let Some(window) = next.filter(|_| start.max(moment.t) < until) else {
                // Once, for silence has nothing to settle after that: whether a window in which
                // nothing happened was looked at must not show.
                if P::LEARNS
                    && until == duration
                    && let Some(t) = full_at().filter(|&t| t <= until)
                {
                    settle(passes, t);
                }
                moment.t = until;
                // Also where nothing happens: there may be many an edge or block to come.
                return poll();
            };
            if P::LEARNS {
                // Spikes are few; what has to be settled for the sake of time alone is rare.
                while let Some(t) = full_at().filter(|&t| t <= start) {
                    settle(passes, t);
                }
            }
            let end = (start + width).min(until);
            let events = next_before(times, sent, end);
            sent = events.end;
            {
                let mut round = round.write().unwrap_or_else(PoisonError::into_inner);
                let spikes = std::mem::take(&mut moment.spikes);
                (round.window, round.end, round.events, round.spikes) =
                    (window, end, events, spikes);
            }
            advance(pace.together());
            let mut spikes = {
                let mut round = round.write().unwrap_or_else(PoisonError::into_inner);
                std::mem::take(&mut round.spikes)
            };
            spikes.clear();
            let before = std::mem::take(&mut n_arrivals);
            for pass in passes {
                let (_, activity) = &*lock(pass);
                spikes.extend_from_slice(&activity.spikes);
                n_arrivals += activity.counters.arrivals();
            }
            spikes.sort_unstable();
            record.record(&spikes);
            moment.n_spikes += spikes.len() as u64;
            moment.unsettled += spikes.len() as u64;
            moment.spikes = spikes;
            moment.t = end;
            pace.done(n_arrivals - before);
            poll()?;
        }
    }
}

/// First boundary of windows at or after `t`.
fn up_to_window(t: i64, width: i64) -> i64 {
    (t + width - 1) / width * width
}

fn lock<X>(mutex: &Mutex<X>) -> std::sync::MutexGuard<'_, X> {
    // Whoever panicked ends the run; nothing is read after that.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Note what is to be noted before `t`, until when nothing happens.
fn note_quietly<T: Real, P: Pass<T>>(
    passes: &[Mutex<(P, &mut Activity<T>)>],
    t: i64,
    poll: &mut Poll<'_>,
) -> Result<()> {
    for pass in passes {
        let (pass, activity) = &mut *lock(pass);
        while !activity.note_quietly(pass.shard(), t) {
            poll()?;
        }
    }
    Ok(())
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
