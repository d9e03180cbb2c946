//! Batches: what edges hand to the head.

use engine::batch::{Batch, BATCH_TIME};
use engine::labels::pack;
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMapping};

create_exception!(
    _core,
    AppendRefused,
    PyValueError,
    "A batch that breaks a rule of the head. Nothing of it is stored."
);

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("AppendRefused", module.py().get_type::<AppendRefused>())?;
    module.add_class::<PyBatch>()
}

/// AppendRefused with its `reason`.
pub(crate) fn append_refused(py: Python<'_>, reason: &str, message: String) -> PyErr {
    let error = AppendRefused::new_err(message);
    match error.value(py).setattr("reason", reason) {
        Ok(()) => error,
        Err(other) => other,
    }
}

/// Samples to be stored together.
#[pyclass(name = "Batch", frozen, module = "bridge._core")]
pub struct PyBatch(Batch);

impl PyBatch {
    /// What the head stages.
    pub(crate) fn get(&self) -> &Batch {
        &self.0
    }
}

impl From<Batch> for PyBatch {
    fn from(batch: Batch) -> Self {
        Self(batch)
    }
}

#[pymethods]
impl PyBatch {
    #[staticmethod]
    #[pyo3(signature = (rows, time, event = None, held = false, *, partial = false))]
    fn from_rows(
        py: Python<'_>,
        rows: Vec<(Bound<'_, PyMapping>, Option<i64>, f64)>,
        time: i64,
        event: Option<Bound<'_, PyBytes>>,
        held: bool,
        partial: bool,
    ) -> PyResult<Self> {
        let mut batch = Batch::new(time);
        for (labels, t, value) in rows {
            let items: Vec<(String, String)> = labels.items()?.extract()?;
            let mut pairs: Vec<(&str, &str)> = items.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            pack(&mut pairs, batch.arena()).map_err(|error| append_refused(py, "labels", error.to_string()))?;
            batch.push_float(t.unwrap_or(BATCH_TIME), value);
        }
        batch.event = event.map(|event| event.as_bytes().into());
        batch.held = held;
        batch.partial = partial;
        Ok(Self(batch))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }
}
