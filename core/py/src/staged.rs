//! A batch on its way from the head into the log and back, and what of it was refused.

use std::sync::Arc;

use engine::head::{self, ExemplarRefusals, Refusals};
use engine::wal::Records;
use parking_lot::RwLock;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::head::change;

/// Add this file's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyStaged>()?;
    module.add_class::<PyRefusals>()
}

/// A batch between its check and its commit.
#[pyclass(name = "Staged", frozen, module = "bridge._core")]
pub struct PyStaged {
    head: Arc<RwLock<head::Head>>,
    staged: head::Staged,
}

impl PyStaged {
    /// A batch that `head` has checked.
    pub(crate) fn new(head: Arc<RwLock<head::Head>>, staged: head::Staged) -> Self {
        Self { head, staged }
    }

    /// What the log must hold before the commit.
    pub(crate) fn records(&self) -> &Records {
        &self.staged.records
    }
}

#[pymethods]
impl PyStaged {
    #[getter]
    fn seq(&self) -> u64 {
        self.staged.seq
    }

    #[getter]
    fn samples(&self) -> usize {
        self.staged.samples
    }

    #[getter]
    fn time(&self) -> i64 {
        self.staged.time
    }

    #[getter]
    fn series_created(&self) -> usize {
        self.staged.series_created
    }

    #[getter]
    fn refused(&self) -> usize {
        self.staged.refusals.count
    }

    #[getter]
    fn refusal(&self) -> Option<String> {
        self.staged.refusals.first.first().map(|refused| refused.to_string())
    }

    #[getter]
    fn exemplars_refused(&self) -> usize {
        self.staged.exemplars_refused.count
    }

    #[getter]
    fn refusals(&self) -> Option<PyRefusals> {
        let (rows, exemplars) = (&self.staged.refusals, &self.staged.exemplars_refused);
        (rows.count > 0 || exemplars.count > 0).then(|| PyRefusals {
            rows: rows.clone(),
            exemplars: exemplars.clone(),
        })
    }

    fn commit(&self, py: Python<'_>) -> PyResult<()> {
        let committed = change(py, &self.head, self.staged.samples, |head| head.commit(self.staged.id));
        committed.map_err(|error| PyRuntimeError::new_err(error.to_string()))
    }
}

/// What of a batch was left out.
#[pyclass(name = "Refusals", frozen, module = "bridge._core")]
pub struct PyRefusals {
    rows: Refusals,
    exemplars: ExemplarRefusals,
}

#[pymethods]
impl PyRefusals {
    #[getter]
    fn samples(&self) -> usize {
        self.rows.count - self.rows.histograms
    }

    #[getter]
    fn histograms(&self) -> usize {
        self.rows.histograms
    }

    #[getter]
    fn exemplars(&self) -> usize {
        self.exemplars.count
    }

    #[getter]
    fn late_exemplars(&self) -> usize {
        self.exemplars.out_of_order
    }

    #[getter]
    fn reasons<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (reason, count) in &self.rows.by_reason {
            dict.set_item(reason, count)?;
        }
        Ok(dict)
    }

    #[getter]
    fn texts(&self) -> Vec<String> {
        let refused = self.rows.first.iter().chain(&self.exemplars.first);
        refused.map(ToString::to_string).collect()
    }
}
