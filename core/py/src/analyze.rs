//! What a block is like.

use engine::analyze::{self, Analysis, Ranked};
use pyo3::prelude::*;

use crate::block::{damaged, PyBlock};

/// Add this file's class and function to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyAnalysis>()?;
    module.add_function(wrap_pyfunction!(analyze_block, module)?)
}

/// The figures of one block.
#[pyclass(name = "Analysis", frozen, module = "bridge._core")]
pub struct PyAnalysis(Analysis);

#[pyfunction]
fn analyze_block(py: Python<'_>, block: &PyBlock, duration: u64, limit: usize) -> PyResult<PyAnalysis> {
    let block = block.shared();
    let found = py.detach(|| analyze::analyze(&block, duration, limit));
    found.map(PyAnalysis).map_err(|damage| damaged(py, damage))
}

#[pymethods]
impl PyAnalysis {
    #[getter]
    fn label_names(&self) -> u64 {
        self.0.label_names
    }

    #[getter]
    fn pairs(&self) -> u64 {
        self.0.pairs
    }

    #[getter]
    fn entries(&self) -> u64 {
        self.0.entries
    }

    #[getter]
    fn churning_pairs(&self) -> Vec<Ranked> {
        self.0.churning_pairs.clone()
    }

    #[getter]
    fn churning_names(&self) -> Vec<Ranked> {
        self.0.churning_names.clone()
    }

    #[getter]
    fn common_pairs(&self) -> Vec<Ranked> {
        self.0.common_pairs.clone()
    }

    #[getter]
    fn longest_values(&self) -> Vec<Ranked> {
        self.0.longest_values.clone()
    }

    #[getter]
    fn most_values(&self) -> Vec<Ranked> {
        self.0.most_values.clone()
    }

    #[getter]
    fn largest_metrics(&self) -> Vec<Ranked> {
        self.0.largest_metrics.clone()
    }

    #[getter]
    fn chunks(&self) -> u64 {
        self.0.chunks
    }

    #[getter]
    fn fullness(&self) -> [u64; 10] {
        self.0.fullness
    }
}
