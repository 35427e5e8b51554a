//! From the core's errors to the exceptions that Python users catch.

use hrsnn_core::Error;
use pyo3::import_exception;
use pyo3::prelude::*;

import_exception!(hrsnn_rs.errors, FormatError);
import_exception!(hrsnn_rs.errors, InternalError);
import_exception!(hrsnn_rs.errors, OutOfMemoryError);
import_exception!(hrsnn_rs.errors, ParameterError);
import_exception!(hrsnn_rs.errors, ShapeError);

/// The exception for `error`; the match is exhaustive but for future variants.
pub(crate) fn to_py(error: Error) -> PyErr {
    match error {
        Error::ShapeMismatch { .. } => ShapeError::new_err(error.to_string()),
        Error::Format { .. } => FormatError::new_err(error.to_string()),
        Error::Io { path, source } => {
            // OSError(errno, text, filename) lets Python choose FileNotFoundError and kin.
            match source.raw_os_error() {
                Some(code) => {
                    pyo3::exceptions::PyOSError::new_err((code, source.to_string(), path))
                }
                None => pyo3::exceptions::PyOSError::new_err(format!("{path}: {source}")),
            }
        }
        Error::Memory { .. } => OutOfMemoryError::new_err(error.to_string()),
        Error::Broken => InternalError::new_err(error.to_string()),
        Error::Interrupted => pyo3::exceptions::PyKeyboardInterrupt::new_err(()),
        _ => ParameterError::new_err(error.to_string()),
    }
}
