//! Newest samples as an exposition, as Prometheus serves them on `/federate`: untyped families by name, each sample with its
//! time, and external labels where a series has none of that name.

use std::vec::IntoIter;

use super::newest::Newest;
use crate::exposition::{protobuf, text, Escaping};
use crate::family::{self, Bucket, Buckets, Family, Kind, Label, Metric, Native, Text};
use crate::histogram::{spans, Counts, Histogram, ResetHint, CUSTOM_BUCKETS};
use crate::labels::{Labels, METRIC_NAME};
use crate::sample::Value;

/// Metrics that are laid out at a time. In protobuf, where a family is one message, a larger family is several.
const RUN: usize = 1000;

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposition {
    /// Text 0.0.4 or 1.0.0, which has no native histograms.
    Text,
    /// Delimited protobuf.
    Protobuf,
}

/// A federation under way.
pub struct Federation {
    series: std::iter::Peekable<IntoIter<Newest>>,
    /// By name.
    external: Vec<Label>,
    exposition: Exposition,
    escaping: Escaping,
    /// The family whose header is written already.
    open: Option<(Text, Kind)>,
}

impl Federation {
    /// Of `series` in label order; those without a name are left out. A series gets those of the `external` labels whose names
    /// it does not have, also empty ones.
    pub fn new(
        mut series: Vec<Newest>,
        external: &[(String, String)],
        exposition: Exposition,
        escaping: Escaping,
    ) -> Self {
        let is_shown = |newest: &Newest| {
            !name(newest).is_empty() && (exposition == Exposition::Protobuf || kind(&newest.value) != Shape::Native)
        };
        series.retain(is_shown);
        series.sort_by(|a, b| name(a).cmp(name(b)));
        let mut external: Vec<Label> = external.iter().map(|(name, value)| label(name, value)).collect();
        external.sort();
        Self {
            series: series.into_iter().peekable(),
            external,
            exposition,
            escaping,
            open: None,
        }
    }

    /// Append whole lines or messages to `out` until it is about `size` bytes long, or there are no more.
    pub fn piece(&mut self, out: &mut Vec<u8>, size: usize) {
        let mut lines = String::new();
        while out.len() + lines.len() < size {
            if self.exposition == Exposition::Text && self.put_number(&mut lines) {
                continue;
            }
            let Some(family) = self.next_run() else {
                break;
            };
            match self.exposition {
                Exposition::Protobuf => protobuf::family(&family, self.escaping, out),
                Exposition::Text => self.put_text(&family, &mut lines),
            }
        }
        out.extend_from_slice(lines.as_bytes());
    }

    /// The line of the next series when that has a number, which is what nearly all have: no family is made for it.
    fn put_number(&mut self, out: &mut String) -> bool {
        let Some(newest) = self.series.next_if(|newest| kind(&newest.value) == Shape::Number) else {
            return false;
        };
        let Value::Float(value) = newest.value else {
            return false;
        };
        let own = Labels::trusted(&newest.labels);
        let name = own.get(METRIC_NAME);
        self.put_header(name, Kind::Untyped, out);
        let lacking = |label: &&Label| label.name == METRIC_NAME || own.get(&label.name).is_empty();
        let external = self.external.iter().filter(lacking);
        let external = external.map(|label| (label.name.as_str(), label.value.as_str()));
        let labels = own.iter().filter(|(name, _)| *name != METRIC_NAME).chain(external);
        text::line(name, labels, value, newest.t, self.escaping, out);
        true
    }

    fn put_text(&mut self, family: &Family, out: &mut String) {
        self.put_header(&family.name, family.kind, out);
        text::family_lines(family, self.escaping, out);
    }

    /// Where a family of that name and type begins.
    fn put_header(&mut self, name: &str, kind: Kind, out: &mut String) {
        let is_open = matches!(&self.open, Some((open, of)) if open == name && *of == kind);
        if !is_open {
            text::family_header(name, None, kind, self.escaping, out);
            self.open = Some((name.into(), kind));
        }
    }

    /// The next metrics of one name and type.
    fn next_run(&mut self) -> Option<Family> {
        let first = self.series.peek()?;
        let (name, kind) = (Text::from(name(first)), family_kind(&first.value));
        let mut metrics = Vec::new();
        let is_next = |newest: &Newest| self::name(newest) == name && family_kind(&newest.value) == kind;
        while metrics.len() < RUN {
            let Some(newest) = self.series.next_if(is_next) else {
                break;
            };
            metrics.push(self.metric(&newest));
        }
        Some(Family {
            name,
            help: None,
            kind,
            unit: Text::default(),
            metrics,
        })
    }

    fn metric(&self, newest: &Newest) -> Metric {
        let own = Labels::trusted(&newest.labels);
        let named = own.iter().filter(|(name, _)| *name != METRIC_NAME);
        let mut labels: Vec<Label> = named.map(|(name, value)| label(name, value)).collect();
        let known = labels.len();
        for external in &self.external {
            let own = labels.get(..known).unwrap_or_default();
            if own.iter().all(|label| label.name != external.name) {
                labels.push(external.clone());
            }
        }
        Metric {
            labels,
            value: value(&newest.value),
            timestamp_ms: Some(newest.t),
            created_ms: None,
        }
    }
}

fn label(name: &str, value: &str) -> Label {
    Label {
        name: name.into(),
        value: value.into(),
    }
}

fn name(newest: &Newest) -> &str {
    Labels::trusted(&newest.labels).get(METRIC_NAME)
}

/// How a sample is shown.
#[derive(PartialEq, Eq)]
enum Shape {
    Number,
    /// A histogram with bounds of its own becomes a classic one.
    Classic,
    Native,
}

fn kind(value: &Value) -> Shape {
    match value {
        Value::Float(_) => Shape::Number,
        Value::Histogram(histogram) if histogram.schema == CUSTOM_BUCKETS => Shape::Classic,
        Value::Histogram(_) => Shape::Native,
    }
}

fn family_kind(value: &Value) -> Kind {
    match value {
        Value::Float(_) => Kind::Untyped,
        Value::Histogram(histogram) if histogram.hint == ResetHint::Gauge => Kind::GaugeHistogram,
        Value::Histogram(_) => Kind::Histogram,
    }
}

fn value(value: &Value) -> family::Value {
    match value {
        Value::Float(value) => family::Value::Untyped(*value),
        Value::Histogram(histogram) => family::Value::Histogram(Box::new(shown(histogram))),
    }
}

/// Counts of a histogram as floats, whatever they are stored as.
struct Floats {
    count: f64,
    zero: f64,
    positive: Vec<f64>,
    negative: Vec<f64>,
}

impl Floats {
    fn of(counts: &Counts) -> Self {
        match counts {
            Counts::Float {
                count,
                zero,
                positive,
                negative,
            } => Self {
                count: *count,
                zero: *zero,
                positive: positive.clone(),
                negative: negative.clone(),
            },
            Counts::Integer {
                count,
                zero,
                positive,
                negative,
            } => Self {
                count: *count as f64,
                zero: *zero as f64,
                positive: absolute(positive),
                negative: absolute(negative),
            },
        }
    }
}

/// Buckets as they are, from differences to the bucket before.
fn absolute(differences: &[i64]) -> Vec<f64> {
    let add = |sum: &mut i64, difference: &i64| {
        *sum = sum.wrapping_add(*difference);
        Some(*sum as f64)
    };
    differences.iter().scan(0, add).collect()
}

fn shown(histogram: &Histogram) -> family::Histogram {
    let floats = Floats::of(&histogram.counts);
    let shown = family::Histogram {
        count_float: floats.count,
        sum: histogram.sum,
        ..family::Histogram::default()
    };
    if histogram.schema == CUSTOM_BUCKETS {
        return family::Histogram {
            buckets: classic(histogram, &floats.positive),
            ..shown
        };
    }
    let side = |spans: &[(i32, u32)], counts| Buckets {
        spans: spans.to_vec(),
        deltas: Vec::new(),
        counts,
    };
    family::Histogram {
        native: Some(Box::new(Native {
            schema: histogram.schema,
            zero_threshold: histogram.zero_threshold,
            zero_count: 0,
            zero_count_float: floats.zero,
            negative: side(&histogram.negative, floats.negative),
            positive: side(&histogram.positive, floats.positive),
            exemplars: Vec::new(),
        })),
        ..shown
    }
}

/// The bucket for +Inf is left to the format, as the peer does.
fn classic(histogram: &Histogram, counts: &[f64]) -> Vec<Bucket> {
    let mut known = spans::indices(&histogram.positive).zip(counts).peekable();
    let mut cumulative = 0.0;
    let bucket = |(place, upper): (usize, &f64)| {
        while let Some((_, count)) = known.next_if(|(index, _)| usize::try_from(*index).is_ok_and(|i| i <= place)) {
            cumulative += count;
        }
        Bucket {
            upper: *upper,
            cumulative: 0,
            cumulative_float: cumulative,
            exemplar: None,
        }
    };
    histogram.custom.iter().enumerate().map(bucket).collect()
}
