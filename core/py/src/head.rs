//! The head: batches in, samples out.

use std::sync::Arc;

use engine::head::{self, Bounds, Refused, Room};
use engine::regex::{Matcher, Operator};
use engine::wal::LogSlice;
use parking_lot::{RwLock, RwLockReadGuard};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::batch::append_refused;
pub(crate) use crate::batch::PyBatch;
use crate::buffer::Bytes;
use crate::gil::is_short;
use crate::head_chunks::{self, PyClosedChunks};
use crate::notes::{self, PyMetadata, PySeriesExemplars};
use crate::staged::PyStaged;
use crate::wal::{compression_from, damaged, PyLogSlice};

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyHead>()?;
    module.add_class::<PyReplayed>()
}

/// A matcher as Python writes it: (name, operator, value).
pub(crate) type PyMatcher = (String, String, String);

/// Compile matchers; ValueError when one is not.
pub(crate) fn matchers_from(matchers: Vec<PyMatcher>) -> PyResult<Vec<Matcher>> {
    let compile = |(name, operator, value): PyMatcher| {
        let operator = Operator::parse(&operator)
            .ok_or_else(|| PyValueError::new_err(format!("no such matcher: {operator:?}")))?;
        Matcher::new(&name, operator, &value).map_err(|error| PyValueError::new_err(error.to_string()))
    };
    matchers.into_iter().map(compile).collect()
}

fn refused(py: Python<'_>, refused: &Refused) -> PyErr {
    append_refused(py, refused.reason.name(), refused.to_string())
}

/// Series and samples in memory. The lock is never held while Python is called, so waiting for it cannot deadlock.
#[pyclass(name = "Head", frozen, module = "bridge._core")]
pub struct PyHead(Arc<RwLock<head::Head>>);

impl PyHead {
    /// The head, for reading. To be taken with the GIL released.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, head::Head> {
        self.0.read()
    }

    /// The head, for whoever reads it later.
    pub(crate) fn shared(&self) -> Arc<RwLock<head::Head>> {
        self.0.clone()
    }

    fn stats(&self, py: Python<'_>) -> head::Stats {
        py.detach(|| self.read().stats())
    }
}

/// Change the head, at once and with the GIL in hand when it is free and the change is small. A reader may have it for
/// long, and nobody waits for that with the GIL.
pub(crate) fn change<T: Send>(
    py: Python<'_>,
    head: &RwLock<head::Head>,
    size: usize,
    change: impl FnOnce(&mut head::Head) -> T + Send,
) -> T {
    if is_short(size) {
        if let Some(mut head) = head.try_write() {
            return change(&mut head);
        }
    }
    py.detach(|| change(&mut head.write()))
}

#[pymethods]
impl PyHead {
    #[new]
    fn new() -> Self {
        Self(Arc::new(RwLock::new(head::Head::new())))
    }

    #[pyo3(signature = (batch, *, max_series = None, max_new_series = None))]
    fn stage(
        &self,
        py: Python<'_>,
        batch: &PyBatch,
        max_series: Option<usize>,
        max_new_series: Option<usize>,
    ) -> PyResult<PyStaged> {
        let room = Room {
            series: max_series.unwrap_or(usize::MAX),
            new: max_new_series.unwrap_or(usize::MAX),
        };
        let staged = change(py, &self.0, batch.get().len(), |head| {
            head.stage_within(batch.get(), room)
        });
        let staged = staged.map_err(|error| refused(py, &error))?;
        Ok(PyStaged::new(self.0.clone(), staged))
    }

    fn rollback(&self, py: Python<'_>) {
        py.detach(|| self.0.write().rollback());
    }

    #[pyo3(signature = (min_valid, max_valid))]
    fn set_bounds(&self, py: Python<'_>, min_valid: Option<i64>, max_valid: Option<i64>) {
        let bounds = Bounds {
            min: min_valid.unwrap_or(i64::MIN),
            max: max_valid.unwrap_or(i64::MAX),
        };
        py.detach(|| self.0.write().set_bounds(bounds));
    }

    fn set_min_valid(&self, py: Python<'_>, t: i64) {
        py.detach(|| self.0.write().set_min_valid(t));
    }

    fn set_out_of_order_window(&self, py: Python<'_>, window: i64) {
        py.detach(|| self.0.write().set_out_of_order_window(window));
    }

    fn next_block(&self, py: Python<'_>) -> Option<(i64, i64)> {
        py.detach(|| self.read().next_block())
    }

    fn extent(&self, py: Python<'_>) -> Option<(i64, i64)> {
        py.detach(|| self.read().extent())
    }

    fn closed_chunks(&self, py: Python<'_>, size: usize) -> PyClosedChunks {
        PyClosedChunks::collect(py, &self.0, size)
    }

    fn attach(&self, py: Python<'_>, number: u32, file: Bytes) -> PyResult<(usize, usize)> {
        head_chunks::attach(py, &self.0, number, file)
    }

    fn forget_chunk_files(&self, py: Python<'_>, end: u32) -> Vec<u32> {
        py.detach(|| self.0.write().forget_files(end))
    }

    fn end_replay(&self, py: Python<'_>) {
        py.detach(|| self.0.write().end_replay());
    }

    fn truncate(&self, py: Python<'_>, mint: i64, segment: u64) {
        py.detach(|| self.0.write().truncate(mint, segment));
    }

    fn truncate_step(&self, py: Python<'_>, work: usize) -> bool {
        py.detach(|| self.0.write().truncate_step(work))
    }

    fn forget_retired(&self, py: Python<'_>, segment: u64) {
        py.detach(|| self.0.write().forget_retired(segment));
    }

    fn set_compression(&self, py: Python<'_>, compression: &str) -> PyResult<()> {
        let compression = compression_from(compression)?;
        py.detach(|| self.0.write().set_compression(compression));
        Ok(())
    }

    fn commit_tick(&self, py: Python<'_>, t: i64) {
        py.detach(|| self.0.write().commit_tick(t));
    }

    #[pyo3(signature = (segment, start = 0, *, past_damage = false))]
    fn replay(&self, py: Python<'_>, segment: Bytes, start: usize, past_damage: bool) -> PyResult<PyReplayed> {
        let replayed = py.detach(|| {
            let mut head = self.0.write();
            if past_damage {
                head.replay_past_damage(segment.as_slice(), start)
            } else {
                head.replay(segment.as_slice(), start)
            }
        });
        let replayed = replayed.map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        Ok(PyReplayed(replayed))
    }

    #[pyo3(signature = (segment, start, stop, max_samples, least = 1, seq = 0))]
    #[expect(clippy::too_many_arguments, reason = "what to read, and how much")]
    fn read_log(
        &self,
        py: Python<'_>,
        segment: Bytes,
        start: usize,
        stop: usize,
        max_samples: usize,
        least: usize,
        seq: u64,
    ) -> PyResult<PyLogSlice> {
        let slice = py.detach(|| LogSlice::read(segment.as_slice(), start, stop, (least, max_samples), seq));
        slice.map(PyLogSlice).map_err(|damage| damaged(py, damage))
    }

    fn set_exemplar_limits(&self, py: Python<'_>, capacity: usize, window: i64) {
        py.detach(|| self.0.write().set_exemplar_limits(capacity, window));
    }

    #[getter]
    fn exemplar_count(&self, py: Python<'_>) -> usize {
        py.detach(|| self.read().exemplar_count())
    }

    fn exemplars<'py>(
        &self,
        py: Python<'py>,
        matchers: Vec<PyMatcher>,
        mint: i64,
        maxt: i64,
    ) -> PyResult<Vec<PySeriesExemplars<'py>>> {
        let matchers = matchers_from(matchers)?;
        let found = py.detach(|| self.read().exemplars(&matchers, mint, maxt));
        found.iter().map(|series| notes::exemplars(py, series)).collect()
    }

    fn metadata(&self, py: Python<'_>) -> PyMetadata {
        py.detach(|| notes::metadata(&self.read()))
    }

    fn forget_metadata(&self, py: Python<'_>) {
        py.detach(|| self.0.write().forget_metadata());
    }

    #[getter]
    fn seq(&self, py: Python<'_>) -> u64 {
        self.stats(py).seq
    }

    #[getter]
    fn series(&self, py: Python<'_>) -> usize {
        self.stats(py).series
    }

    #[getter]
    fn chunks(&self, py: Python<'_>) -> usize {
        self.stats(py).chunks
    }

    #[getter]
    fn min_time(&self, py: Python<'_>) -> Option<i64> {
        self.stats(py).range.map(|(min, _)| min)
    }

    #[getter]
    fn max_time(&self, py: Python<'_>) -> Option<i64> {
        self.stats(py).range.map(|(_, max)| max)
    }

    #[getter]
    fn bytes(&self, py: Python<'_>) -> usize {
        self.stats(py).bytes
    }
}

/// What a segment held.
#[pyclass(name = "Replayed", frozen, module = "bridge._core")]
pub struct PyReplayed(head::Replayed);

#[pymethods]
impl PyReplayed {
    #[getter]
    fn end(&self) -> usize {
        self.0.end
    }

    #[getter]
    fn more(&self) -> bool {
        self.0.more
    }

    #[getter]
    fn damage(&self) -> Option<(usize, String)> {
        self.0.damage.map(|damage| (damage.offset, damage.reason.to_string()))
    }

    #[getter]
    fn skipped(&self) -> Vec<(usize, usize, String)> {
        let skipped = self.0.skipped.iter();
        skipped
            .map(|(range, reason)| (range.start, range.end, reason.to_string()))
            .collect()
    }

    #[getter]
    fn events<'py>(&self, py: Python<'py>) -> Vec<(usize, Bound<'py, PyBytes>)> {
        let events = self.0.events.iter();
        events.map(|(end, event)| (*end, PyBytes::new(py, event))).collect()
    }

    #[getter]
    fn ticks(&self) -> usize {
        self.0.ticks
    }

    #[getter]
    fn samples(&self) -> usize {
        self.0.samples
    }

    #[getter]
    fn series(&self) -> usize {
        self.0.series
    }

    #[getter]
    fn unknown_refs(&self) -> usize {
        self.0.unknown_refs
    }
}
