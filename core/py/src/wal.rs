//! Framing records for the log, and slices of it.

use engine::wal::{self, Compression, Damage, Records};
use parking_lot::Mutex;
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::head::PyStaged;

create_exception!(
    _core,
    LogDamaged,
    PyValueError,
    "A segment that cannot be read where it should be."
);

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("LogDamaged", module.py().get_type::<LogDamaged>())?;
    module.add_class::<PyFramer>()?;
    module.add_class::<PyLogSlice>()
}

/// The exception for a segment that is damaged where a reader begins.
pub(crate) fn damaged(py: Python<'_>, damage: Damage) -> PyErr {
    let error = LogDamaged::new_err(format!("offset {}: {}", damage.offset, damage.reason));
    match error.value(py).setattr("offset", damage.offset) {
        Ok(()) => error,
        Err(other) => other,
    }
}

/// Frames the records of one segment.
#[pyclass(name = "Framer", frozen, module = "bridge._core")]
pub struct PyFramer(Mutex<wal::Framer>);

#[pymethods]
impl PyFramer {
    #[new]
    #[pyo3(signature = (offset, segment_size, compression = "snappy"))]
    fn new(offset: usize, segment_size: usize, compression: &str) -> PyResult<Self> {
        let compression = match compression {
            "none" => Compression::None,
            "snappy" => Compression::Snappy,
            other => return Err(PyValueError::new_err(format!("no such compression: {other:?}"))),
        };
        Ok(Self(Mutex::new(wal::Framer::new(offset, segment_size, compression))))
    }

    fn add(&self, py: Python<'_>, staged: &PyStaged) -> bool {
        py.detach(|| self.0.lock().add(staged.records()))
    }

    fn add_tick(&self, t: i64) -> bool {
        let mut records = Records::default();
        records.tick(t);
        self.0.lock().add(&records)
    }

    fn take<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let mut framer = self.0.lock();
        let framed = PyBytes::new(py, framer.framed());
        framer.clear();
        framed
    }

    #[getter]
    fn offset(&self) -> usize {
        self.0.lock().offset()
    }

    fn rewind(&self, offset: usize) {
        self.0.lock().rewind(offset);
    }
}

/// Samples of some whole batches, for a sink.
#[pyclass(name = "LogSlice", frozen, module = "bridge._core")]
pub struct PyLogSlice(pub(crate) wal::LogSlice);

#[pymethods]
impl PyLogSlice {
    #[getter]
    fn end(&self) -> usize {
        self.0.end
    }

    #[getter]
    fn seq(&self) -> u64 {
        self.0.seq
    }

    #[getter]
    fn samples(&self) -> usize {
        self.0.samples()
    }

    fn __len__(&self) -> usize {
        self.0.samples()
    }
}
