//! Points counted as a sink counts them.

use engine::wire::influx::Tally;
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::influx::PyLines;

/// Add this file's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyLineTally>()
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
