//! Deletions in memory: staged, made durable, committed.

use std::sync::Arc;

use engine::head::{self, Head};
use engine::wal::Records;
use parking_lot::RwLock;
use pyo3::prelude::*;

use crate::head::{matchers_from, PyHead, PyMatcher};

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyDeletion>()?;
    module.add_function(wrap_pyfunction!(stage_deletion, module)?)
}

/// A deletion that waits for its record to be durable.
#[pyclass(name = "Deletion", frozen, module = "bridge._core")]
pub struct PyDeletion {
    head: Arc<RwLock<Head>>,
    deletion: head::Deletion,
}

impl PyDeletion {
    /// What the log must hold.
    pub(crate) fn records(&self) -> Records {
        self.deletion.records()
    }
}

#[pymethods]
impl PyDeletion {
    fn __len__(&self) -> usize {
        self.deletion.len()
    }

    fn commit(&self, py: Python<'_>) {
        py.detach(|| self.head.write().delete(&self.deletion));
    }
}

#[pyfunction]
fn stage_deletion(
    py: Python<'_>,
    head: &PyHead,
    matchers: Vec<PyMatcher>,
    mint: i64,
    maxt: i64,
) -> PyResult<PyDeletion> {
    let matchers = matchers_from(matchers)?;
    let deletion = py.detach(|| head.read().deletion(&matchers, mint, maxt));
    Ok(PyDeletion {
        head: head.shared(),
        deletion,
    })
}
