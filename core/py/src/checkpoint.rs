//! Making a checkpoint of segments.

use engine::wal::{Checkpoint, Records};
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::buffer::Bytes;
use crate::head::PyHead;
use crate::wal::{compression_from, damaged};

/// Bytes of a segment that are read while the head is locked.
const PIECE: usize = 256 * 1024;

/// Add this file's class to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyCheckpoint>()
}

/// A checkpoint being made.
#[pyclass(name = "Checkpoint", frozen, module = "bridge._core")]
pub struct PyCheckpoint {
    checkpoint: Mutex<Checkpoint>,
    mint: i64,
}

impl PyCheckpoint {
    /// What was written since the last [`Self::clear`].
    pub(crate) fn records(&self) -> Records {
        self.checkpoint.lock().records().clone()
    }

    pub(crate) fn clear(&self) {
        self.checkpoint.lock().clear();
    }
}

#[pymethods]
impl PyCheckpoint {
    #[new]
    #[pyo3(signature = (mint, compression = "snappy"))]
    fn new(mint: i64, compression: &str) -> PyResult<Self> {
        let checkpoint = Checkpoint::new(mint, compression_from(compression)?);
        let checkpoint = Mutex::new(checkpoint);
        Ok(Self { checkpoint, mint })
    }

    fn feed(&self, py: Python<'_>, head: &PyHead, segment: Bytes, start: usize) -> PyResult<Option<usize>> {
        let fed = py.detach(|| {
            let head = head.read();
            let needed = |series| head.needed_from(series, self.mint);
            self.checkpoint.lock().feed(segment.as_slice(), start, PIECE, needed)
        });
        fed.map_err(|damage| damaged(py, damage))
    }

    #[pyo3(signature = (events = Vec::new()))]
    fn finish(&self, py: Python<'_>, events: Vec<Vec<u8>>) {
        py.detach(|| self.checkpoint.lock().finish(&events));
    }

    #[getter]
    fn series(&self) -> usize {
        self.checkpoint.lock().stats().series
    }

    #[getter]
    fn samples(&self) -> usize {
        self.checkpoint.lock().stats().samples
    }

    #[getter]
    fn samples_dropped(&self) -> usize {
        self.checkpoint.lock().stats().samples_dropped
    }
}
