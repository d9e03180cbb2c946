//! Push groups.

use std::sync::Arc;

use engine::family::{Family, Text};
use engine::push::{Format, GroupKey, PushOptions, Refusal, Table, Ticket, Timestamps};
use engine::regex::Matcher;
use engine::wire::protobuf::ProtobufError;
use engine::wire::{self, openmetrics, protobuf, text, Options};
use parking_lot::Mutex;
use pyo3::create_exception;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::gil::detach_if_long;
use crate::head::{matchers_from, PyBatch, PyMatcher};
use crate::pieces::PyPage;

create_exception!(
    _core,
    ParseError,
    PyValueError,
    "A body that is not in the format that it claims."
);
create_exception!(
    _core,
    TooManyMetrics,
    PyValueError,
    "A body with more metrics than the limit."
);
create_exception!(
    _core,
    PushRefused,
    PyValueError,
    "A push that is not taken; `args` are (kind, text)."
);

type PyKey = Vec<(String, String)>;

fn key_from(pairs: PyKey) -> GroupKey {
    GroupKey::new(pairs.into_iter().map(|(n, v)| (Text::from(n), Text::from(v))))
}

fn key_to(key: &GroupKey) -> PyKey {
    key.labels()
        .iter()
        .map(|l| (l.name.to_string(), l.value.to_string()))
        .collect()
}

/// The families of one body.
#[pyclass(name = "Families", frozen, module = "bridge._core")]
pub struct PyFamilies {
    families: Mutex<Vec<Family>>,
}

#[pymethods]
impl PyFamilies {
    fn __len__(&self) -> usize {
        self.families.lock().len()
    }

    /// Metrics in all families.
    #[getter]
    fn metrics(&self) -> usize {
        self.families.lock().iter().map(|f| f.metrics.len()).sum()
    }
}

/// Parse a push body: `format` is "text", "openmetrics" or "protobuf".
#[pyfunction]
#[pyo3(signature = (body, format, *, utf8, lenient, max_metrics = 0))]
fn parse_families(
    py: Python<'_>,
    body: &[u8],
    format: &str,
    utf8: bool,
    lenient: bool,
    max_metrics: usize,
) -> PyResult<PyFamilies> {
    let options = Options {
        utf8,
        lenient,
        max_metrics,
    };
    let of_text = |e: wire::ParseError| (e.too_many, e.to_string());
    let of_protobuf = |e: ProtobufError| (matches!(e, ProtobufError::TooMany(_)), e.to_string());
    let parsed = detach_if_long(py, body.len() / 32, || match format {
        "text" => text::parse(body, options).map_err(of_text),
        "openmetrics" => openmetrics::parse(body, options).map_err(of_text),
        "protobuf" => protobuf::parse_delimited(body, options).map_err(of_protobuf),
        other => Err((false, format!("no such format: {other}"))),
    });
    match parsed {
        Ok(families) => Ok(PyFamilies {
            families: Mutex::new(families),
        }),
        Err((true, text)) => Err(TooManyMetrics::new_err(text)),
        Err((false, text)) => Err(ParseError::new_err(text)),
    }
}

fn refused(refusal: &Refusal) -> PyErr {
    let kind = match refusal {
        Refusal::Inconsistent(_) => "inconsistent",
        Refusal::Timestamps => "timestamps",
        Refusal::TimestampRange(_) => "timestamp_range",
        Refusal::Groups(_) => "groups",
        Refusal::Series(_) => "series",
    };
    PushRefused::new_err((kind, refusal.to_string()))
}

/// A staged change of one group and the batch that makes it durable.
#[pyclass(name = "PushTicket", frozen, module = "bridge._core")]
pub struct PyTicket {
    table: Arc<Mutex<Table>>,
    ticket: Mutex<Option<Ticket>>,
    batch: Py<PyBatch>,
}

impl PyTicket {
    fn settle(&self) -> PyResult<Ticket> {
        self.ticket
            .lock()
            .take()
            .ok_or_else(|| PyRuntimeError::new_err("this push is settled already"))
    }
}

#[pymethods]
impl PyTicket {
    /// What the store has to make durable.
    #[getter]
    fn batch(&self, py: Python<'_>) -> Py<PyBatch> {
        self.batch.clone_ref(py)
    }

    /// Show the change; in the order of staging.
    fn commit(&self) -> PyResult<()> {
        let ticket = self.settle()?;
        self.table.lock().commit(ticket);
        Ok(())
    }

    /// Take the change back; newest first.
    fn rollback(&self) -> PyResult<()> {
        let ticket = self.settle()?;
        self.table.lock().rollback(ticket);
        Ok(())
    }
}

/// All push groups.
#[pyclass(name = "PushTable", frozen, module = "bridge._core")]
pub struct PyTable {
    table: Arc<Mutex<Table>>,
}

impl PyTable {
    fn ticket(&self, py: Python<'_>, staged: (Ticket, engine::batch::Batch)) -> PyResult<PyTicket> {
        let (ticket, batch) = staged;
        let batch = Py::new(py, PyBatch::from(batch))?;
        Ok(PyTicket {
            table: Arc::clone(&self.table),
            ticket: Mutex::new(Some(ticket)),
            batch,
        })
    }
}

#[pymethods]
impl PyTable {
    #[new]
    #[pyo3(signature = (max_groups = 0, max_series = 0))]
    fn new(max_groups: usize, max_series: usize) -> Self {
        Self {
            table: Arc::new(Mutex::new(Table::new(max_groups, max_series))),
        }
    }

    fn set_limits(&self, max_groups: usize, max_series: usize) {
        self.table.lock().set_limits(max_groups, max_series);
    }

    /// Reserve the names in an exposition of the bridge's own metrics.
    fn reserve(&self, own: &[u8]) -> PyResult<()> {
        let families = own_families(own)?;
        self.table
            .lock()
            .reserve(families.into_iter().map(|f| (f.name, f.kind)));
        Ok(())
    }

    #[getter]
    fn groups(&self) -> usize {
        self.table.lock().groups()
    }

    #[getter]
    fn series(&self) -> usize {
        self.table.lock().series()
    }

    /// Stage a push; the families are used up.
    #[pyo3(signature = (key, families, *, now, ttl, replace, merge_series = false, oldest = None, newest = None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a Python call")]
    fn stage(
        &self,
        py: Python<'_>,
        key: PyKey,
        families: &PyFamilies,
        now: i64,
        ttl: i64,
        replace: bool,
        merge_series: bool,
        oldest: Option<i64>,
        newest: Option<i64>,
    ) -> PyResult<PyTicket> {
        let key = key_from(key);
        let families = std::mem::take(&mut *families.families.lock());
        let timestamps = match (oldest, newest) {
            (Some(oldest_ms), Some(newest_ms)) => Timestamps::Accept { oldest_ms, newest_ms },
            _ => Timestamps::Refuse,
        };
        let options = PushOptions {
            now_ms: now,
            ttl_ms: ttl,
            replace,
            merge_series,
            timestamps,
        };
        let metrics = families.iter().map(|f| f.metrics.len()).sum();
        let staged = detach_if_long(py, metrics, || self.table.lock().stage(&key, families, &options));
        self.ticket(py, staged.map_err(|r| refused(&r))?)
    }

    /// Stage the memory of a refused push; None where there is no room for a new group.
    fn stage_failure(&self, py: Python<'_>, key: PyKey, now: i64, ttl: i64) -> PyResult<Option<PyTicket>> {
        let staged = self.table.lock().stage_failure(&key_from(key), now, ttl);
        staged.map(|s| self.ticket(py, s)).transpose()
    }

    /// Stage the end of a group; None if there is none.
    fn stage_delete(&self, py: Python<'_>, key: PyKey, now: i64) -> PyResult<Option<PyTicket>> {
        let staged = self.table.lock().stage_delete(&key_from(key), now);
        staged.map(|s| self.ticket(py, s)).transpose()
    }

    /// Keys of the groups whose time to live is over.
    fn expired(&self, now: i64) -> Vec<PyKey> {
        self.table.lock().expired(now).iter().map(|k| key_to(k)).collect()
    }

    /// Keys of the groups that match any of the selectors, each a list of (name, op, value); no selector matches all.
    fn matching(&self, py: Python<'_>, selectors: Vec<Vec<PyMatcher>>) -> PyResult<Vec<PyKey>> {
        let selectors: Vec<Vec<Matcher>> = selectors.into_iter().map(matchers_from).collect::<PyResult<_>>()?;
        let snapshot = self.table.lock().snapshot();
        Ok(py.detach(|| snapshot.matching(&selectors).map(key_to).collect()))
    }

    /// Queue a change found in the projection or in the log.
    fn recover(&self, change: &[u8]) -> PyResult<()> {
        self.table
            .lock()
            .recover(change)
            .map_err(|e| PyValueError::new_err(e.to_string()))
    }

    /// Apply what was queued; how many groups there are now.
    fn finish_recovery(&self, py: Python<'_>) -> PyResult<usize> {
        py.detach(|| self.table.lock().finish_recovery())
            .map_err(|e| PyValueError::new_err(e.to_string()))
    }

    /// (key bytes, state bytes or None) of each group that changed since the last call.
    fn take_dirty<'py>(&self, py: Python<'py>) -> Vec<(Bound<'py, PyBytes>, Option<Bound<'py, PyBytes>>)> {
        let dirty = py.detach(|| {
            let dirty = self.table.lock().take_dirty();
            dirty
                .into_iter()
                .map(|(key, state)| (key.encode(), state))
                .collect::<Vec<_>>()
        });
        dirty
            .into_iter()
            .map(|(key, state)| (PyBytes::new(py, &key), state.map(|s| PyBytes::new(py, &s))))
            .collect()
    }

    /// The page of all groups together with the bridge's own metrics.
    #[pyo3(signature = (own, *, format, escaping, names = None))]
    fn render(
        &self,
        py: Python<'_>,
        own: &[u8],
        format: &str,
        escaping: &str,
        names: Option<Vec<String>>,
    ) -> PyResult<PyPage> {
        let own = own_families(own)?;
        let format = Format::parse(format, escaping)
            .ok_or_else(|| PyValueError::new_err(format!("no such format: {format} with escaping {escaping}")))?;
        let snapshot = self.table.lock().snapshot();
        Ok(py.detach(|| snapshot.page(own, format, names.as_deref())).into())
    }

    /// The `data` of `GET /api/v1/metrics`.
    fn api_json<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let snapshot = self.table.lock().snapshot();
        let json = py.detach(|| snapshot.api_json());
        PyBytes::new(py, &json)
    }
}

fn own_families(own: &[u8]) -> PyResult<Vec<Family>> {
    text::parse(own, Options::default()).map_err(|e| ParseError::new_err(e.to_string()))
}

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyFamilies>()?;
    module.add_class::<PyTable>()?;
    module.add_class::<PyTicket>()?;
    module.add_function(wrap_pyfunction!(parse_families, module)?)?;
    module.add("ParseError", module.py().get_type::<ParseError>())?;
    module.add("TooManyMetrics", module.py().get_type::<TooManyMetrics>())?;
    module.add("PushRefused", module.py().get_type::<PushRefused>())
}
