//! Bindings of model files: dictionaries of NumPy arrays in and out.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use hrsnn_core::engine::Poll as Ask;
use hrsnn_core::error::with_room;
use hrsnn_core::snapshot::{Snapshot, Tensor};
use hrsnn_core::{Error, Result};
use numpy::PyUntypedArrayMethods;
use numpy::{IntoPyArray, PyArrayDyn, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use safetensors::tensor::Dtype;

use crate::error::to_py;
use crate::waiting::{abandonable, detached};

/// Bytes, of whole elements, between two such questions.
const PIECE: usize = 4 << 20;

macro_rules! kinds {
    ($($variant:ident => $kind:ty),*) => {
        /// Elements of one of the types that a file may hold.
        enum Values {
            $($variant(Vec<$kind>)),*
        }

        fn tensor(name: &str, array: &Bound<'_, PyAny>) -> PyResult<Option<Tensor>> {
            $(if let Ok(array) = array.cast::<PyArrayDyn<$kind>>() {
                let values = array.readonly();
                let n = values.len() * size_of::<$kind>();
                let mut bytes = with_room(name, n).map_err(to_py)?;
                values.as_array().iter().for_each(|v| bytes.extend_from_slice(&v.to_le_bytes()));
                let (dtype, shape) = (Dtype::$variant, array.shape().to_vec());
                return Ok(Some(Tensor { dtype, shape, bytes }));
            })*
            Ok(None)
        }

        fn values(name: &str, tensor: &Tensor, poll: &mut Ask<'_>) -> Result<Option<Values>> {
            match tensor.dtype {
                $(Dtype::$variant => {
                    let mut values = with_room(name, tensor.bytes.len() / size_of::<$kind>())?;
                    for piece in tensor.bytes.chunks(PIECE) {
                        values.extend(piece.chunks_exact(size_of::<$kind>()).map(|chunk| {
                            let mut bytes = [0; size_of::<$kind>()];
                            bytes.copy_from_slice(chunk);
                            <$kind>::from_le_bytes(bytes)
                        }));
                        poll()?;
                    }
                    Ok(Some(Values::$variant(values)))
                })*
                _ => Ok(None),
            }
        }

        fn array(py: Python<'_>, values: Values, shape: Vec<usize>) -> PyResult<Bound<'_, PyAny>> {
            match values {
                $(Values::$variant(values) => {
                    Ok(values.into_pyarray(py).reshape(shape)?.into_any())
                })*
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
        let Some(tensor) = tensor(&name, &value)? else {
            let expected = "a float32, float64, int64, uint32 or uint8 array";
            return Err(to_py(Error::parameter(name, expected, value.get_type())));
        };
        tensors.insert(name, tensor);
        py.check_signals()?;
    }
    detached(py, |poll| Snapshot { tensors, metadata }.save(&path, poll))
}

/// Arrays and texts of the file at `path`.
#[pyfunction]
pub(crate) fn load_arrays(
    py: Python<'_>,
    path: PathBuf,
) -> PyResult<(Bound<'_, PyDict>, HashMap<String, String>)> {
    // To free what was read takes long as well: so whoever gives up does not wait for it.
    let (read, metadata) = abandonable(py, move |poll| {
        let snapshot = Snapshot::load(&path, poll)?;
        let mut read = Vec::new();
        for (name, tensor) in snapshot.tensors {
            let Some(values) = values(&name, &tensor, poll)? else {
                let reason = format!("{name} has the element type {:?}", tensor.dtype);
                return Err(Error::Format { path: path.display().to_string(), reason });
            };
            read.push((name, values, tensor.shape));
        }
        Ok((read, snapshot.metadata))
    })?;
    let arrays = PyDict::new(py);
    for (name, values, shape) in read {
        arrays.set_item(name, array(py, values, shape)?)?;
    }
    Ok((arrays, metadata))
}
