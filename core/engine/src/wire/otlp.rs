//! OTLP metrics in: an `ExportMetricsServiceRequest`, protobuf or JSON, becomes a batch
//! (`open-telemetry/opentelemetry-proto` 1.x, `collector/metrics/v1`).
//!
//! What becomes of each kind of metric:
//!
//! | OTLP | series |
//! |---|---|
//! | gauge, sum | one |
//! | histogram | `_sum`, `_count`, `_bucket`; or one of native histograms with custom buckets |
//! | exponential histogram | one of native histograms |
//! | summary | `_sum`, `_count`, one for each quantile |
//! | resource | `target_info`, and `job` and `instance` everywhere |
//!
//! A message that cannot be read is refused whole. A point that cannot be translated is left out and counted, and so are, by
//! the head, samples that break a rule of it.

mod deltas;
mod exemplars;
mod histogram;
mod json;
mod labels;
mod metric;
mod names;
mod points;
mod resource;
mod rows;
mod schema;
#[cfg(test)]
mod tests;
mod translate;
mod value;

pub use deltas::Deltas;

use crate::batch::Batch;
use crate::wire::message::Malformed;
use names::LabelNamer;

/// Attributes of resources that become labels of all points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Promote {
    /// These.
    Only(Vec<String>),
    /// All others.
    AllBut(Vec<String>),
}

/// How metrics are translated; the names are those that Prometheus' `otlp` section has, but for the strategy's two halves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Names have only the characters that Prometheus 2 allows.
    pub escape: bool,
    /// Names of metrics end in unit and type.
    pub suffixes: bool,
    /// `promote_resource_attributes`, `promote_all_resource_attributes`, `ignore_resource_attributes`
    pub promote: Promote,
    /// `keep_identifying_resource_attributes`
    pub keep_identifying: bool,
    /// `convert_histograms_to_nhcb`
    pub custom_buckets: bool,
    /// `promote_scope_metadata`
    pub scope_metadata: bool,
    /// `label_name_underscore_sanitization`
    pub key_before_underscore: bool,
    /// `label_name_preserve_multiple_underscores`
    pub keep_underscores: bool,
    /// Store a sample of nothing where a counter, a histogram or a summary tells that it began.
    pub start_samples: bool,
    /// How far back queries look for a sample, ms.
    pub lookback: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            escape: true,
            suffixes: true,
            promote: Promote::Only(Vec::new()),
            keep_identifying: false,
            custom_buckets: false,
            scope_metadata: false,
            key_before_underscore: true,
            keep_underscores: true,
            start_samples: false,
            lookback: 300_000,
        }
    }
}

impl Settings {
    fn label_namer(&self) -> LabelNamer {
        LabelNamer {
            escape: self.escape,
            key_before_underscore: self.key_before_underscore,
            keep_underscores: self.keep_underscores,
        }
    }
}

/// How a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Binary protobuf.
    Protobuf,
    /// OTLP's JSON: ProtoJSON with ids in hexadecimal.
    Json,
}

/// Points that came, and those that were left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub points: u64,
    /// Those left out.
    pub refused: u64,
    /// Why: the first reasons.
    pub reasons: Vec<String>,
}

/// How many reasons are told.
const MAX_REASONS: usize = 10;
/// Characters of a reason: names in it are a client's.
const MAX_REASON: usize = 300;

impl Tally {
    fn refuse(&mut self, points: u64, reason: impl FnOnce() -> String) {
        self.refused += points;
        if self.reasons.len() < MAX_REASONS {
            let mut reason = reason();
            if let Some((cut, _)) = reason.char_indices().nth(MAX_REASON) {
                reason.truncate(cut);
                reason.push_str("...");
            }
            if !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
    }
}

/// Why nothing of a request was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Not a message.
    Malformed,
    /// Not JSON of a message: what is wrong, and before which byte.
    Json(&'static str, usize),
    /// Labels repeated for each series would need more than the limit.
    TooLong(usize),
}

impl From<Malformed> for Refused {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Malformed => Malformed.fmt(f),
            Self::Json(what, at) => write!(f, "JSON: {what} at byte {at}"),
            Self::TooLong(limit) => write!(f, "points expand to more than {limit} bytes of labels"),
        }
    }
}

impl std::error::Error for Refused {}

/// Read a request, with `deltas` to add deltas up, at `now` ms. `limit` bounds the bytes of labels, which are repeated for each
/// series of a point and so can be many times the body.
pub fn decode(
    body: &[u8],
    form: Form,
    settings: &Settings,
    mut deltas: Option<&mut Deltas>,
    now: i64,
    limit: usize,
) -> Result<(Batch, Tally), Refused> {
    if let Some(deltas) = &mut deltas {
        deltas.sweep(now);
    }
    let transcoded;
    let message = match form {
        Form::Protobuf => body,
        Form::Json => {
            transcoded = schema::to_protobuf(body)?;
            &transcoded
        }
    };
    let mut translator = translate::Translator::new(settings, deltas, now, limit);
    translator.request(message)?;
    Ok((translator.rows.batch, translator.tally))
}
