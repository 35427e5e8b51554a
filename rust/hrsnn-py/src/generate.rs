//! Bindings of distributions and connection generators.
//!
//! Lives here: conversion of arguments and results. Integers come as Python objects, so
//! that negative or oversized ones become this package's errors and not `OverflowError`.

#![expect(clippy::needless_pass_by_value, reason = "extracted arguments are handed over by value")]

use hrsnn_core::connectivity::{self, PairProbabilities, SensorPlane};
use hrsnn_core::csr::Csr;
use hrsnn_core::distribution::{Distribution, Law};
use hrsnn_core::{Error, Result};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::description::copied;
use crate::error::to_py;
use crate::waiting::abandonable;

/// `indptr` and `indices` of a graph whose rows are sources.
type Graph<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<u32>>);

/// A whole number in [0, 2^64), checked with its name.
fn integer(name: &str, value: &Bound<'_, PyAny>) -> PyResult<u64> {
    value.extract().map_err(|_| {
        let found = value.repr().map_or_else(|_| "an object".into(), |text| text.to_string());
        to_py(Error::parameter(name, "an integer in [0, 2^64)", found))
    })
}

fn size(name: &str, value: &Bound<'_, PyAny>) -> PyResult<usize> {
    let number = integer(name, value)?;
    usize::try_from(number)
        .map_err(|_| to_py(Error::parameter(name, "addressable on this machine", number)))
}

/// Run `generator` without the interpreter.
fn graph(
    py: Python<'_>,
    generator: impl FnOnce() -> Result<Csr> + Send + 'static,
) -> PyResult<Graph<'_>> {
    let (indptr, indices) = abandonable(py, |_| {
        let (indptr, indices) = generator()?.into_parts();
        Ok((indptr.into_iter().map(|start| start as i64).collect::<Vec<_>>(), indices))
    })?;
    Ok((indptr.into_pyarray(py), indices.into_pyarray(py)))
}

/// Draw `offsets[r + 1] - offsets[r]` values for each row `r`.
#[pyfunction]
pub(crate) fn sample<'py>(
    py: Python<'py>,
    kind: &str,
    parameters: Vec<f64>,
    low: Option<f64>,
    high: Option<f64>,
    offsets: PyReadonlyArray1<'py, i64>,
    seed: &Bound<'py, PyAny>,
    purpose: String,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let law = match (kind, parameters.as_slice()) {
        ("constant", &[value]) => Law::Constant { value },
        ("gamma", &[mean, shape]) => Law::Gamma { mean, shape },
        ("lognormal", &[mean, std]) => Law::LogNormal { mean, std },
        ("uniform", &[low, high]) => Law::Uniform { low, high },
        ("loguniform", &[low, high]) => Law::LogUniform { low, high },
        ("normal", &[mean, std]) => Law::Normal { mean, std },
        _ => {
            let expected = "a known law with its number of parameters";
            let found = format!("{kind} with {}", parameters.len());
            return Err(to_py(Error::parameter("kind", expected, found)));
        }
    };
    let seed = integer("seed", seed)?;
    let offsets = copied("offsets", &offsets)?;
    let values = abandonable(py, move |_| {
        Distribution::new(law, low, high)?.sample_rows(&offsets, seed, &purpose)
    })?;
    Ok(values.into_pyarray(py))
}

/// Connect each pair with probability `p`.
#[pyfunction]
pub(crate) fn connect_random<'py>(
    py: Python<'py>,
    n_pre: &Bound<'py, PyAny>,
    n_post: &Bound<'py, PyAny>,
    p: f64,
    autapses: bool,
    seed: &Bound<'py, PyAny>,
    purpose: String,
) -> PyResult<Graph<'py>> {
    let (n_pre, n_post) = (size("n_pre", n_pre)?, size("n_post", n_post)?);
    let seed = integer("seed", seed)?;
    graph(py, move || connectivity::uniform(n_pre, n_post, p, autapses, seed, &purpose))
}

/// Give each target `k` distinct sources.
#[pyfunction]
pub(crate) fn connect_fixed_in_degree<'py>(
    py: Python<'py>,
    n_pre: &Bound<'py, PyAny>,
    n_post: &Bound<'py, PyAny>,
    k: &Bound<'py, PyAny>,
    autapses: bool,
    seed: &Bound<'py, PyAny>,
    purpose: String,
) -> PyResult<Graph<'py>> {
    let (n_pre, n_post, k) = (size("n_pre", n_pre)?, size("n_post", n_post)?, size("k", k)?);
    let seed = integer("seed", seed)?;
    graph(py, move || connectivity::fixed_in_degree(n_pre, n_post, k, autapses, seed, &purpose))
}

/// Connect a ring to its `k` nearest and rewire.
#[pyfunction]
pub(crate) fn connect_small_world<'py>(
    py: Python<'py>,
    n: &Bound<'py, PyAny>,
    k: &Bound<'py, PyAny>,
    p_rewire: f64,
    seed: &Bound<'py, PyAny>,
    purpose: String,
) -> PyResult<Graph<'py>> {
    let (n, k, seed) = (size("n_neurons", n)?, size("k", k)?, integer("seed", seed)?);
    graph(py, move || connectivity::small_world(n, k, p_rewire, seed, &purpose))
}

/// Connect neurons on a grid with a probability that falls with distance.
#[pyfunction]
pub(crate) fn connect_distance<'py>(
    py: Python<'py>,
    grid: [Bound<'py, PyAny>; 3],
    lambda_: f64,
    c: [f64; 4],
    inhibitory: PyReadonlyArray1<'py, bool>,
    seed: &Bound<'py, PyAny>,
    purpose: String,
) -> PyResult<Graph<'py>> {
    let [x, y, z] = &grid;
    let grid = [size("grid", x)?, size("grid", y)?, size("grid", z)?];
    let seed = integer("seed", seed)?;
    let inhibitory = copied("inhibitory", &inhibitory)?;
    let [ee, ei, ie, ii] = c;
    let c = PairProbabilities { ee, ei, ie, ii };
    graph(py, move || connectivity::distance(grid, lambda_, c, &inhibitory, seed, &purpose))
}

/// Give each neuron `k` input channels near its place on the sensor.
#[pyfunction]
pub(crate) fn connect_local_inputs<'py>(
    py: Python<'py>,
    height: &Bound<'py, PyAny>,
    width: &Bound<'py, PyAny>,
    polarities: &Bound<'py, PyAny>,
    n_post: &Bound<'py, PyAny>,
    k: &Bound<'py, PyAny>,
    sigma: f64,
    seed: &Bound<'py, PyAny>,
    purpose: String,
) -> PyResult<Graph<'py>> {
    let sensor = SensorPlane { height: size("height", height)?, width: size("width", width)? };
    let polarities = size("polarities", polarities)?;
    let (n_post, k, seed) = (size("n_post", n_post)?, size("k", k)?, integer("seed", seed)?);
    graph(py, move || {
        connectivity::local_inputs(sensor, polarities, n_post, k, sigma, seed, &purpose)
    })
}

/// Give each neuron `k` sources near its place on the sensor.
#[pyfunction]
pub(crate) fn connect_local_recurrence<'py>(
    py: Python<'py>,
    height: &Bound<'py, PyAny>,
    width: &Bound<'py, PyAny>,
    n: &Bound<'py, PyAny>,
    k: &Bound<'py, PyAny>,
    sigma: f64,
    seed: &Bound<'py, PyAny>,
    purpose: String,
) -> PyResult<Graph<'py>> {
    let sensor = SensorPlane { height: size("height", height)?, width: size("width", width)? };
    let (n, k, seed) = (size("n_neurons", n)?, size("k", k)?, integer("seed", seed)?);
    graph(py, move || connectivity::local_recurrence(sensor, n, k, sigma, seed, &purpose))
}

/// Places (y, x) of `n` neurons on the sensor.
#[pyfunction]
pub(crate) fn sensor_positions<'py>(
    py: Python<'py>,
    height: &Bound<'py, PyAny>,
    width: &Bound<'py, PyAny>,
    n: &Bound<'py, PyAny>,
    seed: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let sensor = SensorPlane { height: size("height", height)?, width: size("width", width)? };
    let (n, seed) = (size("n_neurons", n)?, integer("seed", seed)?);
    let places = abandonable(py, move |_| sensor.positions(n, seed))?;
    places.into_flattened().into_pyarray(py).reshape([n, 2])
}
