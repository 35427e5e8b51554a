//! Python bindings: convert, release the interpreter, map errors. Nothing else.

mod camera;
mod error;
mod generate;

use pyo3::prelude::*;

/// The compiled core of `hrsnn_rs`.
#[pymodule]
mod _hrsnn {
    use super::{Bound, PyModule, PyModuleMethods, PyResult};

    #[pymodule_export]
    use super::generate::{
        connect_distance, connect_fixed_in_degree, connect_local_inputs, connect_local_recurrence,
        connect_random, connect_small_world, sample, sensor_positions,
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
