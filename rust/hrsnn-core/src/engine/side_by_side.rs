//! Work that is done side by side, one thread each, while the caller goes on being asked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use rayon::prelude::*;

use super::Poll;
use crate::error::{Error, Result};
use crate::pool;

/// Do all `jobs`, `n_threads` at a time; `work` gets one and the question it should ask often.
///
/// # Errors
/// What `work` or `poll` returned; jobs may then be left undone.
pub(super) fn side_by_side<J: Send>(
    jobs: Vec<J>,
    n_threads: usize,
    poll: &mut Poll<'_>,
    work: &(dyn Fn(J, &mut Poll<'_>) -> Result<()> + Sync),
) -> Result<()> {
    if n_threads == 1 {
        return jobs.into_iter().try_for_each(|job| work(job, poll));
    }
    let pool = pool::pool(n_threads)?;
    let stop = AtomicBool::new(false);
    let (done, finished) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let result = pool.install(|| {
                jobs.into_par_iter().with_max_len(1).try_for_each(|job| {
                    let mut ask = || {
                        let stopped = stop.load(Ordering::Relaxed);
                        if stopped { Err(Error::Interrupted) } else { Ok(()) }
                    };
                    work(job, &mut ask)
                })
            });
            // The receiver lives until the scope ends.
            let _ = done.send(result);
        });
        // The workers cannot ask the caller; this thread can.
        let mut asked = Ok(());
        loop {
            match finished.recv_timeout(Duration::from_millis(20)) {
                Ok(result) => return asked.and(result),
                Err(mpsc::RecvTimeoutError::Timeout) if asked.is_ok() => {
                    asked = poll();
                    stop.store(asked.is_err(), Ordering::Relaxed);
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    unreachable!("the worker sends before it ends, and a panic ends the scope")
                }
            }
        }
    })
}
