//! When a round of work begins and when it is over, told from thread to thread.
//!
//! Lives here: what a leader and its helpers share, and how they wait for each other. Not here:
//! threads and their work (`crew`). Whoever waits spins for some microseconds, for a round is often
//! as short, and then sleeps, so that a neighbour who needs the core gets it. Invariants: what the
//! leader wrote before a round its helpers see in it, and the leader sees after it what they wrote.
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

/// Looks before whoever waits goes to sleep; some ten microseconds.
const SPINS: u32 = if cfg!(loom) { 1 } else { 400 };

/// Rounds of one leader, who is the thread that made them.
pub(super) struct Rounds {
    leader: Thread,
    /// Number of the round that has begun.
    round: AtomicU64,
    /// Helpers that are not done with it.
    working: AtomicUsize,
    is_over: AtomicBool,
    has_failed: AtomicBool,
}

fn wait(is_done: impl Fn() -> bool) {
    for _ in 0..SPINS {
        if is_done() {
            return;
        }
        spin_loop();
    }
    while !is_done() {
        thread::park();
    }
}

impl Rounds {
    pub(super) fn new() -> Self {
        Self {
            leader: thread::current(),
            round: AtomicU64::new(0),
            working: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
        }
    }

    /// The leader begins a round for all `helpers`; the one before is over.
    #[inline]
    pub(super) fn begin(&self, helpers: &[Thread]) {
        self.working.store(helpers.len(), Ordering::Release);
        self.wake(helpers);
    }

    /// The leader waits until all are done; whether none has failed.
    #[inline]
    pub(super) fn finish(&self) -> bool {
        wait(|| self.working.load(Ordering::Acquire) == 0);
        !self.has_failed.load(Ordering::Acquire)
    }

    /// The leader ends it all, once whoever may still be at work is done.
    pub(super) fn end(&self, helpers: &[Thread]) {
        self.finish();
        self.is_over.store(true, Ordering::Release);
        self.wake(helpers);
    }

    fn wake(&self, helpers: &[Thread]) {
        self.round.fetch_add(1, Ordering::AcqRel);
        helpers.iter().for_each(Thread::unpark);
    }

    /// A helper that was there for `seen` rounds waits for the next; false: there is none.
    #[inline]
    pub(super) fn next(&self, seen: u64) -> bool {
        wait(|| self.round.load(Ordering::Acquire) != seen);
        !self.is_over.load(Ordering::Acquire)
    }

    /// A helper is done with this round, or has failed in it.
    #[inline]
    pub(super) fn done(&self, has_failed: bool) {
        if has_failed {
            self.has_failed.store(true, Ordering::Release);
        }
        if self.working.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.leader.unpark();
        }
    }
}
