//! Remote read: what is asked, and the answer in pieces.

use engine::query::{ChunkRead, Limits, SampleRead};
use engine::wire::remote_read::{compress, heads, BadRequest, External, Request};
use parking_lot::Mutex;
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::buffer::Bytes;
use crate::query::PyQuery;
use crate::selected::{blocks_from, PyNamedBlock, Why};

/// Size of the pieces that an answer comes in, bytes before compression.
const PIECE: usize = 512 * 1024;

create_exception!(
    _core,
    ReadRequestError,
    PyValueError,
    "A body that is no remote-read request."
);

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("ReadRequestError", module.py().get_type::<ReadRequestError>())?;
    module.add_class::<PyChunkRead>()?;
    module.add_class::<PySampleRead>()?;
    module.add_function(wrap_pyfunction!(read_request, module)?)?;
    module.add_function(wrap_pyfunction!(read_chunks, module)?)?;
    module.add_function(wrap_pyfunction!(read_samples, module)?)?;
    module.add_function(wrap_pyfunction!(read_heads, module)?)
}

/// (mint, maxt, matchers as (name, operator, value)).
type PyReadQuery = (i64, i64, Vec<(String, &'static str, String)>);

#[pyfunction]
fn read_request(py: Python<'_>, body: Bytes, limit: usize) -> PyResult<(Vec<PyReadQuery>, Vec<i32>)> {
    let request = py.detach(|| Request::read(body.as_slice(), limit));
    let request = request.map_err(|error: BadRequest| ReadRequestError::new_err(error.to_string()))?;
    let queries = request.queries.into_iter();
    Ok((
        queries.map(|query| (query.mint, query.maxt, query.matchers)).collect(),
        request.accepted,
    ))
}

/// Frames under way.
#[pyclass(name = "ChunkRead", frozen, module = "bridge._core")]
pub struct PyChunkRead(Mutex<ChunkRead>);

#[pyfunction]
fn read_chunks(
    py: Python<'_>,
    query: &PyQuery,
    blocks: Vec<PyNamedBlock<'_>>,
    number: u64,
    external: Vec<(String, String)>,
) -> PyResult<PyChunkRead> {
    let (one, blocks, external) = (query.take_one()?, blocks_from(blocks), External::new(external));
    let read = py.detach(|| {
        one.read(&blocks, |places, window| {
            Ok(ChunkRead::new(places, window, number, external))
        })
    });
    read.map(|read| PyChunkRead(Mutex::new(read)))
        .map_err(|why| why.into_error(py))
}

#[pymethods]
impl PyChunkRead {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let piece = py.detach(|| {
            let mut piece = Vec::new();
            self.0.lock().piece(&mut piece, PIECE).map(|()| piece)
        });
        let piece = piece.map_err(|failed| Why::from_failed(failed, &[]).into_error(py))?;
        Ok((!piece.is_empty()).then(|| PyBytes::new(py, &piece)))
    }
}

/// Samples under way.
#[pyclass(name = "SampleRead", frozen, module = "bridge._core")]
pub struct PySampleRead(Mutex<(SampleRead, u64)>);

#[pyfunction]
#[pyo3(signature = (query, blocks, external, *, max_samples = 0))]
fn read_samples(
    py: Python<'_>,
    query: &PyQuery,
    blocks: Vec<PyNamedBlock<'_>>,
    external: Vec<(String, String)>,
    max_samples: usize,
) -> PyResult<PySampleRead> {
    let (one, blocks, external) = (query.take_one()?, blocks_from(blocks), External::new(external));
    let limits = Limits {
        samples: if max_samples == 0 { usize::MAX } else { max_samples },
        ..Limits::default()
    };
    let read = py.detach(|| {
        one.read(&blocks, |places, window| {
            Ok(SampleRead::new(places, window, external, limits))
        })
    });
    read.map(|read| PySampleRead(Mutex::new((read, 0))))
        .map_err(|why| why.into_error(py))
}

#[pymethods]
impl PySampleRead {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let piece = py.detach(|| {
            let (mut raw, mut read) = (Vec::new(), self.0.lock());
            read.0.piece(&mut raw, PIECE)?;
            read.1 += raw.len() as u64;
            Ok((!raw.is_empty()).then(|| compress(&raw)))
        });
        let piece = piece.map_err(|failed| Why::from_failed(failed, &[]).into_error(py))?;
        let piece = piece.transpose().map_err(|_| too_large())?;
        Ok(piece.map(|piece| PyBytes::new(py, &piece)))
    }

    #[getter]
    fn length(&self) -> u64 {
        self.0.lock().1
    }
}

fn too_large() -> PyErr {
    PyValueError::new_err("the answer is larger than one message can be")
}

#[pyfunction]
fn read_heads<'py>(py: Python<'py>, lengths: Vec<u64>) -> PyResult<(Bound<'py, PyBytes>, Vec<Bound<'py, PyBytes>>)> {
    let (block, results) = heads(&lengths).map_err(|_| too_large())?;
    let results = results.iter().map(|head| PyBytes::new(py, head)).collect();
    Ok((PyBytes::new(py, &block), results))
}
