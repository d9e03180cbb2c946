//! Remote write in: requests as batches.

use engine::batch::{Key, Place};
use engine::wire::compression;
use engine::wire::remote_write::{self, Counts, Decoded, Given, Limits, Replica, ReplicaLabels, Rules, Version};
use engine::wire::remote_write::{Tally, WriteError};
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::batch::PyBatch;
use crate::buffer::Bytes;
use crate::head::PyHead;
use crate::wire::inflate_error;

create_exception!(
    _core,
    WriteRefused,
    PyValueError,
    "A remote-write request of which nothing is taken."
);

/// Series looked up in one go: how long a writer waits for the head at most.
const KEYS_A_LOCK: usize = 512;

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("WriteRefused", module.py().get_type::<WriteRefused>())?;
    module.add_class::<PyWriteRules>()?;
    module.add_class::<PyWriteMessage>()?;
    module.add_class::<PyDecodedWrite>()?;
    module.add_function(wrap_pyfunction!(snappy_length, module)?)
}

fn refused(py: Python<'_>, error: &WriteError) -> PyErr {
    let raised = WriteRefused::new_err(error.to_string());
    match raised.value(py).setattr("reason", error.reason()) {
        Ok(()) => raised,
        Err(other) => other,
    }
}

fn version_of(version: u8) -> PyResult<Version> {
    match version {
        1 => Ok(Version::V1),
        2 => Ok(Version::V2),
        other => Err(PyValueError::new_err(format!("no version {other} of remote write"))),
    }
}

#[pyfunction]
fn snappy_length(body: Bytes) -> PyResult<usize> {
    compression::block_length(body.as_slice()).map_err(inflate_error)
}

/// How requests are read.
#[pyclass(name = "WriteRules", frozen, module = "bridge._core")]
pub struct PyWriteRules(Rules);

#[pymethods]
impl PyWriteRules {
    #[new]
    #[pyo3(signature = (*, max_samples = 0, max_labels = 0, max_label_name = 0, max_label_value = 0, replicas = None, start_samples = false))]
    fn new(
        max_samples: usize,
        max_labels: usize,
        max_label_name: usize,
        max_label_value: usize,
        replicas: Option<(String, String)>,
        start_samples: bool,
    ) -> Self {
        Self(Rules {
            limits: Limits {
                samples: max_samples,
                labels: max_labels,
                name: max_label_name,
                value: max_label_value,
            },
            replicas: replicas.map(|(cluster, replica)| ReplicaLabels { cluster, replica }),
            start_samples,
        })
    }
}

/// A request, decompressed.
#[pyclass(name = "WriteMessage", frozen, module = "bridge._core")]
pub struct PyWriteMessage {
    version: Version,
    message: Vec<u8>,
}

#[pymethods]
impl PyWriteMessage {
    #[staticmethod]
    fn open(py: Python<'_>, body: Bytes, version: u8, limit: usize) -> PyResult<Self> {
        let version = version_of(version)?;
        let message = py.detach(|| compression::unsnappy_block(body.as_slice(), limit));
        let message = message.map_err(inflate_error)?;
        Ok(Self { version, message })
    }

    fn replicas(&self, py: Python<'_>, rules: &PyWriteRules) -> PyResult<Vec<Replica>> {
        let found = py.detach(|| remote_write::replicas(&self.message, self.version, &rules.0));
        found.map_err(|error| refused(py, &error))
    }

    #[pyo3(signature = (head, rules, *, newest, unheard = None, fresh = false))]
    fn decode(
        &self,
        py: Python<'_>,
        head: &PyHead,
        rules: &PyWriteRules,
        newest: i64,
        unheard: Option<Vec<Replica>>,
        fresh: bool,
    ) -> PyResult<PyDecodedWrite> {
        let decoded = py.detach(|| {
            let seeds = head.read().key_seeds();
            let given = Given {
                newest,
                unheard: unheard.as_deref().unwrap_or_default(),
                seeds: &seeds,
                known: &|keys| if fresh { Vec::new() } else { look_up(head, keys) },
            };
            remote_write::decode(&self.message, self.version, &rules.0, &given)
        });
        let decoded = decoded.map_err(|error| refused(py, &error))?;
        PyDecodedWrite::new(py, decoded)
    }
}

fn look_up(head: &PyHead, keys: &[Option<Key>]) -> Vec<Option<Place>> {
    let mut found = Vec::with_capacity(keys.len());
    for keys in keys.chunks(KEYS_A_LOCK) {
        let head = head.read();
        found.extend(keys.iter().map(|key| head.known((*key)?)));
    }
    found
}

type PyCounts = (usize, usize, usize);

fn counts(counts: Counts) -> PyCounts {
    (counts.samples, counts.histograms, counts.exemplars)
}

/// A request as the head takes it.
#[pyclass(name = "DecodedWrite", frozen, module = "bridge._core")]
pub struct PyDecodedWrite {
    batch: Py<PyBatch>,
    counts: Counts,
    unheard: Counts,
    tally: Tally,
}

impl PyDecodedWrite {
    fn new(py: Python<'_>, decoded: Decoded) -> PyResult<Self> {
        Ok(Self {
            batch: Py::new(py, PyBatch::from(decoded.batch))?,
            counts: decoded.counts,
            unheard: decoded.unheard,
            tally: decoded.tally,
        })
    }
}

#[pymethods]
impl PyDecodedWrite {
    #[getter]
    fn batch(&self, py: Python<'_>) -> Py<PyBatch> {
        self.batch.clone_ref(py)
    }

    #[getter]
    fn is_empty(&self) -> bool {
        self.batch.get().get().is_empty()
    }

    #[getter]
    fn counts(&self) -> PyCounts {
        counts(self.counts)
    }

    #[getter]
    fn unheard(&self) -> PyCounts {
        counts(self.unheard)
    }

    #[getter]
    fn left_out<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (reason, left_out) in &self.tally.counts {
            dict.set_item(reason, counts(*left_out))?;
        }
        Ok(dict)
    }

    #[getter]
    fn errors(&self) -> usize {
        self.tally.errors
    }

    #[getter]
    fn texts(&self) -> Vec<String> {
        self.tally.texts.clone()
    }
}
