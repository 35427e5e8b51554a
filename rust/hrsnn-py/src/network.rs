//! Bindings of the engine: arrays in, arrays out, the interpreter free in between.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
    TryLockResult,
};
use std::time::Duration;

use hrsnn_core::engine::{Engine, Poll as Ask, Synaptic};
use hrsnn_core::network::{Adaptation, Description, Norm};
use hrsnn_core::projection::Source;
use hrsnn_core::real::Real;
use hrsnn_core::record::{FeatureSpec, Pools, SpikeList, Windows};
use hrsnn_core::sample::{Input, Stats};
use hrsnn_core::{Error, Result};
use numpy::{Element, IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::description::{
    CompetitionArrays, NeuronArrays, SynapseArrays, competition, copied, neurons, synapses,
};
use crate::drive::Drive;
use crate::error::to_py;
use crate::injection::Injection;
use crate::monitors::{Course, Courses, MonitorArrays, monitors};
use crate::parts::Spikes;
use crate::samples::{SampleArrays, copies, drives, inputs};
use crate::waiting::{abandonable, detached};

/// How long to wait before another look at a core that is in use.
const LOOK_AGAIN: Duration = Duration::from_micros(500);

/// Either precision.
#[derive(Clone)]
pub(crate) enum Core {
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

/// Wait for the core, to read; `poll` may end the waiting.
pub(crate) fn reading<'a, C>(
    core: &'a RwLock<C>,
    poll: &mut Ask<'_>,
) -> Result<RwLockReadGuard<'a, C>> {
    waited(|| core.try_read(), poll)
}

/// Wait for the core, to change it; `poll` may end the waiting.
pub(crate) fn writing<'a, C>(
    core: &'a RwLock<C>,
    poll: &mut Ask<'_>,
) -> Result<RwLockWriteGuard<'a, C>> {
    waited(|| core.try_write(), poll)
}

fn waited<G>(try_lock: impl Fn() -> TryLockResult<G>, poll: &mut Ask<'_>) -> Result<G> {
    loop {
        match try_lock() {
            Ok(guard) => return Ok(guard),
            Err(TryLockError::Poisoned(_)) => return Err(Error::Broken),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK_AGAIN),
        }
        poll()?;
    }
}

/// The pools of neurons, if there are any.
pub(crate) fn pools(pool: Option<&[u32]>, n_pools: Option<usize>) -> PyResult<Option<Pools<'_>>> {
    match (pool, n_pools) {
        (Some(pool), Some(n_pools)) => Ok(Some(Pools { pool, n_pools })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(to_py(Error::parameter("n_pools", "given with pool", "None"))),
        (None, Some(n_pools)) => {
            Err(to_py(Error::parameter("n_pools", "None without pool", n_pools)))
        }
    }
}

/// What a network has learned from since it was made.
#[derive(Debug, Clone, Copy, Default)]
struct Learned {
    n_samples: u64,
    duration: u64,
    counts: StatsRow,
}

/// Held for the length of an addition, so nobody waits for it.
fn tally(learned: &Mutex<Learned>) -> MutexGuard<'_, Learned> {
    learned.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Learned {
    fn add(&mut self, input: &Input<'_>, stats: &Stats) {
        self.n_samples += 1;
        self.duration += input.duration as u64;
        for (sum, count) in self.counts.iter_mut().zip(row(stats)) {
            *sum += count;
        }
    }
}

pub(crate) type StatsRow = [u64; 5];

pub(crate) fn row(stats: &Stats) -> StatsRow {
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

fn norm(name: &str) -> PyResult<Norm> {
    match name {
        "l1" => Ok(Norm::L1),
        "l2" => Ok(Norm::L2),
        other => Err(to_py(Error::parameter("norms", "'l1' or 'l2'", other))),
    }
}

/// Times and neurons, what the sample took, and the course of each that was wanted.
type SpikeArrays<'py> =
    (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<u32>>, StatsRow, Vec<Course>);
/// Spikes, counts and courses of a run.
type Ran = (SpikeList, Stats, Courses);
type Transformed<'py> = (Bound<'py, PyArray1<f32>>, Vec<StatsRow>);

/// Synapses that are settled within some ten milliseconds.
const LARGE: usize = 1_000_000;

/// A run that is over, or what whoever took its spikes has raised.
fn ended(spikes: Spikes, ran: Result<(Stats, Courses)>) -> Result<PyResult<Ran>> {
    let spikes = match spikes.finish() {
        Ok(spikes) => spikes,
        Err(raised) => return Ok(Err(raised)),
    };
    ran.map(|(stats, courses)| Ok((spikes, stats, courses)))
}

/// Neurons, synapses and what they have learned.
#[pyclass(frozen)]
pub(crate) struct Network {
    /// Shared with work that goes on after nobody waits for it.
    core: Arc<RwLock<Core>>,
    learned: Arc<Mutex<Learned>>,
    /// Whether settling all its synapses takes longer than a user should wait for.
    is_large: bool,
}

impl Network {
    pub(crate) fn of(core: Core, is_large: bool) -> Self {
        Self { core: Arc::new(RwLock::new(core)), learned: Arc::default(), is_large }
    }

    /// The core, shared, and whether it is large.
    pub(crate) fn core(&self) -> (Arc<RwLock<Core>>, bool) {
        (Arc::clone(&self.core), self.is_large)
    }
}

#[pymethods]
impl Network {
    /// `norms`: of `incoming`, which is for recurrent weights, and of `incoming_inputs`.
    #[new]
    #[pyo3(signature = (neurons, inputs, recurrent, adaptation, incoming, dtype, n_shards=None,
        competition=None, incoming_inputs=None, norms=None))]
    fn new(
        py: Python<'_>,
        neurons: NeuronArrays<'_>,
        inputs: SynapseArrays<'_>,
        recurrent: SynapseArrays<'_>,
        adaptation: Option<(f64, f64)>,
        incoming: PyReadonlyArray1<'_, f64>,
        dtype: &str,
        n_shards: Option<usize>,
        competition: Option<CompetitionArrays<'_>>,
        incoming_inputs: Option<PyReadonlyArray1<'_, f64>>,
        norms: Option<(String, String)>,
    ) -> PyResult<Self> {
        let neurons = self::neurons(&neurons)?;
        let n_neurons = neurons.tau_m.len();
        let adaptation =
            adaptation.map(|(theta_plus, tau_theta)| Adaptation { theta_plus, tau_theta });
        let (inputs, recurrent) = (synapses(&inputs)?, synapses(&recurrent)?);
        let incoming = copied("incoming", &incoming)?;
        let incoming_inputs = match &incoming_inputs {
            Some(targets) => copied("incoming_inputs", targets)?,
            None => Vec::new(),
        };
        let norms = match norms {
            Some((recurrent, inputs)) => Some([norm(&recurrent)?, norm(&inputs)?]),
            None => None,
        };
        let competition = competition.map(self::competition).transpose()?;
        let double = match dtype {
            "float32" => false,
            "float64" => true,
            other => {
                return Err(to_py(Error::parameter("dtype", "'float32' or 'float64'", other)));
            }
        };
        let is_large = inputs.len() + recurrent.len() > LARGE;
        let core = abandonable(py, move |_| {
            let plain = Description::new(
                neurons,
                inputs.connections(n_neurons, true)?,
                recurrent.connections(n_neurons, false)?,
            );
            let norms = norms.unwrap_or(plain.norms);
            let description =
                Description { competition, adaptation, incoming, incoming_inputs, norms, ..plain };
            Ok(if double {
                Core::F64(Engine::new(&description, n_shards)?)
            } else {
                Core::F32(Engine::new(&description, n_shards)?)
            })
        })?;
        Ok(Self::of(core, is_large))
    }

    /// Times and neurons of the spikes of one sample, what it took, and the course of what is wanted.
    ///
    /// `scale`: factor on the amplitudes of STDP. `undo`: whether a sample that is interrupted while learning leaves no trace.
    /// `parts_to`: who gets the spikes, `part` at a time, which are then not returned.
    /// `drive`: what is drawn beside the events; `injection`: what is injected into neurons.
    #[pyo3(signature = (t, channel, duration, learn, n_threads, undo=false, scale=1.0, record=None,
        parts_to=None, part=0, drive=None, injection=None))]
    fn run<'py>(
        &self,
        py: Python<'py>,
        t: PyReadonlyArray1<'py, i64>,
        channel: PyReadonlyArray1<'py, u32>,
        duration: i64,
        learn: bool,
        n_threads: Option<usize>,
        undo: bool,
        scale: f64,
        record: Option<MonitorArrays<'py>>,
        parts_to: Option<Py<PyAny>>,
        part: usize,
        drive: Option<&Drive>,
        injection: Option<&Injection>,
    ) -> PyResult<SpikeArrays<'py>> {
        let monitors = monitors(record)?;
        let (t, channel) = (copied("t", &t)?, copied("channel", &channel)?);
        let drive = drive.map(|drive| drive.0.clone());
        let injection = injection.map(|injection| injection.0.clone());
        let (core, learned) = (Arc::clone(&self.core), Arc::clone(&self.learned));
        let work = move |ask: &mut Ask<'_>| {
            let input = Input {
                t: &t,
                channel: &channel,
                duration,
                drive: drive.as_ref(),
                injection: injection.as_ref(),
            };
            let mut spikes = Spikes::new(parts_to, part);
            if !learn {
                let core = reading(&core, ask)?;
                let mut asking = spikes.asking(ask);
                let ran = with_engine!(&*core, e => {
                    e.run_watched(&input, &monitors, &mut spikes, n_threads, &mut asking)
                        .map(|(stats, courses)| (stats, Courses::from(courses)))
                });
                return ended(spikes, ran);
            }
            let mut core = writing(&core, ask)?;
            let mut asking = spikes.asking(ask);
            let ran = with_engine!(&mut *core, e => {
                let before = undo.then(|| e.learned());
                let result =
                    e.learn_watched(&input, scale, &monitors, &mut spikes, n_threads, &mut asking);
                if let (Err(_), Some(before)) = (&result, before) {
                    e.put_back(&before);
                }
                result.map(|(stats, courses)| (stats, Courses::from(courses)))
            });
            // Counted before the core is let go of: both always tell of the same moment.
            if let Ok((stats, _)) = &ran {
                tally(&learned).add(&input, stats);
            }
            ended(spikes, ran)
        };
        // Who learns settles all synapses without asking; a thread for that costs 150 µs.
        let (spikes, stats, courses) = if learn && self.is_large {
            abandonable(py, move |ask| work(ask))??
        } else {
            detached(py, |poll| work(poll))??
        };
        let (t, neuron) = (spikes.t.into_pyarray(py), spikes.neuron.into_pyarray(py));
        Ok((t, neuron, row(&stats), courses.into_list()))
    }

    /// Learn from samples side by side, and merge the changes; what each took.
    ///
    /// A batch that is interrupted leaves no trace. `drive`: what is drawn beside the events, of which
    /// the first sample is number `first`.
    #[pyo3(signature = (samples, n_threads, scale=1.0, drive=None, first=0))]
    fn learn_batch(
        &self,
        py: Python<'_>,
        samples: Vec<SampleArrays<'_>>,
        n_threads: Option<usize>,
        scale: f64,
        drive: Option<&Drive>,
        first: u64,
    ) -> PyResult<Vec<StatsRow>> {
        let copies = copies(&samples)?;
        let drives = drives(drive, first, copies.len());
        let (core, learned) = (Arc::clone(&self.core), Arc::clone(&self.learned));
        let stats = abandonable(py, move |ask| {
            let inputs = inputs(&copies, drives.as_deref());
            let mut core = writing(&core, ask)?;
            let stats = with_engine!(&mut *core, e => e.learn_batch_scaled(&inputs, scale, n_threads, ask))?;
            let mut learned = tally(&learned);
            inputs.iter().zip(&stats).for_each(|(input, stats)| learned.add(input, stats));
            Ok(stats)
        })?;
        Ok(stats.iter().map(row).collect())
    }

    /// Features of many samples, flat, and what each took; of pools of neurons, if `pool` says the
    /// pool of each (2^32 - 1: none). `drive`: what is drawn beside the events, of which the first
    /// sample is number `first`.
    #[pyo3(signature = (samples, n_windows, by_events, counts, tau_lowpass, n_threads, pool=None,
        n_pools=None, drive=None, first=0))]
    fn transform<'py>(
        &self,
        py: Python<'py>,
        samples: Vec<SampleArrays<'py>>,
        n_windows: usize,
        by_events: bool,
        counts: bool,
        tau_lowpass: Option<f64>,
        n_threads: Option<usize>,
        pool: Option<PyReadonlyArray1<'py, u32>>,
        n_pools: Option<usize>,
        drive: Option<&Drive>,
        first: u64,
    ) -> PyResult<Transformed<'py>> {
        let copies = copies(&samples)?;
        let drives = drives(drive, first, copies.len());
        let windows = if by_events { Windows::Events } else { Windows::Time };
        let pool = pool.map(|pool| copied("pool", &pool)).transpose()?;
        let pools = pools(pool.as_deref(), n_pools)?;
        let spec = FeatureSpec { n_windows, windows, counts, tau_lowpass, pools };
        let (features, stats) = detached(py, |poll| {
            let core = reading(&self.core, poll)?;
            let inputs = inputs(&copies, drives.as_deref());
            with_engine!(&*core, e => e.transform(&inputs, spec, n_threads, poll))
        })?;
        Ok((features.into_pyarray(py), stats.iter().map(row).collect()))
    }

    /// Synapses of 'inputs' or 'recurrent' as a dictionary of arrays.
    fn synapses<'py>(&self, py: Python<'py>, source: &str) -> PyResult<Bound<'py, PyDict>> {
        let source = self::source(source)?;
        let core = Arc::clone(&self.core);
        let copy = abandonable(py, move |_| {
            Ok(match &*reading(&core, &mut || Ok(()))? {
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
        let (source, weight) = (self::source(source)?, copied("weight", &weight)?);
        let core = Arc::clone(&self.core);
        abandonable(py, move |ask| {
            let mut core = writing(&core, &mut || Ok(()))?;
            // Who comes after an interrupted call finds its weights, or waits for them.
            ask()?;
            with_engine!(&mut *core, e => e.set_weights(source, &weight))
        })
    }

    /// Replace the norms to which learned weights of 'inputs' or 'recurrent' are kept, mV.
    fn set_incoming(
        &self,
        py: Python<'_>,
        source: &str,
        targets: PyReadonlyArray1<'_, f64>,
    ) -> PyResult<()> {
        let (source, targets) = (self::source(source)?, copied("incoming", &targets)?);
        detached(py, |poll| {
            let mut core = writing(&self.core, poll)?;
            with_engine!(&mut *core, e => e.set_incoming(source, &targets))
        })
    }

    /// Adaptation of each threshold, mV.
    fn theta<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let theta = detached(py, |poll| {
            let core = reading(&self.core, poll)?;
            Ok(with_engine!(&*core, e => e.theta()))
        })?;
        Ok(theta.into_pyarray(py))
    }

    /// Replace the adaptation of each threshold, mV.
    fn set_theta(&self, py: Python<'_>, theta: PyReadonlyArray1<'_, f64>) -> PyResult<()> {
        let theta = copied("theta", &theta)?;
        detached(py, |poll| {
            let mut core = writing(&self.core, poll)?;
            with_engine!(&mut *core, e => e.set_theta(&theta))
        })
    }

    /// Samples learned from since it was made, their duration in µs, and what they took.
    #[getter]
    fn learned(&self, py: Python<'_>) -> PyResult<(u64, u64, StatsRow)> {
        detached(py, |poll| {
            // A sample that was interrupted may still be on its way to a clean end.
            let _core = reading(&self.core, poll)?;
            let Learned { n_samples, duration, counts } = *tally(&self.learned);
            Ok((n_samples, duration, counts))
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
