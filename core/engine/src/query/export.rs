//! All samples as text that other tools, and our import, read.
//!
//! | format        | a line                                                                    | not in it              |
//! |---------------|---------------------------------------------------------------------------|------------------------|
//! | OpenMetrics   | `name{label="value"} 1.5 1700000000.123`, at the end `# EOF`              | which NaN is a stale marker |
//! | line protocol | `name,label=value value=1.5 1700000000123`, by the mapping of `wire::influx` | NaN, infinities     |
//! | JSON          | `{"metric":{..},"values":[..],"timestamps":[..]}`, as VictoriaMetrics has it | which NaN is a stale marker |
//!
//! Native histograms are in none of them.

use std::sync::Arc;
use std::vec::IntoIter;

use super::limits::Failed;
use crate::float::{parse_go, push_go, push_i64, push_u64};
use crate::labels::{is_legacy_label_name, is_legacy_metric_name, Labels, METRIC_NAME};
use crate::merge::{join, Gathered, SeriesStream, Streams, Window};
use crate::sample::{Sample, Value};
use crate::wire::influx::{Encoder, Natives, Options, Point, Reason, Row, Unrepresentable};

/// Samples in a line of JSON at most, and lines of a series that are written without looking at the size of the piece.
const RUN: usize = 1000;

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics text, without metadata.
    OpenMetrics,
    /// InfluxDB line protocol in milliseconds.
    LineProtocol,
    /// A JSON object a line.
    JsonLines,
}

/// An export under way: series in label order. Which samples it shows is settled when its places are collected.
pub struct Export {
    streams: Streams,
    window: Window,
    format: Format,
    /// The series that the last piece ended in, and what is left of it.
    open: Option<(Arc<[u8]>, IntoIter<Sample>)>,
    ended: bool,
    /// Samples that the format cannot carry.
    pub unrepresentable: Unrepresentable,
}

impl Export {
    /// What `places` have in `window`.
    pub fn new(places: Vec<Box<dyn SeriesStream>>, window: Window, format: Format) -> Self {
        Self {
            streams: Streams::new(places),
            window,
            format,
            open: None,
            ended: false,
            unrepresentable: Unrepresentable::default(),
        }
    }

    /// Append lines to `out` until it is about `size` bytes long, or there are no more.
    pub fn piece(&mut self, out: &mut Vec<u8>, size: usize) -> Result<(), Failed> {
        while out.len() < size && !self.ended {
            match self.open.take() {
                Some((labels, mut samples)) => {
                    let run: Vec<Sample> = samples.by_ref().take(RUN).collect();
                    self.put(Labels::trusted(&labels), &run, out);
                    self.open = Some((labels, samples)).filter(|_| run.len() == RUN);
                }
                None => match self.streams.next_series()? {
                    Some(series) => self.open = Some(self.read(series)?),
                    None => self.end(out),
                },
            }
        }
        Ok(())
    }

    fn read(&self, series: Gathered) -> Result<(Arc<[u8]>, IntoIter<Sample>), Failed> {
        let seen = join(&series.parts, self.window).map_err(|_| Failed::Chunk(series.labels.clone()))?;
        let samples: Vec<Sample> = seen.into_iter().map(|(sample, _)| sample).collect();
        Ok((series.labels, samples.into_iter()))
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.ended = true;
        if self.format == Format::OpenMetrics {
            out.extend_from_slice(b"# EOF\n");
        }
    }

    fn put(&mut self, labels: Labels<'_>, samples: &[Sample], out: &mut Vec<u8>) {
        match self.format {
            Format::OpenMetrics => self.put_openmetrics(labels, samples, out),
            Format::LineProtocol => self.put_line_protocol(labels, samples, out),
            Format::JsonLines => self.put_json(labels, samples, out),
        }
    }

    fn put_openmetrics(&mut self, labels: Labels<'_>, samples: &[Sample], out: &mut Vec<u8>) {
        let mut series = Vec::new();
        put_series(labels, &mut series);
        for (t, value) in self.floats(samples) {
            let start = out.len();
            out.extend_from_slice(&series);
            push_go(out, value);
            out.push(b' ');
            if !put_seconds(t, out) {
                out.truncate(start);
                self.unrepresentable.add(Reason::TimeRange, 1);
                continue;
            }
            out.push(b'\n');
        }
    }

    /// The floats among `samples`; the others are counted.
    fn floats(&mut self, samples: &[Sample]) -> Vec<(i64, f64)> {
        let float = |(t, value): &Sample| match value {
            Value::Float(value) => Some((*t, *value)),
            Value::Histogram(_) => None,
        };
        let floats: Vec<(i64, f64)> = samples.iter().filter_map(float).collect();
        let histograms = (samples.len() - floats.len()) as u64;
        self.unrepresentable.add(Reason::NativeHistogram, histograms);
        floats
    }

    fn put_line_protocol(&mut self, labels: Labels<'_>, samples: &[Sample], out: &mut Vec<u8>) {
        let rows = samples.iter().map(|(t, value)| Row {
            labels: Some(labels),
            kind: None,
            t: *t,
            point: match value {
                Value::Float(value) => Point::Float(*value),
                Value::Histogram(histogram) => Point::Histogram(histogram),
            },
        });
        let options = Options {
            natives: Natives::Omit,
            ..Options::default()
        };
        let mut encoder = Encoder::new(&options);
        encoder.add_all(rows);
        let lines = encoder.finish();
        self.unrepresentable.add_all(&lines.unrepresentable);
        out.extend_from_slice(lines.body());
    }

    fn put_json(&mut self, labels: Labels<'_>, samples: &[Sample], out: &mut Vec<u8>) {
        let floats = self.floats(samples);
        if floats.is_empty() {
            return;
        }
        out.extend_from_slice(b"{\"metric\":{");
        for (i, (name, value)) in labels.iter().enumerate() {
            let separator: &[u8] = if i > 0 { b"," } else { b"" };
            out.extend_from_slice(separator);
            put_json_text(name, out);
            out.push(b':');
            put_json_text(value, out);
        }
        out.extend_from_slice(b"},\"values\":[");
        put_list(&floats, out, |(_, value), out| match value {
            v if v.is_nan() => out.extend_from_slice(b"null"),
            v if v.is_infinite() => out.extend_from_slice(if v > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" }),
            v => push_go(out, v),
        });
        out.extend_from_slice(b"],\"timestamps\":[");
        put_list(&floats, out, |(t, _), out| push_i64(out, t));
        out.extend_from_slice(b"]}\n");
    }
}

fn put_list(floats: &[(i64, f64)], out: &mut Vec<u8>, put: impl Fn((i64, f64), &mut Vec<u8>)) {
    for (i, sample) in floats.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        put(*sample, out);
    }
}

/// The series as OpenMetrics has it, and a blank. Names of other characters than Prometheus 2 took are quoted.
fn put_series(labels: Labels<'_>, out: &mut Vec<u8>) {
    let name = labels.get(METRIC_NAME);
    let is_bare = is_legacy_metric_name(name);
    if is_bare {
        out.extend_from_slice(name.as_bytes());
    }
    let mut separator: &[u8] = b"{";
    if !is_bare && !name.is_empty() {
        out.extend_from_slice(separator);
        put_quoted(name, out);
        separator = b",";
    }
    for (name, value) in labels.iter().filter(|(name, _)| *name != METRIC_NAME) {
        out.extend_from_slice(separator);
        separator = b",";
        if is_legacy_label_name(name) {
            out.extend_from_slice(name.as_bytes());
        } else {
            put_quoted(name, out);
        }
        out.push(b'=');
        put_quoted(value, out);
    }
    if separator == b"," {
        out.push(b'}');
    }
    out.push(b' ');
}

fn put_quoted(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            byte => out.push(byte),
        }
    }
    out.push(b'"');
}

fn put_json_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend_from_slice(&[b'\\', c as u8]),
            '\n' => out.extend_from_slice(b"\\n"),
            c if c < ' ' => out.extend_from_slice(format!("\\u{:04x}", c as u32).as_bytes()),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

/// Seconds that a reader turns into these very milliseconds, also one that cuts off what is left after multiplying, as
/// Prometheus does. False when there are no such: a float cannot tell milliseconds beyond some 280,000 years.
fn put_seconds(t: i64, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    if t < 0 {
        out.push(b'-');
    }
    let ms = t.unsigned_abs();
    push_u64(out, ms / 1000);
    if ms % 1000 != 0 {
        out.extend_from_slice(format!(".{:03}", ms % 1000).as_bytes());
    }
    if reads_as(out.get(start..).unwrap_or_default(), t) {
        return true;
    }
    // 1.005 s are 1004.9999 ms; a tenth of a millisecond more is below any rounding, and makes up for it.
    let nudge: &[u8] = if ms % 1000 == 0 { b".0001" } else { b"1" };
    out.extend_from_slice(nudge);
    reads_as(out.get(start..).unwrap_or_default(), t)
}

fn reads_as(seconds: &[u8], t: i64) -> bool {
    parse_go(seconds).is_some_and(|seconds| (seconds * 1000.0) as i64 == t)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::labels::pack;
    use proptest::prelude::*;

    fn series(labels: &[(&str, &str)]) -> String {
        let (mut packed, mut out) = (Vec::new(), Vec::new());
        pack(&mut labels.to_vec(), &mut packed).unwrap();
        put_series(Labels::trusted(&packed), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn series_as_openmetrics_has_them() {
        assert_eq!(series(&[("__name__", "up")]), "up ");
        assert_eq!(series(&[("__name__", "up"), ("a", "x\"\\\n")]), r#"up{a="x\"\\\n"} "#);
        assert_eq!(
            series(&[("__name__", "my.up"), ("a.b", "c")]),
            r#"{"my.up","a.b"="c"} "#
        );
        assert_eq!(series(&[("a", "b"), ("c", "d")]), r#"{a="b",c="d"} "#);
    }

    proptest! {
        #[test]
        fn seconds_read_back_by_cutting_and_by_rounding(t in -4_000_000_000_000i64..4_000_000_000_000) {
            let mut out = Vec::new();
            prop_assert!(put_seconds(t, &mut out));
            let seconds = parse_go(&out).unwrap();
            prop_assert_eq!((seconds * 1000.0) as i64, t);
            prop_assert_eq!((seconds * 1000.0).round() as i64, t);
        }

        #[test]
        fn any_time_is_told_right_or_not_at_all(t in any::<i64>()) {
            let mut out = Vec::new();
            if put_seconds(t, &mut out) {
                prop_assert!(reads_as(&out, t));
            }
        }
    }
}
