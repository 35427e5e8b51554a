//! What must hold of `rounds` in every order that threads may take.

#![cfg(test)]

#[path = "../rust/hrsnn-core/src/engine/rounds.rs"]
mod rounds;

/// Threads of loom, of which others may also do something just before they wake another.
///
/// By itself loom takes waking for something that depends on nothing, and tells whoever is woken all
/// that the waker knows; what a thread does that was about to be woken would stay unseen.
mod thread {
    use loom::sync::atomic::{AtomicUsize, Ordering};
    pub(crate) use loom::thread::park;

    loom::lazy_static! {
        static ref WAKING: AtomicUsize = AtomicUsize::new(0);
    }

    /// Done by whoever has waited, so that loom tries it on either side of each waking.
    pub(crate) fn has_waited() {
        WAKING.load(Ordering::Relaxed);
    }

    pub(crate) struct Thread(loom::thread::Thread);

    impl From<&loom::thread::Thread> for Thread {
        fn from(thread: &loom::thread::Thread) -> Self {
            Self(thread.clone())
        }
    }

    impl Thread {
        pub(crate) fn unpark(&self) {
            WAKING.fetch_add(1, Ordering::Relaxed);
            self.0.unpark();
        }
    }

    pub(crate) fn current() -> Thread {
        Thread(loom::thread::current())
    }
}

mod tests {
    use std::rc::Rc;

    use loom::cell::Cell;
    use loom::model::Builder;
    use loom::sync::atomic::{AtomicUsize, Ordering};
    use loom::thread::{spawn, yield_now};

    use super::rounds::Rounds;
    use super::thread::{Thread, has_waited};

    /// What members share. A `Cell` of loom complains of any access that is not ordered.
    struct Job {
        rounds: Rounds,
        order: Cell<u64>,
        answers: Vec<Cell<u64>>,
        fails_in: Option<u64>,
        /// Helpers that have not ended.
        left: AtomicUsize,
    }

    impl Job {
        fn new(n_helpers: usize, fails_in: Option<u64>) -> Rc<Self> {
            has_waited();
            Rc::new(Self {
                rounds: Rounds::new(n_helpers),
                order: Cell::new(0),
                answers: (0..n_helpers).map(|_| Cell::new(0)).collect(),
                fails_in,
                left: AtomicUsize::new(n_helpers),
            })
        }

        /// What `crew` has a helper do.
        fn help(&self, member: usize) {
            let mut seen = 0;
            while self.rounds.next(member, &mut seen) {
                has_waited();
                if !self.part(member, seen) {
                    return;
                }
            }
        }

        /// One part of a round, whoever does it; false: it has failed.
        fn part(&self, member: usize, round: u64) -> bool {
            let fails = self.fails_in == Some(round);
            if !fails {
                assert_eq!(self.order.get(), round, "a part of another round");
                assert_eq!(self.answers[member].get(), 10 * (round - 1), "missed or done twice");
                self.answers[member].set(10 * round);
            }
            self.rounds.done(fails);
            !fails
        }

        /// Start the helpers.
        fn start(self: &Rc<Self>) -> Vec<Thread> {
            let start = |member| {
                let job = Rc::clone(self);
                let work = move || {
                    job.help(member);
                    job.left.fetch_sub(1, Ordering::Release);
                };
                spawn(work).thread().into()
            };
            (0..self.answers.len()).map(start).collect()
        }

        /// The leader's part of a round.
        fn together(&self, round: u64, helpers: &[Thread]) -> bool {
            self.order.set(round);
            self.rounds.begin(helpers);
            for member in 0..helpers.len() {
                if self.rounds.take_from(member) {
                    self.part(member, round);
                }
            }
            let none_has_failed = self.rounds.finish();
            has_waited();
            none_has_failed
        }

        /// End it all. Joining would not do: a helper's last wake may come while the leader joins,
        /// and for loom that is an error.
        fn end(&self, helpers: &[Thread]) {
            self.rounds.end(helpers);
            self.wait_for_all();
        }

        fn wait_for_all(&self) {
            while self.left.load(Ordering::Acquire) > 0 {
                yield_now();
            }
        }
    }

    /// Every order in which threads are interrupted so often at most, by choice and not by waiting.
    fn every_order(most_interruptions: usize, program: impl Fn() + Sync + Send + 'static) {
        let mut builder = Builder::new();
        builder.preemption_bound = Some(most_interruptions);
        builder.check(program);
    }

    fn all_rounds_happen(n_helpers: usize, n_rounds: u64, most_interruptions: usize) {
        every_order(most_interruptions, move || {
            let job = Job::new(n_helpers, None);
            let helpers = job.start();
            for round in 1..=n_rounds {
                assert!(job.together(round, &helpers));
                assert!(job.answers.iter().all(|answer| answer.get() == 10 * round));
            }
            job.end(&helpers);
        });
    }

    #[test]
    fn each_sees_what_the_other_wrote() {
        all_rounds_happen(1, 2, 3);
        all_rounds_happen(2, 1, 3);
    }

    #[test]
    fn it_may_end_before_it_begins() {
        all_rounds_happen(1, 0, 3);
        all_rounds_happen(2, 0, 3);
    }

    #[test]
    fn a_leader_who_has_given_up_waits_for_the_others() {
        every_order(2, || {
            let job = Job::new(2, None);
            let helpers = job.start();
            job.order.set(1);
            job.rounds.begin(&helpers);
            job.rounds.end(&helpers);
            // A part is done, or was never begun and never will be.
            let answers = || job.answers.iter().map(|answer| answer.get()).collect::<Vec<_>>();
            let at_the_end = answers();
            assert!(at_the_end.iter().all(|answer| [0, 10].contains(answer)));
            job.wait_for_all();
            assert_eq!(answers(), at_the_end);
        });
    }

    #[test]
    fn the_leader_hears_of_a_failure() {
        every_order(3, || {
            let job = Job::new(1, Some(2));
            let helpers = job.start();
            assert!(job.together(1, &helpers));
            assert!(!job.together(2, &helpers));
            job.end(&helpers);
        });
    }
}
