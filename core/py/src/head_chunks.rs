//! Closed chunks of the head on their way into files, and back at a start.

use std::sync::Arc;

use engine::head::{self, ClosedChunks, Head};
use engine::head_chunks::{Damage, HEADER};
use parking_lot::RwLock;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::buffer::Bytes;

/// Add this file's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("HEAD_CHUNKS_HEADER", PyBytes::new(module.py(), &HEADER))?;
    module.add_class::<PyClosedChunks>()
}

/// Chunks to be written to a file.
#[pyclass(name = "ClosedChunks", frozen, module = "bridge._core")]
pub struct PyClosedChunks {
    head: Arc<RwLock<Head>>,
    chunks: ClosedChunks,
}

impl PyClosedChunks {
    /// The chunks that have waited longest, of about `size` bytes.
    pub(crate) fn collect(py: Python<'_>, head: &Arc<RwLock<Head>>, size: usize) -> Self {
        Self {
            chunks: py.detach(|| head.read().closed_chunks(size)),
            head: head.clone(),
        }
    }
}

#[pymethods]
impl PyClosedChunks {
    fn __len__(&self) -> usize {
        self.chunks.len()
    }

    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.chunks.bytes)
    }

    fn mapped(&self, py: Python<'_>, number: u32, offset: usize, file: Bytes) -> PyResult<()> {
        let file = file.into_blob(py)?;
        py.detach(|| self.head.write().mapped(&self.chunks, number, offset, file));
        Ok(())
    }
}

/// Read the chunks of a file in place of the log; how many the head can use, and where the last one ends.
pub(crate) fn attach(py: Python<'_>, head: &RwLock<Head>, number: u32, file: Bytes) -> PyResult<(usize, usize)> {
    let file = file.into_blob(py)?;
    let attached = py.detach(|| head.write().attach(number, file));
    let head::Attached { chunks, end } = attached.map_err(damaged)?;
    Ok((chunks, end))
}

fn damaged(damage: Damage) -> PyErr {
    PyValueError::new_err(format!("offset {}: {}", damage.offset, damage.reason))
}
