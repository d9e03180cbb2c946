//! Which series a sink is sent, and what remote-write receivers get.

use std::collections::HashSet;

use engine::labels::{format_labels, Labels};
use engine::outbound::{
    compress, encode_v1, encode_v2, of_columns, of_slice, read, write, Families, Item, Route, Router, Samples, Seed,
    Tally, Wanted,
};
use engine::relabel::{relabel, Rule, Settings};
use parking_lot::Mutex;
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::column::{labels_dict, PyColumns};
use crate::head::{matchers_from, PyHead, PyMatcher};
use crate::wal::PyLogSlice;

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyRelabelRule>()?;
    module.add_class::<PyRoute>()?;
    module.add_class::<PyOutbound>()?;
    module.add_class::<PyOutboundMetadata>()?;
    module.add_class::<PySampleTally>()?;
    module.add_function(wrap_pyfunction!(relabel_labels, module)?)?;
    module.add_function(wrap_pyfunction!(select_slice, module)?)?;
    module.add_function(wrap_pyfunction!(select_columns, module)?)
}

/// A checked relabelling rule.
#[pyclass(name = "RelabelRule", frozen, module = "bridge._core")]
pub struct PyRelabelRule(Rule);

#[pymethods]
impl PyRelabelRule {
    #[new]
    #[pyo3(signature = (*, action = "replace", source_labels = Vec::new(), separator = ";", regex = "(.*)", modulus = 0, target_label = "", replacement = "$1"))]
    fn new(
        action: &str,
        source_labels: Vec<String>,
        separator: &str,
        regex: &str,
        modulus: u64,
        target_label: &str,
        replacement: &str,
    ) -> PyResult<Self> {
        let rule = Rule::new(Settings {
            action: action.into(),
            source_labels,
            separator: separator.into(),
            regex: regex.into(),
            modulus,
            target_label: target_label.into(),
            replacement: replacement.into(),
        });
        rule.map(Self).map_err(|error| PyValueError::new_err(error.to_string()))
    }
}

fn rules_from(rules: Vec<Py<PyRelabelRule>>) -> Vec<Rule> {
    rules.iter().map(|rule| rule.get().0.clone()).collect()
}

#[pyfunction]
#[pyo3(name = "relabel")]
fn relabel_labels<'py>(
    labels: Bound<'py, PyDict>,
    rules: Vec<Py<PyRelabelRule>>,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    let bad = |error: engine::labels::LabelsError| PyValueError::new_err(error.to_string());
    let pairs: Vec<(String, String)> = labels.items().extract()?;
    let mut pairs: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let (mut packed, mut out) = (Vec::new(), Vec::new());
    engine::labels::pack(&mut pairs, &mut packed).map_err(bad)?;
    let kept = relabel(&rules_from(rules), Labels::trusted(&packed), &mut out).map_err(bad)?;
    kept.then(|| labels_dict(labels.py(), Labels::trusted(&out)))
        .transpose()
}

/// Which series one sink is sent and under which labels.
#[pyclass(name = "Route", frozen, module = "bridge._core")]
pub struct PyRoute {
    /// Never held while Python is called.
    router: Mutex<Router>,
    seed: Seed,
}

impl PyRoute {
    /// To be taken with the GIL released.
    pub(crate) fn router(&self) -> parking_lot::MutexGuard<'_, Router> {
        self.router.lock()
    }
}

#[pymethods]
impl PyRoute {
    #[new]
    #[pyo3(signature = (*, wanted = Vec::new(), external_labels = Vec::new(), rules = Vec::new()))]
    fn new(
        wanted: Vec<Vec<PyMatcher>>,
        external_labels: Vec<(String, String)>,
        rules: Vec<Py<PyRelabelRule>>,
    ) -> PyResult<Self> {
        let wanted = wanted.into_iter().map(matchers_from).collect::<PyResult<_>>()?;
        let route = Route {
            wanted,
            external: external_labels,
            rules: rules_from(rules),
        };
        Ok(Self {
            router: Mutex::new(Router::new(route)),
            seed: Seed::new(),
        })
    }
}

/// Samples for a remote-write receiver.
#[pyclass(name = "Outbound", frozen, module = "bridge._core")]
pub struct PyOutbound {
    samples: Samples,
    /// The message that was made of them last, and of which version.
    message: Mutex<Option<(u8, Py<PyBytes>)>>,
}

impl From<Samples> for PyOutbound {
    fn from(samples: Samples) -> Self {
        Self {
            samples,
            message: Mutex::new(None),
        }
    }
}

impl PyOutbound {
    fn item(&self, index: usize) -> PyResult<&Item> {
        let missing = || PyIndexError::new_err(format!("no sample {index}"));
        self.samples.items().get(index).ok_or_else(missing)
    }

    /// What [`PyOutbound::series`] says of an item.
    fn name(&self, item: &Item) -> Vec<u8> {
        let mut text = String::new();
        format_labels(self.samples.labels(item), &mut text);
        text.into_bytes()
    }
}

fn too_long() -> PyErr {
    PyValueError::new_err("a message of more than 4 GiB")
}

/// What the messages are hashed with; nothing outside of one message depends on it.
fn any_seed() -> Seed {
    Seed::new()
}

#[pymethods]
impl PyOutbound {
    #[staticmethod]
    fn from_lines(py: Python<'_>, lines: Vec<String>) -> PyResult<Self> {
        let samples = py.detach(|| read(lines.iter().map(String::as_str), &any_seed()));
        samples
            .map(Self::from)
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    fn __len__(&self) -> usize {
        self.samples.len()
    }

    #[getter]
    fn size(&self, py: Python<'_>) -> usize {
        py.detach(|| self.samples.size())
    }

    #[getter]
    fn newest(&self, py: Python<'_>) -> Option<i64> {
        py.detach(|| self.samples.newest())
    }

    #[getter]
    fn unrepresentable<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = PyDict::new(py);
        for (reason, count) in self.samples.unsendable.by_reason() {
            if count > 0 {
                counts.set_item(reason, count)?;
            }
        }
        Ok(counts)
    }

    #[getter]
    fn exemplars(&self) -> usize {
        self.samples
            .items()
            .iter()
            .map(|item| self.samples.exemplars(item).len())
            .sum()
    }

    fn line<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyBytes>> {
        let item = self.item(index)?;
        Ok(PyBytes::new(py, write(self.samples.labels(item), item).as_bytes()))
    }

    fn series<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.name(self.item(index)?)))
    }

    #[staticmethod]
    fn concat(py: Python<'_>, parts: Vec<Py<Self>>) -> Self {
        py.detach(|| Samples::concat(parts.iter().map(|part| &part.get().samples)))
            .into()
    }

    fn slice(&self, py: Python<'_>, start: usize, stop: usize) -> Self {
        py.detach(|| self.samples.slice(start..stop)).into()
    }

    fn fit(&self, py: Python<'_>, start: usize, max_samples: usize, max_bytes: usize) -> usize {
        py.detach(|| self.samples.fit(start, max_samples, max_bytes))
    }

    fn shards(&self, py: Python<'_>, count: usize) -> Vec<Self> {
        py.detach(|| self.samples.shards(count).into_iter().map(Self::from).collect())
    }

    fn split_newest(&self, py: Python<'_>) -> (Self, Self) {
        let (newest, older) = py.detach(|| self.samples.split_newest());
        (newest.into(), older.into())
    }

    fn split_by_series(&self, py: Python<'_>, series: HashSet<Vec<u8>>) -> (Self, Self) {
        let (found, others) = py.detach(|| self.samples.split(|item| series.contains(&self.name(item))));
        (found.into(), others.into())
    }

    fn split_by_text(&self, py: Python<'_>, lines: HashSet<Vec<u8>>) -> (Self, Self) {
        let is_one = |item: &Item| lines.contains(write(self.samples.labels(item), item).as_bytes());
        let (found, others) = py.detach(|| self.samples.split(is_one));
        (found.into(), others.into())
    }

    fn made(&self, py: Python<'_>, version: u8) -> Option<Py<PyBytes>> {
        let message = self.message.lock();
        let made = message.as_ref().filter(|(made, _)| *made == version);
        made.map(|(_, message)| message.clone_ref(py))
    }

    fn message(&self, py: Python<'_>, version: u8) -> PyResult<Py<PyBytes>> {
        if let Some(made) = self.made(py, version) {
            return Ok(made);
        }
        let message = py.detach(|| match version {
            1 => compress(&encode_v1(&self.samples)),
            _ => compress(&encode_v2(&self.samples, &any_seed())),
        });
        let message = message.ok_or_else(too_long)?;
        let message = PyBytes::new(py, &message).unbind();
        *self.message.lock() = Some((version, message.clone_ref(py)));
        Ok(message)
    }
}

fn wanted(histograms: bool, exemplars: bool, version: u8, since: i64) -> Wanted {
    Wanted {
        histograms,
        custom_buckets: version != 1,
        exemplars,
        metadata: version != 1,
        since,
    }
}

#[pyfunction]
#[pyo3(signature = (head, slice, route, *, version, histograms, exemplars, since))]
#[expect(clippy::too_many_arguments, reason = "a sink's settings, all by name")]
fn select_slice(
    py: Python<'_>,
    head: &PyHead,
    slice: &PyLogSlice,
    route: &PyRoute,
    version: u8,
    histograms: bool,
    exemplars: bool,
    since: i64,
) -> PyOutbound {
    let wanted = wanted(histograms, exemplars, version, since);
    py.detach(|| of_slice(&head.read(), &slice.0, &mut route.router(), &route.seed, wanted))
        .into()
}

#[pyfunction]
#[pyo3(signature = (columns, start, stop, route, *, version, histograms, since))]
#[expect(clippy::too_many_arguments, reason = "a sink's settings, all by name")]
fn select_columns(
    py: Python<'_>,
    columns: &PyColumns,
    start: usize,
    stop: usize,
    route: &PyRoute,
    version: u8,
    histograms: bool,
    since: i64,
) -> PyOutbound {
    let wanted = wanted(histograms, false, version, since);
    py.detach(|| of_columns(columns.shared(), start..stop, &route.router(), &route.seed, wanted))
        .into()
}

/// Samples by metric and stretch of time.
#[pyclass(name = "SampleTally", frozen, module = "bridge._core")]
struct PySampleTally(Mutex<Tally>);

#[pymethods]
impl PySampleTally {
    #[new]
    fn new(width: i64) -> Self {
        Self(Mutex::new(Tally::new(width)))
    }

    fn add(&self, py: Python<'_>, samples: &PyOutbound) {
        py.detach(|| self.0.lock().add(&samples.samples));
    }

    fn forget_points(&self, py: Python<'_>) {
        py.detach(|| self.0.lock().forget_points());
    }

    #[getter]
    fn counts(&self, py: Python<'_>) -> Vec<(String, String, i64, u64)> {
        py.detach(|| {
            let tally = self.0.lock();
            let rows = tally.counts();
            rows.map(|(metric, start, count)| (metric.to_owned(), String::new(), start, count))
                .collect()
        })
    }
}

/// What remote write 1.0 is told of metrics.
#[pyclass(name = "OutboundMetadata", frozen, module = "bridge._core")]
struct PyOutboundMetadata(Families);

#[pymethods]
impl PyOutboundMetadata {
    #[new]
    fn new(py: Python<'_>, head: &PyHead) -> Self {
        py.detach(|| {
            let told = head.read().shared_metadata();
            Self(Families::of(told))
        })
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    #[getter]
    fn size(&self, py: Python<'_>) -> usize {
        py.detach(|| self.0.size())
    }

    fn part(&self, py: Python<'_>, start: usize, max_metrics: usize, max_bytes: usize) -> Self {
        py.detach(|| Self(self.0.part(start, max_metrics, max_bytes)))
    }

    fn message<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let message = py.detach(|| compress(&self.0.encode())).ok_or_else(too_long)?;
        Ok(PyBytes::new(py, &message))
    }
}
