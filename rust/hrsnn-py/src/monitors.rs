//! What is to be recorded, from Python and back.

use hrsnn_core::Error;
use hrsnn_core::current::Receptor;
use hrsnn_core::engine::{Monitors, Wanted};
use hrsnn_core::projection::Source;
use hrsnn_core::real::Real;
use numpy::{Element, IntoPyArray, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::description::copied;
use crate::error::to_py;

/// Distance of the grid in µs; then each state variable by its name, with the neurons, or the rows
/// and the neurons of the synapses, that are wanted of it.
pub(crate) type MonitorArrays<'py> =
    (i64, Vec<(String, PyReadonlyArray1<'py, u32>, Option<PyReadonlyArray1<'py, u32>>)>);

/// Courses in either precision.
pub(crate) enum Courses {
    F32(Vec<Vec<f32>>),
    F64(Vec<Vec<f64>>),
}

/// A copy of what is wanted; nothing where there is none.
pub(crate) fn monitors(arrays: Option<MonitorArrays<'_>>) -> PyResult<Monitors> {
    let Some((every, arrays)) = arrays else { return Ok(Monitors::default()) };
    let mut wanted = Vec::with_capacity(arrays.len());
    for (name, some, post) in arrays {
        let some = copied("some", &some)?;
        wanted.push(match (name.as_str(), post) {
            ("v", None) => Wanted::V(some),
            ("u_ex", None) => Wanted::Charge(Receptor::Excitatory, some),
            ("u_in", None) => Wanted::Charge(Receptor::Inhibitory, some),
            ("theta", None) => Wanted::Theta(some),
            ("weight", Some(post)) => Wanted::Weight(Source::Recurrent, pairs(some, &post)?),
            ("input_weight", Some(post)) => Wanted::Weight(Source::Input, pairs(some, &post)?),
            _ => {
                let expected = "the name of a state variable, with neurons or synapses";
                return Err(to_py(Error::parameter("record", expected, name)));
            }
        });
    }
    Ok(Monitors { every, wanted })
}

fn pairs(pre: Vec<u32>, post: &PyReadonlyArray1<'_, u32>) -> PyResult<Vec<[u32; 2]>> {
    let post = copied("post", post)?;
    if pre.len() != post.len() {
        return Err(to_py(Error::length("post", pre.len(), post.len())));
    }
    Ok(pre.into_iter().zip(post).map(|(pre, post)| [pre, post]).collect())
}

impl From<Vec<Vec<f32>>> for Courses {
    fn from(courses: Vec<Vec<f32>>) -> Self {
        Self::F32(courses)
    }
}

impl From<Vec<Vec<f64>>> for Courses {
    fn from(courses: Vec<Vec<f64>>) -> Self {
        Self::F64(courses)
    }
}

impl Courses {
    /// One flat array for each, in the precision of the network.
    pub(crate) fn into_list(self, py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
        match self {
            Self::F32(courses) => list(py, courses),
            Self::F64(courses) => list(py, courses),
        }
    }
}

fn list<T: Real + Element>(py: Python<'_>, courses: Vec<Vec<T>>) -> PyResult<Bound<'_, PyList>> {
    PyList::new(py, courses.into_iter().map(|course| course.into_pyarray(py)))
}
