//! The head and its staged batches.

use pyo3::prelude::*;

/// Add this file's classes and functions to the module.
pub fn register(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
