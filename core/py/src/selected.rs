//! Blocks with their names, and what a selector finds in them and in the head.

use std::sync::Arc;

use engine::block::Block;
use engine::merge::{SeriesStream, Window};
use engine::query::{BlockSeries, Entries, Failed, Limit};
use engine::regex::Matcher;
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::block::PyBlock;

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

/// Add this file's errors to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("QueryLimit", module.py().get_type::<QueryLimit>())?;
    module.add("QueryFailed", module.py().get_type::<QueryFailed>())
}

/// A block, the times that it is of (from the first on, before the second), and its name for errors.
pub(crate) type PyNamedBlock<'py> = (PyRef<'py, PyBlock>, i64, i64, String);

pub(crate) struct NamedBlock {
    pub(crate) block: Arc<Block>,
    mint: i64,
    maxt: i64,
    pub(crate) name: String,
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
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) window: Window,
    pub(crate) head: Option<Entries>,
}

impl Selected {
    /// What the head had is all there is: no block has anything of the window.
    pub(crate) fn is_lone_head(&self, blocks: &[NamedBlock]) -> bool {
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

    pub(crate) fn unreadable(name: &str, why: &dyn std::fmt::Display) -> Self {
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
