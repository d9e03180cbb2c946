//! OTLP metrics in.

use engine::wire::otlp::{self, Deltas, Form, Promote, Refused, Settings};
use parking_lot::Mutex;
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::buffer::Bytes;
use crate::head::PyBatch;
use crate::influx::LabelsTooLong;

create_exception!(_core, OtlpError, PyValueError, "A body that is no OTLP request.");

/// Add this file's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("OtlpError", module.py().get_type::<OtlpError>())?;
    module.add_class::<PyOtlpDecoder>()
}

/// A way of translating, and the deltas that were added up so far.
#[pyclass(name = "OtlpDecoder", frozen, module = "bridge._core")]
pub struct PyOtlpDecoder {
    settings: Settings,
    deltas: Option<Mutex<Deltas>>,
}

/// (samples, points that came, points that were left out, why)
type PyDecoded = (PyBatch, u64, u64, Vec<String>);

#[pymethods]
impl PyOtlpDecoder {
    #[new]
    #[pyo3(signature = (
        *, escape, suffixes, promote_all, promote, keep_identifying, custom_buckets, scope_metadata, key_before_underscore,
        keep_underscores, delta_to_cumulative, start_samples = false, lookback_ms = 300_000
    ))]
    #[expect(clippy::too_many_arguments, reason = "settings by name")]
    #[expect(clippy::fn_params_excessive_bools, reason = "settings by name")]
    fn new(
        escape: bool,
        suffixes: bool,
        promote_all: bool,
        promote: Vec<String>,
        keep_identifying: bool,
        custom_buckets: bool,
        scope_metadata: bool,
        key_before_underscore: bool,
        keep_underscores: bool,
        delta_to_cumulative: bool,
        start_samples: bool,
        lookback_ms: i64,
    ) -> Self {
        let promote = if promote_all {
            Promote::AllBut(promote)
        } else {
            Promote::Only(promote)
        };
        Self {
            settings: Settings {
                escape,
                suffixes,
                promote,
                keep_identifying,
                custom_buckets,
                scope_metadata,
                key_before_underscore,
                keep_underscores,
                start_samples,
                lookback: lookback_ms,
            },
            deltas: delta_to_cumulative.then(Mutex::default),
        }
    }

    #[pyo3(signature = (body, now_ms, *, json, max_label_bytes))]
    fn decode(
        &self,
        py: Python<'_>,
        body: Bytes,
        now_ms: i64,
        json: bool,
        max_label_bytes: usize,
    ) -> PyResult<PyDecoded> {
        let form = if json { Form::Json } else { Form::Protobuf };
        let decoded = py.detach(|| {
            let mut deltas = self.deltas.as_ref().map(Mutex::lock);
            let deltas = deltas.as_deref_mut();
            otlp::decode(body.as_slice(), form, &self.settings, deltas, now_ms, max_label_bytes)
        });
        match decoded {
            Ok((batch, tally)) => Ok((batch.into(), tally.points, tally.refused, tally.reasons)),
            Err(error @ Refused::TooLong(_)) => Err(LabelsTooLong::new_err(error.to_string())),
            Err(error) => Err(OtlpError::new_err(error.to_string())),
        }
    }

    #[getter]
    fn delta_streams(&self) -> usize {
        self.deltas.as_ref().map_or(0, |deltas| deltas.lock().len())
    }
}
