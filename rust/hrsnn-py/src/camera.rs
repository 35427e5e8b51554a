//! Bindings of the event camera and of event filters.
//!
//! Lives here: conversion of arguments and results. Input arrays are copied before the
//! interpreter is released, so that another thread may change them meanwhile.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hrsnn_core::camera::{self, Frames};
use hrsnn_core::{Error, Result};
use numpy::{Element, IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray3};
use pyo3::prelude::*;

use crate::error::to_py;
use crate::waiting::detached;

/// `t`, `x`, `y`, `p` of events.
pub(crate) type Columns<'py> = (
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<u16>>,
    Bound<'py, PyArray1<u16>>,
    Bound<'py, PyArray1<u8>>,
);

/// Temporal contrast with thresholds of each pixel's own.
#[pyclass(frozen, module = "hrsnn_rs._hrsnn")]
pub(crate) struct EventCamera {
    inner: Mutex<camera::EventCamera>,
}

impl EventCamera {
    /// The camera, whether or not another thread panicked while it held the lock.
    fn lock(&self) -> MutexGuard<'_, camera::EventCamera> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl EventCamera {
    #[new]
    fn new(
        py: Python<'_>,
        height: usize,
        width: usize,
        on: PyReadonlyArray1<'_, f64>,
        off: PyReadonlyArray1<'_, f64>,
        dead_us: i64,
        luma_offset: f64,
    ) -> PyResult<Self> {
        let (on, off) = (copy1(&on), copy1(&off));
        let inner = detached(py, |_| {
            camera::EventCamera::new(height, width, on, off, dead_us, luma_offset)
        })?;
        Ok(Self { inner: Mutex::new(inner) })
    }

    /// Events of the next frames: t, x, y, p.
    fn feed<'py>(
        &self,
        py: Python<'py>,
        frames: &Bound<'py, PyAny>,
        times: PyReadonlyArray1<'py, i64>,
    ) -> PyResult<Columns<'py>> {
        let times = copy1(&times);
        let events = if let Ok(luma) = frames.extract::<PyReadonlyArray3<'py, u8>>() {
            let values = copy3(&luma);
            let shape = luma.as_array().dim();
            detached(py, |_| self.feed_checked(Frames::Luma(&values), shape, &times))
        } else if let Ok(light) = frames.extract::<PyReadonlyArray3<'py, f32>>() {
            let values = copy3(&light);
            let shape = light.as_array().dim();
            detached(py, |_| self.feed_checked(Frames::Intensity(&values), shape, &times))
        } else {
            let expected = "a 3-D array of uint8 or float32";
            Err(to_py(Error::parameter("frames", expected, frames.get_type().to_string())))
        }?;
        Ok(columns(py, events))
    }

    /// Forget what was seen.
    fn reset(&self, py: Python<'_>) {
        py.detach(|| self.lock().reset());
    }

    /// Crossings since the beginning, those of the dead time among them.
    #[getter]
    fn n_crossings(&self, py: Python<'_>) -> u64 {
        py.detach(|| self.lock().n_crossings())
    }

    /// Crossings that the dead time swallowed.
    #[getter]
    fn n_dead(&self, py: Python<'_>) -> u64 {
        py.detach(|| self.lock().n_dead())
    }
}

impl EventCamera {
    fn feed_checked(
        &self,
        frames: Frames<'_>,
        shape: (usize, usize, usize),
        times: &[i64],
    ) -> Result<camera::SensorEvents> {
        let mut camera = self.lock();
        let expected = (times.len(), camera.height(), camera.width());
        if shape != expected {
            return Err(Error::ShapeMismatch {
                name: "frames".into(),
                expected: format!("shape {expected:?} (times, height, width)"),
                found: format!("shape {shape:?}"),
            });
        }
        camera.feed(frames, times)
    }
}

/// Hand events over without a copy.
pub(crate) fn columns(py: Python<'_>, events: camera::SensorEvents) -> Columns<'_> {
    (
        events.t.into_pyarray(py),
        events.x.into_pyarray(py),
        events.y.into_pyarray(py),
        events.p.into_pyarray(py),
    )
}

/// Which events to keep where each channel is dead for `dead_us` after a kept event.
#[pyfunction]
pub(crate) fn dead_time<'py>(
    py: Python<'py>,
    t: PyReadonlyArray1<'py, i64>,
    channel: PyReadonlyArray1<'py, u32>,
    n_channels: usize,
    dead_us: i64,
) -> PyResult<Bound<'py, PyArray1<bool>>> {
    let (t, channel) = (copy1(&t), copy1(&channel));
    let keep = detached(py, |_| camera::dead_time(&t, &channel, n_channels, dead_us))?;
    Ok(keep.into_pyarray(py))
}

pub(crate) fn copy1<T: Element + Copy>(array: &PyReadonlyArray1<'_, T>) -> Vec<T> {
    array.as_array().iter().copied().collect()
}

fn copy3<T: Element + Copy>(array: &PyReadonlyArray3<'_, T>) -> Vec<T> {
    match array.as_slice() {
        Ok(values) => values.to_vec(),
        Err(_) => array.as_array().iter().copied().collect(),
    }
}
