//! Reading every byte of the log and of head chunks.

use engine::blob::Blob;
use engine::verify::{self, Damaged, LogVerifier};
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::buffer::Bytes;

/// Offset, length, reason.
type Range = (usize, usize, String);

/// Add this file's class and function to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyLogVerifier>()?;
    module.add_function(wrap_pyfunction!(verify_head_chunks, module)?)
}

fn ranges(damaged: Vec<Damaged>) -> Vec<Range> {
    damaged
        .into_iter()
        .map(|range| (range.offset, range.length, range.reason))
        .collect()
}

/// Reads a log, segment by segment.
#[pyclass(name = "LogVerifier", frozen, module = "bridge._core")]
pub struct PyLogVerifier(Mutex<LogVerifier>);

#[pymethods]
impl PyLogVerifier {
    #[new]
    fn new() -> Self {
        Self(Mutex::default())
    }

    fn segment(&self, py: Python<'_>, data: Bytes) -> Vec<Range> {
        ranges(py.detach(|| self.0.lock().segment(data.as_slice())))
    }

    #[getter]
    fn samples(&self) -> u64 {
        self.0.lock().samples
    }

    #[getter]
    fn orphans(&self) -> u64 {
        self.0.lock().orphans
    }
}

#[pyfunction]
fn verify_head_chunks(py: Python<'_>, data: Bytes) -> PyResult<(u64, Vec<Range>)> {
    let file: Blob = data.into_blob(py)?;
    let (chunks, damaged) = py.detach(|| verify::head_chunks(&file));
    Ok((chunks, ranges(damaged)))
}
