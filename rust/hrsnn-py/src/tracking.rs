//! Bindings of tracking.
//!
//! Lives here: conversion of arguments and results. Input arrays are copied before the
//! interpreter is released, so that another thread may change them meanwhile.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hrsnn_core::Error;
use hrsnn_core::tracking::{self, Followed, Mirror, Point, Recording, Settings, Smoothing, View};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::camera::copy1;
use crate::error::to_py;
use crate::waiting::detached;

/// `t`, `channel`, the numbers of events outside, dead, mirrored and of the track, and the scale.
type Encoded<'py> = (
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<u32>>,
    (usize, usize, usize, usize),
    Option<(f64, f64)>,
);

/// Times, numbers and the channels' times of a [`Follower`].
type Carried<'py> =
    (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<i64>>);

/// `x`, `y`, their velocities, the spread, and whether the plane is mirrored; NaN where unknown.
type Points<'py> = (
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<bool>>,
);

fn columns(py: Python<'_>, found: tracking::Encoded) -> Encoded<'_> {
    let counts = (found.n_outside, found.n_dead, found.n_mirrored, found.n_track);
    (found.t.into_pyarray(py), found.channel.into_pyarray(py), counts, found.scale)
}

/// Follows a stream of events with a centre.
#[pyclass(frozen, module = "hrsnn_rs._hrsnn")]
pub(crate) struct Follower {
    inner: Mutex<tracking::Follower>,
}

impl Follower {
    fn lock(&self) -> MutexGuard<'_, tracking::Follower> {
        // A piece is taken in whole or not at all.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Follower {
    /// At the beginning, or as `carried` says, which [`Follower::carried`] gave.
    #[new]
    #[pyo3(signature = (tracker, times=None, numbers=None, alive=None))]
    fn new(
        tracker: &Tracker,
        times: Option<PyReadonlyArray1<'_, i64>>,
        numbers: Option<PyReadonlyArray1<'_, f64>>,
        alive: Option<PyReadonlyArray1<'_, i64>>,
    ) -> PyResult<Self> {
        let tracker = tracker.inner.clone();
        let inner = match (times, numbers, alive) {
            (Some(times), Some(numbers), Some(alive)) => tracking::Follower::resumed(
                tracker,
                Followed { times: copy1(&times), numbers: copy1(&numbers), alive: copy1(&alive) },
            ),
            _ => tracking::Follower::new(tracker),
        };
        Ok(Self { inner: Mutex::new(inner.map_err(to_py)?) })
    }

    /// The events of the next piece, which ends at the time `until`, as seen from the centre.
    fn encode<'py>(
        &self,
        py: Python<'py>,
        t: PyReadonlyArray1<'py, i64>,
        x: PyReadonlyArray1<'py, u16>,
        y: PyReadonlyArray1<'py, u16>,
        p: PyReadonlyArray1<'py, u8>,
        until: i64,
    ) -> PyResult<Encoded<'py>> {
        let (t, x, y, p) = (copy1(&t), copy1(&x), copy1(&y), copy1(&p));
        let found = detached(py, |_| {
            self.lock().encode(Recording { t: &t, x: &x, y: &y, p: &p, duration: until })
        })?;
        Ok(columns(py, found))
    }

    /// What it carries along.
    fn carried<'py>(&self, py: Python<'py>) -> Carried<'py> {
        let Followed { times, numbers, alive } = self.lock().followed();
        (times.into_pyarray(py), numbers.into_pyarray(py), alive.into_pyarray(py))
    }
}

/// Follows events with a centre.
#[pyclass(frozen, module = "hrsnn_rs._hrsnn")]
pub(crate) struct Tracker {
    inner: tracking::Tracker,
}

#[pymethods]
impl Tracker {
    #[new]
    #[pyo3(signature = (height, width, *, size, polarities, time_constant, spread_constant,
        smoothing, zoom, extent, dead_us, mirror, track_levels))]
    #[expect(clippy::too_many_arguments, reason = "all have names")]
    fn new(
        height: usize,
        width: usize,
        size: usize,
        polarities: usize,
        time_constant: f64,
        spread_constant: Option<f64>,
        smoothing: &str,
        zoom: Option<f64>,
        extent: f64,
        dead_us: i64,
        mirror: &str,
        track_levels: usize,
    ) -> PyResult<Self> {
        let smoothing = match smoothing {
            "causal" => Ok(Smoothing::Causal),
            "centred" => Ok(Smoothing::Centred),
            other => Err(Error::parameter("smoothing", "causal or centred", other)),
        };
        let mirror = match mirror {
            "never" => Ok(Mirror::Never),
            "running" => Ok(Mirror::Running),
            "first_third" => Ok(Mirror::FirstThird),
            "whole" => Ok(Mirror::Whole),
            other => Err(Error::parameter("mirror", "never, running, first_third or whole", other)),
        };
        let inner = tracking::Tracker::new(Settings {
            height,
            width,
            size,
            polarities,
            time_constant,
            spread_constant,
            smoothing: smoothing.map_err(to_py)?,
            view: zoom.map_or(View::Extent(extent), View::Zoom),
            dead_us,
            mirror: mirror.map_err(to_py)?,
            track_levels,
        });
        Ok(Self { inner: inner.map_err(to_py)? })
    }

    /// The events as seen from the centre.
    fn encode<'py>(
        &self,
        py: Python<'py>,
        t: PyReadonlyArray1<'py, i64>,
        x: PyReadonlyArray1<'py, u16>,
        y: PyReadonlyArray1<'py, u16>,
        p: PyReadonlyArray1<'py, u8>,
        duration: i64,
    ) -> PyResult<Encoded<'py>> {
        let (t, x, y, p) = (copy1(&t), copy1(&x), copy1(&y), copy1(&p));
        let found = detached(py, |_| {
            self.inner.encode(Recording { t: &t, x: &x, y: &y, p: &p, duration })
        })?;
        Ok(columns(py, found))
    }

    /// The centre at each of `at`.
    #[expect(clippy::too_many_arguments, reason = "columns of a recording")]
    fn track<'py>(
        &self,
        py: Python<'py>,
        t: PyReadonlyArray1<'py, i64>,
        x: PyReadonlyArray1<'py, u16>,
        y: PyReadonlyArray1<'py, u16>,
        p: PyReadonlyArray1<'py, u8>,
        duration: i64,
        at: PyReadonlyArray1<'py, i64>,
    ) -> PyResult<Points<'py>> {
        let (t, x, y, p, at) = (copy1(&t), copy1(&x), copy1(&y), copy1(&p), copy1(&at));
        let points = detached(py, |_| {
            self.inner.track(Recording { t: &t, x: &x, y: &y, p: &p, duration }, &at)
        })?;
        let column = |of: fn(&Point) -> f64| {
            let known = |point: &Point| if point.is_known { of(point) } else { f64::NAN };
            points.iter().map(known).collect::<Vec<_>>().into_pyarray(py)
        };
        let mirrored: Vec<bool> = points.iter().map(|point| point.is_mirrored).collect();
        Ok((
            column(|point| point.x),
            column(|point| point.y),
            column(|point| point.velocity_x),
            column(|point| point.velocity_y),
            column(|point| point.spread),
            mirrored.into_pyarray(py),
        ))
    }
}
