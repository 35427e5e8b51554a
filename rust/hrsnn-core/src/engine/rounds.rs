//! When a round of work begins and when it is over, told from thread to thread.
//!
//! Lives here: what a leader and its helpers share, and how they wait for each other. Not here:
//! threads and their work (`crew`). Whoever waits spins for as long as waking would take, and then
//! sleeps, so that a neighbour who needs the core gets it. A round has one part for each helper, which
//! the leader may take if it has not begun: so nobody waits for a helper that still sleeps, or whose
//! core is taken. Invariants: each part of a round is taken once; what the leader wrote before a round
//! its helpers see in it, and the leader sees after it what they wrote.
//! Nothing else of the core is named here, so that `loom/` can try this very file in every order
//! that threads may take.

#[cfg(loom)]
use crate::thread::{self, Thread};
#[cfg(loom)]
use loom::hint::spin_loop;
#[cfg(loom)]
use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
#[cfg(not(loom))]
use std::hint::spin_loop;
#[cfg(not(loom))]
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
#[cfg(not(loom))]
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How long whoever waits looks before it sleeps: about as long as it takes to be woken, which on a
/// virtual machine is as long as many a round.
const SPIN: Duration = Duration::from_micros(50);
/// Looks between two looks at the clock.
const LOOKS: u32 = if cfg!(loom) { 1 } else { 50 };

/// Rounds of one leader, who is the thread that made them.
pub(super) struct Rounds {
    leader: Thread,
    /// Number of the round that has begun.
    round: AtomicU64,
    /// For each helper's part, the last round in which somebody took it.
    taken: Vec<AtomicU64>,
    /// Parts of the round that are not done.
    left: AtomicUsize,
    is_over: AtomicBool,
    has_failed: AtomicBool,
}

fn wait(is_done: impl Fn() -> bool) {
    let mut begin = None;
    loop {
        for _ in 0..LOOKS {
            if is_done() {
                return;
            }
            spin_loop();
        }
        // There is no time where every order is tried.
        if cfg!(loom) || begin.get_or_insert_with(Instant::now).elapsed() > SPIN {
            break;
        }
    }
    while !is_done() {
        thread::park();
    }
}

impl Rounds {
    pub(super) fn new(n_helpers: usize) -> Self {
        Self {
            leader: thread::current(),
            round: AtomicU64::new(0),
            taken: (0..n_helpers).map(|_| AtomicU64::new(0)).collect(),
            left: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
        }
    }

    /// The leader begins a round for all `helpers`; the one before is over.
    #[inline]
    pub(super) fn begin(&self, helpers: &[Thread]) {
        self.left.store(self.taken.len(), Ordering::Release);
        self.wake(helpers);
    }

    /// The leader takes the part of `helper` in this round, unless it has begun; true: it must be
    /// [`Rounds::done`].
    #[inline]
    pub(super) fn take_from(&self, helper: usize) -> bool {
        self.take(helper, self.round.load(Ordering::Relaxed))
    }

    /// The leader waits until all parts are done; whether none has failed.
    #[inline]
    pub(super) fn finish(&self) -> bool {
        wait(|| self.left.load(Ordering::Acquire) == 0);
        !self.has_failed.load(Ordering::Acquire)
    }

    /// The leader ends it all, once whoever may still be at work is done.
    pub(super) fn end(&self, helpers: &[Thread]) {
        let round = self.round.load(Ordering::Relaxed);
        for helper in 0..self.taken.len() {
            // What nobody will do must not be waited for.
            if round > 0 && self.take(helper, round) {
                self.done(true);
            }
        }
        self.finish();
        self.is_over.store(true, Ordering::Release);
        self.wake(helpers);
    }

    fn wake(&self, helpers: &[Thread]) {
        self.round.fetch_add(1, Ordering::AcqRel);
        helpers.iter().for_each(Thread::unpark);
    }

    /// Whether the part of `helper` in `round` was there to be taken. If so, the round lasts until
    /// it is done; if not, the round may be long past.
    #[inline]
    fn take(&self, helper: usize, round: u64) -> bool {
        let part = &self.taken[helper];
        part.compare_exchange(round - 1, round, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// A `helper` that has looked at the rounds up to `seen` waits for the next whose part it can
    /// take, which is then the last it has looked at; false: there is none.
    #[inline]
    pub(super) fn next(&self, helper: usize, seen: &mut u64) -> bool {
        loop {
            wait(|| self.round.load(Ordering::Acquire) != *seen);
            // In this order: the round that ends it all has no parts.
            *seen = self.round.load(Ordering::Acquire);
            if self.is_over.load(Ordering::Acquire) {
                return false;
            }
            if self.take(helper, *seen) {
                return true;
            }
        }
    }

    /// A part of this round is done, or has failed.
    #[inline]
    pub(super) fn done(&self, has_failed: bool) {
        if has_failed {
            self.has_failed.store(true, Ordering::Release);
        }
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.leader.unpark();
        }
    }
}
