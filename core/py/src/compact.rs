//! Building a block out of others, of the head, of rows.

use std::sync::Arc;

use engine::block::{Block, Piece, SEGMENT_SIZE};
use engine::compact::{Builder, Failed, Merge, Step};
use engine::head::{Head, LateCut};
use engine::merge::{Broken, Fault, SeriesStream, Window};
use engine::query::{BlockSeries, Limits};
use engine::regex::Matcher;
use parking_lot::{Mutex, RwLock};
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::block::{PyBlock, PyBlockStats};
use crate::head::{matchers_from, PyHead, PyMatcher};
use crate::late::PyLateCut;

type SharedHead = Arc<RwLock<Head>>;

/// Stands for the index among the numbers of chunk files, which begin at 1.
const INDEX: u32 = 0;

create_exception!(
    _core,
    CompactionFailed,
    PyValueError,
    "Inputs that cannot be made one block; `input` is the place of the one that cannot be read, or None."
);

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("CompactionFailed", module.py().get_type::<CompactionFailed>())?;
    module.add_class::<PyBlockBuilder>()
}

fn failed(py: Python<'_>, failed: &Failed) -> PyErr {
    let input = match failed {
        Failed::Input(broken) => Some(broken.place),
        _ => None,
    };
    let error = CompactionFailed::new_err(failed.to_string());
    match error.value(py).setattr("input", input) {
        Ok(()) => error,
        Err(other) => other,
    }
}

/// What a block is made of.
#[derive(FromPyObject)]
enum Input<'py> {
    Block(PyRef<'py, PyBlock>),
    Head(PyRef<'py, PyHead>),
    Late(PyRef<'py, PyLateCut>),
}

/// The same, to be read without the GIL.
enum Source {
    Block(Arc<Block>),
    Head(SharedHead),
    Late(Arc<LateCut>),
}

impl Source {
    fn open(self, matchers: &[Matcher], window: Window) -> Result<Box<dyn SeriesStream>, Fault> {
        Ok(match self {
            Self::Block(block) => Box::new(BlockSeries::new(block, matchers, window)?),
            Self::Head(head) => Box::new(head.read().entries(matchers, window, &Limits::default())?),
            Self::Late(cut) => Box::new(cut.entries(window)),
        })
    }
}

fn merge(sources: Vec<Source>, matchers: &[Matcher], mint: i64, maxt: i64) -> Result<Merge, Failed> {
    let window = Window {
        mint,
        maxt: maxt.saturating_sub(1),
        held: true,
    };
    let open =
        |(place, source): (usize, Source)| source.open(matchers, window).map_err(|cause| Broken { place, cause });
    let streams: Vec<_> = sources.into_iter().enumerate().map(open).collect::<Result<_, _>>()?;
    Ok(Merge::new(streams, mint, maxt))
}

/// Number of a chunk file or [`INDEX`], and what comes next in it.
type PyPiece<'py> = (u32, Bound<'py, PyBytes>);

/// A block on its way.
#[pyclass(name = "BlockBuilder", frozen, module = "bridge._core")]
pub struct PyBlockBuilder(Mutex<Builder>);

#[pymethods]
impl PyBlockBuilder {
    #[new]
    #[pyo3(signature = (inputs, mint, maxt, *, matchers = Vec::new(), segment_size = SEGMENT_SIZE))]
    fn new(
        py: Python<'_>,
        inputs: Vec<Input<'_>>,
        mint: i64,
        maxt: i64,
        matchers: Vec<PyMatcher>,
        segment_size: u64,
    ) -> PyResult<Self> {
        let matchers = matchers_from(matchers)?;
        let source = |input: &Input<'_>| match input {
            Input::Block(block) => Source::Block(block.shared()),
            Input::Head(head) => Source::Head(head.shared()),
            Input::Late(cut) => Source::Late(cut.shared()),
        };
        let sources: Vec<Source> = inputs.iter().map(source).collect();
        let builder = py.detach(|| Builder::new(merge(sources, &matchers, mint, maxt)?, segment_size));
        builder
            .map(|builder| Self(Mutex::new(builder)))
            .map_err(|why| failed(py, &why))
    }

    fn step<'py>(&self, py: Python<'py>, max_bytes: usize) -> PyResult<Option<Vec<PyPiece<'py>>>> {
        let step = py.detach(|| self.0.lock().step(max_bytes));
        Ok(match step.map_err(|why| failed(py, &why))? {
            Step::Chunks(pieces) => {
                let piece = |piece: Piece| (piece.file, PyBytes::new(py, &piece.bytes));
                Some(pieces.into_iter().map(piece).collect())
            }
            Step::Index(bytes) => Some(vec![(INDEX, PyBytes::new(py, &bytes))]),
            Step::Done => None,
        })
    }

    #[getter]
    fn held<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        let outcome = py.detach(|| self.0.lock().outcome());
        outcome.held.map(|held| PyBytes::new(py, &held))
    }

    #[getter]
    fn stats(&self, py: Python<'_>) -> PyBlockStats {
        PyBlockStats(py.detach(|| self.0.lock().outcome()).stats)
    }
}
