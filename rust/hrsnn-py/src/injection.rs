//! Bindings of currents that are injected into neurons.

use hrsnn_core::injection::Injection as Of;
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::description::copied;
use crate::error::to_py;

/// Currents that are injected into neurons while a sample runs.
#[pyclass(frozen)]
pub(crate) struct Injection(pub(crate) Of);

#[pymethods]
impl Injection {
    /// `values`: mV, for each bin one for all `neurons` or one for each; `edges` of the bins in µs;
    /// `noise`: standard deviation, mV, of what is drawn for each neuron in each bin.
    #[new]
    #[pyo3(signature = (values, edges, neurons, noise, seed))]
    fn new(
        values: PyReadonlyArray1<'_, f64>,
        edges: PyReadonlyArray1<'_, i64>,
        neurons: PyReadonlyArray1<'_, u32>,
        noise: f64,
        seed: u64,
    ) -> PyResult<Self> {
        let (values, edges) = (copied("values", &values)?, copied("edges", &edges)?);
        Of::new(values, edges, copied("neurons", &neurons)?, noise, seed).map(Self).map_err(to_py)
    }
}
