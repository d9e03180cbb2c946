//! Text into blocks.

use engine::backfill::{BadLine, Buffer, Drain, Drained, LineProtocol, OpenMetrics, Step};
use engine::wire::influx::Precision;
use parking_lot::Mutex;
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::block::PyBlockStats;
use crate::buffer::Bytes;

create_exception!(_core, BadText, PyValueError, "A line of a text that cannot be read.");

/// Add this file's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("BadText", module.py().get_type::<BadText>())?;
    module.add_class::<PyBackfill>()?;
    module.add_class::<PyBackfillWindow>()
}

/// Instead of the number of a chunk file.
const INDEX: u32 = 0;

/// Number of the chunk file, or [`INDEX`], and what is to be appended to it.
type NumberedBytes<'py> = (u32, Bound<'py, PyBytes>);

enum Reader {
    OpenMetrics(Box<OpenMetrics>),
    LineProtocol(LineProtocol),
}

struct State {
    reader: Reader,
    buffer: Buffer,
}

/// A text on its way into blocks.
#[pyclass(name = "Backfill", frozen, module = "bridge._core")]
pub struct PyBackfill(Mutex<State>);

/// A window on its way into a block's files.
#[pyclass(name = "BackfillWindow", frozen, module = "bridge._core")]
pub struct PyBackfillWindow {
    backfill: Py<PyBackfill>,
    drain: Mutex<(Drain, Drained)>,
}

#[pymethods]
impl PyBackfill {
    #[staticmethod]
    fn openmetrics(block_range: i64) -> Self {
        Self::new(Reader::OpenMetrics(Box::default()), block_range)
    }

    #[staticmethod]
    fn line_protocol(block_range: i64, precision: &str, now_ms: i64) -> PyResult<Self> {
        let known = Precision::named(precision).ok_or_else(|| {
            PyValueError::new_err(format!("invalid precision {precision:?} (use n, u, ms, s, m or h)"))
        })?;
        Ok(Self::new(
            Reader::LineProtocol(LineProtocol::new(known, now_ms)),
            block_range,
        ))
    }

    fn feed(&self, py: Python<'_>, data: Bytes) -> PyResult<()> {
        self.read(py, |state| match &mut state.reader {
            Reader::OpenMetrics(reader) => reader.feed(data.as_slice(), &mut state.buffer),
            Reader::LineProtocol(reader) => reader.feed(data.as_slice(), &mut state.buffer),
        })
    }

    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.read(py, |state| match &mut state.reader {
            Reader::OpenMetrics(reader) => reader.finish(),
            Reader::LineProtocol(reader) => reader.finish(&mut state.buffer),
        })
    }

    #[getter]
    fn bytes(&self) -> usize {
        let state = self.0.lock();
        let reader = match &state.reader {
            Reader::OpenMetrics(reader) => reader.bytes(),
            Reader::LineProtocol(reader) => reader.bytes(),
        };
        state.buffer.bytes() + reader
    }

    #[getter]
    fn skipped(&self) -> u64 {
        match &self.0.lock().reader {
            Reader::OpenMetrics(_) => 0,
            Reader::LineProtocol(reader) => reader.skipped(),
        }
    }

    fn windows(&self) -> Vec<(i64, usize)> {
        let state = self.0.lock();
        state
            .buffer
            .windows()
            .map(|(start, window)| (start, window.bytes()))
            .collect()
    }

    fn take(this: Bound<'_, Self>, start: i64) -> PyResult<PyBackfillWindow> {
        let (py, backfill) = (this.py(), this.get());
        let drain = py.detach(|| {
            let State { buffer, .. } = &mut *backfill.0.lock();
            buffer.take(start).map(|window| Drain::new(window, buffer))
        });
        let drain = drain.ok_or_else(|| PyValueError::new_err("there is no such window"))?;
        let drain = drain.map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(PyBackfillWindow {
            backfill: this.unbind(),
            drain: Mutex::new((drain, Drained::default())),
        })
    }

    fn forget_series(&self) {
        self.0.lock().buffer.forget_series();
    }
}

impl PyBackfill {
    fn new(reader: Reader, block_range: i64) -> Self {
        Self(Mutex::new(State {
            reader,
            buffer: Buffer::new(block_range),
        }))
    }

    fn read(&self, py: Python<'_>, work: impl FnOnce(&mut State) -> Result<(), BadLine> + Send) -> PyResult<()> {
        let read = py.detach(|| work(&mut self.0.lock()));
        read.map_err(|bad| {
            let error = BadText::new_err(bad.to_string());
            let value = error.value(py);
            match value
                .setattr("line", bad.number)
                .and_then(|()| value.setattr("reason", bad.reason))
            {
                Ok(()) => error,
                Err(other) => other,
            }
        })
    }
}

#[pymethods]
impl PyBackfillWindow {
    fn step<'py>(&self, py: Python<'py>, max_bytes: usize) -> PyResult<Option<Vec<NumberedBytes<'py>>>> {
        let backfill = self.backfill.get();
        let step = py.detach(|| self.drain.lock().0.step(&backfill.0.lock().buffer, max_bytes));
        let bytes = |piece: &[u8]| PyBytes::new(py, piece);
        Ok(match step.map_err(|error| PyValueError::new_err(error.to_string()))? {
            Step::Chunks(pieces) => Some(pieces.iter().map(|piece| (piece.file, bytes(&piece.bytes))).collect()),
            Step::Index(piece) => Some(vec![(INDEX, bytes(&piece))]),
            Step::Done(drained) => {
                self.drain.lock().1 = drained;
                None
            }
        })
    }

    #[getter]
    fn held(&self) -> Option<Py<PyBytes>> {
        None
    }

    #[getter]
    fn stats(&self) -> PyBlockStats {
        PyBlockStats(self.drain.lock().1.stats)
    }

    #[getter]
    fn repeated(&self) -> u64 {
        self.drain.lock().1.repeated
    }

    #[getter]
    fn contradicting(&self) -> u64 {
        self.drain.lock().1.contradicting
    }
}
