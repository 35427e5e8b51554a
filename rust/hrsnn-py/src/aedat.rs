//! Binding of the AEDAT 3.1 reader.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hrsnn_core::aedat;
use hrsnn_core::camera::SensorEvents;
use pyo3::prelude::*;

use crate::camera::{Columns, columns};
use crate::error::to_py;

/// Events between two looks for Ctrl-C: some 20 ms.
const SLICE: usize = 1 << 20;

/// Packets, valid and invalid events, events of other types, times of first and last event.
type Summary = (u64, u64, u64, BTreeMap<i16, u64>, Option<(i64, i64)>);

/// Events of an AEDAT 3.1 file, piece by piece.
#[pyclass(frozen, module = "hrsnn_rs._hrsnn")]
pub(crate) struct AedatReader {
    inner: Mutex<aedat::AedatReader<File>>,
}

impl AedatReader {
    fn lock(&self) -> MutexGuard<'_, aedat::AedatReader<File>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl AedatReader {
    #[new]
    #[pyo3(signature = (path, height, width, window=None))]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        height: usize,
        width: usize,
        window: Option<(i64, i64)>,
    ) -> PyResult<Self> {
        let mut inner =
            py.detach(|| aedat::AedatReader::open(&path, height, width)).map_err(to_py)?;
        if let Some((start, stop)) = window {
            inner.set_window(start, stop);
        }
        Ok(Self { inner: Mutex::new(inner) })
    }

    #[pyo3(signature = (max_events=None))]
    /// About `max_events` further events: t, x, y, p; all that are left where it is `None`.
    fn read<'py>(&self, py: Python<'py>, max_events: Option<usize>) -> PyResult<Columns<'py>> {
        let wanted = max_events.unwrap_or(usize::MAX);
        let mut events = SensorEvents::default();
        loop {
            let piece = SLICE.min(wanted - events.t.len());
            let n = py.detach(|| self.lock().read(&mut events, piece)).map_err(to_py)?;
            py.check_signals()?;
            if n == 0 || events.t.len() >= wanted {
                return Ok(columns(py, events));
            }
        }
    }

    /// Walk through the file by its packets' headers alone, then give `summary`.
    fn scan(&self, py: Python<'_>) -> PyResult<Summary> {
        py.detach(|| self.lock().scan().map(told)).map_err(to_py)
    }

    /// What was met until now.
    fn summary(&self, py: Python<'_>) -> Summary {
        py.detach(|| told(self.lock().summary()))
    }

    /// Whether an event at or after the window's end was met.
    #[getter]
    fn is_past_stop(&self, py: Python<'_>) -> bool {
        py.detach(|| self.lock().is_past_stop())
    }
}

fn told(summary: &aedat::Summary) -> Summary {
    let aedat::Summary { n_packets, n_events, n_invalid, others, span } = summary.clone();
    (n_packets, n_events, n_invalid, others, span)
}
