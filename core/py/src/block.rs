//! Blocks: open ones, and what is found when every byte of one is read.

use std::sync::Arc;

use engine::blob::Blob;
use engine::block::{self, Interval};
use engine::postings;
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::buffer::Bytes;
use crate::head::{matchers_from, PyMatcher};

create_exception!(
    _core,
    BlockDamaged,
    PyValueError,
    "A file of a block that cannot be read where it should be."
);

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("BlockDamaged", module.py().get_type::<BlockDamaged>())?;
    module.add_class::<PyBlock>()?;
    module.add_class::<PyBlockStats>()?;
    module.add_class::<PyDamage>()?;
    module.add_class::<PyVerification>()?;
    module.add_function(wrap_pyfunction!(verify_block, module)?)
}

/// The exception for damage that a reader met.
pub(crate) fn damaged(py: Python<'_>, damage: block::Damage) -> PyErr {
    let error = BlockDamaged::new_err(damage.to_string());
    match error.value(py).setattr("damage", PyDamage(damage)) {
        Ok(()) => error,
        Err(other) => other,
    }
}

/// An open block.
#[pyclass(name = "Block", frozen, module = "bridge._core")]
pub struct PyBlock(Arc<block::Block>);

impl PyBlock {
    /// The block, for readers.
    pub(crate) fn shared(&self) -> Arc<block::Block> {
        self.0.clone()
    }
}

#[pymethods]
impl PyBlock {
    #[new]
    #[pyo3(signature = (index, chunks, tombstones = None, held = None))]
    fn new(
        py: Python<'_>,
        index: Bytes,
        chunks: Vec<Bytes>,
        tombstones: Option<Bytes>,
        held: Option<Bytes>,
    ) -> PyResult<Self> {
        let files = Files::new(py, index, chunks, tombstones, held)?;
        let opened = py.detach(|| block::Block::open(files.index, files.chunks, files.tombstones, files.held));
        opened
            .map(|block| Self(Arc::new(block)))
            .map_err(|damage| damaged(py, damage))
    }

    #[getter]
    fn series(&self, py: Python<'_>) -> PyResult<usize> {
        let all = self.0.index().all();
        all.map(|all| all.len()).map_err(|damage| damaged(py, damage))
    }

    #[getter]
    fn symbols(&self) -> usize {
        self.0.index().symbol_count()
    }

    #[getter]
    fn label_pairs(&self) -> usize {
        self.0.index().pair_count()
    }

    #[getter]
    fn tombstones(&self) -> usize {
        self.0.tombstones().count()
    }

    #[getter]
    fn bytes(&self) -> usize {
        self.0.index().size() + self.0.chunks().size()
    }

    fn delete<'py>(
        &self,
        py: Python<'py>,
        matchers: Vec<PyMatcher>,
        mint: i64,
        maxt: i64,
    ) -> PyResult<Option<(Bound<'py, PyBytes>, usize)>> {
        let matchers = matchers_from(matchers)?;
        let deleted = py.detach(|| {
            let references = postings::select(self.0.index(), &matchers)?;
            let tombstones = self.0.delete(references.into_iter(), Interval { mint, maxt })?;
            Ok((tombstones != *self.0.tombstones()).then_some(tombstones))
        });
        let deleted = deleted.map_err(|damage| damaged(py, damage))?;
        Ok(deleted.map(|tombstones| (PyBytes::new(py, &tombstones.write()), tombstones.count())))
    }

    fn label_names(&self) -> Vec<&str> {
        self.0.index().names().collect()
    }

    fn label_values(&self, name: &str) -> Vec<&str> {
        self.0.index().values(name).collect()
    }
}

/// The files of a block, kept while somebody reads them.
struct Files {
    index: Blob,
    chunks: Vec<Blob>,
    tombstones: Option<Blob>,
    held: Option<Blob>,
}

impl Files {
    fn new(
        py: Python<'_>,
        index: Bytes,
        chunks: Vec<Bytes>,
        tombstones: Option<Bytes>,
        held: Option<Bytes>,
    ) -> PyResult<Self> {
        Ok(Self {
            index: index.into_blob(py)?,
            chunks: chunks
                .into_iter()
                .map(|file| file.into_blob(py))
                .collect::<PyResult<_>>()?,
            tombstones: tombstones.map(|file| file.into_blob(py)).transpose()?,
            held: held.map(|file| file.into_blob(py)).transpose()?,
        })
    }
}

#[pyfunction]
#[pyo3(signature = (index, chunks, tombstones = None, held = None))]
fn verify_block(
    py: Python<'_>,
    index: Bytes,
    chunks: Vec<Bytes>,
    tombstones: Option<Bytes>,
    held: Option<Bytes>,
) -> PyResult<PyVerification> {
    let files = Files::new(py, index, chunks, tombstones, held)?;
    Ok(PyVerification(py.detach(|| {
        block::verify(
            &files.index,
            &files.chunks,
            files.tombstones.as_ref(),
            files.held.as_ref(),
        )
    })))
}

/// A range that cannot be believed.
#[pyclass(name = "Damage", frozen, module = "bridge._core")]
pub struct PyDamage(block::Damage);

#[pymethods]
impl PyDamage {
    #[getter]
    fn file(&self) -> String {
        self.0.file.to_string()
    }

    #[getter]
    fn offset(&self) -> u64 {
        self.0.offset
    }

    #[getter]
    fn length(&self) -> u64 {
        self.0.length
    }

    #[getter]
    fn reason(&self) -> String {
        self.0.reason.to_string()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Damage {}>", self.0)
    }
}

/// What was found in a block.
#[pyclass(name = "Verification", frozen, module = "bridge._core")]
pub struct PyVerification(block::Verification);

#[pymethods]
impl PyVerification {
    #[getter]
    fn damage(&self) -> Vec<PyDamage> {
        self.0.damage.iter().copied().map(PyDamage).collect()
    }

    #[getter]
    fn omitted(&self) -> u64 {
        self.0.omitted
    }

    #[getter]
    fn stats(&self) -> PyBlockStats {
        PyBlockStats(self.0.stats)
    }

    #[getter]
    fn crossing_chunks(&self) -> u64 {
        self.0.crossing
    }
}

/// Counts of a block.
#[pyclass(name = "BlockStats", frozen, module = "bridge._core")]
pub struct PyBlockStats(pub(crate) block::Stats);

#[pymethods]
impl PyBlockStats {
    #[getter]
    fn series(&self) -> u64 {
        self.0.series
    }

    #[getter]
    fn chunks(&self) -> u64 {
        self.0.chunks
    }

    #[getter]
    fn samples(&self) -> u64 {
        self.0.samples()
    }

    #[getter]
    fn float_samples(&self) -> u64 {
        self.0.float_samples
    }

    #[getter]
    fn histogram_samples(&self) -> u64 {
        self.0.histogram_samples
    }

    #[getter]
    fn min_time(&self) -> Option<i64> {
        self.0.range.map(|(first, _)| first)
    }

    #[getter]
    fn max_time(&self) -> Option<i64> {
        self.0.range.map(|(_, last)| last)
    }
}
