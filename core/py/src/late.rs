//! Samples of the head that came out of order, on their way into blocks.

use std::sync::Arc;

use engine::head::{Head, LateCut};
use parking_lot::RwLock;
use pyo3::prelude::*;

use crate::head::PyHead;

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyLateCut>()?;
    module.add_function(wrap_pyfunction!(cut_late, module)?)
}

/// What came out of order up to one moment.
#[pyclass(name = "LateCut", frozen, module = "bridge._core")]
pub struct PyLateCut {
    head: Arc<RwLock<Head>>,
    cut: Arc<LateCut>,
}

impl PyLateCut {
    /// The samples, for whoever writes them.
    pub(crate) fn shared(&self) -> Arc<LateCut> {
        self.cut.clone()
    }
}

#[pymethods]
impl PyLateCut {
    #[getter]
    fn range(&self) -> Option<(i64, i64)> {
        self.cut.range()
    }

    fn forget(&self, py: Python<'_>) {
        py.detach(|| self.head.write().drop_late(&self.cut));
    }
}

#[pyfunction]
fn cut_late(py: Python<'_>, head: &PyHead) -> PyLateCut {
    let head = head.shared();
    let cut = Arc::new(py.detach(|| head.write().cut_late()));
    PyLateCut { head, cut }
}
