//! Bindings of a sample that can be stopped: arrays in, arrays out, the interpreter free in between.

use std::sync::{Arc, RwLock};

use hrsnn_core::Result;
use hrsnn_core::engine::{Engine, Poll as Ask, Sample, Simulation as Of, State, Traces};
use hrsnn_core::real::Real;
use hrsnn_core::record::SpikeList;
use hrsnn_core::shard::{Counters, Potentials};
use numpy::{Element, IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::description::copied;
use crate::drive::Drive;
use crate::injection::Injection;
use crate::monitors::{Course, Courses, MonitorArrays, monitors};
use crate::network::{Core, Network, StatsRow, reading, row, writing};
use crate::waiting::{abandonable, detached};

/// Either precision.
enum Paused {
    F32(Of<f32>),
    F64(Of<f64>),
}

/// All that moves, in either precision.
enum Moving {
    F32(State<f32>),
    F64(State<f64>),
}

macro_rules! with_simulation {
    ($core:expr, $simulation:ident => $result:expr) => {
        match $core {
            Paused::F32($simulation) => $result,
            Paused::F64($simulation) => $result,
        }
    };
}

/// The state as arrays, `T` being the precision of the network.
#[derive(FromPyObject)]
pub(crate) struct StateArrays<'py, T: Element> {
    #[pyo3(item)]
    t: i64,
    #[pyo3(item)]
    is_over: bool,
    #[pyo3(item)]
    settled: i64,
    #[pyo3(item)]
    unsettled: u64,
    /// Streams of earlier versions do not say it, for they have no drive.
    #[pyo3(item, default)]
    n_drawn: u64,
    #[pyo3(item)]
    n_input_synaptic_events: u64,
    #[pyo3(item)]
    n_synaptic_events: u64,
    #[pyo3(item)]
    n_weight_updates: u64,
    #[pyo3(item)]
    v: PyReadonlyArray1<'py, T>,
    #[pyo3(item)]
    since: PyReadonlyArray1<'py, i64>,
    #[pyo3(item)]
    charge_ex: PyReadonlyArray1<'py, T>,
    #[pyo3(item)]
    charge_in: PyReadonlyArray1<'py, T>,
    #[pyo3(item)]
    charge_since: PyReadonlyArray1<'py, i64>,
    #[pyo3(item)]
    crossing: PyReadonlyArray1<'py, i64>,
    #[pyo3(item("inputs/x"))]
    inputs_x: PyReadonlyArray1<'py, T>,
    #[pyo3(item("inputs/y"))]
    inputs_y: PyReadonlyArray1<'py, T>,
    #[pyo3(item("recurrent/x"))]
    recurrent_x: PyReadonlyArray1<'py, T>,
    #[pyo3(item("recurrent/y"))]
    recurrent_y: PyReadonlyArray1<'py, T>,
    #[pyo3(item)]
    spike_t: PyReadonlyArray1<'py, i64>,
    #[pyo3(item)]
    spike_neuron: PyReadonlyArray1<'py, u32>,
}

pub(crate) fn state<T: Real + Element + Copy>(arrays: &StateArrays<'_, T>) -> PyResult<State<T>> {
    Ok(State {
        t: arrays.t,
        is_over: arrays.is_over,
        potentials: Potentials {
            v: copied("v", &arrays.v)?,
            since: copied("since", &arrays.since)?,
            charge: [
                copied("charge_ex", &arrays.charge_ex)?,
                copied("charge_in", &arrays.charge_in)?,
            ],
            charge_since: copied("charge_since", &arrays.charge_since)?,
            crossing: copied("crossing", &arrays.crossing)?,
        },
        traces: [
            Traces {
                x: copied("inputs/x", &arrays.inputs_x)?,
                y: copied("inputs/y", &arrays.inputs_y)?,
            },
            Traces {
                x: copied("recurrent/x", &arrays.recurrent_x)?,
                y: copied("recurrent/y", &arrays.recurrent_y)?,
            },
        ],
        settled: arrays.settled,
        unsettled: arrays.unsettled,
        n_drawn: arrays.n_drawn,
        counters: Counters {
            input_synaptic_events: arrays.n_input_synaptic_events,
            synaptic_events: arrays.n_synaptic_events,
            weight_updates: arrays.n_weight_updates,
        },
        spikes: SpikeList {
            t: copied("spike_t", &arrays.spike_t)?,
            neuron: copied("spike_neuron", &arrays.spike_neuron)?,
        },
    })
}

pub(crate) fn dictionary<T: Real + Element>(
    py: Python<'_>,
    state: State<T>,
) -> PyResult<Bound<'_, PyDict>> {
    let arrays = PyDict::new(py);
    arrays.set_item("t", state.t)?;
    arrays.set_item("is_over", state.is_over)?;
    arrays.set_item("settled", state.settled)?;
    arrays.set_item("unsettled", state.unsettled)?;
    arrays.set_item("n_drawn", state.n_drawn)?;
    let Counters { input_synaptic_events, synaptic_events, weight_updates } = state.counters;
    arrays.set_item("n_input_synaptic_events", input_synaptic_events)?;
    arrays.set_item("n_synaptic_events", synaptic_events)?;
    arrays.set_item("n_weight_updates", weight_updates)?;
    let Potentials { v, since, charge: [charge_ex, charge_in], charge_since, crossing } =
        state.potentials;
    arrays.set_item("v", v.into_pyarray(py))?;
    arrays.set_item("since", since.into_pyarray(py))?;
    arrays.set_item("charge_ex", charge_ex.into_pyarray(py))?;
    arrays.set_item("charge_in", charge_in.into_pyarray(py))?;
    arrays.set_item("charge_since", charge_since.into_pyarray(py))?;
    arrays.set_item("crossing", crossing.into_pyarray(py))?;
    let [inputs, recurrent] = state.traces;
    arrays.set_item("inputs/x", inputs.x.into_pyarray(py))?;
    arrays.set_item("inputs/y", inputs.y.into_pyarray(py))?;
    arrays.set_item("recurrent/x", recurrent.x.into_pyarray(py))?;
    arrays.set_item("recurrent/y", recurrent.y.into_pyarray(py))?;
    arrays.set_item("spike_t", state.spikes.t.into_pyarray(py))?;
    arrays.set_item("spike_neuron", state.spikes.neuron.into_pyarray(py))?;
    Ok(arrays)
}

/// Times and neurons of the spikes so far, what the sample took so far, and its time.
type Outcome<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<u32>>, StatsRow, i64);

/// A network on its way through one sample.
#[pyclass(frozen)]
pub(crate) struct Simulation {
    /// Shared with work that goes on after nobody waits for it.
    core: Arc<RwLock<Paused>>,
    /// Whether settling all its synapses takes longer than a user should wait for.
    is_large: bool,
    learns: bool,
}

#[pymethods]
impl Simulation {
    /// From rest, or with the `state` that [`Simulation::state`] gave together with `network`.
    #[new]
    #[pyo3(signature = (network, t, channel, duration, learn, state=None, drive=None,
        injection=None))]
    fn new(
        py: Python<'_>,
        network: &Network,
        t: PyReadonlyArray1<'_, i64>,
        channel: PyReadonlyArray1<'_, u32>,
        duration: i64,
        learn: bool,
        state: Option<&Bound<'_, PyDict>>,
        drive: Option<&Drive>,
        injection: Option<&Injection>,
    ) -> PyResult<Self> {
        let sample = Sample {
            t: copied("t", &t)?,
            channel: copied("channel", &channel)?,
            duration,
            drive: drive.map(|drive| drive.0.clone()),
            injection: injection.map(|injection| injection.0.clone()),
        };
        let (core, is_large) = network.core();
        let is_single = detached(py, |poll| Ok(matches!(&*reading(&core, poll)?, Core::F32(_))))?;
        let state = match state {
            None => None,
            Some(arrays) if is_single => Some(Moving::F32(self::state(&arrays.extract()?)?)),
            Some(arrays) => Some(Moving::F64(self::state(&arrays.extract()?)?)),
        };
        let core = abandonable(py, move |ask| {
            let engine = (*reading(&core, &mut || Ok(()))?).clone();
            Ok(match (engine, state) {
                (Core::F32(e), Some(Moving::F32(state))) => {
                    Paused::F32(Of::resumed(e, sample, learn, state, ask)?)
                }
                (Core::F64(e), Some(Moving::F64(state))) => {
                    Paused::F64(Of::resumed(e, sample, learn, state, ask)?)
                }
                (Core::F32(e), _) => Paused::F32(Of::new(e, sample, learn)?),
                (Core::F64(e), _) => Paused::F64(Of::new(e, sample, learn)?),
            })
        })?;
        Ok(Self { core: Arc::new(RwLock::new(core)), is_large, learns: learn })
    }

    /// Go on until the time `t`, µs; the course of what is wanted until then.
    #[pyo3(signature = (t, n_threads, record=None))]
    fn run_until(
        &self,
        py: Python<'_>,
        t: i64,
        n_threads: Option<usize>,
        record: Option<MonitorArrays<'_>>,
    ) -> PyResult<Vec<Course>> {
        let (core, monitors) = (Arc::clone(&self.core), monitors(record)?);
        let work = move |ask: &mut Ask<'_>| {
            let mut core = writing(&core, ask)?;
            Ok(with_simulation!(&mut *core, s => {
                Courses::from(s.run_until_watched(t, &monitors, n_threads, ask)?)
            }))
        };
        // Who learns settles all synapses without asking; a thread for that costs 150 µs.
        let courses = if self.learns && self.is_large {
            abandonable(py, move |ask| work(ask))?
        } else {
            detached(py, |poll| work(poll))?
        };
        Ok(courses.into_list())
    }

    /// µs; what happens before it has happened, and nothing else has.
    #[getter]
    fn t(&self, py: Python<'_>) -> PyResult<i64> {
        detached(py, |poll| Ok(with_simulation!(&*reading(&self.core, poll)?, s => s.t())))
    }

    /// Times and neurons of the spikes so far, what the sample took so far, and its time.
    fn result<'py>(&self, py: Python<'py>) -> PyResult<Outcome<'py>> {
        let (spikes, stats, t) = detached(py, |poll| {
            let core = reading(&self.core, poll)?;
            Ok(with_simulation!(&*core, s => (s.spikes().clone(), s.stats(), s.t())))
        })?;
        Ok((spikes.t.into_pyarray(py), spikes.neuron.into_pyarray(py), row(&stats), t))
    }

    /// A copy of the network, with all that is pending applied.
    fn network(&self, py: Python<'_>) -> PyResult<Network> {
        let core = Arc::clone(&self.core);
        let copy = abandonable(py, move |_| {
            Ok(match &*reading(&core, &mut || Ok(()))? {
                Paused::F32(simulation) => Core::F32(simulation.network()),
                Paused::F64(simulation) => Core::F64(simulation.network()),
            })
        })?;
        Ok(Network::of(copy, self.is_large))
    }

    /// A copy of the network without what is pending, and all that moves.
    fn state<'py>(&self, py: Python<'py>) -> PyResult<(Network, Bound<'py, PyDict>)> {
        fn parts<T: Real>(simulation: &Of<T>) -> (Engine<T>, State<T>) {
            (simulation.unsettled_network(), simulation.state())
        }
        let core = Arc::clone(&self.core);
        let (copy, state): (Core, Moving) = abandonable(py, move |_| -> Result<_> {
            Ok(match &*reading(&core, &mut || Ok(()))? {
                Paused::F32(simulation) => {
                    let (engine, state) = parts(simulation);
                    (Core::F32(engine), Moving::F32(state))
                }
                Paused::F64(simulation) => {
                    let (engine, state) = parts(simulation);
                    (Core::F64(engine), Moving::F64(state))
                }
            })
        })?;
        let arrays = match state {
            Moving::F32(state) => dictionary(py, state),
            Moving::F64(state) => dictionary(py, state),
        };
        Ok((Network::of(copy, self.is_large), arrays?))
    }
}
