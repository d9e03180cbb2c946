//! Exemplars and metadata as Python sees them.

use std::collections::{BTreeMap, BTreeSet};

use engine::head::{Head, SeriesExemplars};
use engine::labels::{Labels, METRIC_NAME};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// (the exemplar's own labels, its value, its time in ms).
type PyExemplar<'py> = (Bound<'py, PyDict>, f64, i64);

/// (the series, its exemplars).
pub(crate) type PySeriesExemplars<'py> = (Bound<'py, PyDict>, Vec<PyExemplar<'py>>);

/// (type, unit, help) by metric name.
pub(crate) type PyMetadata = BTreeMap<String, Vec<(&'static str, String, String)>>;

/// The exemplars of one series.
pub(crate) fn exemplars<'py>(py: Python<'py>, series: &SeriesExemplars) -> PyResult<PySeriesExemplars<'py>> {
    let exemplars = series.exemplars.iter();
    let exemplars = exemplars.map(|e| Ok((dict(py, &e.labels)?, e.value, e.t)));
    Ok((dict(py, &series.series)?, exemplars.collect::<PyResult<_>>()?))
}

/// What is told of each metric name; where its series disagree, all of it.
pub(crate) fn metadata(head: &Head) -> PyMetadata {
    let mut found: BTreeMap<&str, BTreeSet<(&'static str, &str, &str)>> = BTreeMap::new();
    for (labels, told) in head.metadata() {
        let told = (told.type_name(), told.unit.as_str(), told.help.as_str());
        found.entry(labels.get(METRIC_NAME)).or_default().insert(told);
    }
    let owned = |(kind, unit, help): (_, &str, &str)| (kind, unit.to_owned(), help.to_owned());
    let sorted = found.into_iter();
    sorted
        .map(|(name, told)| (name.to_owned(), told.into_iter().map(owned).collect()))
        .collect()
}

fn dict<'py>(py: Python<'py>, packed: &[u8]) -> PyResult<Bound<'py, PyDict>> {
    let labels = PyDict::new(py);
    for (name, value) in Labels::trusted(packed).iter() {
        labels.set_item(name, value)?;
    }
    Ok(labels)
}
