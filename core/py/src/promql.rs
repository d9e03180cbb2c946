//! PromQL's loops as Python sees them: numbers come and go as arrays, label sets and samples as handles.

mod frames;
mod histogram_functions;
mod histograms;
mod label_sets;
mod samples;

use pyo3::prelude::*;

/// Add this folder's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    histogram_functions::register(module)?;
    label_sets::register(module)?;
    samples::register(module)?;
    frames::register(module)?;
    histograms::register(module)
}
