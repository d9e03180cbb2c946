//! Line protocol, both ways.

use std::collections::HashSet;

use engine::labels::Labels;
use engine::wal::LogSlice;
use engine::wire::influx::{self, Lines, Options, ParseError, Point, Precision};
use pyo3::create_exception;
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::buffer::Bytes;
use crate::column::PyColumns;
use crate::head::{PyBatch, PyHead};
use crate::wal::PyLogSlice;

create_exception!(
    _core,
    LineError,
    PyValueError,
    "A body with lines that are no line protocol; the text names them."
);
create_exception!(
    _core,
    LabelsTooLong,
    PyValueError,
    "A body whose labels, repeated for each field, are more than the limit."
);

/// Rows encoded in one go: how long a writer waits for the head at most.
const ROWS_A_LOCK: usize = 512;

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("LineError", module.py().get_type::<LineError>())?;
    module.add("LabelsTooLong", module.py().get_type::<LabelsTooLong>())?;
    module.add_class::<PyLines>()?;
    module.add_function(wrap_pyfunction!(encode_lines, module)?)?;
    module.add_function(wrap_pyfunction!(encode_columns, module)?)?;
    module.add_function(wrap_pyfunction!(parse_lines, module)?)
}

/// Encoded lines.
#[pyclass(name = "Lines", frozen, module = "bridge._core")]
pub struct PyLines(Lines);

impl PyLines {
    /// What the engine calls them.
    pub fn lines(&self) -> &Lines {
        &self.0
    }
}

#[pymethods]
impl PyLines {
    #[staticmethod]
    fn from_text(py: Python<'_>, text: Bytes) -> Self {
        Self(py.detach(|| Lines::from_text(text.as_slice())))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.body())
    }

    #[getter]
    fn size(&self) -> usize {
        self.0.body().len()
    }

    #[getter]
    fn newest(&self) -> Option<i64> {
        self.0.newest
    }

    #[getter]
    fn unrepresentable<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = PyDict::new(py);
        for (reason, count) in self.0.unrepresentable.by_reason() {
            if count > 0 {
                counts.set_item(reason, count)?;
            }
        }
        Ok(counts)
    }

    fn line<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyBytes>> {
        let line = self.0.line(index).ok_or_else(|| no_line(index))?;
        Ok(PyBytes::new(py, line))
    }

    fn series<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyBytes>> {
        let series = self.0.series(index).ok_or_else(|| no_line(index))?;
        Ok(PyBytes::new(py, series))
    }

    #[staticmethod]
    fn concat(py: Python<'_>, parts: Vec<Py<Self>>) -> Self {
        Self(py.detach(|| Lines::concat(parts.iter().map(|part| &part.get().0))))
    }

    fn slice(&self, py: Python<'_>, start: usize, stop: usize) -> Self {
        Self(py.detach(|| self.0.slice(start..stop)))
    }

    fn fit(&self, start: usize, max_lines: usize, max_bytes: usize) -> usize {
        self.0.fit(start, max_lines, max_bytes)
    }

    fn split_by_series(&self, py: Python<'_>, series: HashSet<Vec<u8>>) -> (Self, Self) {
        let (found, others) = py.detach(|| self.0.split_by_series(|key| series.contains(key)));
        (Self(found), Self(others))
    }

    fn split_by_text(&self, py: Python<'_>, lines: HashSet<Vec<u8>>) -> (Self, Self) {
        let (found, others) = py.detach(|| self.0.split_by_text(|line| lines.contains(line)));
        (Self(found), Self(others))
    }
}

fn no_line(index: usize) -> PyErr {
    PyIndexError::new_err(format!("no line {index}"))
}

#[pyfunction]
#[pyo3(signature = (head, slice, *, name_tag = false))]
fn encode_lines(py: Python<'_>, head: &PyHead, slice: &PyLogSlice, name_tag: bool) -> PyLines {
    PyLines(py.detach(|| encode(head, &slice.0, Options { name_tag })))
}

fn encode(head: &PyHead, slice: &LogSlice, options: Options) -> Lines {
    let mut lines = Lines::default();
    for rows in slice.rows().chunks(ROWS_A_LOCK) {
        let head = head.read();
        let rows = rows.iter().map(|&(reference, t, value)| {
            let labels = head.labels(reference).map(Labels::trusted);
            (labels, t, Point::Float(value))
        });
        influx::encode(rows, options, &mut lines);
    }
    let histograms = slice
        .histograms()
        .iter()
        .map(|row| (Some(Labels::default()), row.1, Point::Histogram));
    influx::encode(histograms, options, &mut lines);
    lines
}

#[pyfunction]
#[pyo3(signature = (columns, start, stop, *, name_tag = false))]
fn encode_columns(py: Python<'_>, columns: &PyColumns, start: usize, stop: usize, name_tag: bool) -> PyLines {
    PyLines(py.detach(|| influx::encode_columns(columns.shared(), start..stop, Options { name_tag })))
}

#[pyfunction]
fn parse_lines(
    py: Python<'_>,
    body: Bytes,
    precision: &str,
    now_ms: i64,
    max_label_bytes: usize,
) -> PyResult<(PyBatch, u64)> {
    let precision = Precision::named(precision)
        .ok_or_else(|| PyValueError::new_err(format!("invalid precision {precision:?} (use n, u, ms, s, m or h)")))?;
    let parsed = py.detach(|| influx::parse(body.as_slice(), precision, now_ms, max_label_bytes));
    match parsed {
        Ok(parsed) => Ok((parsed.batch.into(), parsed.skipped)),
        Err(error @ ParseError::BadLines(_)) => Err(LineError::new_err(error.to_string())),
        Err(error @ ParseError::TooLong(_)) => Err(LabelsTooLong::new_err(error.to_string())),
    }
}
