//! Loops over the cells of frames.

use engine::promql::aggregate::{aggregate, quantiles, Cells, Groups};
use engine::promql::choose::{extremes, first, Extreme};
use engine::promql::json::Printed;
use engine::promql::Grouping;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::label_sets::PyLabelSets;
use super::samples::shares;
use crate::buffer::{Numbers, Slice, View};
use crate::float_histogram::PyFloatHistogram;
use crate::gil::detach_if_long;
use crate::selected::{failure, limit_of};

/// Add this file's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(aggregate_cells, module)?)?;
    module.add_function(wrap_pyfunction!(quantile_cells, module)?)?;
    module.add_function(wrap_pyfunction!(count_values, module)?)?;
    module.add_function(wrap_pyfunction!(extreme_cells, module)?)?;
    module.add_function(wrap_pyfunction!(first_cells, module)?)?;
    module.add_function(wrap_pyfunction!(frame_json, module)?)
}

type PyGroups<'py> = (View<'py>, View<'py>);

fn groups(py: Python<'_>, groups: Groups) -> PyResult<PyGroups<'_>> {
    Ok((
        Numbers::Floats(groups.values).view(py)?,
        Numbers::Flags(groups.present).view(py)?,
    ))
}

fn cells<'a>(values: &'a Slice<f64>, present: &'a Slice<u8>, groups: &'a Slice<u32>, count: usize) -> Cells<'a> {
    Cells {
        values: values.as_slice(),
        present: present.as_slice(),
        groups: groups.as_slice(),
        count,
    }
}

#[pyfunction]
fn aggregate_cells<'py>(
    py: Python<'py>,
    operator: &str,
    values: Slice<f64>,
    present: Slice<u8>,
    ids: Slice<u32>,
    count: usize,
) -> PyResult<PyGroups<'py>> {
    let cells = cells(&values, &present, &ids, count);
    let found = detach_if_long(py, cells.values.len(), || aggregate(operator, &cells));
    let found = found.ok_or_else(|| PyValueError::new_err(format!("there is no aggregation {operator:?}")))?;
    groups(py, found)
}

#[pyfunction]
fn quantile_cells<'py>(
    py: Python<'py>,
    qs: Slice<f64>,
    values: Slice<f64>,
    present: Slice<u8>,
    ids: Slice<u32>,
    count: usize,
) -> PyResult<PyGroups<'py>> {
    let cells = cells(&values, &present, &ids, count);
    let found = detach_if_long(py, cells.values.len(), || quantiles(qs.as_slice(), &cells));
    groups(py, found)
}

#[pyfunction]
fn count_values<'py>(
    py: Python<'py>,
    name: &str,
    labels: PyRef<'_, PyLabelSets>,
    names: Vec<String>,
    without: bool,
    values: Slice<f64>,
    present: Slice<u8>,
) -> PyResult<(PyLabelSets, View<'py>, View<'py>)> {
    let grouping = Grouping::new(names, without);
    let sets = &labels.0;
    let (values, present) = (values.as_slice(), present.as_slice());
    let (counted, found) = detach_if_long(py, values.len(), || {
        let (ids, groups) = sets.group(&grouping);
        let cells = Cells {
            values,
            present,
            groups: &ids,
            count: groups.len(),
        };
        sets.count_values(name, &grouping, &cells)
    });
    let (values, present) = groups(py, found)?;
    Ok((PyLabelSets(counted), values, present))
}

#[pyfunction]
fn extreme_cells<'py>(
    py: Python<'py>,
    largest: bool,
    ks: Slice<f64>,
    values: Slice<f64>,
    present: Slice<u8>,
    ids: Slice<u32>,
    count: usize,
) -> PyResult<(View<'py>, View<'py>)> {
    let cells = cells(&values, &present, &ids, count);
    let extreme = if largest { Extreme::Top } else { Extreme::Bottom };
    let kept = detach_if_long(py, cells.values.len(), || extremes(extreme, ks.as_slice(), &cells));
    Ok((
        Numbers::Flags(kept.cells).view(py)?,
        Numbers::Integers(kept.order).view(py)?,
    ))
}

#[pyfunction]
fn first_cells<'py>(
    py: Python<'py>,
    ks: Slice<f64>,
    occupied: Slice<u8>,
    ids: Slice<u32>,
    count: usize,
) -> PyResult<View<'py>> {
    let (ks, occupied, ids) = (ks.as_slice(), occupied.as_slice(), ids.as_slice());
    Numbers::Flags(detach_if_long(py, occupied.len(), || first(ks, occupied, ids, count))).view(py)
}

#[pyfunction]
#[pyo3(signature = (labels, times, values, present, cells, histograms, vector, *, max_bytes = 0))]
#[expect(clippy::too_many_arguments, reason = "the parts of a frame")]
fn frame_json<'py>(
    py: Python<'py>,
    labels: PyRef<'_, PyLabelSets>,
    times: Slice<i64>,
    values: Slice<f64>,
    present: Slice<u8>,
    cells: Slice<i64>,
    histograms: Vec<PyRef<'_, PyFloatHistogram>>,
    vector: bool,
    max_bytes: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    let histograms: Vec<_> = cells.as_slice().iter().copied().zip(shares(&histograms)).collect();
    let printed = Printed {
        labels: &labels.0,
        times: times.as_slice(),
        values: values.as_slice(),
        present: present.as_slice(),
        histograms: &histograms,
    };
    let most = limit_of(max_bytes);
    let text = detach_if_long(py, printed.values.len(), || {
        if vector {
            printed.vector(most)
        } else {
            printed.matrix(most)
        }
    });
    Ok(PyBytes::new(py, &text.map_err(|failed| failure(py, failed))?))
}
