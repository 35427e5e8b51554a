//! Bindings of model files: dictionaries of NumPy arrays in and out.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use hrsnn_core::Error;
use hrsnn_core::snapshot::{Snapshot, Tensor};
use numpy::PyUntypedArrayMethods;
use numpy::{PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use safetensors::tensor::Dtype;

use crate::error::to_py;

macro_rules! kinds {
    ($($variant:ident => $kind:ty),*) => {
        fn tensor(array: &Bound<'_, PyAny>) -> Option<Tensor> {
            $(if let Ok(array) = array.cast::<PyArrayDyn<$kind>>() {
                let values = array.readonly();
                let bytes = values.as_array().iter().flat_map(|v| v.to_le_bytes()).collect();
                return Some(Tensor { dtype: Dtype::$variant, shape: array.shape().to_vec(), bytes });
            })*
            None
        }

        fn array<'py>(py: Python<'py>, tensor: &Tensor) -> PyResult<Option<Bound<'py, PyAny>>> {
            match tensor.dtype {
                $(Dtype::$variant => {
                    let chunks = tensor.bytes.chunks_exact(size_of::<$kind>());
                    let values = chunks.map(|chunk| {
                        let mut bytes = [0; size_of::<$kind>()];
                        bytes.copy_from_slice(chunk);
                        <$kind>::from_le_bytes(bytes)
                    });
                    let flat = numpy::PyArray1::from_iter(py, values);
                    Ok(Some(flat.reshape(tensor.shape.clone())?.into_any()))
                })*
                _ => Ok(None),
            }
        }
    };
}
kinds!(F32 => f32, F64 => f64, I64 => i64, U32 => u32, U8 => u8);

/// Write arrays (float32, float64, int64, uint32, uint8) and texts to `path`, atomically.
#[pyfunction]
pub(crate) fn save_arrays(
    py: Python<'_>,
    path: PathBuf,
    arrays: &Bound<'_, PyDict>,
    metadata: HashMap<String, String>,
) -> PyResult<()> {
    let mut tensors = BTreeMap::new();
    for (name, value) in arrays {
        let name: String = name.extract()?;
        let Some(tensor) = tensor(&value) else {
            let expected = "a float32, float64, int64, uint32 or uint8 array";
            return Err(to_py(Error::parameter(name, expected, value.get_type())));
        };
        tensors.insert(name, tensor);
    }
    py.detach(|| Snapshot { tensors, metadata }.save(&path)).map_err(to_py)
}

/// Arrays and texts of the file at `path`.
#[pyfunction]
pub(crate) fn load_arrays(
    py: Python<'_>,
    path: PathBuf,
) -> PyResult<(Bound<'_, PyDict>, HashMap<String, String>)> {
    let snapshot = py.detach(|| Snapshot::load(&path)).map_err(to_py)?;
    let arrays = PyDict::new(py);
    for (name, tensor) in &snapshot.tensors {
        let Some(array) = array(py, tensor)? else {
            let reason = format!("{name} has the element type {:?}", tensor.dtype);
            let path = path.display().to_string();
            return Err(to_py(Error::Format { path, reason }));
        };
        arrays.set_item(name, array)?;
    }
    Ok((arrays, snapshot.metadata))
}
