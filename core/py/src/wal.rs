//! Framing records for the log, and slices of it.

use engine::extent::Extent;
use engine::wal::hole::hole;
use engine::wal::page::ZSTD;
use engine::wal::{self, Compression, Damage, Reader, Records};
use parking_lot::Mutex;
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::buffer::Bytes;
use crate::checkpoint::PyCheckpoint;
use crate::deletion::PyDeletion;
use crate::staged::PyStaged;

create_exception!(
    _core,
    LogDamaged,
    PyValueError,
    "A segment that cannot be read where it should be."
);

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("LogDamaged", module.py().get_type::<LogDamaged>())?;
    module.add_function(wrap_pyfunction!(check_log, module)?)?;
    module.add_function(wrap_pyfunction!(resume_log, module)?)?;
    module.add_function(wrap_pyfunction!(log_hole, module)?)?;
    module.add_class::<PyFramer>()?;
    module.add_class::<PyExtent>()?;
    module.add_class::<PyLogSlice>()
}

/// Check every checksum of a segment.
#[pyfunction]
fn check_log(py: Python<'_>, segment: Bytes) -> PyResult<()> {
    let checked = py.detach(|| Reader::new(segment.as_slice(), 0).check());
    checked.map_err(|damage| damaged(py, damage))
}

/// Where the next batch begins behind damage at `start`.
#[pyfunction]
fn resume_log(py: Python<'_>, segment: Bytes, start: usize, stop: usize) -> Option<usize> {
    py.detach(|| wal::LogSlice::resume(segment.as_slice(), start, stop))
}

/// Bytes that every reader passes over.
#[pyfunction]
fn log_hole<'py>(py: Python<'py>, start: usize, stop: usize) -> Option<Bound<'py, PyBytes>> {
    hole(start, stop).map(|bytes| PyBytes::new(py, &bytes))
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
pub struct PyFramer {
    framer: Mutex<wal::Framer>,
    /// Makes a zstd frame of bytes. Called with the GIL and without the lock, so that nobody waits for both.
    zstd: Option<Py<PyAny>>,
}

impl PyFramer {
    fn add_records(&self, py: Python<'_>, records: &Records) -> PyResult<bool> {
        let Some(zstd) = &self.zstd else {
            return Ok(py.detach(|| self.framer.lock().add(records)));
        };
        let frame = |record: &[u8]| -> PyResult<Option<Vec<u8>>> {
            let frame: Vec<u8> = zstd.bind(py).call1((PyBytes::new(py, record),))?.extract()?;
            Ok(Some(frame).filter(|frame| frame.len() < record.len()))
        };
        let frames = records.iter().map(frame).collect::<PyResult<Vec<_>>>()?;
        let packed = records.iter().zip(&frames).map(|(record, frame)| match frame {
            Some(frame) => (ZSTD, frame.as_slice()),
            None => (0, record),
        });
        Ok(self.framer.lock().add_packed(packed))
    }
}

/// The compression of that name.
pub(crate) fn compression_from(name: &str) -> PyResult<Compression> {
    match name {
        "none" => Ok(Compression::None),
        "snappy" => Ok(Compression::Snappy),
        "zstd" => Ok(Compression::Zstd),
        other => Err(PyValueError::new_err(format!("no such compression: {other:?}"))),
    }
}

#[pymethods]
impl PyFramer {
    #[new]
    #[pyo3(signature = (offset, segment_size, compression = "snappy", *, zstd = None))]
    fn new(offset: usize, segment_size: usize, compression: &str, zstd: Option<Py<PyAny>>) -> PyResult<Self> {
        let compression = compression_from(compression)?;
        if (compression == Compression::Zstd) != zstd.is_some() {
            return Err(PyValueError::new_err("compression \"zstd\" and an encoder go together"));
        }
        let framer = Mutex::new(wal::Framer::new(offset, segment_size, compression));
        Ok(Self { framer, zstd })
    }

    fn add(&self, py: Python<'_>, staged: &PyStaged) -> PyResult<bool> {
        self.add_records(py, staged.records())
    }

    fn add_tick(&self, py: Python<'_>, t: i64) -> PyResult<bool> {
        let mut records = Records::default();
        records.tick(t);
        self.add_records(py, &records)
    }

    fn add_checkpoint(&self, py: Python<'_>, checkpoint: &PyCheckpoint) -> PyResult<bool> {
        let records = checkpoint.records();
        let fits = self.add_records(py, &records)?;
        if fits {
            checkpoint.clear();
        }
        Ok(fits)
    }

    fn add_deletion(&self, py: Python<'_>, deletion: &PyDeletion) -> PyResult<bool> {
        self.add_records(py, &deletion.records())
    }

    fn take<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let mut framer = self.framer.lock();
        let framed = PyBytes::new(py, framer.framed());
        framer.clear();
        framed
    }

    #[getter]
    fn offset(&self) -> usize {
        self.framer.lock().offset()
    }

    fn rewind(&self, offset: usize) {
        self.framer.lock().rewind(offset);
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

    #[getter]
    fn exemplars(&self, py: Python<'_>) -> Option<(usize, i64, i64)> {
        py.detach(|| self.0.exemplar_extent())
    }

    fn __len__(&self) -> usize {
        self.0.samples()
    }
}

/// The times of many samples as a few disjoint spans.
#[pyclass(name = "Extent", frozen, module = "bridge._core")]
pub struct PyExtent(Mutex<Extent>);

#[pymethods]
impl PyExtent {
    #[new]
    #[pyo3(signature = (spans = Vec::new()))]
    fn new(spans: Vec<(i64, i64)>) -> Self {
        let mut extent = Extent::default();
        for (mint, maxt) in spans {
            extent.cover(mint, maxt);
        }
        Self(Mutex::new(extent))
    }

    fn add(&self, py: Python<'_>, slice: &PyLogSlice) {
        py.detach(|| slice.0.extend(&mut self.0.lock()));
    }

    #[getter]
    fn spans(&self) -> Vec<(i64, i64)> {
        self.0.lock().spans().to_vec()
    }
}
