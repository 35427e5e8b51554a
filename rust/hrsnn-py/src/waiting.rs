//! Waiting for the core without the interpreter, and with an ear for Ctrl-C.
//!
//! Lives here: two ways of waiting. `detached` works in the caller's thread and lets the work
//! itself ask for signals; `abandonable` is for work that cannot ask, or not often enough: it gets
//! a thread of its own and is left alone, to end unheard, when the user does not want it any more.
//! Either way a panic becomes `InternalError`.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use hrsnn_core::{Error, Result};
use pyo3::prelude::*;

use crate::error::{InternalError, to_py};

/// How often a long run looks for Ctrl-C.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// Looks for signals every now and then; keeps what Python raised.
struct Signals {
    asked: Instant,
    raised: Option<PyErr>,
}

impl Signals {
    fn new() -> Self {
        Self { asked: Instant::now(), raised: None }
    }

    fn poll(&mut self) -> Result<()> {
        if self.asked.elapsed() >= ASK_EVERY {
            self.ask()?;
        }
        Ok(())
    }

    fn ask(&mut self) -> Result<()> {
        self.asked = Instant::now();
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method by itself is not general over lifetimes"
        )]
        Python::attach(|py| py.check_signals()).map_err(|error| {
            self.raised = Some(error);
            Error::Interrupted
        })
    }
}

/// Run `work` without the interpreter; errors, signals and panics become exceptions.
///
/// `work` gets the question that it should ask often: an error means to stop.
pub(crate) fn detached<R: Send>(
    py: Python<'_>,
    work: impl FnOnce(&mut dyn FnMut() -> Result<()>) -> Result<R> + Send,
) -> PyResult<R> {
    let mut signals = Signals::new();
    let outcome = py.detach(|| {
        catch_unwind(AssertUnwindSafe(|| {
            let mut poll = || signals.poll();
            work(&mut poll)
        }))
    });
    outcome
        .map_err(|panic| bug(&*panic))?
        .map_err(|error| signals.raised.take().unwrap_or_else(|| to_py(error)))
}

/// Run `work` in a thread of its own; on Ctrl-C raise at once and let it end unheard.
///
/// `work` gets the question whether it was abandoned, to ask now and then, and before it changes
/// anything: an error means that it was. What it changes it must hold locked until it ends, so that whoever comes
/// next finds it whole.
pub(crate) fn abandonable<R: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce(&mut dyn FnMut() -> Result<()>) -> Result<R> + Send + 'static,
) -> PyResult<R> {
    /// Tells the work that nobody waits for it, also where asking for signals panics.
    struct Waiting(Arc<AtomicBool>);
    impl Drop for Waiting {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let waiting = Waiting(Arc::default());
    let flag = Arc::clone(&waiting.0);
    detached(py, move |_| {
        let _waiting = waiting;
        let (done, finished) = mpsc::channel();
        let worker = std::thread::Builder::new().name("hrsnn-work".into()).spawn(move || {
            let mut ask =
                || if flag.load(Ordering::SeqCst) { Err(Error::Interrupted) } else { Ok(()) };
            // Nobody hears it if the caller has gone.
            let _ = done.send(catch_unwind(AssertUnwindSafe(|| work(&mut ask))));
        });
        worker.map_err(|source| Error::Io { path: "a new thread".into(), source })?;
        let mut signals = Signals::new();
        loop {
            match finished.recv_timeout(ASK_EVERY) {
                Ok(outcome) => return Ok(Ok(outcome)),
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    if signals.ask().is_err() {
                        return Ok(Err(signals.raised));
                    }
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    unreachable!("the worker sends before it ends, whatever happens")
                }
            }
        }
    })?
    .map_err(|raised| raised.unwrap_or_else(|| to_py(Error::Interrupted)))?
    .map_err(|panic| bug(&*panic))?
    .map_err(to_py)
}

/// The exception for a panic.
fn bug(panic: &(dyn Any + Send)) -> PyErr {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panic");
    InternalError::new_err(format!("a bug of hrsnn_rs: {text}"))
}
