//! Results as the query API has them.

use std::sync::Arc;

use super::samples::Samples;
use super::LabelSets;
use crate::float::{push_i64, push_value};
use crate::float_histogram::FloatHistogram;
use crate::labels::Labels;
use crate::query::{Failed, Limit};

/// A frame, to be printed.
#[derive(Debug, Clone, Copy)]
pub struct Printed<'a> {
    /// Of each series.
    pub labels: &'a LabelSets,
    /// The times of the steps, ms.
    pub times: &'a [i64],
    /// Series x steps.
    pub values: &'a [f64],
    /// Likewise, 0 where there is no float.
    pub present: &'a [u8],
    /// Histograms with their place among the cells, ascending.
    pub histograms: &'a [(i64, Arc<FloatHistogram>)],
}

impl Printed<'_> {
    fn rows(&self) -> impl Iterator<Item = (usize, Labels<'_>, &[f64], &[u8])> {
        let steps = self.times.len().max(1);
        let cells = self.values.chunks_exact(steps).zip(self.present.chunks_exact(steps));
        let rows = self.labels.iter().zip(cells).enumerate();
        rows.map(|(n, (labels, (values, present)))| (n, labels, values, present))
    }

    fn histograms_of(&self, row: usize) -> &[(i64, Arc<FloatHistogram>)] {
        let steps = self.times.len();
        let behind = |cell: usize| self.histograms.partition_point(|(at, _)| *at < cell as i64);
        self.histograms
            .get(behind(row * steps)..behind((row + 1) * steps))
            .unwrap_or_default()
    }

    /// `[{"metric":{},"value":[1,"2"]}]`, of the first step. Fails beyond `most` bytes, as soon as they are written.
    pub fn vector(&self, most: usize) -> Result<Vec<u8>, Failed> {
        let mut out = vec![b'['];
        let time = seconds_of(self.times.first().copied().unwrap_or(0));
        for (row, labels, values, present) in self.rows() {
            begin_series(&mut out, row, labels);
            match (values.first(), present.first(), self.histograms_of(row).first()) {
                (_, _, Some((_, histogram))) => {
                    out.extend_from_slice(b",\"histogram\":");
                    push_histogram(&mut out, &time, histogram);
                }
                (Some(value), Some(1), _) => {
                    out.extend_from_slice(b",\"value\":");
                    push_float(&mut out, &time, *value);
                }
                _ => {}
            }
            out.push(b'}');
            check(&out, most)?;
        }
        out.push(b']');
        Ok(out)
    }

    /// `[{"metric":{},"values":[[1,"2"],[2,"3"]]}]`, likewise.
    pub fn matrix(&self, most: usize) -> Result<Vec<u8>, Failed> {
        let mut out = Vec::with_capacity((self.values.len() * 24 + 64).min(most));
        out.push(b'[');
        let times: Vec<Vec<u8>> = self.times.iter().map(|time| seconds_of(*time)).collect();
        for (row, labels, values, present) in self.rows() {
            let start = (row * times.len()) as i64;
            let cells = times.iter().zip(values.iter().zip(present));
            let floats = cells.filter(|(_, (_, there))| **there != 0);
            let histograms = self.histograms_of(row).iter().filter_map(|(cell, histogram)| {
                let time = times.get(usize::try_from(cell - start).ok()?)?;
                Some((time, histogram.as_ref()))
            });
            let floats = floats.map(|(time, (value, _))| (time, *value));
            push_series(&mut out, most, row, labels, floats, histograms)?;
        }
        out.push(b']');
        Ok(out)
    }
}

/// Samples with times of their own, likewise.
pub fn matrix_of(samples: &Samples, most: usize) -> Result<Vec<u8>, Failed> {
    let mut out = vec![b'['];
    for (row, labels) in samples.labels().iter().enumerate() {
        let (floats, histograms) = (samples.floats(row), samples.histograms(row));
        let floats = floats.iter().map(|(time, value)| (seconds_of(time), *value));
        let histograms = histograms.iter();
        let histograms = histograms.map(|(time, histogram)| (seconds_of(time), histogram.as_ref()));
        push_series(&mut out, most, row, labels, floats, histograms)?;
    }
    out.push(b']');
    Ok(out)
}

/// Fail when there are more bytes than `most`.
fn check(out: &[u8], most: usize) -> Result<(), Failed> {
    if out.len() > most {
        let what = Limit::Bytes;
        return Err(Failed::TooMany { what, limit: most });
    }
    Ok(())
}

/// Times are printed already.
fn push_series<'a, T: AsRef<[u8]>>(
    out: &mut Vec<u8>,
    most: usize,
    row: usize,
    labels: Labels<'_>,
    floats: impl Iterator<Item = (T, f64)>,
    histograms: impl Iterator<Item = (T, &'a FloatHistogram)>,
) -> Result<(), Failed> {
    begin_series(out, row, labels);
    push_points(out, most, b",\"values\":[", floats, push_float)?;
    push_points(out, most, b",\"histograms\":[", histograms, push_histogram)?;
    out.push(b'}');
    check(out, most)
}

fn push_points<T: AsRef<[u8]>, V>(
    out: &mut Vec<u8>,
    most: usize,
    mut separator: &[u8],
    points: impl Iterator<Item = (T, V)>,
    push: impl Fn(&mut Vec<u8>, &[u8], V),
) -> Result<(), Failed> {
    let mut any = false;
    for (time, value) in points {
        out.extend_from_slice(separator);
        push(out, time.as_ref(), value);
        check(out, most)?;
        (separator, any) = (b",", true);
    }
    if any {
        out.push(b']');
    }
    Ok(())
}

fn begin_series(out: &mut Vec<u8>, row: usize, labels: Labels<'_>) {
    if row > 0 {
        out.push(b',');
    }
    out.extend_from_slice(b"{\"metric\":{");
    for (n, (name, value)) in labels.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        push_text(out, name);
        out.push(b':');
        push_text(out, value);
    }
    out.push(b'}');
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..=0x1f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

fn push_float(out: &mut Vec<u8>, time: &[u8], value: f64) {
    out.push(b'[');
    out.extend_from_slice(time);
    out.extend_from_slice(b",\"");
    push_value(out, value);
    out.extend_from_slice(b"\"]");
}

fn push_histogram(out: &mut Vec<u8>, time: &[u8], histogram: &FloatHistogram) {
    out.push(b'[');
    out.extend_from_slice(time);
    out.push(b',');
    histogram.push_json(out);
    out.push(b']');
}

/// Seconds, with three digits behind the point unless they are zeros.
fn seconds_of(time: i64) -> Vec<u8> {
    let mut seconds = Vec::with_capacity(16);
    push_time(&mut seconds, time);
    seconds
}

fn push_time(out: &mut Vec<u8>, time: i64) {
    if time < 0 {
        out.push(b'-');
    }
    let (seconds, millis) = (time.unsigned_abs() / 1000, time.unsigned_abs() % 1000);
    push_i64(out, seconds as i64);
    if millis > 0 {
        out.push(b'.');
        if millis < 100 {
            out.push(b'0');
        }
        if millis < 10 {
            out.push(b'0');
        }
        push_i64(out, millis as i64);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::labels::pack;

    #[test]
    fn prints_what_is_there() {
        let mut packed = Vec::new();
        pack(&mut [("__name__", "m"), ("q", "a\"b\n")], &mut packed).unwrap();
        let labels = LabelSets::new(vec![packed.into(), Arc::default()]);
        let printed = Printed {
            labels: &labels,
            times: &[1_000, 1_005, 1_250],
            values: &[1.0, 0.0, f64::NAN, 2.5, 1e21, f64::INFINITY],
            present: &[1, 0, 1, 1, 1, 1],
            histograms: &[(1, Arc::default())],
        };
        let text = String::from_utf8(printed.matrix(usize::MAX).unwrap()).unwrap();
        let first = r#"{"metric":{"__name__":"m","q":"a\"b\n"},"values":[[1,"1"],[1.250,"NaN"]],"#.to_owned()
            + r#""histograms":[[1.005,{"count":"0","sum":"0"}]]}"#;
        let second = r#"{"metric":{},"values":[[1,"2.5"],[1.005,"1e+21"],[1.250,"+Inf"]]}"#;
        assert_eq!(text, format!("[{first},{second}]"));
        let one = Printed {
            times: &[-500],
            values: &[3.0, 4.0],
            present: &[1, 1],
            histograms: &[],
            ..printed
        };
        let text = String::from_utf8(one.vector(usize::MAX).unwrap()).unwrap();
        assert!(
            text.ends_with(r#"},"value":[-0.500,"3"]},{"metric":{},"value":[-0.500,"4"]}]"#),
            "{text}"
        );
    }

    #[test]
    fn stops_where_it_is_too_long() {
        let labels = LabelSets::new(vec![Arc::default()]);
        let printed = Printed {
            labels: &labels,
            times: &[1_000, 2_000],
            values: &[1.0, 2.0],
            present: &[1, 1],
            histograms: &[],
        };
        let whole = printed.matrix(usize::MAX).unwrap().len();
        assert!(printed.matrix(whole).is_ok());
        for most in 0..whole - 1 {
            assert!(
                matches!(printed.matrix(most), Err(Failed::TooMany { limit, .. }) if limit == most),
                "{most}"
            );
        }
    }
}
