//! Bindings of the engine: arrays in, arrays out, the interpreter free in between.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::RwLock;
use std::time::{Duration, Instant};

use hrsnn_core::csr::Csr;
use hrsnn_core::engine::{Engine, Poll, Synaptic};
use hrsnn_core::network::{Adaptation, Connections, Description, NeuronParameters, Plasticity};
use hrsnn_core::projection::Source;
use hrsnn_core::real::Real;
use hrsnn_core::record::{FeatureSpec, SpikeList, Windows};
use hrsnn_core::sample::{Input, Stats};
use hrsnn_core::stdp::Pairing;
use hrsnn_core::{Error, Result};
use numpy::{Element, IntoPyArray, PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::{InternalError, to_py};

/// How often a long run looks for Ctrl-C.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// Parameters of every neuron, float64, one element a neuron.
#[derive(FromPyObject)]
pub(crate) struct NeuronArrays<'py> {
    #[pyo3(item)]
    tau_m: PyReadonlyArray1<'py, f64>,
    #[pyo3(item)]
    v_rest: PyReadonlyArray1<'py, f64>,
    #[pyo3(item)]
    v_reset: PyReadonlyArray1<'py, f64>,
    #[pyo3(item)]
    v_threshold: PyReadonlyArray1<'py, f64>,
    #[pyo3(item)]
    t_ref: PyReadonlyArray1<'py, f64>,
    #[pyo3(item)]
    bias: PyReadonlyArray1<'py, f64>,
    #[pyo3(item)]
    tau_syn_ex: PyReadonlyArray1<'py, f64>,
    #[pyo3(item)]
    tau_syn_in: PyReadonlyArray1<'py, f64>,
    #[pyo3(item)]
    theta: PyReadonlyArray1<'py, f64>,
}

/// Synapses of one source in CSR.
#[derive(FromPyObject)]
pub(crate) struct SynapseArrays<'py> {
    #[pyo3(item)]
    indptr: PyReadonlyArray1<'py, i64>,
    #[pyo3(item)]
    indices: PyReadonlyArray1<'py, u32>,
    #[pyo3(item)]
    weight: PyReadonlyArray1<'py, f64>,
    #[pyo3(item)]
    delay: PyReadonlyArray1<'py, f64>,
    #[pyo3(item)]
    plasticity: Option<PlasticityArrays<'py>>,
}

/// STDP of the synapses of one source.
#[derive(FromPyObject)]
pub(crate) struct PlasticityArrays<'py> {
    #[pyo3(item)]
    plastic: PyReadonlyArray1<'py, bool>,
    #[pyo3(item)]
    a_plus: PyReadonlyArray1<'py, f64>,
    #[pyo3(item)]
    a_minus: PyReadonlyArray1<'py, f64>,
    #[pyo3(item)]
    tau_plus: PyReadonlyArray1<'py, f64>,
    #[pyo3(item)]
    tau_minus: PyReadonlyArray1<'py, f64>,
    #[pyo3(item)]
    w_min: f64,
    #[pyo3(item)]
    w_max: f64,
    #[pyo3(item)]
    mu_plus: f64,
    #[pyo3(item)]
    mu_minus: f64,
    #[pyo3(item)]
    nearest: bool,
    #[pyo3(item)]
    half_precision: bool,
}

fn neurons(arrays: &NeuronArrays<'_>) -> PyResult<NeuronParameters> {
    Ok(NeuronParameters {
        tau_m: arrays.tau_m.to_vec()?,
        v_rest: arrays.v_rest.to_vec()?,
        v_reset: arrays.v_reset.to_vec()?,
        v_threshold: arrays.v_threshold.to_vec()?,
        t_ref: arrays.t_ref.to_vec()?,
        bias: arrays.bias.to_vec()?,
        tau_syn_ex: arrays.tau_syn_ex.to_vec()?,
        tau_syn_in: arrays.tau_syn_in.to_vec()?,
        theta: arrays.theta.to_vec()?,
    })
}

fn connections(arrays: &SynapseArrays<'_>, n_neurons: usize) -> PyResult<Connections> {
    // A negative entry becomes huge and is refused as such.
    let indptr = arrays.indptr.to_vec()?.into_iter().map(|start| start as u64).collect();
    let graph = Csr::new(indptr, arrays.indices.to_vec()?, n_neurons).map_err(to_py)?;
    let plasticity = match &arrays.plasticity {
        None => None,
        Some(p) => Some(Plasticity {
            plastic: p.plastic.to_vec()?,
            a_plus: p.a_plus.to_vec()?,
            a_minus: p.a_minus.to_vec()?,
            tau_plus: p.tau_plus.to_vec()?,
            tau_minus: p.tau_minus.to_vec()?,
            w_min: p.w_min,
            w_max: p.w_max,
            mu_plus: p.mu_plus,
            mu_minus: p.mu_minus,
            pairing: if p.nearest { Pairing::Nearest } else { Pairing::AllToAll },
            half_precision: p.half_precision,
        }),
    };
    let (weight, delay) = (arrays.weight.to_vec()?, arrays.delay.to_vec()?);
    Ok(Connections { graph, weight, delay, plasticity })
}

/// Either precision.
enum Core {
    F32(Engine<f32>),
    F64(Engine<f64>),
}

/// Synapses in either precision.
enum Synapses {
    F32(Synaptic<f32>),
    F64(Synaptic<f64>),
}

macro_rules! with_engine {
    ($core:expr, $engine:ident => $result:expr) => {
        match $core {
            Core::F32($engine) => $result,
            Core::F64($engine) => $result,
        }
    };
}

/// Looks for signals every now and then; keeps what Python raised.
struct Signals {
    asked: Instant,
    raised: Option<PyErr>,
}

impl Signals {
    fn poll(&mut self) -> Result<()> {
        if self.asked.elapsed() >= ASK_EVERY {
            self.asked = Instant::now();
            #[expect(
                clippy::redundant_closure_for_method_calls,
                reason = "the method by itself is not general over lifetimes"
            )]
            if let Err(error) = Python::attach(|py| py.check_signals()) {
                self.raised = Some(error);
                return Err(Error::Interrupted);
            }
        }
        Ok(())
    }
}

/// Run `work` without the interpreter; errors, signals and panics become exceptions.
fn detached<R: Send>(
    py: Python<'_>,
    work: impl FnOnce(&mut Poll<'_>) -> Result<R> + Send,
) -> PyResult<R> {
    let mut signals = Signals { asked: Instant::now(), raised: None };
    let outcome = py.detach(|| {
        catch_unwind(AssertUnwindSafe(|| {
            let mut poll = || signals.poll();
            work(&mut poll)
        }))
    });
    match outcome {
        Ok(result) => result.map_err(|error| signals.raised.take().unwrap_or_else(|| to_py(error))),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panic");
            Err(InternalError::new_err(format!("a bug of hrsnn_rs: {text}")))
        }
    }
}

fn broken<E>(_: E) -> Error {
    Error::parameter("network", "whole", "one in which an earlier call failed by a bug")
}

type StatsRow = [u64; 5];

fn row(stats: &Stats) -> StatsRow {
    let counters = stats.counters;
    [
        stats.n_spikes,
        stats.n_input_events,
        counters.input_synaptic_events,
        counters.synaptic_events,
        counters.weight_updates,
    ]
}

fn source(name: &str) -> PyResult<Source> {
    match name {
        "inputs" => Ok(Source::Input),
        "recurrent" => Ok(Source::Recurrent),
        other => Err(to_py(Error::parameter("source", "'inputs' or 'recurrent'", other))),
    }
}

type Spikes<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<u32>>, StatsRow);
type Transformed<'py> = (Bound<'py, PyArray1<f32>>, Vec<StatsRow>);

/// Neurons, synapses and what they have learned.
#[pyclass(frozen)]
pub(crate) struct Network {
    core: RwLock<Core>,
}

#[pymethods]
impl Network {
    #[new]
    #[pyo3(signature = (neurons, inputs, recurrent, adaptation, incoming, dtype, n_shards=None))]
    fn new(
        py: Python<'_>,
        neurons: NeuronArrays<'_>,
        inputs: SynapseArrays<'_>,
        recurrent: SynapseArrays<'_>,
        adaptation: Option<(f64, f64)>,
        incoming: PyReadonlyArray1<'_, f64>,
        dtype: &str,
        n_shards: Option<usize>,
    ) -> PyResult<Self> {
        let neurons = self::neurons(&neurons)?;
        let n_neurons = neurons.tau_m.len();
        let adaptation =
            adaptation.map(|(theta_plus, tau_theta)| Adaptation { theta_plus, tau_theta });
        let description = Description {
            neurons,
            inputs: connections(&inputs, n_neurons)?,
            recurrent: connections(&recurrent, n_neurons)?,
            adaptation,
            incoming: incoming.to_vec()?,
        };
        let double = match dtype {
            "float32" => false,
            "float64" => true,
            other => {
                return Err(to_py(Error::parameter("dtype", "'float32' or 'float64'", other)));
            }
        };
        let core = detached(py, move |_| {
            Ok(if double {
                Core::F64(Engine::new(&description, n_shards)?)
            } else {
                Core::F32(Engine::new(&description, n_shards)?)
            })
        })?;
        Ok(Self { core: RwLock::new(core) })
    }

    /// Times and neurons of the spikes of one sample, and what it took.
    #[pyo3(signature = (t, channel, duration, learn, n_threads))]
    fn run<'py>(
        &self,
        py: Python<'py>,
        t: PyReadonlyArray1<'py, i64>,
        channel: PyReadonlyArray1<'py, u32>,
        duration: i64,
        learn: bool,
        n_threads: Option<usize>,
    ) -> PyResult<Spikes<'py>> {
        let (t, channel) = (t.to_vec()?, channel.to_vec()?);
        let (spikes, stats) = detached(py, |poll| {
            let input = Input { t: &t, channel: &channel, duration };
            let mut spikes = SpikeList::default();
            let stats = if learn {
                let mut core = self.core.write().map_err(broken)?;
                with_engine!(&mut *core, e => e.learn(&input, &mut spikes, n_threads, poll))?
            } else {
                let core = self.core.read().map_err(broken)?;
                with_engine!(&*core, e => e.run(&input, &mut spikes, n_threads, poll))?
            };
            Ok((spikes, stats))
        })?;
        Ok((spikes.t.into_pyarray(py), spikes.neuron.into_pyarray(py), row(&stats)))
    }

    /// Features of many samples, flat, and what each took.
    #[pyo3(signature = (samples, n_windows, by_events, counts, tau_lowpass, n_threads))]
    fn transform<'py>(
        &self,
        py: Python<'py>,
        samples: Vec<(PyReadonlyArray1<'py, i64>, PyReadonlyArray1<'py, u32>, i64)>,
        n_windows: usize,
        by_events: bool,
        counts: bool,
        tau_lowpass: Option<f64>,
        n_threads: Option<usize>,
    ) -> PyResult<Transformed<'py>> {
        let copies = samples
            .iter()
            .map(|(t, channel, duration)| Ok((t.to_vec()?, channel.to_vec()?, *duration)))
            .collect::<PyResult<Vec<_>>>()?;
        let windows = if by_events { Windows::Events } else { Windows::Time };
        let spec = FeatureSpec { n_windows, windows, counts, tau_lowpass };
        let (features, stats) = detached(py, |poll| {
            let inputs: Vec<_> = copies
                .iter()
                .map(|(t, channel, duration)| Input { t, channel, duration: *duration })
                .collect();
            let core = self.core.read().map_err(broken)?;
            with_engine!(&*core, e => e.transform(&inputs, spec, n_threads, poll))
        })?;
        Ok((features.into_pyarray(py), stats.iter().map(row).collect()))
    }

    /// Synapses of 'inputs' or 'recurrent' as a dictionary of arrays.
    fn synapses<'py>(&self, py: Python<'py>, source: &str) -> PyResult<Bound<'py, PyDict>> {
        let source = self::source(source)?;
        // Whoever holds the core may be asking for the interpreter: wait for it without.
        let copy = detached(py, |_| {
            let core = self.core.read().map_err(broken)?;
            Ok(match &*core {
                Core::F32(engine) => Synapses::F32(engine.synapses(source)),
                Core::F64(engine) => Synapses::F64(engine.synapses(source)),
            })
        })?;
        match copy {
            Synapses::F32(synapses) => dictionary(py, synapses),
            Synapses::F64(synapses) => dictionary(py, synapses),
        }
    }

    /// Replace the weights of 'inputs' or 'recurrent'.
    fn set_weights(
        &self,
        py: Python<'_>,
        source: &str,
        weight: PyReadonlyArray1<'_, f64>,
    ) -> PyResult<()> {
        let (source, weight) = (self::source(source)?, weight.to_vec()?);
        detached(py, |_| {
            let mut core = self.core.write().map_err(broken)?;
            with_engine!(&mut *core, e => e.set_weights(source, &weight))
        })
    }

    /// Adaptation of each threshold, mV.
    fn theta<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let theta = detached(py, |_| {
            let core = self.core.read().map_err(broken)?;
            Ok(with_engine!(&*core, e => e.theta()))
        })?;
        Ok(theta.into_pyarray(py))
    }

    /// Parts that the work of a sample can be split into.
    #[getter]
    fn n_shards(&self, py: Python<'_>) -> PyResult<usize> {
        detached(py, |_| {
            let core = self.core.read().map_err(broken)?;
            Ok(with_engine!(&*core, e => e.n_shards()))
        })
    }
}

fn dictionary<T: Real + Element>(
    py: Python<'_>,
    synapses: Synaptic<T>,
) -> PyResult<Bound<'_, PyDict>> {
    let arrays = PyDict::new(py);
    arrays.set_item("indptr", synapses.indptr.into_pyarray(py))?;
    arrays.set_item("indices", synapses.indices.into_pyarray(py))?;
    arrays.set_item("delay_us", synapses.delay_us.into_pyarray(py))?;
    arrays.set_item("weight", synapses.weight.into_pyarray(py))?;
    arrays.set_item("plastic", synapses.plastic.into_pyarray(py))?;
    let [a_plus, a_minus] = synapses.a;
    let [tau_plus, tau_minus] = synapses.tau;
    arrays.set_item("a_plus", a_plus.into_pyarray(py))?;
    arrays.set_item("a_minus", a_minus.into_pyarray(py))?;
    arrays.set_item("tau_plus", tau_plus.into_pyarray(py))?;
    arrays.set_item("tau_minus", tau_minus.into_pyarray(py))?;
    Ok(arrays)
}
