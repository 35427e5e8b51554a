//! Threads that do one round of work after another, together.
//!
//! Lives here: who works, and what becomes of a panic. Not here: what they do, and how they wait for
//! each other (`rounds`). A round begins when the leader says so and ends when the part of every
//! member, the leader among them, is done, by whoever took it. The threads live no longer than the call that needs them: there is
//! nothing for a fork to lose.

use std::thread::{self, Scope, Thread};

use super::rounds::Rounds;

/// A leader, who is the thread that made it, and its helpers.
pub(super) struct Crew<'job> {
    /// Work of one member in a round: which member, of how many.
    job: &'job (dyn Fn(usize, usize) + Sync),
    n_members: usize,
    rounds: Rounds,
}

/// Helpers that were started, to be woken; over when dropped.
pub(super) struct Helpers<'crew, 'job> {
    crew: &'crew Crew<'job>,
    threads: Vec<Thread>,
}

/// Says that a part is done, however it ends.
struct Done<'a>(&'a Rounds);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.done(thread::panicking());
    }
}

impl<'job> Crew<'job> {
    pub(super) fn new(n_members: usize, job: &'job (dyn Fn(usize, usize) + Sync)) -> Self {
        Self { job, n_members, rounds: Rounds::new(n_members.saturating_sub(1)) }
    }

    /// One round by the leader alone.
    pub(super) fn alone(&self) {
        (self.job)(0, 1);
    }

    /// Start the helpers; they wait for the first round.
    ///
    /// Fewer are started if the system refuses.
    pub(super) fn start<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
    ) -> Helpers<'scope, 'job> {
        let mut helpers = Helpers { crew: self, threads: Vec::new() };
        for member in 1..self.n_members {
            let name = format!("hrsnn-{member}");
            let built = thread::Builder::new()
                .name(name)
                .spawn_scoped(scope, move || self.help(member, self.n_members));
            match built {
                Ok(handle) => helpers.threads.push(handle.thread().clone()),
                Err(_) => break,
            }
        }
        helpers
    }

    fn help(&self, member: usize, n_members: usize) {
        let mut seen = 0;
        while self.rounds.next(member - 1, &mut seen) {
            let _done = Done(&self.rounds);
            (self.job)(member, n_members);
        }
    }
}

impl Helpers<'_, '_> {
    /// Whether all helpers that were wanted are there.
    pub(super) fn are_complete(&self) -> bool {
        self.threads.len() + 1 == self.crew.n_members
    }

    /// One round by all members; the leader takes the parts of those who are not there when it is
    /// done with its own.
    ///
    /// # Panics
    /// If a helper's job did.
    pub(super) fn together(&self) {
        let crew = self.crew;
        crew.rounds.begin(&self.threads);
        (crew.job)(0, crew.n_members);
        for member in 1..crew.n_members {
            if crew.rounds.take_from(member - 1) {
                let _done = Done(&crew.rounds);
                (crew.job)(member, crew.n_members);
            }
        }
        assert!(crew.rounds.finish(), "a helper has failed");
    }
}

impl Drop for Helpers<'_, '_> {
    fn drop(&mut self) {
        // If the leader's own job has panicked, helpers may still be at work in this round.
        self.crew.rounds.end(&self.threads);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn every_member_works_once_a_round_and_no_round_overtakes_another() {
        let log = Mutex::new(Vec::new());
        let round = AtomicUsize::new(0);
        let job = |member: usize, of: usize| {
            if member % 2 == 1 {
                // Later than anyone spins.
                thread::sleep(std::time::Duration::from_micros(200));
            }
            log.lock().unwrap().push((round.load(Ordering::Relaxed), member, of));
        };
        let crew = Crew::new(4, &job);
        thread::scope(|scope| {
            let helpers = crew.start(scope);
            assert!(helpers.are_complete());
            for number in 0..200 {
                round.store(number, Ordering::Relaxed);
                helpers.together();
                if number % 10 == 0 {
                    thread::sleep(std::time::Duration::from_micros(200));
                }
            }
            round.store(200, Ordering::Relaxed);
            crew.alone();
        });
        let log = log.into_inner().unwrap();
        assert!(log.is_sorted_by_key(|&(round, ..)| round));
        for number in 0..200 {
            let mut members: Vec<_> = log[4 * number..4 * number + 4].iter().map(|l| l.1).collect();
            members.sort_unstable();
            assert_eq!(members, [0, 1, 2, 3]);
        }
        assert_eq!(log[800..], [(200, 0, 1)]);
    }

    #[test]
    fn nobody_waits_for_a_helper_that_is_not_there() {
        let rounds = Rounds::new(2);
        for _ in 0..3 {
            rounds.begin(&[]);
            for helper in [1, 0] {
                assert!(rounds.take_from(helper));
                assert!(!rounds.take_from(helper), "taken once");
                rounds.done(false);
            }
            assert!(rounds.finish());
        }
        let mut seen = 0;
        rounds.end(&[]);
        assert!(!rounds.next(0, &mut seen), "there is nothing left to do");
    }

    #[test]
    fn a_helper_that_panics_ends_the_round() {
        let job = |member: usize, _: usize| assert_ne!(member, 2, "on purpose");
        let crew = Crew::new(3, &job);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            thread::scope(|scope| crew.start(scope).together());
        }));
        assert!(outcome.is_err());
    }
}
