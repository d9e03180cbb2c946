//! Histograms that queries compute with, one by one, as Python sees them.

use std::sync::Arc;

use engine::float_histogram::{parse_literal, parse_sequence, Classic, FloatHistogram};
use engine::histogram::ResetHint;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::column::PyHistogram;

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyFloatHistogram>()?;
    module.add_function(wrap_pyfunction!(parse_histogram_literal, module)?)?;
    module.add_function(wrap_pyfunction!(parse_histogram_sequence, module)?)
}

/// A native histogram in a query.
#[pyclass(name = "FloatHistogram", frozen, module = "bridge._core")]
pub struct PyFloatHistogram(Arc<FloatHistogram>);

impl From<FloatHistogram> for PyFloatHistogram {
    fn from(histogram: FloatHistogram) -> Self {
        Self(Arc::new(histogram))
    }
}

impl From<Arc<FloatHistogram>> for PyFloatHistogram {
    fn from(histogram: Arc<FloatHistogram>) -> Self {
        Self(histogram)
    }
}

impl PyFloatHistogram {
    /// A share of what it holds.
    pub(crate) fn share(&self) -> Arc<FloatHistogram> {
        self.0.clone()
    }
}

#[pymethods]
impl PyFloatHistogram {
    #[staticmethod]
    fn from_stored(stored: &PyHistogram) -> Self {
        FloatHistogram::from_stored(stored.shared()).into()
    }

    #[staticmethod]
    fn from_classic(buckets: Vec<(f64, f64)>, count: Option<f64>, sum: f64) -> PyResult<Self> {
        let mut classic = Classic::default();
        let filled = buckets
            .iter()
            .try_for_each(|(bound, count)| classic.bucket(*bound, *count))
            .and_then(|()| count.map_or(Ok(()), |count| classic.count(count)));
        classic.sum(sum);
        let native = filled.and_then(|()| classic.native());
        native
            .map(Self::from)
            .map_err(|why| PyValueError::new_err(why.to_string()))
    }

    fn stored(&self) -> PyHistogram {
        self.0.to_stored().into()
    }

    #[getter]
    fn reset_hint(&self) -> &'static str {
        self.0.hint.name()
    }

    fn with_reset_hint(&self, hint: &str) -> PyResult<Self> {
        let hint = ResetHint::from_name(hint).ok_or_else(|| PyValueError::new_err("no such hint"))?;
        let mut histogram = (*self.0).clone();
        histogram.hint = hint;
        Ok(histogram.into())
    }

    #[getter]
    fn schema(&self) -> i32 {
        self.0.schema
    }

    #[getter]
    fn zero_threshold(&self) -> f64 {
        self.0.zero_threshold
    }

    #[getter]
    fn zero_count(&self) -> f64 {
        self.0.zero_count
    }

    #[getter]
    fn count(&self) -> f64 {
        self.0.count
    }

    #[getter]
    fn sum(&self) -> f64 {
        self.0.sum
    }

    #[getter]
    fn positive(&self) -> Vec<(i32, f64)> {
        self.0.positive.iter().collect()
    }

    #[getter]
    fn negative(&self) -> Vec<(i32, f64)> {
        self.0.negative.iter().collect()
    }

    #[getter]
    fn custom_bounds(&self) -> Vec<f64> {
        self.0.custom.to_vec()
    }

    #[getter]
    fn weight(&self) -> usize {
        self.0.weight()
    }

    fn compacted(&self) -> Self {
        (*self.0).clone().compacted().into()
    }

    fn same(&self, other: &Self) -> bool {
        self.0.same(&other.0)
    }

    fn literal(&self) -> String {
        self.0.literal()
    }

    fn json<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let mut out = Vec::new();
        self.0.push_json(&mut out);
        PyBytes::new(py, &out)
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }
}

#[pyfunction]
fn parse_histogram_literal(text: &str) -> PyResult<(PyFloatHistogram, bool)> {
    let (histogram, tells_hint) = parse_literal(text).map_err(|bad| PyValueError::new_err(bad.to_string()))?;
    Ok((histogram.into(), tells_hint))
}

#[pyfunction]
#[pyo3(signature = (text, *, limit))]
fn parse_histogram_sequence(text: &str, limit: usize) -> PyResult<(Vec<PyFloatHistogram>, bool)> {
    let sequence = parse_sequence(text, limit).map_err(|bad| PyValueError::new_err(bad.to_string()))?;
    let histograms = sequence.histograms.into_iter().map(PyFloatHistogram);
    Ok((histograms.collect(), sequence.tells_hint))
}
