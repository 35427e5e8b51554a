//! The description of a network in arrays, copied before the interpreter is let go.

use hrsnn_core::Result;
use hrsnn_core::competition::Competition;
use hrsnn_core::csr::Csr;
use hrsnn_core::error::with_room;
use hrsnn_core::network::{Connections, NeuronParameters, Plasticity};
use hrsnn_core::stdp::Pairing;
use numpy::{Element, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::error::to_py;

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

/// Number of the group of each neuron (2^32 - 1: none), inhibition in mV, hold in µs.
pub(crate) type CompetitionArrays<'py> = (PyReadonlyArray1<'py, u32>, f64, i64);

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

/// Elements whose copy takes long enough to look for Ctrl-C after it.
const MANY: usize = 100_000;

/// A copy, or an error where there is no memory for it.
pub(crate) fn copied<T: Element + Copy>(
    name: &str,
    array: &PyReadonlyArray1<'_, T>,
) -> PyResult<Vec<T>> {
    let view = array.as_array();
    let mut values = with_room(name, view.len()).map_err(to_py)?;
    match view.as_slice() {
        Some(slice) => values.extend_from_slice(slice),
        None => values.extend(view.iter().copied()),
    }
    if values.len() > MANY {
        array.py().check_signals()?;
    }
    Ok(values)
}

/// Copies of the parameters of the neurons.
pub(crate) fn neurons(arrays: &NeuronArrays<'_>) -> PyResult<NeuronParameters> {
    Ok(NeuronParameters {
        tau_m: copied("tau_m", &arrays.tau_m)?,
        v_rest: copied("v_rest", &arrays.v_rest)?,
        v_reset: copied("v_reset", &arrays.v_reset)?,
        v_threshold: copied("v_threshold", &arrays.v_threshold)?,
        t_ref: copied("t_ref", &arrays.t_ref)?,
        bias: copied("bias", &arrays.bias)?,
        tau_syn_ex: copied("tau_syn_ex", &arrays.tau_syn_ex)?,
        tau_syn_in: copied("tau_syn_in", &arrays.tau_syn_in)?,
        theta: copied("theta", &arrays.theta)?,
    })
}

/// A copy of who competes with whom.
pub(crate) fn competition(
    (group, inhibition, hold_us): CompetitionArrays<'_>,
) -> PyResult<Competition> {
    Ok(Competition { group: copied("group", &group)?, inhibition, hold_us })
}

/// Copies of the arrays of one source, not yet checked.
pub(crate) struct Copies {
    indptr: Vec<i64>,
    indices: Vec<u32>,
    weight: Vec<f64>,
    delay: Vec<f64>,
    plasticity: Option<Plasticity>,
}

/// Copies of the arrays of one source.
pub(crate) fn synapses(arrays: &SynapseArrays<'_>) -> PyResult<Copies> {
    let plasticity = match &arrays.plasticity {
        None => None,
        Some(p) => Some(Plasticity {
            plastic: copied("plastic", &p.plastic)?,
            a_plus: copied("a_plus", &p.a_plus)?,
            a_minus: copied("a_minus", &p.a_minus)?,
            tau_plus: copied("tau_plus", &p.tau_plus)?,
            tau_minus: copied("tau_minus", &p.tau_minus)?,
            w_min: p.w_min,
            w_max: p.w_max,
            mu_plus: p.mu_plus,
            mu_minus: p.mu_minus,
            pairing: if p.nearest { Pairing::Nearest } else { Pairing::AllToAll },
            half_precision: p.half_precision,
        }),
    };
    Ok(Copies {
        indptr: copied("indptr", &arrays.indptr)?,
        indices: copied("indices", &arrays.indices)?,
        weight: copied("weight", &arrays.weight)?,
        delay: copied("delay", &arrays.delay)?,
        plasticity,
    })
}

impl Copies {
    /// Number of synapses.
    pub(crate) fn len(&self) -> usize {
        self.weight.len()
    }

    /// Checked as a graph, in which pairs may be connected several times if it `repeats`.
    pub(crate) fn connections(self, n_neurons: usize, repeats: bool) -> Result<Connections> {
        // A negative entry becomes huge and is refused as such.
        let indptr = self.indptr.into_iter().map(|start| start as u64).collect();
        let make = if repeats { Csr::with_repeats } else { Csr::new };
        let graph = make(indptr, self.indices, n_neurons)?;
        let Self { weight, delay, plasticity, .. } = self;
        Ok(Connections { graph, weight, delay, plasticity })
    }
}
