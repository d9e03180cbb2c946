//! Points counted as a sink counts them.

use engine::wire::influx::{SinkView, Tally};
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::influx::PyLines;

/// Add this file's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyLineTally>()?;
    module.add_class::<PySinkView>()
}

/// Points of lines by measurement, field and stretch of time.
#[pyclass(name = "LineTally", frozen, module = "bridge._core")]
struct PyLineTally(Mutex<Tally>);

#[pymethods]
impl PyLineTally {
    #[new]
    fn new(width: i64) -> Self {
        Self(Mutex::new(Tally::new(width)))
    }

    fn add(&self, py: Python<'_>, lines: &PyLines) {
        py.detach(|| self.0.lock().add(lines.lines()));
    }

    fn forget_points(&self, py: Python<'_>) {
        py.detach(|| self.0.lock().forget_points());
    }

    #[getter]
    fn counts(&self, py: Python<'_>) -> Vec<(String, String, i64, u64)> {
        py.detach(|| {
            let tally = self.0.lock();
            let rows = tally.counts();
            rows.map(|(measurement, field, start, count)| (measurement.to_owned(), field.to_owned(), start, count))
                .collect()
        })
    }
}

/// What a sink shows of its points.
#[pyclass(name = "SinkView", frozen, module = "bridge._core")]
struct PySinkView(Mutex<SinkView>);

#[pymethods]
impl PySinkView {
    #[new]
    fn new(heartbeat: i64, width: i64) -> Self {
        Self(Mutex::new(SinkView::new(heartbeat, width)))
    }

    #[expect(clippy::needless_pass_by_value, reason = "what Python gives is made for this call")]
    fn hold(
        &self,
        py: Python<'_>,
        measurement: &str,
        tags: Vec<(String, String)>,
        field: &str,
        times: Vec<i64>,
        values: Vec<f64>,
    ) {
        let rows = times.into_iter().zip(values);
        py.detach(|| self.0.lock().hold(measurement, &tags, field, rows));
    }

    fn refuse(&self, py: Python<'_>, lines: &PyLines) {
        py.detach(|| self.0.lock().refuse(lines.lines()));
    }

    fn count_unchanged(&self, py: Python<'_>, lines: &PyLines) {
        py.detach(|| self.0.lock().count_unchanged(lines.lines()));
    }

    fn move_on(&self, py: Python<'_>) {
        py.detach(|| self.0.lock().move_on());
    }

    #[getter]
    fn unchanged(&self, py: Python<'_>) -> Vec<(String, String, i64, u64)> {
        py.detach(|| {
            let view = self.0.lock();
            let rows = view.unchanged();
            rows.map(|(measurement, field, start, count)| (measurement.to_owned(), field.to_owned(), start, count))
                .collect()
        })
    }
}
