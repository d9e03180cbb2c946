//! What the head tells about its labels.

use engine::head::{Cardinality, Count};
use pyo3::prelude::*;

use crate::head::PyHead;

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyCardinality>()?;
    module.add_function(wrap_pyfunction!(cardinality, module)?)
}

/// The largest counts.
#[pyclass(name = "Cardinality", frozen, module = "bridge._core")]
pub struct PyCardinality(Cardinality);

#[pymethods]
impl PyCardinality {
    #[getter]
    fn label_pairs(&self) -> u64 {
        self.0.label_pairs
    }

    #[getter]
    fn series_by_metric(&self) -> Vec<Count> {
        self.0.series_by_metric.clone()
    }

    #[getter]
    fn values_by_label(&self) -> Vec<Count> {
        self.0.values_by_label.clone()
    }

    #[getter]
    fn bytes_by_label(&self) -> Vec<Count> {
        self.0.bytes_by_label.clone()
    }

    #[getter]
    fn series_by_pair(&self) -> Vec<Count> {
        self.0.series_by_pair.clone()
    }
}

#[pyfunction]
fn cardinality(py: Python<'_>, head: &PyHead, limit: usize) -> PyCardinality {
    PyCardinality(py.detach(|| head.read().cardinality(limit)))
}
