//! Reading the head and blocks as one store.

use std::sync::Arc;

use engine::exposition::Escaping;
use engine::labels::Labels;
use engine::merge::{SeriesStream, Window};
use engine::query::{self, Exposition, Failed, Federation, Limits};
use parking_lot::Mutex;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::column::{labels_dict, PyColumns};
use crate::head::{matchers_from, PyHead, PyMatcher};
use crate::pieces::{PyDump, PyExport, PyFederation};
use crate::selected::{blocks_from, limit_of, NamedBlock, PyNamedBlock, Selected, Why};

/// Add this file's class to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyQuery>()
}

fn limits(series: usize, samples: usize, bytes: usize) -> Limits {
    Limits {
        series: limit_of(series),
        samples: limit_of(samples),
        bytes: limit_of(bytes),
    }
}

/// What `read` gives for each selector; series count once for each that finds them, since they are held for each.
fn each<T>(
    selected: Vec<Selected>,
    blocks: &[NamedBlock],
    max_series: usize,
    read: impl Fn(Vec<Box<dyn SeriesStream>>, Window, &Limits) -> Result<Vec<T>, Failed>,
) -> Result<Vec<Vec<T>>, Why> {
    let whole = limits(max_series, 0, 0);
    let mut left = whole;
    let one = |selected: Selected| {
        let found = selected.read(blocks, |places, window| {
            read(places, window, &left).map_err(|failed| failed.in_terms_of(&whole))
        })?;
        left = left.without(found.len(), 0, 0);
        Ok(found)
    };
    selected.into_iter().map(one).collect()
}

/// Selectors, with what the head had of them at one moment. Used up by the first call that reads.
#[pyclass(name = "Query", frozen, module = "bridge._core")]
pub struct PyQuery(Mutex<Option<Vec<Selected>>>);

impl PyQuery {
    fn take(&self) -> PyResult<Vec<Selected>> {
        let selected = self.0.lock().take();
        selected.ok_or_else(|| PyValueError::new_err("the query has been used up"))
    }

    pub(crate) fn take_one(&self) -> PyResult<Selected> {
        let mut selected = self.take()?;
        let one = selected.pop().filter(|_| selected.is_empty());
        one.ok_or_else(|| PyValueError::new_err("this reads one selector"))
    }

    /// The label sets that any selector finds.
    fn label_sets(&self, py: Python<'_>, blocks: Vec<PyNamedBlock<'_>>, max_series: usize) -> PyResult<Vec<Arc<[u8]>>> {
        let (selected, blocks) = (self.take()?, blocks_from(blocks));
        let found = py.detach(|| Ok(query::union(each(selected, &blocks, max_series, query::series)?)));
        found.map_err(|why: Why| why.into_error(py))
    }
}

#[pymethods]
impl PyQuery {
    #[new]
    #[pyo3(signature = (head, selectors, *, max_series = 0))]
    fn new(
        py: Python<'_>,
        head: Option<PyRef<'_, PyHead>>,
        selectors: Vec<(Vec<PyMatcher>, i64, i64, bool)>,
        max_series: usize,
    ) -> PyResult<Self> {
        let compile = |(matchers, mint, maxt, held)| {
            Ok(Selected {
                matchers: matchers_from(matchers)?,
                window: Window { mint, maxt, held },
                head: None,
            })
        };
        let mut selected = selectors.into_iter().map(compile).collect::<PyResult<Vec<_>>>()?;
        if let Some(head) = &head {
            let (head, whole): (&PyHead, _) = (head, limits(max_series, 0, 0));
            let collected = py.detach(|| {
                let (head, mut left) = (head.read(), whole);
                selected.iter_mut().try_for_each(|selected| {
                    let entries = head.entries(&selected.matchers, selected.window, &left);
                    let entries = entries.map_err(|failed| failed.in_terms_of(&whole))?;
                    left = left.without(entries.count(), 0, 0);
                    selected.head = Some(entries);
                    Ok(())
                })
            });
            collected.map_err(|failed| Why::from_failed(failed, &[]).into_error(py))?;
        }
        Ok(Self(Mutex::new(Some(selected))))
    }

    #[pyo3(signature = (blocks, *, max_series = 0, max_samples = 0, max_bytes = 0, ordered = true))]
    fn select(
        &self,
        py: Python<'_>,
        blocks: Vec<PyNamedBlock<'_>>,
        max_series: usize,
        max_samples: usize,
        max_bytes: usize,
        ordered: bool,
    ) -> PyResult<Vec<PyColumns>> {
        let (selected, blocks) = (self.take()?, blocks_from(blocks));
        let whole = limits(max_series, max_samples, max_bytes);
        let found: Result<Vec<PyColumns>, Why> = py.detach(|| {
            let mut left = whole;
            let mut select = |one: Selected| {
                let told = |failed: Failed| failed.in_terms_of(&whole);
                let lone = !ordered && one.is_lone_head(&blocks);
                let columns = match one.head {
                    Some(entries) if lone => query::select_unordered(entries.unordered(), one.window, &left)
                        .map_err(|failed| Why::from_failed(told(failed), &[]))?,
                    head => Selected { head, ..one }.read(&blocks, |places, window| {
                        query::select(places, window, &left).map_err(told)
                    })?,
                };
                left = left.without(columns.len(), columns.samples(), columns.bytes());
                Ok(columns.into())
            };
            selected.into_iter().map(&mut select).collect()
        });
        found.map_err(|why| why.into_error(py))
    }

    #[pyo3(signature = (blocks, *, max_series = 0))]
    fn series<'py>(
        &self,
        py: Python<'py>,
        blocks: Vec<PyNamedBlock<'_>>,
        max_series: usize,
    ) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let found = self.label_sets(py, blocks, max_series)?;
        found
            .iter()
            .map(|packed| labels_dict(py, Labels::trusted(packed)))
            .collect()
    }

    #[pyo3(signature = (blocks, *, limit = 0, max_series = 0))]
    fn listing<'py>(
        &self,
        py: Python<'py>,
        blocks: Vec<PyNamedBlock<'_>>,
        limit: usize,
        max_series: usize,
    ) -> PyResult<(Bound<'py, PyBytes>, bool)> {
        let mut found = self.label_sets(py, blocks, max_series)?;
        let is_cut = limit > 0 && found.len() > limit;
        if is_cut {
            found.truncate(limit);
        }
        let text = py.detach(|| query::listing(&found));
        Ok((PyBytes::new(py, text.as_bytes()), is_cut))
    }

    #[pyo3(signature = (blocks, external, format, escaping, *, max_series = 0))]
    fn federate(
        &self,
        py: Python<'_>,
        blocks: Vec<PyNamedBlock<'_>>,
        external: Vec<(String, String)>,
        format: &str,
        escaping: &str,
        max_series: usize,
    ) -> PyResult<PyFederation> {
        let exposition = exposition_named(format)?;
        let escaping = escaping_named(escaping)?;
        let (selected, blocks) = (self.take()?, blocks_from(blocks));
        let found = py.detach(|| {
            let series = query::union_newest(each(selected, &blocks, max_series, query::newest)?);
            Ok(Federation::new(series, &external, exposition, escaping))
        });
        found.map(PyFederation::from).map_err(|why: Why| why.into_error(py))
    }

    fn export(&self, py: Python<'_>, blocks: Vec<PyNamedBlock<'_>>, format: &str) -> PyResult<PyExport> {
        let format = format_named(format)?;
        let (one, blocks) = (self.take_one()?, blocks_from(blocks));
        let export = py.detach(|| one.read(&blocks, |places, window| Ok(query::Export::new(places, window, format))));
        export.map(PyExport::from).map_err(|why| why.into_error(py))
    }

    fn dump(&self, py: Python<'_>, blocks: Vec<PyNamedBlock<'_>>) -> PyResult<PyDump> {
        let (one, blocks) = (self.take_one()?, blocks_from(blocks));
        let dump = py.detach(|| one.read(&blocks, |places, window| Ok(query::Dump::new(places, window))));
        dump.map(PyDump::from).map_err(|why| why.into_error(py))
    }
}

fn exposition_named(name: &str) -> PyResult<Exposition> {
    match name {
        "text" => Ok(Exposition::Text),
        "protobuf" => Ok(Exposition::Protobuf),
        _ => Err(PyValueError::new_err(format!("there is no exposition {name:?}"))),
    }
}

fn escaping_named(name: &str) -> PyResult<Escaping> {
    Escaping::parse(name).ok_or_else(|| PyValueError::new_err(format!("there is no escaping {name:?}")))
}

fn format_named(name: &str) -> PyResult<query::Format> {
    Ok(match name {
        "openmetrics" => query::Format::OpenMetrics,
        "line-protocol" => query::Format::LineProtocol,
        "jsonl" => query::Format::JsonLines,
        _ => return Err(PyValueError::new_err(format!("there is no format {name:?}"))),
    })
}
