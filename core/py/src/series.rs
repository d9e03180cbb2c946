//! Series with their samples, one Python object each: for what is cold.

use engine::labels::Labels;
use engine::query::Columns;
use engine::sample::{Sample, Value};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Add this file's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PySeries>()
}

/// Float samples of one series.
#[pyclass(name = "Series", frozen, module = "bridge._core")]
pub struct PySeries {
    /// Packed.
    labels: Vec<u8>,
    samples: Vec<Sample>,
}

impl PySeries {
    /// One of the series that a query has found.
    pub(crate) fn of(columns: &Columns, n: usize) -> Option<Self> {
        let bounds = |offsets: &[i64]| Some(*offsets.get(n)? as usize..*offsets.get(n + 1)? as usize);
        let floats = bounds(columns.offsets())?;
        let histograms = columns.histograms().get(bounds(columns.histogram_offsets())?)?;
        let times = columns.timestamps().get(floats.clone())?.iter();
        let values = columns.values().get(floats)?.iter();
        let mut samples: Vec<_> = times.zip(values).map(|(t, value)| (*t, Value::Float(*value))).collect();
        samples.extend(
            histograms
                .iter()
                .map(|(t, value)| (*t, Value::Histogram(value.clone()))),
        );
        samples.sort_by_key(|(t, _)| *t);
        let labels = columns.labels(n)?.packed().to_vec();
        Some(Self { labels, samples })
    }

    fn floats(&self) -> impl Iterator<Item = (i64, f64)> + '_ {
        self.samples.iter().filter_map(|(t, value)| match value {
            Value::Float(value) => Some((*t, *value)),
            Value::Histogram(_) => None,
        })
    }
}

#[pymethods]
impl PySeries {
    #[getter]
    fn labels<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let labels = PyDict::new(py);
        for (name, value) in Labels::trusted(&self.labels).iter() {
            labels.set_item(name, value)?;
        }
        Ok(labels)
    }

    #[getter]
    fn timestamps(&self) -> Vec<i64> {
        self.floats().map(|(t, _)| t).collect()
    }

    #[getter]
    fn values(&self) -> Vec<f64> {
        self.floats().map(|(_, value)| value).collect()
    }
}
