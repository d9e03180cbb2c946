//! Functions of the histograms of frames, native and classic.

use engine::promql::classic::{Answers, Classic, Mended, Table};
use engine::promql::histogram_functions::{self as functions, Shared};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::label_sets::PyLabelSets;
use crate::buffer::{Numbers, Slice, View};
use crate::float_histogram::PyFloatHistogram;
use crate::gil::detach_if_long;

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyClassic>()?;
    module.add_function(wrap_pyfunction!(describe_histograms, module)?)?;
    module.add_function(wrap_pyfunction!(histogram_quantiles, module)?)?;
    module.add_function(wrap_pyfunction!(histogram_fractions, module)?)
}

type Handles<'py> = Vec<PyRef<'py, PyFloatHistogram>>;

fn shares(handles: &Handles<'_>) -> Vec<Shared> {
    handles.iter().map(|handle| handle.share()).collect()
}

#[pyfunction]
fn describe_histograms<'py>(py: Python<'py>, what: &str, handles: Handles<'py>) -> PyResult<View<'py>> {
    let all = shares(&handles);
    let described = detach_if_long(py, all.len(), || functions::describe(what, all.into_iter()));
    Numbers::Floats(described.ok_or_else(|| no_such(what))?).view(py)
}

/// (quantiles, whether it is among NaNs, whether NaNs skew it)
type PyQuantiles<'py> = (View<'py>, View<'py>, View<'py>);

#[pyfunction]
fn histogram_quantiles<'py>(py: Python<'py>, handles: Handles<'py>, qs: Slice<f64>) -> PyResult<PyQuantiles<'py>> {
    let (all, qs) = (shares(&handles), qs.as_slice());
    let quantiles = detach_if_long(py, all.len(), || {
        functions::quantiles(all.into_iter().zip(qs.iter().copied()))
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
        functions::fractions(all.into_iter().zip(bounds))
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
