//! Samples that a query works on, and the cells that come of them.

use std::sync::Arc;

use engine::float_histogram::FloatHistogram;
use engine::promql::functions::{call, Edges};
use engine::promql::lookback::{lookback, Wanted};
use engine::promql::samples::Made;
use engine::promql::smooth::{cut, smooth};
use engine::promql::weights::{weights, Sight};
use engine::promql::window::Windows;
use engine::promql::{json, Cells, Samples};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::label_sets::PyLabelSets;
use crate::buffer::{Numbers, Slice, View};
use crate::column::{labels_dict, PyColumns};
use crate::float_histogram::PyFloatHistogram;
use crate::gil::detach_if_long;
use crate::selected::{failure, limit_of};

/// Add this file's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PySamples>()?;
    module.add_class::<PyCells>()
}

/// Samples of many series: of a selector or of a subquery.
#[pyclass(name = "Samples", frozen, module = "bridge._core")]
pub struct PySamples(Arc<Samples>);

/// Histograms as Python has them.
pub fn handles(histograms: impl IntoIterator<Item = Arc<FloatHistogram>>) -> Vec<PyFloatHistogram> {
    histograms.into_iter().map(PyFloatHistogram::from).collect()
}

/// And as the engine has them.
pub fn shares(handles: &[PyRef<'_, PyFloatHistogram>]) -> Vec<Arc<FloatHistogram>> {
    handles.iter().map(|handle| handle.share()).collect()
}

#[pymethods]
impl PySamples {
    #[new]
    fn new(py: Python<'_>, columns: PyRef<'_, PyColumns>) -> Self {
        let columns = columns.handle();
        let size = columns.len();
        Self(Arc::new(detach_if_long(py, size, || Samples::stored(columns))))
    }

    /// Cells become samples: of a subquery.
    #[staticmethod]
    fn of_cells(
        py: Python<'_>,
        labels: PyRef<'_, PyLabelSets>,
        times: Slice<i64>,
        values: Slice<f64>,
        present: Slice<u8>,
        cells: Slice<i64>,
        histograms: Vec<PyRef<'_, PyFloatHistogram>>,
    ) -> Self {
        let histograms = shares(&histograms);
        let labels = labels.0.clone();
        let (times, values, present, cells) = (
            times.as_slice(),
            values.as_slice(),
            present.as_slice(),
            cells.as_slice(),
        );
        let made = detach_if_long(py, values.len(), || {
            Samples::of_cells(labels, times, values, present, cells.iter().copied().zip(histograms))
        });
        Self(Arc::new(made))
    }

    /// Samples of tests: a row for each series, with its floats `(t, value, start)` and histograms likewise.
    #[staticmethod]
    #[allow(clippy::type_complexity)]
    fn of_rows(
        labels: PyRef<'_, PyLabelSets>,
        rows: Vec<(Vec<(i64, f64, i64)>, Vec<(i64, PyRef<'_, PyFloatHistogram>, i64)>)>,
    ) -> Self {
        let (mut floats, mut histograms) = (Made::default(), Made::default());
        for (of_floats, of_histograms) in rows {
            for (t, value, start) in of_floats {
                floats.push(t, value);
                floats.starts.push(start);
            }
            for (t, histogram, start) in of_histograms {
                histograms.push(t, histogram.share());
                histograms.starts.push(start);
            }
            floats.end_series();
            histograms.end_series();
        }
        Self(Arc::new(Samples::made(labels.0.clone(), floats, histograms)))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    #[getter]
    fn weight(&self) -> usize {
        self.0.weight()
    }

    #[getter]
    fn labels(&self) -> PyLabelSets {
        PyLabelSets(self.0.labels().clone())
    }

    fn relabeled(&self, labels: PyRef<'_, PyLabelSets>) -> PyResult<Self> {
        if labels.0.len() != self.0.len() {
            return Err(PyValueError::new_err("another number of series"));
        }
        Ok(Self(Arc::new(self.0.relabeled(labels.0.clone()))))
    }

    fn sorted(&self, py: Python<'_>) -> Self {
        Self(Arc::new(detach_if_long(py, self.0.weight(), || self.0.sorted())))
    }

    fn without_buckets(&self, py: Python<'_>, reach: i64) -> Self {
        let counts = detach_if_long(py, self.0.len(), || self.0.without_buckets(reach));
        Self(Arc::new(counts))
    }

    #[pyo3(signature = (ats, delta, wanted, *, keep_empty = false))]
    fn lookback(
        &self,
        py: Python<'_>,
        ats: Slice<i64>,
        delta: i64,
        wanted: &str,
        keep_empty: bool,
    ) -> PyResult<PyCells> {
        let wanted = match wanted {
            "value" => Wanted::Value,
            "time" => Wanted::Time,
            "start" => Wanted::Start,
            _ => return Err(PyValueError::new_err("there is no such thing about a sample")),
        };
        let ats = ats.as_slice();
        let size = self.0.len() * ats.len();
        Ok(PyCells(detach_if_long(py, size, || {
            lookback(&self.0, ats, delta, wanted, keep_empty)
        })))
    }

    fn weights<'py>(&self, py: Python<'py>, ats: Slice<i64>, reach: i64, latest: bool) -> PyResult<View<'py>> {
        let ats = ats.as_slice();
        let sight = if latest { Sight::Latest } else { Sight::All };
        let found = detach_if_long(py, self.0.weight(), || weights(&self.0, ats, reach, sight));
        Numbers::Integers(found).view(py)
    }

    #[pyo3(signature = (ats, delta, *, keep_empty = false))]
    fn smooth(&self, py: Python<'_>, ats: Slice<i64>, delta: i64, keep_empty: bool) -> PyCells {
        let ats = ats.as_slice();
        let size = self.0.len() * ats.len();
        PyCells(detach_if_long(py, size, || smooth(&self.0, ats, delta, keep_empty)))
    }

    #[pyo3(signature = (function, ends, ats, range, parameters, *, edges, delta, starts, keep_empty = false))]
    #[expect(clippy::too_many_arguments, reason = "each is a part of the function's meaning")]
    fn over_windows(
        &self,
        py: Python<'_>,
        function: &str,
        ends: Slice<i64>,
        ats: Slice<i64>,
        range: i64,
        parameters: Vec<Slice<f64>>,
        edges: &str,
        delta: i64,
        starts: bool,
        keep_empty: bool,
    ) -> PyResult<PyCells> {
        let (edges, margins) = edges_of(edges, delta)?;
        let windows = Windows {
            ends: ends.as_slice(),
            ats: ats.as_slice(),
            range,
            margins,
            keeps_empty: keep_empty,
        };
        let parameters: Vec<&[f64]> = parameters.iter().map(Slice::as_slice).collect();
        let size = self.0.len() * windows.ends.len();
        let cells = detach_if_long(py, size, || {
            call(function, &self.0, &windows, &parameters, edges, starts)
        });
        cells
            .map(PyCells)
            .ok_or_else(|| PyValueError::new_err(format!("there is no function {function:?}")))
    }

    fn window(&self, py: Python<'_>, end: i64, range: i64, edges: &str, delta: i64) -> PyResult<Option<Self>> {
        let (edges, margins) = edges_of(edges, delta)?;
        let windows = Windows {
            ends: &[end],
            ats: &[end],
            range,
            margins,
            keeps_empty: false,
        };
        let smoothed = (edges != Edges::Plain).then_some(edges == Edges::Smoothed);
        let found = detach_if_long(py, self.0.len(), || cut(&self.0, &windows, smoothed));
        Ok(found.map(|samples| Self(Arc::new(samples))))
    }

    #[pyo3(signature = (*, max_bytes = 0))]
    fn json<'py>(&self, py: Python<'py>, max_bytes: usize) -> PyResult<Bound<'py, PyBytes>> {
        let most = limit_of(max_bytes);
        let text = detach_if_long(py, self.0.weight(), || json::matrix_of(&self.0, most));
        Ok(PyBytes::new(py, &text.map_err(|failed| failure(py, failed))?))
    }

    #[allow(clippy::type_complexity)]
    fn rows<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<Vec<(Bound<'py, PyDict>, Vec<(i64, f64)>, Vec<(i64, PyFloatHistogram)>)>> {
        let row = |(n, labels)| {
            let floats = self.0.floats(n).iter().map(|(t, value)| (t, *value)).collect();
            let histograms = self
                .0
                .histograms(n)
                .iter()
                .map(|(t, histogram)| (t, histogram.clone().into()))
                .collect();
            Ok((labels_dict(py, labels)?, floats, histograms))
        };
        self.0.labels().iter().enumerate().map(row).collect()
    }
}

fn edges_of(name: &str, delta: i64) -> PyResult<(Edges, (i64, i64))> {
    match name {
        "plain" => Ok((Edges::Plain, (0, 0))),
        "anchored" => Ok((Edges::Anchored, (delta, 0))),
        "smoothed" => Ok((Edges::Smoothed, (delta, delta))),
        _ => Err(PyValueError::new_err("there are no such edges")),
    }
}

/// Cells that a loop has made.
#[pyclass(name = "Cells", module = "bridge._core")]
pub struct PyCells(Cells);

#[pymethods]
impl PyCells {
    fn take_rows<'py>(&mut self, py: Python<'py>) -> PyResult<View<'py>> {
        Numbers::Integers(std::mem::take(&mut self.0.rows)).view(py)
    }

    fn take_values<'py>(&mut self, py: Python<'py>) -> PyResult<View<'py>> {
        Numbers::Floats(std::mem::take(&mut self.0.values)).view(py)
    }

    fn take_present<'py>(&mut self, py: Python<'py>) -> PyResult<View<'py>> {
        Numbers::Flags(std::mem::take(&mut self.0.present)).view(py)
    }

    fn take_histograms<'py>(&mut self, py: Python<'py>) -> PyResult<(View<'py>, Vec<PyFloatHistogram>)> {
        let (cells, histograms): (Vec<i64>, Vec<_>) = std::mem::take(&mut self.0.histograms).into_iter().unzip();
        Ok((Numbers::Integers(cells).view(py)?, handles(histograms)))
    }

    #[getter]
    fn notes(&self) -> Vec<(i64, &'static str, i64)> {
        self.0
            .notes
            .iter()
            .map(|noted| (noted.series, noted.note.name(), noted.times))
            .collect()
    }
}
