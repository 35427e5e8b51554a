//! Spikes handed to Python in parts while a run goes on, so that none are kept.
//!
//! Invariant: what the callable raises ends the run, and is what the caller sees.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hrsnn_core::engine::Poll as Ask;
use hrsnn_core::record::{Record, SpikeList};
use hrsnn_core::shard::Spike;
use hrsnn_core::{Error, Result};
use numpy::IntoPyArray;
use pyo3::prelude::*;

/// Where the spikes of a run go.
pub(crate) enum Spikes {
    /// Into the memory.
    Kept(SpikeList),
    /// Away, so many at a time.
    Parts(Parts),
}

/// Hands spikes over, so many at a time.
pub(crate) struct Parts {
    waiting: SpikeList,
    size: usize,
    /// Takes times and neurons.
    to: Py<PyAny>,
    raised: Option<PyErr>,
    has_failed: Arc<AtomicBool>,
}

impl Parts {
    fn hand_over(&mut self) {
        let SpikeList { t, neuron } = std::mem::take(&mut self.waiting);
        if self.raised.is_some() || t.is_empty() {
            return;
        }
        let handed = Python::attach(|py| {
            self.to.call1(py, (t.into_pyarray(py), neuron.into_pyarray(py))).map(|_| ())
        });
        if let Err(error) = handed {
            self.raised = Some(error);
            self.has_failed.store(true, Ordering::Relaxed);
        }
    }
}

impl Spikes {
    /// `to`: `None` keeps all.
    pub(crate) fn new(to: Option<Py<PyAny>>, size: usize) -> Self {
        match to {
            None => Self::Kept(SpikeList::default()),
            Some(to) => Self::Parts(Parts {
                waiting: SpikeList::default(),
                size: size.max(1),
                to,
                raised: None,
                has_failed: Arc::default(),
            }),
        }
    }

    /// A question that is answered no once something was raised.
    pub(crate) fn asking<'a>(&self, ask: &'a mut Ask<'_>) -> impl FnMut() -> Result<()> + 'a {
        let failed = match self {
            Self::Kept(_) => None,
            Self::Parts(parts) => Some(Arc::clone(&parts.has_failed)),
        };
        move || match &failed {
            Some(failed) if failed.load(Ordering::Relaxed) => Err(Error::Interrupted),
            _ => ask(),
        }
    }

    /// The spikes that are kept, once the last ones were handed over; what was raised.
    pub(crate) fn finish(self) -> PyResult<SpikeList> {
        match self {
            Self::Kept(spikes) => Ok(spikes),
            Self::Parts(mut parts) => {
                parts.hand_over();
                parts.raised.map_or_else(|| Ok(SpikeList::default()), Err)
            }
        }
    }
}

impl Record for Spikes {
    fn record(&mut self, spikes: &[Spike]) {
        match self {
            Self::Kept(list) => list.record(spikes),
            Self::Parts(parts) => {
                parts.waiting.record(spikes);
                if parts.waiting.t.len() >= parts.size {
                    parts.hand_over();
                }
            }
        }
    }
}
