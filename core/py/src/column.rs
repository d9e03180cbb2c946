//! Results of queries as Python sees them.

use std::sync::Arc;

use engine::histogram::{Counts, Histogram};
use engine::labels::Labels;
use engine::query::Columns;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyMemoryView};

use crate::buffer::{Column, PyColumn};
use crate::series::PySeries;

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyColumns>()?;
    module.add_class::<PyHistogram>()
}

/// A label set as a dict.
pub(crate) fn labels_dict<'py>(py: Python<'py>, labels: Labels<'_>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in labels.iter() {
        dict.set_item(name, value)?;
    }
    Ok(dict)
}

/// Samples of many series.
#[pyclass(name = "Columns", frozen, module = "bridge._core")]
pub struct PyColumns(Arc<Columns>);

impl From<Columns> for PyColumns {
    fn from(columns: Columns) -> Self {
        Self(Arc::new(columns))
    }
}

impl PyColumns {
    /// A share of what it holds.
    pub(crate) fn handle(&self) -> Arc<Columns> {
        self.0.clone()
    }

    /// What it holds.
    pub(crate) fn shared(&self) -> &Columns {
        &self.0
    }

    fn labels_at(&self, series: usize) -> PyResult<Labels<'_>> {
        self.0
            .labels(series)
            .ok_or_else(|| PyIndexError::new_err("no such series"))
    }

    fn column<'py>(&self, py: Python<'py>, which: Column) -> PyResult<Bound<'py, PyMemoryView>> {
        let column = Bound::new(py, PyColumn::new(self.0.clone(), which))?;
        PyMemoryView::from(column.as_any())
    }
}

#[pymethods]
impl PyColumns {
    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn labels<'py>(&self, py: Python<'py>, series: usize) -> PyResult<Bound<'py, PyDict>> {
        labels_dict(py, self.labels_at(series)?)
    }

    fn packed<'py>(&self, py: Python<'py>, series: usize) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, self.labels_at(series)?.packed()))
    }

    fn histograms(&self, series: usize) -> PyResult<Vec<(i64, PyHistogram)>> {
        let offset = |n: usize| self.0.histogram_offsets().get(n).map(|offset| *offset as usize);
        let range = offset(series).zip(offset(series + 1)).map(|(start, end)| start..end);
        let found = range.and_then(|range| self.0.histograms().get(range));
        let found = found.ok_or_else(|| PyIndexError::new_err("no such series"))?;
        Ok(found
            .iter()
            .map(|(t, value)| (*t, PyHistogram(value.clone())))
            .collect())
    }

    #[getter]
    fn timestamps<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMemoryView>> {
        self.column(py, Column::Timestamps)
    }

    #[getter]
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMemoryView>> {
        self.column(py, Column::Values)
    }

    #[getter]
    fn offsets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMemoryView>> {
        self.column(py, Column::Offsets)
    }

    fn series(&self, py: Python<'_>) -> Vec<PySeries> {
        let columns = &self.0;
        py.detach(|| (0..columns.len()).filter_map(|n| PySeries::of(columns, n)).collect())
    }

    #[getter]
    fn samples(&self) -> usize {
        self.0.samples()
    }

    #[getter]
    fn nbytes(&self) -> usize {
        self.0.bytes()
    }
}

/// A native histogram.
#[pyclass(name = "Histogram", frozen, module = "bridge._core")]
pub struct PyHistogram(Arc<Histogram>);

impl From<Arc<Histogram>> for PyHistogram {
    fn from(histogram: Arc<Histogram>) -> Self {
        Self(histogram)
    }
}

impl PyHistogram {
    /// What it holds.
    pub(crate) fn shared(&self) -> &Arc<Histogram> {
        &self.0
    }
}

#[pymethods]
impl PyHistogram {
    #[getter]
    fn reset_hint(&self) -> &'static str {
        self.0.hint.name()
    }

    #[getter]
    fn schema(&self) -> i32 {
        self.0.schema
    }

    #[getter]
    fn is_float(&self) -> bool {
        self.0.is_float()
    }

    #[getter]
    fn is_stale(&self) -> bool {
        self.0.is_stale()
    }

    #[getter]
    fn zero_threshold(&self) -> f64 {
        self.0.zero_threshold
    }

    #[getter]
    fn sum(&self) -> f64 {
        self.0.sum
    }

    #[getter]
    fn count(&self) -> f64 {
        match &self.0.counts {
            Counts::Integer { count, .. } => *count as f64,
            Counts::Float { count, .. } => *count,
        }
    }

    #[getter]
    fn zero_count(&self) -> f64 {
        match &self.0.counts {
            Counts::Integer { zero, .. } => *zero as f64,
            Counts::Float { zero, .. } => *zero,
        }
    }

    #[getter]
    fn positive_spans(&self) -> Vec<(i32, u32)> {
        self.0.positive.clone()
    }

    #[getter]
    fn negative_spans(&self) -> Vec<(i32, u32)> {
        self.0.negative.clone()
    }

    #[getter]
    fn positive_buckets(&self) -> Vec<f64> {
        match &self.0.counts {
            Counts::Integer { positive, .. } => absolute(positive),
            Counts::Float { positive, .. } => positive.clone(),
        }
    }

    #[getter]
    fn negative_buckets(&self) -> Vec<f64> {
        match &self.0.counts {
            Counts::Integer { negative, .. } => absolute(negative),
            Counts::Float { negative, .. } => negative.clone(),
        }
    }

    #[getter]
    fn custom_bounds(&self) -> Vec<f64> {
        self.0.custom.clone()
    }
}

/// Buckets as they are, from differences to the bucket before.
fn absolute(differences: &[i64]) -> Vec<f64> {
    let add = |sum: &mut i64, difference: &i64| {
        *sum = sum.wrapping_add(*difference);
        Some(*sum as f64)
    };
    differences.iter().scan(0, add).collect()
}
