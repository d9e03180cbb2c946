//! Samples that a query works on.

use std::sync::Arc;

use engine::promql::lookback::{lookback, Cells, Wanted};
use engine::promql::Samples;
use pyo3::prelude::*;

use super::label_sets::PyLabelSets;
use crate::buffer::{Numbers, Slice, View};
use crate::column::PyColumns;
use crate::gil::detach_if_long;

/// Add this file's class to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PySamples>()
}

/// Samples of many series: of a selector or of a subquery.
#[pyclass(name = "Samples", frozen, module = "bridge._core")]
pub struct PySamples(Arc<Samples>);

/// (series that are left, values, where there is one)
type PyCells<'py> = (View<'py>, View<'py>, View<'py>);

fn cells(py: Python<'_>, cells: Cells) -> PyResult<PyCells<'_>> {
    Ok((
        Numbers::Integers(cells.rows).view(py)?,
        Numbers::Floats(cells.values).view(py)?,
        Numbers::Flags(cells.present).view(py)?,
    ))
}

#[pymethods]
impl PySamples {
    #[new]
    fn new(py: Python<'_>, columns: PyRef<'_, PyColumns>) -> Self {
        let columns = columns.handle();
        let size = columns.len();
        Self(Arc::new(detach_if_long(py, size, || Samples::new(columns))))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    #[getter]
    fn count(&self) -> usize {
        self.0.count()
    }

    #[getter]
    fn labels(&self) -> PyLabelSets {
        PyLabelSets(self.0.labels().clone())
    }

    fn lookback<'py>(&self, py: Python<'py>, ats: Slice<i64>, delta: i64, times: bool) -> PyResult<PyCells<'py>> {
        let wanted = if times { Wanted::Time } else { Wanted::Value };
        let ats = ats.as_slice();
        let size = self.0.len() * ats.len();
        let found = detach_if_long(py, size, || lookback(&self.0, ats, delta, wanted));
        cells(py, found)
    }
}
