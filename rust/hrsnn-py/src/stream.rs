//! Bindings of a network that sees a stream: pieces in, spikes and features of the latest past out.

use std::sync::RwLock;

use hrsnn_core::engine::{Flow, Sample, Stream as Of};
use hrsnn_core::real::Real;
use hrsnn_core::record::{FeatureSpec, Windows};
use numpy::{Element, IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::description::copied;
use crate::network::{Core, Network, StatsRow, pools, reading, row, writing};
use crate::simulation::{StateArrays, dictionary, state};
use crate::waiting::{abandonable, detached};

/// Either precision.
enum Flowing {
    F32(Of<f32>),
    F64(Of<f64>),
}

macro_rules! with_stream {
    ($core:expr, $stream:ident => $result:expr) => {
        match $core {
            Flowing::F32($stream) => $result,
            Flowing::F64($stream) => $result,
        }
    };
}

/// What a stream carries along beside the state of its neurons.
#[derive(FromPyObject)]
struct Recent<'py> {
    #[pyo3(item)]
    event_t: PyReadonlyArray1<'py, i64>,
    #[pyo3(item)]
    event_channel: PyReadonlyArray1<'py, u32>,
    #[pyo3(item)]
    n_input_events: u64,
    #[pyo3(item)]
    n_spikes: u64,
}

/// Times and neurons.
type Spikes<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<u32>>);

/// A network on its way through a stream.
#[pyclass(frozen)]
pub(crate) struct Stream {
    core: RwLock<Flowing>,
}

fn flow<T: Real + Element + Copy>(arrays: &Bound<'_, PyDict>) -> PyResult<Flow<T>>
where
    for<'a, 'py> StateArrays<'py, T>: FromPyObject<'a, 'py, Error = PyErr>,
{
    let recent: Recent<'_> = arrays.extract()?;
    Ok(Flow {
        state: state(&arrays.extract::<StateArrays<'_, T>>()?)?,
        recent: Sample {
            t: copied("event_t", &recent.event_t)?,
            channel: copied("event_channel", &recent.event_channel)?,
            duration: 0,
            drive: None,
            injection: None,
        },
        n_input_events: recent.n_input_events,
        n_spikes: recent.n_spikes,
    })
}

fn arrays<T: Real + Element>(py: Python<'_>, flow: Flow<T>) -> PyResult<Bound<'_, PyDict>> {
    let arrays = dictionary(py, flow.state)?;
    arrays.set_item("event_t", flow.recent.t.into_pyarray(py))?;
    arrays.set_item("event_channel", flow.recent.channel.into_pyarray(py))?;
    arrays.set_item("n_input_events", flow.n_input_events)?;
    arrays.set_item("n_spikes", flow.n_spikes)?;
    Ok(arrays)
}

#[pymethods]
impl Stream {
    /// From rest, or as `state` says, which [`Stream::state`] gave of the same network.
    #[new]
    #[pyo3(signature = (network, keep, state=None))]
    fn new(
        py: Python<'_>,
        network: &Network,
        keep: i64,
        state: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let (core, _) = network.core();
        let is_single = detached(py, |poll| Ok(matches!(&*reading(&core, poll)?, Core::F32(_))))?;
        let (single, double) = match state {
            None => (None, None),
            Some(arrays) if is_single => (Some(flow::<f32>(arrays)?), None),
            Some(arrays) => (None, Some(flow::<f64>(arrays)?)),
        };
        let core = abandonable(py, move |_| {
            let engine = (*reading(&core, &mut || Ok(()))?).clone();
            Ok(match engine {
                Core::F32(e) => Flowing::F32(match single {
                    Some(flow) => Of::resumed(e, keep, flow)?,
                    None => Of::new(e, keep)?,
                }),
                Core::F64(e) => Flowing::F64(match double {
                    Some(flow) => Of::resumed(e, keep, flow)?,
                    None => Of::new(e, keep)?,
                }),
            })
        })?;
        Ok(Self { core: RwLock::new(core) })
    }

    /// The next events, and on until the time `until`, µs.
    fn feed(
        &self,
        py: Python<'_>,
        t: PyReadonlyArray1<'_, i64>,
        channel: PyReadonlyArray1<'_, u32>,
        until: i64,
        n_threads: Option<usize>,
    ) -> PyResult<()> {
        let (t, channel) = (copied("t", &t)?, copied("channel", &channel)?);
        detached(py, |poll| {
            let mut core = writing(&self.core, poll)?;
            with_stream!(&mut *core, s => s.feed(&t, &channel, until, n_threads, poll))
        })
    }

    /// µs; what happens before it has happened, and nothing else has.
    #[getter]
    fn t(&self, py: Python<'_>) -> PyResult<i64> {
        detached(py, |poll| Ok(with_stream!(&*reading(&self.core, poll)?, s => s.t())))
    }

    /// Times and neurons of the spikes from `since` on, as far as they are not forgotten.
    fn spikes<'py>(&self, py: Python<'py>, since: i64) -> PyResult<Spikes<'py>> {
        let spikes = detached(py, |poll| {
            Ok(with_stream!(&*reading(&self.core, poll)?, s => s.spikes_since(since)))
        })?;
        Ok((spikes.t.into_pyarray(py), spikes.neuron.into_pyarray(py)))
    }

    /// Features of the last `span` µs, flat, as [`Network::transform`] gives them of a sample.
    #[pyo3(signature = (span, n_windows, by_events, counts, tau_lowpass, pool=None, n_pools=None))]
    #[expect(clippy::too_many_arguments, reason = "those of a network's features")]
    fn features<'py>(
        &self,
        py: Python<'py>,
        span: i64,
        n_windows: usize,
        by_events: bool,
        counts: bool,
        tau_lowpass: Option<f64>,
        pool: Option<PyReadonlyArray1<'py, u32>>,
        n_pools: Option<usize>,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let windows = if by_events { Windows::Events } else { Windows::Time };
        let pool = pool.map(|pool| copied("pool", &pool)).transpose()?;
        let pools = pools(pool.as_deref(), n_pools)?;
        let spec = FeatureSpec { n_windows, windows, counts, tau_lowpass, pools };
        let features = detached(py, |poll| {
            let core = reading(&self.core, poll)?;
            with_stream!(&*core, s => s.features(span, spec, poll))
        })?;
        Ok(features.into_pyarray(py))
    }

    /// What the stream has taken so far.
    #[getter]
    fn counts(&self, py: Python<'_>) -> PyResult<StatsRow> {
        let stats =
            detached(py, |poll| Ok(with_stream!(&*reading(&self.core, poll)?, s => s.stats())))?;
        Ok(row(&stats))
    }

    /// All that the stream carries along, but for its network.
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        enum Carried {
            F32(Flow<f32>),
            F64(Flow<f64>),
        }
        let carried = detached(py, |poll| {
            Ok(match &*reading(&self.core, poll)? {
                Flowing::F32(stream) => Carried::F32(stream.flow()),
                Flowing::F64(stream) => Carried::F64(stream.flow()),
            })
        })?;
        match carried {
            Carried::F32(flow) => arrays(py, flow),
            Carried::F64(flow) => arrays(py, flow),
        }
    }
}
