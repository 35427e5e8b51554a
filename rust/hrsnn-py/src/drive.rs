//! Bindings of Poisson drives: rates in, events out.

use hrsnn_core::drive::Drive as Of;
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::description::copied;
use crate::error::to_py;
use crate::waiting::abandonable;

/// Times and channels of events.
type Events<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<u32>>);

/// Poisson processes that are drawn while a sample runs.
#[pyclass(frozen)]
pub(crate) struct Drive(pub(crate) Of);

#[pymethods]
impl Drive {
    /// `rates`: Hz, for each bin one for each of `n_channels`; `edges` of the bins in µs, or `None`
    /// where rates are constant; `sample`: whose events.
    #[new]
    #[pyo3(signature = (rates, n_channels, edges, seed, sample))]
    fn new(
        rates: PyReadonlyArray1<'_, f64>,
        n_channels: usize,
        edges: Option<PyReadonlyArray1<'_, i64>>,
        seed: u64,
        sample: u64,
    ) -> PyResult<Self> {
        let rates = copied("rates", &rates)?;
        let drive = match edges {
            None => Of::new(&rates, seed),
            Some(edges) => Of::in_bins(&rates, n_channels, &copied("edges", &edges)?, seed),
        };
        Ok(Self(drive.map_err(to_py)?.of(sample)))
    }

    /// The same rates with the events of sample `number`.
    fn of(&self, number: u64) -> Self {
        Self(self.0.of(number))
    }

    /// How many events there are before `end`, µs.
    fn count(&self, py: Python<'_>, end: i64) -> PyResult<u64> {
        let drive = self.0.clone();
        abandonable(py, move |poll| drive.count(end, poll))
    }

    /// All events before `duration`, sorted by time and channel.
    fn events<'py>(&self, py: Python<'py>, duration: i64) -> PyResult<Events<'py>> {
        let drive = self.0.clone();
        let events = abandonable(py, move |poll| {
            let mut events = Vec::new();
            drive.draw_within(0..duration, &mut events, poll)?;
            Ok(events)
        })?;
        let (t, channel): (Vec<i64>, Vec<u32>) = events.into_iter().unzip();
        Ok((t.into_pyarray(py), channel.into_pyarray(py)))
    }
}
