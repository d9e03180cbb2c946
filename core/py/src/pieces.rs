//! Long texts under way, which Python takes piece by piece.

use engine::{push, query};
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::selected::failure;

/// Size of a piece, bytes.
const PIECE: usize = 256 * 1024;

/// Add this file's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyDump>()?;
    module.add_class::<PyExport>()?;
    module.add_class::<PyFederation>()?;
    module.add_class::<PyPage>()
}

/// An export under way.
#[pyclass(name = "Export", frozen, module = "bridge._core")]
pub struct PyExport(Mutex<query::Export>);

impl From<query::Export> for PyExport {
    fn from(under_way: query::Export) -> Self {
        Self(Mutex::new(under_way))
    }
}

#[pymethods]
impl PyExport {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let piece = py.detach(|| {
            let mut piece = Vec::new();
            self.0.lock().piece(&mut piece, PIECE).map(|()| piece)
        });
        let piece = piece.map_err(|failed| failure(py, failed))?;
        Ok((!piece.is_empty()).then(|| PyBytes::new(py, &piece)))
    }

    #[getter]
    fn unrepresentable(&self) -> Vec<(&'static str, u64)> {
        let counts = self.0.lock().unrepresentable;
        counts.by_reason().filter(|(_, count)| *count > 0).collect()
    }
}

/// A federation under way.
#[pyclass(name = "Federation", frozen, module = "bridge._core")]
pub struct PyFederation(Mutex<query::Federation>);

impl From<query::Federation> for PyFederation {
    fn from(under_way: query::Federation) -> Self {
        Self(Mutex::new(under_way))
    }
}

#[pymethods]
impl PyFederation {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        let piece = py.detach(|| {
            let mut piece = Vec::new();
            self.0.lock().piece(&mut piece, PIECE);
            piece
        });
        (!piece.is_empty()).then(|| PyBytes::new(py, &piece))
    }
}

/// The page of all push groups under way.
#[pyclass(name = "Page", frozen, module = "bridge._core")]
pub struct PyPage(Mutex<push::Page>);

impl From<push::Page> for PyPage {
    fn from(under_way: push::Page) -> Self {
        Self(Mutex::new(under_way))
    }
}

#[pymethods]
impl PyPage {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        let piece = py.detach(|| self.0.lock().piece(PIECE));
        (!piece.is_empty()).then(|| PyBytes::new(py, &piece))
    }
}

/// A dump under way.
#[pyclass(name = "Dump", frozen, module = "bridge._core")]
pub struct PyDump(Mutex<query::Dump>);

impl From<query::Dump> for PyDump {
    fn from(under_way: query::Dump) -> Self {
        Self(Mutex::new(under_way))
    }
}

#[pymethods]
impl PyDump {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let piece = py.detach(|| {
            let mut piece = String::new();
            self.0.lock().piece(&mut piece, PIECE).map(|()| piece)
        });
        let piece = piece.map_err(|failed| failure(py, failed))?;
        Ok((!piece.is_empty()).then(|| PyBytes::new(py, piece.as_bytes())))
    }
}
