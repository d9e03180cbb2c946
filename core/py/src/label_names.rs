//! Names and values of labels, of the head and blocks together.

use std::collections::BTreeSet;

use engine::block::{Block, Damage};
use engine::head::Head;
use engine::postings;
use pyo3::prelude::*;

use crate::head::{matchers_from, PyHead, PyMatcher};
use crate::selected::{blocks_from, limit_of, PyNamedBlock, Why};

/// Add this file's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(label_names, module)?)?;
    module.add_function(wrap_pyfunction!(label_values, module)?)
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
        Ok(found.into_iter().take(limit_of(limit)).collect())
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
