//! Line protocol, both ways.

use std::collections::HashSet;
use std::sync::Arc;

use engine::labels::Labels;
use engine::wal::LogSlice;
use engine::wire::influx::{
    self, Encoder, Lines, Mapping, Memory, Natives, NonFinite, Options, ParseError, Precision, Stale, Told, Unchanged,
};
use parking_lot::Mutex;
use pyo3::create_exception;
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::buffer::{view_of, Bytes, View};
use crate::column::PyColumns;
use crate::head::{PyBatch, PyHead};
use crate::outbound::PyRoute;
use crate::wal::PyLogSlice;

create_exception!(
    _core,
    LineError,
    PyValueError,
    "A body with lines that are no line protocol; the text names them."
);
create_exception!(
    _core,
    LabelsTooLong,
    PyValueError,
    "A body whose labels, repeated for each field, are more than the limit."
);

/// Rows encoded in one go: how long a writer waits for the head at most.
const ROWS_A_LOCK: usize = 512;

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("LineError", module.py().get_type::<LineError>())?;
    module.add("LabelsTooLong", module.py().get_type::<LabelsTooLong>())?;
    module.add_class::<PyLines>()?;
    module.add_class::<PyLineMapping>()?;
    module.add_class::<PyUnchanged>()?;
    module.add_class::<PyTold>()?;
    module.add_function(wrap_pyfunction!(encode_lines, module)?)?;
    module.add_function(wrap_pyfunction!(encode_columns, module)?)?;
    module.add_function(wrap_pyfunction!(metadata_lines, module)?)?;
    module.add_function(wrap_pyfunction!(parse_lines, module)?)
}

/// How samples become lines.
#[pyclass(name = "LineMapping", frozen, module = "bridge._core")]
#[derive(Default)]
pub struct PyLineMapping(Options);

#[pymethods]
impl PyLineMapping {
    #[new]
    #[pyo3(signature = (name = "prom-value", *, histograms = "buckets", non_finite = "omit", sentinel = -1.0, stale = "omit"))]
    fn new(name: &str, histograms: &str, non_finite: &str, sentinel: f64, stale: &str) -> PyResult<Self> {
        let unknown = |what: &str, value: &str| PyValueError::new_err(format!("there is no {what} {value:?}"));
        Ok(Self(Options {
            mapping: Mapping::named(name).ok_or_else(|| unknown("mapping", name))?,
            natives: match histograms {
                "buckets" => Natives::Buckets,
                "lossless" => Natives::Lossless,
                "omit" => Natives::Omit,
                _ => return Err(unknown("way for histograms", histograms)),
            },
            non_finite: match non_finite {
                "omit" => NonFinite::Omit,
                "text" => NonFinite::Text,
                "sentinel" if sentinel.is_finite() => NonFinite::Sentinel(sentinel),
                "sentinel" => return Err(PyValueError::new_err("the sentinel is not finite")),
                _ => return Err(unknown("way for non-finite values", non_finite)),
            },
            oldest: i64::MIN,
            stale: match stale {
                "omit" => Stale::Omit,
                "marker" => Stale::Marker,
                _ => return Err(unknown("way for stale markers", stale)),
            },
        }))
    }
}

impl PyLineMapping {
    fn options(&self, oldest: Option<i64>) -> Options {
        Options {
            oldest: oldest.unwrap_or(i64::MIN),
            ..self.0
        }
    }
}

/// What was last sent of each series.
#[pyclass(name = "Unchanged", frozen, module = "bridge._core")]
pub struct PyUnchanged(Arc<Mutex<Unchanged>>);

#[pymethods]
impl PyUnchanged {
    #[new]
    #[pyo3(signature = (heartbeat, reached = None))]
    fn new(heartbeat: i64, reached: Option<i64>) -> Self {
        let unchanged = Unchanged::new(heartbeat, reached.unwrap_or(i64::MIN));
        Self(Arc::new(Mutex::new(unchanged)))
    }

    fn begin(&self) -> PyTold {
        PyTold {
            told: Mutex::new(self.0.lock().begin()),
            unchanged: Arc::clone(&self.0),
        }
    }

    fn forget_all(&self) {
        self.0.lock().forget_all();
    }
}

/// What one piece of the log tells a sink.
#[pyclass(name = "Told", frozen, module = "bridge._core")]
pub struct PyTold {
    told: Mutex<Told>,
    unchanged: Arc<Mutex<Unchanged>>,
}

#[pymethods]
impl PyTold {
    fn taken(&self) {
        self.unchanged.lock().taken(&self.told.lock());
    }
}

/// Encoded lines.
#[pyclass(name = "Lines", frozen, module = "bridge._core")]
pub struct PyLines(Arc<Lines>);

impl From<Lines> for PyLines {
    fn from(lines: Lines) -> Self {
        Self(Arc::new(lines))
    }
}

impl PyLines {
    /// What the engine calls them.
    pub fn lines(&self) -> &Lines {
        &self.0
    }
}

#[pymethods]
impl PyLines {
    #[staticmethod]
    fn from_text(py: Python<'_>, text: Bytes) -> Self {
        py.detach(|| Lines::from_text(text.as_slice())).into()
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.body())
    }

    #[getter]
    fn view<'py>(&self, py: Python<'py>) -> PyResult<View<'py>> {
        view_of(py, self.0.clone())
    }

    #[getter]
    fn size(&self) -> usize {
        self.0.body().len()
    }

    #[getter]
    fn newest(&self) -> Option<i64> {
        self.0.newest
    }

    #[getter]
    fn unrepresentable<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = PyDict::new(py);
        for (reason, count) in self.0.unrepresentable.by_reason() {
            if count > 0 {
                counts.set_item(reason, count)?;
            }
        }
        Ok(counts)
    }

    #[getter]
    fn samples(&self) -> u64 {
        self.0.samples()
    }

    fn weight(&self, index: usize) -> PyResult<u32> {
        self.0.weight(index).ok_or_else(|| no_line(index))
    }

    fn singly(&self, py: Python<'_>) -> Self {
        py.detach(|| self.0.singly()).into()
    }

    fn line<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyBytes>> {
        let line = self.0.line(index).ok_or_else(|| no_line(index))?;
        Ok(PyBytes::new(py, line))
    }

    fn series<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyBytes>> {
        let series = self.0.series(index).ok_or_else(|| no_line(index))?;
        Ok(PyBytes::new(py, series))
    }

    #[staticmethod]
    fn concat(py: Python<'_>, parts: Vec<Py<Self>>) -> Self {
        py.detach(|| Lines::concat(parts.iter().map(|part| &*part.get().0)))
            .into()
    }

    fn slice(&self, py: Python<'_>, start: usize, stop: usize) -> Self {
        py.detach(|| self.0.slice(start..stop)).into()
    }

    fn fit(&self, start: usize, max_lines: usize, max_bytes: usize) -> usize {
        self.0.fit(start, max_lines, max_bytes)
    }

    fn split_by_series(&self, py: Python<'_>, series: HashSet<Vec<u8>>) -> (Self, Self) {
        let (found, others) = py.detach(|| self.0.split_by_series(|key| series.contains(key)));
        (found.into(), others.into())
    }

    fn split_by_text(&self, py: Python<'_>, lines: HashSet<Vec<u8>>) -> (Self, Self) {
        let (found, others) = py.detach(|| self.0.split_by_text(|line| lines.contains(line)));
        (found.into(), others.into())
    }
}

fn no_line(index: usize) -> PyErr {
    PyIndexError::new_err(format!("no line {index}"))
}

#[pyfunction]
#[pyo3(signature = (head, slice, mapping, route, *, oldest = None, told = None, whole = false, exemplars = false))]
#[expect(clippy::too_many_arguments, reason = "a sink's settings, and what they are for")]
fn encode_lines(
    py: Python<'_>,
    head: &PyHead,
    slice: &PyLogSlice,
    mapping: &PyLineMapping,
    route: &PyRoute,
    oldest: Option<i64>,
    told: Option<&PyTold>,
    whole: bool,
    exemplars: bool,
) -> PyLines {
    let options = mapping.options(oldest);
    let mut encoder = Encoder::new(&options);
    let lines = py.detach(|| {
        let mut unchanged = told.filter(|_| !whole).map(|told| told.unchanged.lock());
        let mut own = told.map(|told| told.told.lock());
        let behind_late = own.as_ref().filter(|_| whole).map(|told| told.behind_late());
        let mut memory = Memory {
            router: &mut route.router(),
            unchanged: unchanged.as_deref_mut().zip(own.as_deref_mut()),
        };
        encode(&mut encoder, head, &slice.0, &mut memory, exemplars);
        for times in behind_late.unwrap_or_default().chunks(ROWS_A_LOCK) {
            influx::encode_behind(&mut encoder, &head.read(), times, memory.router);
        }
        encoder.finish()
    });
    lines.into()
}

fn encode(encoder: &mut Encoder<'_>, head: &PyHead, slice: &LogSlice, memory: &mut Memory<'_>, exemplars: bool) {
    let layers = || slice.rows().layers();
    for rows in layers().flat_map(|layer| layer.histograms.chunks(ROWS_A_LOCK)) {
        influx::note_histograms(&head.read(), rows, memory);
    }
    for layer in layers() {
        for rows in layer.floats.chunks(ROWS_A_LOCK) {
            influx::encode_floats(encoder, &head.read(), rows, memory);
        }
        for rows in layer.histograms.chunks(ROWS_A_LOCK) {
            influx::encode_histograms(encoder, &head.read(), rows, memory);
        }
    }
    let exemplars = if exemplars { slice.exemplars() } else { &[] };
    for rows in exemplars.chunks(ROWS_A_LOCK) {
        influx::encode_exemplars(encoder, &head.read(), rows, memory);
    }
}

#[pyfunction]
#[pyo3(signature = (columns, start, stop, mapping, route, *, head = None, oldest = None))]
#[expect(clippy::too_many_arguments, reason = "a sink's settings, and what they are for")]
fn encode_columns(
    py: Python<'_>,
    columns: &PyColumns,
    start: usize,
    stop: usize,
    mapping: &PyLineMapping,
    route: &PyRoute,
    head: Option<&PyHead>,
    oldest: Option<i64>,
) -> PyLines {
    let options = mapping.options(oldest);
    let kind = |labels: Labels<'_>| head?.read().kind_of(labels);
    let lines = py.detach(|| {
        let router = route.router();
        influx::encode_columns(columns.shared(), start..stop, &options, router.route(), kind)
    });
    lines.into()
}

#[pyfunction]
fn metadata_lines(py: Python<'_>, head: &PyHead, route: &PyRoute, time: i64) -> PyLines {
    let lines = py.detach(|| {
        let told = head.read().shared_metadata(); // rules may take long, and writers wait for the head
        let told = told
            .iter()
            .map(|(labels, metadata)| (Labels::trusted(labels), metadata));
        influx::metadata_lines(told, route.router().route(), time)
    });
    lines.into()
}

#[pyfunction]
fn parse_lines(
    py: Python<'_>,
    body: Bytes,
    precision: &str,
    now_ms: i64,
    max_label_bytes: usize,
) -> PyResult<(PyBatch, u64)> {
    let precision = Precision::named(precision)
        .ok_or_else(|| PyValueError::new_err(format!("invalid precision {precision:?} (use n, u, ms, s, m or h)")))?;
    let parsed = py.detach(|| influx::parse(body.as_slice(), precision, now_ms, max_label_bytes));
    match parsed {
        Ok(parsed) => Ok((parsed.batch.into(), parsed.skipped)),
        Err(error @ ParseError::BadLines(_)) => Err(LineError::new_err(error.to_string())),
        Err(error @ ParseError::TooLong(_)) => Err(LabelsTooLong::new_err(error.to_string())),
    }
}
