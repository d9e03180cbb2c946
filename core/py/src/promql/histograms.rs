//! The histograms of frames, native and classic.

use engine::promql::classic::{Answers, Classic, Mended, Table};
use engine::promql::histograms::{self, Aggregation, Change, Combination, Shared, Told};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::label_sets::PyLabelSets;
use crate::buffer::{Numbers, Slice, View};
use crate::float_histogram::PyFloatHistogram;
use crate::gil::detach_if_long;

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyClassic>()?;
    module.add_function(wrap_pyfunction!(combine_histograms, module)?)?;
    module.add_function(wrap_pyfunction!(same_histograms, module)?)?;
    module.add_function(wrap_pyfunction!(change_histograms, module)?)?;
    module.add_function(wrap_pyfunction!(aggregate_histograms, module)?)?;
    module.add_function(wrap_pyfunction!(describe_histograms, module)?)?;
    module.add_function(wrap_pyfunction!(histogram_quantiles, module)?)?;
    module.add_function(wrap_pyfunction!(histogram_fractions, module)?)
}

type Handles<'py> = Vec<PyRef<'py, PyFloatHistogram>>;

fn shares(handles: &Handles<'_>) -> Vec<Shared> {
    handles.iter().map(|handle| handle.share()).collect()
}

/// (mixed buckets, contradicting hints, dropped bounds)
type PyTold = (bool, bool, bool);

fn told(told: Told) -> PyTold {
    (told.mixed, told.hints, told.bounds)
}

#[pyfunction]
fn combine_histograms(
    py: Python<'_>,
    operator: &str,
    left: Handles<'_>,
    right: Handles<'_>,
) -> PyResult<Vec<(Option<PyFloatHistogram>, PyTold)>> {
    let how = match operator {
        "+" => Combination::Plus,
        "-" => Combination::Minus,
        _ => return Err(no_such(operator)),
    };
    let (left, right) = (shares(&left), shares(&right));
    let combined = detach_if_long(py, left.len(), || histograms::combine(how, left.into_iter().zip(right)));
    let handle = |(histogram, tell): (Option<Shared>, Told)| (histogram.map(Into::into), told(tell));
    Ok(combined.into_iter().map(handle).collect())
}

#[pyfunction]
fn same_histograms<'py>(py: Python<'py>, left: Handles<'py>, right: Handles<'py>) -> PyResult<View<'py>> {
    let (left, right) = (shares(&left), shares(&right));
    let pairs = left.iter().zip(&right);
    Numbers::Flags(pairs.map(|(left, right)| left.same(right).into()).collect()).view(py)
}

#[pyfunction]
fn change_histograms(
    py: Python<'_>,
    operator: &str,
    handles: Handles<'_>,
    numbers: Slice<f64>,
) -> PyResult<Vec<PyFloatHistogram>> {
    let how = Change::named(operator).ok_or_else(|| no_such(operator))?;
    let (all, numbers) = (shares(&handles), numbers.as_slice());
    let changed = detach_if_long(py, all.len(), || {
        histograms::change(how, all.into_iter().zip(numbers.iter().copied()))
    });
    Ok(changed.into_iter().map(Into::into).collect())
}

type PyAggregated<'py> = (View<'py>, Vec<PyFloatHistogram>, Vec<(usize, PyTold)>);

#[pyfunction]
fn aggregate_histograms<'py>(
    py: Python<'py>,
    operator: &str,
    cells: Slice<i64>,
    handles: Handles<'py>,
    steps: usize,
    ids: Slice<u32>,
    count: usize,
) -> PyResult<PyAggregated<'py>> {
    let how = match operator {
        "sum" => Aggregation::Sum,
        "avg" => Aggregation::Mean,
        _ => return Err(no_such(operator)),
    };
    let (all, cells, ids) = (shares(&handles), cells.as_slice(), ids.as_slice());
    let aggregated = detach_if_long(py, all.len(), || {
        histograms::aggregate(how, cells, &all, steps, ids, count)
    });
    let (cells, handles): (Vec<i64>, Vec<PyFloatHistogram>) = aggregated
        .histograms
        .into_iter()
        .map(|(cell, histogram)| (cell, histogram.into()))
        .unzip();
    let tell = aggregated.told.into_iter().map(|(number, tell)| (number, told(tell)));
    Ok((Numbers::Integers(cells).view(py)?, handles, tell.collect()))
}

#[pyfunction]
fn describe_histograms<'py>(py: Python<'py>, what: &str, handles: Handles<'py>) -> PyResult<View<'py>> {
    let all = shares(&handles);
    let described = detach_if_long(py, all.len(), || histograms::describe(what, all.into_iter()));
    Numbers::Floats(described.ok_or_else(|| no_such(what))?).view(py)
}

/// (quantiles, whether it is among NaNs, whether NaNs skew it)
type PyQuantiles<'py> = (View<'py>, View<'py>, View<'py>);

#[pyfunction]
fn histogram_quantiles<'py>(py: Python<'py>, handles: Handles<'py>, qs: Slice<f64>) -> PyResult<PyQuantiles<'py>> {
    let (all, qs) = (shares(&handles), qs.as_slice());
    let quantiles = detach_if_long(py, all.len(), || {
        histograms::quantiles(all.into_iter().zip(qs.iter().copied()))
    });
    let flags = |of: fn(&engine::float_histogram::Quantile) -> bool| {
        Numbers::Flags(quantiles.iter().map(|quantile| of(quantile).into()).collect()).view(py)
    };
    Ok((
        Numbers::Floats(quantiles.iter().map(|quantile| quantile.value).collect()).view(py)?,
        flags(|quantile| quantile.is_among_nans)?,
        flags(|quantile| quantile.is_skewed)?,
    ))
}

#[pyfunction]
fn histogram_fractions<'py>(
    py: Python<'py>,
    handles: Handles<'py>,
    lower: Slice<f64>,
    upper: Slice<f64>,
) -> PyResult<(View<'py>, View<'py>)> {
    let (all, lower, upper) = (shares(&handles), lower.as_slice(), upper.as_slice());
    let fractions = detach_if_long(py, all.len(), || {
        let bounds = lower.iter().copied().zip(upper.iter().copied());
        histograms::fractions(all.into_iter().zip(bounds))
    });
    let (values, nans) = fractions
        .into_iter()
        .map(|(value, nans)| (value, u8::from(nans)))
        .unzip();
    Ok((Numbers::Floats(values).view(py)?, Numbers::Flags(nans).view(py)?))
}

fn no_such(name: &str) -> PyErr {
    PyValueError::new_err(format!("histograms know no {name:?}"))
}

/// Classic histograms of a frame.
#[pyclass(name = "Classic", frozen, module = "bridge._core")]
pub struct PyClassic {
    classic: Classic,
    contested: Vec<i64>,
    steps: usize,
}

/// (histogram, first step, last step, how many steps, lowest bound, highest bound, largest difference)
type PyMended = (usize, usize, usize, usize, f64, f64, f64);

type PyAnswers<'py> = (View<'py>, View<'py>);

fn answers(py: Python<'_>, answers: Answers) -> PyResult<PyAnswers<'_>> {
    Ok((
        Numbers::Floats(answers.values).view(py)?,
        Numbers::Flags(answers.present).view(py)?,
    ))
}

fn mended(mended: Mended) -> PyMended {
    let Mended {
        histogram,
        steps,
        count,
        bounds,
        depth,
    } = mended;
    (histogram, steps.0, steps.1, count, bounds.0, bounds.1, depth)
}

impl PyClassic {
    fn table<'a>(&self, values: &'a Slice<f64>, present: &'a Slice<u8>) -> Table<'a> {
        Table {
            steps: self.steps,
            values: values.as_slice(),
            present: present.as_slice(),
        }
    }
}

#[pymethods]
impl PyClassic {
    #[new]
    fn new(
        py: Python<'_>,
        labels: PyRef<'_, PyLabelSets>,
        steps: usize,
        values: Slice<f64>,
        present: Slice<u8>,
        cells: Slice<i64>,
    ) -> Self {
        let table = Table {
            steps,
            values: values.as_slice(),
            present: present.as_slice(),
        };
        let (labels, cells) = (&labels.0, cells.as_slice());
        let (classic, contested) = detach_if_long(py, table.values.len(), || Classic::new(labels, table, cells));
        Self {
            classic,
            contested,
            steps,
        }
    }

    #[getter]
    fn labels(&self) -> PyLabelSets {
        PyLabelSets(self.classic.labels.clone())
    }

    #[getter]
    fn malformed(&self) -> Vec<usize> {
        self.classic.malformed.clone()
    }

    #[getter]
    fn contested<'py>(&self, py: Python<'py>) -> PyResult<View<'py>> {
        Numbers::Integers(self.contested.clone()).view(py)
    }

    fn quantiles<'py>(
        &self,
        py: Python<'py>,
        values: Slice<f64>,
        present: Slice<u8>,
        qs: Slice<f64>,
    ) -> PyResult<(PyAnswers<'py>, Vec<PyMended>)> {
        let (table, qs) = (self.table(&values, &present), qs.as_slice());
        let (found, notes) = detach_if_long(py, table.values.len(), || self.classic.quantiles(table, qs));
        Ok((answers(py, found)?, notes.into_iter().map(mended).collect()))
    }

    fn fractions<'py>(
        &self,
        py: Python<'py>,
        values: Slice<f64>,
        present: Slice<u8>,
        lower: Slice<f64>,
        upper: Slice<f64>,
    ) -> PyResult<PyAnswers<'py>> {
        let table = self.table(&values, &present);
        let (lower, upper) = (lower.as_slice(), upper.as_slice());
        let found = detach_if_long(py, table.values.len(), || self.classic.fractions(table, lower, upper));
        answers(py, found)
    }
}
