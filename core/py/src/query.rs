//! Reading the head and blocks as one store.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::block::{Block, Damage};
use engine::exposition::Escaping;
use engine::head::Head;
use engine::labels::Labels;
use engine::merge::{SeriesStream, Window};
use engine::postings;
use engine::query::{self, BlockSeries, Entries, Exposition, Failed, Federation, Limit, Limits};
use engine::regex::Matcher;
use parking_lot::Mutex;
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::block::PyBlock;
use crate::column::{labels_dict, PyColumns};
use crate::head::{matchers_from, PyHead, PyMatcher};
use crate::pieces::{PyDump, PyExport, PyFederation};

create_exception!(
    _core,
    QueryLimit,
    PyValueError,
    "A query that would take more than it may. `what` is \"series\", \"samples\" or \"bytes\", `limit` how much it may."
);
create_exception!(
    _core,
    QueryFailed,
    PyValueError,
    "What is stored cannot be read; the text names block file, offset and damage."
);

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("QueryLimit", module.py().get_type::<QueryLimit>())?;
    module.add("QueryFailed", module.py().get_type::<QueryFailed>())?;
    module.add_class::<PyQuery>()?;
    module.add_function(wrap_pyfunction!(label_names, module)?)?;
    module.add_function(wrap_pyfunction!(label_values, module)?)
}

/// QueryLimit with `what` and `limit`.
fn limited(py: Python<'_>, what: Limit, limit: usize) -> PyErr {
    let error = QueryLimit::new_err(Failed::TooMany { what, limit }.to_string());
    let value = error.value(py);
    let set = value
        .setattr("what", what.to_string())
        .and_then(|()| value.setattr("limit", limit));
    match set {
        Ok(()) => error,
        Err(other) => other,
    }
}

/// 0 sets no limit.
pub(crate) fn limit_of(limit: usize) -> usize {
    if limit == 0 {
        usize::MAX
    } else {
        limit
    }
}

fn limits(series: usize, samples: usize, bytes: usize) -> Limits {
    Limits {
        series: limit_of(series),
        samples: limit_of(samples),
        bytes: limit_of(bytes),
    }
}

/// A block, the times that it is of (from the first on, before the second), and its name for errors.
pub(crate) type PyNamedBlock<'py> = (PyRef<'py, PyBlock>, i64, i64, String);

pub(crate) struct NamedBlock {
    block: Arc<Block>,
    mint: i64,
    maxt: i64,
    name: String,
}

/// Blocks by their first time, which is the order that decides ties.
pub(crate) fn blocks_from(blocks: Vec<PyNamedBlock<'_>>) -> Vec<NamedBlock> {
    let named = |(block, mint, maxt, name): PyNamedBlock<'_>| NamedBlock {
        block: block.shared(),
        mint,
        maxt: maxt.saturating_sub(1),
        name,
    };
    let mut blocks: Vec<NamedBlock> = blocks.into_iter().map(named).collect();
    blocks.sort_by_key(|block| block.mint);
    blocks
}

/// One selector, and what the head had of it.
pub(crate) struct Selected {
    matchers: Vec<Matcher>,
    window: Window,
    head: Option<Entries>,
}

impl Selected {
    /// What the head had is all there is: no block has anything of the window.
    fn is_lone_head(&self, blocks: &[NamedBlock]) -> bool {
        self.head.is_some() && !blocks.iter().any(|named| self.window.meets(named.mint, named.maxt))
    }

    /// Read all places that have series of it. What the head had is given away.
    pub(crate) fn read<T>(
        self,
        blocks: &[NamedBlock],
        read: impl FnOnce(Vec<Box<dyn SeriesStream>>, Window) -> Result<T, Failed>,
    ) -> Result<T, Why> {
        let mut places: Vec<Box<dyn SeriesStream>> = Vec::with_capacity(blocks.len() + 1);
        let mut names = Vec::with_capacity(blocks.len());
        for named in blocks.iter().filter(|named| self.window.meets(named.mint, named.maxt)) {
            let series = BlockSeries::new(named.block.clone(), &self.matchers, self.window);
            places.push(Box::new(
                series.map_err(|damage| Why::unreadable(&named.name, &damage))?,
            ));
            names.push(&named.name);
        }
        if let Some(entries) = self.head {
            places.push(Box::new(entries));
        }
        read(places, self.window).map_err(|failed| Why::from_failed(failed, &names))
    }
}

/// Why a query has no result.
pub(crate) enum Why {
    Limit(Limit, usize),
    Unreadable(String),
}

impl Why {
    pub(crate) fn from_failed(failed: Failed, names: &[&String]) -> Self {
        match failed {
            Failed::TooMany { what, limit } => Self::Limit(what, limit),
            Failed::Place(broken) => match names.get(broken.place) {
                Some(name) => Self::unreadable(name, &broken),
                None => Self::Unreadable(broken.to_string()),
            },
            other => Self::Unreadable(other.to_string()),
        }
    }

    fn unreadable(name: &str, why: &dyn std::fmt::Display) -> Self {
        Self::Unreadable(format!("{name}/{why}"))
    }

    pub(crate) fn into_error(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Limit(what, limit) => limited(py, what, limit),
            Self::Unreadable(text) => QueryFailed::new_err(text),
        }
    }
}

/// Why what was being read, or printed, cannot be read on.
pub(crate) fn failure(py: Python<'_>, failed: Failed) -> PyErr {
    Why::from_failed(failed, &[]).into_error(py)
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

/// What all places have of label names or values, the first `limit` of them.
fn gathered(
    py: Python<'_>,
    head: Option<PyRef<'_, PyHead>>,
    blocks: Vec<PyNamedBlock<'_>>,
    limit: usize,
    from_head: impl FnOnce(&Head, &mut BTreeSet<String>) + Send,
    from_block: impl Fn(&Block, &mut BTreeSet<String>) -> Result<(), Damage> + Send + Sync,
) -> PyResult<Vec<String>> {
    let blocks = blocks_from(blocks);
    let head: Option<&PyHead> = head.as_deref();
    let found = py.detach(|| {
        let mut found = BTreeSet::new();
        if let Some(head) = head {
            from_head(&head.read(), &mut found);
        }
        for named in &blocks {
            from_block(&named.block, &mut found).map_err(|damage| Why::unreadable(&named.name, &damage))?;
        }
        let limit = if limit == 0 { usize::MAX } else { limit };
        Ok(found.into_iter().take(limit).collect())
    });
    found.map_err(|why: Why| why.into_error(py))
}

#[pyfunction]
#[pyo3(signature = (head, blocks, matchers, *, limit = 0))]
fn label_names(
    py: Python<'_>,
    head: Option<PyRef<'_, PyHead>>,
    blocks: Vec<PyNamedBlock<'_>>,
    matchers: Vec<PyMatcher>,
    limit: usize,
) -> PyResult<Vec<String>> {
    let matchers = matchers_from(matchers)?;
    let from_head = |head: &Head, out: &mut BTreeSet<String>| {
        let Ok(()) = postings::names(head, &matchers, out);
    };
    let from_block = |block: &Block, out: &mut BTreeSet<String>| postings::names(block.index(), &matchers, out);
    gathered(py, head, blocks, limit, from_head, from_block)
}

#[pyfunction]
#[pyo3(signature = (head, blocks, name, matchers, *, limit = 0))]
fn label_values(
    py: Python<'_>,
    head: Option<PyRef<'_, PyHead>>,
    blocks: Vec<PyNamedBlock<'_>>,
    name: &str,
    matchers: Vec<PyMatcher>,
    limit: usize,
) -> PyResult<Vec<String>> {
    let matchers = matchers_from(matchers)?;
    let from_head = |head: &Head, out: &mut BTreeSet<String>| {
        let Ok(()) = postings::values(head, name, &matchers, out);
    };
    let from_block = |block: &Block, out: &mut BTreeSet<String>| postings::values(block.index(), name, &matchers, out);
    gathered(py, head, blocks, limit, from_head, from_block)
}
