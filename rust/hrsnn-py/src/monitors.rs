//! What is to be recorded, from Python and back.

use hrsnn_core::Error;
use hrsnn_core::current::Receptor;
use hrsnn_core::engine::{Course as Of, Monitors, Wanted};
use hrsnn_core::projection::Source;
use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::description::copied;
use crate::error::to_py;
use crate::waiting::detached;

/// Distance of the grid in µs; then each state variable by its name, with the neurons, or the rows
/// and the neurons of the synapses, that are wanted of it.
pub(crate) type MonitorArrays<'py> =
    (i64, Vec<(String, PyReadonlyArray1<'py, u32>, Option<PyReadonlyArray1<'py, u32>>)>);

/// Courses in either precision.
pub(crate) enum Courses {
    F32(Vec<Of<f32>>),
    F64(Vec<Of<f64>>),
}

/// What was recorded of one that was wanted.
#[pyclass(frozen)]
pub(crate) struct Course(Either);

enum Either {
    F32(Of<f32>),
    F64(Of<f64>),
}

#[pymethods]
impl Course {
    /// Values in the precision of the network, flat: for each time one row.
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(match &self.0 {
            Either::F32(course) => {
                detached(py, |_| Ok(course.values()))?.into_pyarray(py).into_any()
            }
            Either::F64(course) => {
                detached(py, |_| Ok(course.values()))?.into_pyarray(py).into_any()
            }
        })
    }
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

impl From<Vec<Of<f32>>> for Courses {
    fn from(courses: Vec<Of<f32>>) -> Self {
        Self::F32(courses)
    }
}

impl From<Vec<Of<f64>>> for Courses {
    fn from(courses: Vec<Of<f64>>) -> Self {
        Self::F64(courses)
    }
}

impl Courses {
    /// One object for each.
    pub(crate) fn into_list(self) -> Vec<Course> {
        match self {
            Self::F32(courses) => courses.into_iter().map(|c| Course(Either::F32(c))).collect(),
            Self::F64(courses) => courses.into_iter().map(|c| Course(Either::F64(c))).collect(),
        }
    }
}
