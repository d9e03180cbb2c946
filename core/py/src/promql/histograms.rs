//! Loops over the native histograms of frames.

use engine::promql::cells::Sample;
use engine::promql::histogram_groups::totals;
use engine::promql::histogram_operators::operate;
use pyo3::prelude::*;

use super::samples::{handles, shares};
use crate::buffer::{Numbers, Slice, View};
use crate::float_histogram::PyFloatHistogram;
use crate::gil::detach_if_long;

/// Add this file's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(scaled_histograms, module)?)?;
    module.add_function(wrap_pyfunction!(operate_histograms, module)?)?;
    module.add_function(wrap_pyfunction!(total_histograms, module)?)
}

#[pyfunction]
fn scaled_histograms(
    py: Python<'_>,
    histograms: Vec<PyRef<'_, PyFloatHistogram>>,
    factor: f64,
) -> Vec<PyFloatHistogram> {
    let histograms = shares(&histograms);
    let scaled: Vec<_> = detach_if_long(py, histograms.len(), || {
        histograms.iter().map(|histogram| histogram.scaled(factor)).collect()
    });
    scaled.into_iter().map(PyFloatHistogram::from).collect()
}

/// One side of operators: a histogram, or where there is none the float.
fn samples(histograms: &[Option<PyRef<'_, PyFloatHistogram>>], floats: &[f64]) -> Vec<Sample> {
    let sample = |(histogram, float): (&Option<PyRef<'_, PyFloatHistogram>>, &f64)| match histogram {
        Some(histogram) => Sample::Histogram(histogram.share()),
        None => Sample::Float(*float),
    };
    histograms.iter().zip(floats).map(sample).collect()
}

#[pyfunction]
fn operate_histograms(
    py: Python<'_>,
    operator: &str,
    lhs: Vec<Option<PyRef<'_, PyFloatHistogram>>>,
    lhs_floats: Slice<f64>,
    rhs: Vec<Option<PyRef<'_, PyFloatHistogram>>>,
    rhs_floats: Slice<f64>,
) -> (Vec<Option<PyFloatHistogram>>, Vec<(usize, &'static str)>) {
    let lhs = samples(&lhs, lhs_floats.as_slice());
    let rhs = samples(&rhs, rhs_floats.as_slice());
    let outcomes: Vec<_> = detach_if_long(py, lhs.len(), || {
        lhs.iter()
            .zip(&rhs)
            .map(|(lhs, rhs)| operate(operator, lhs, rhs))
            .collect()
    });
    let notes = outcomes
        .iter()
        .enumerate()
        .filter_map(|(number, outcome)| outcome.note.map(|note| (number, note)))
        .collect();
    (
        outcomes
            .into_iter()
            .map(|outcome| outcome.histogram.map(PyFloatHistogram::from))
            .collect(),
        notes,
    )
}

#[pyfunction]
#[allow(clippy::type_complexity)]
fn total_histograms<'py>(
    py: Python<'py>,
    mean: bool,
    histograms: Vec<PyRef<'_, PyFloatHistogram>>,
    cells: Slice<i64>,
) -> PyResult<(View<'py>, Vec<PyFloatHistogram>, Vec<i64>, bool, bool)> {
    let histograms = shares(&histograms);
    let cells = cells.as_slice();
    let found = detach_if_long(py, histograms.len(), || totals(mean, &histograms, cells));
    let (cells, totals): (Vec<i64>, Vec<_>) = found.cells.into_iter().unzip();
    Ok((
        Numbers::Integers(cells).view(py)?,
        handles(totals),
        found.incompatible,
        found.bounds,
        found.hints,
    ))
}
