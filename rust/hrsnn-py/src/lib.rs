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
    use super::camera::{EventCamera, dead_time};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
