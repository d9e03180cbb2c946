//! Request bodies: decompression.

use engine::wire::compression::{self, InflateError};
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::buffer::Bytes;

create_exception!(
    _core,
    TooLong,
    PyValueError,
    "More comes out of a compressed body than its limit."
);

fn inflated<'py>(py: Python<'py>, result: Result<Vec<u8>, InflateError>) -> PyResult<Bound<'py, PyBytes>> {
    match result {
        Ok(data) => Ok(PyBytes::new(py, &data)),
        Err(error) => Err(inflate_error(error)),
    }
}

/// TooLong or ValueError.
pub(crate) fn inflate_error(error: InflateError) -> PyErr {
    match error {
        InflateError::TooLong(_) => TooLong::new_err(error.to_string()),
        InflateError::Corrupt(_) => PyValueError::new_err(error.to_string()),
    }
}

#[pyfunction]
fn gunzip<'py>(py: Python<'py>, data: Bytes, limit: usize) -> PyResult<Bound<'py, PyBytes>> {
    let result = py.detach(|| compression::gunzip(data.as_slice(), limit));
    inflated(py, result)
}

#[pyfunction]
fn unsnappy_framed<'py>(py: Python<'py>, data: Bytes, limit: usize) -> PyResult<Bound<'py, PyBytes>> {
    let result = py.detach(|| compression::unsnappy_framed(data.as_slice(), limit));
    inflated(py, result)
}

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("TooLong", module.py().get_type::<TooLong>())?;
    module.add_function(wrap_pyfunction!(gunzip, module)?)?;
    module.add_function(wrap_pyfunction!(unsnappy_framed, module)?)
}
