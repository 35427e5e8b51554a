//! Python bindings: convert, release the interpreter, map errors. Nothing else.

#![expect(clippy::needless_pass_by_value, reason = "PyO3 hands arguments over by value")]

mod aedat;
mod camera;
mod description;
mod drive;
mod error;
mod generate;
mod injection;
mod monitors;
mod network;
mod parts;
mod samples;
mod simulation;
mod snapshot;
mod stream;
mod tracking;
mod waiting;

use pyo3::prelude::*;

/// The compiled core of `hrsnn_rs`.
#[pymodule]
mod _hrsnn {
    use super::{Bound, PyModule, PyModuleMethods, PyResult, pyfunction};

    #[pymodule_export]
    use super::aedat::AedatReader;

    #[pymodule_export]
    use super::camera::{EventCamera, dead_time};

    #[pymodule_export]
    use super::drive::Drive;

    /// Give the system back what was freed.
    #[pyfunction]
    fn give_back_memory() {
        hrsnn_core::real::large::give_back();
    }

    #[pymodule_export]
    use super::generate::{
        connect_distance, connect_fixed_in_degree, connect_local_inputs, connect_local_recurrence,
        connect_random, connect_small_world, sample, sensor_positions,
    };

    #[pymodule_export]
    use super::injection::Injection;

    #[pymodule_export]
    use super::monitors::Course;

    #[pymodule_export]
    use super::network::Network;

    #[pymodule_export]
    use super::simulation::Simulation;

    #[pymodule_export]
    use super::snapshot::{load_arrays, save_arrays};

    #[pymodule_export]
    use super::stream::Stream;

    #[pymodule_export]
    use super::tracking::{Follower, Tracker};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
