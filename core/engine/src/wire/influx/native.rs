//! Native histograms to lines.

use super::buckets::Parts;
use super::encode::name_of;
use super::lines::{Lines, Reason};
use super::mapping::{FieldKey, Mapping, Natives, Options, Place};
use super::names::{put, rename, Role};
use super::number::{put_float, put_int};
use super::tags::{put_series, put_time};
use crate::float::push_go;
use crate::histogram::{Histogram, Span};
use crate::labels::Labels;

/// Append the lines of a sample; the last one stands for it.
pub fn put_histogram(
    labels: Labels<'_>,
    t: i64,
    histogram: &Histogram,
    options: &Options,
    lines: &mut Lines,
) -> Result<(), Reason> {
    let before = lines.len();
    let mut sheet = Sheet {
        labels,
        t,
        mapping: options.mapping,
        lines,
    };
    let name = name_of(labels);
    match (options.natives, options.mapping) {
        (Natives::Omit, _) => return Err(Reason::NativeHistogram),
        (Natives::Lossless, _) => lossless(&mut sheet, name, histogram),
        (Natives::Buckets, Mapping::PromValue | Mapping::Influx1Compat) => series(&mut sheet, name, histogram),
        (Natives::Buckets, Mapping::TelegrafV2) => tagged(&mut sheet, name, histogram),
        (Natives::Buckets, Mapping::TelegrafRw) => tagged_by_metric(&mut sheet, name, histogram),
        (Natives::Buckets, Mapping::TelegrafV1) => dense(&mut sheet, name, histogram),
        (Natives::Buckets, Mapping::OtelV1) => bounds(&mut sheet, name, histogram),
    }
    // Counts and sums that no field can hold are left out; with all of them the sample is.
    if lines.weigh_last(before, 1) {
        Ok(())
    } else {
        Err(Reason::Nan)
    }
}

/// Where the lines of one sample go.
struct Sheet<'a> {
    labels: Labels<'a>,
    t: i64,
    mapping: Mapping,
    lines: &'a mut Lines,
}

impl Sheet<'_> {
    /// Append a line with these fields; none without fields.
    fn line(&mut self, measurement: &str, tag: Option<(&str, &str)>, fields: &Fields) {
        if fields.0.is_empty() {
            return;
        }
        let place = Place {
            without: tag.filter(|(key, _)| *key == "le").map_or("", |_| "le"),
            ..Place::new(measurement, FieldKey::Word(""))
        };
        let out = self.lines.body_mut();
        put_series(out, self.labels, &place, self.mapping, tag);
        out.push(b' ');
        out.extend_from_slice(&fields.0);
        put_time(out, self.t);
        self.lines.end_line(0);
    }
}

/// Fields as written.
#[derive(Default)]
struct Fields(Vec<u8>);

impl Fields {
    fn key(&mut self, parts: &[&str]) -> &mut Vec<u8> {
        if !self.0.is_empty() {
            self.0.push(b',');
        }
        let key = parts.concat();
        put(&mut self.0, &*rename(&key, Role::FieldKey), Role::FieldKey);
        self.0.push(b'=');
        &mut self.0
    }

    /// A float; left out when no field can hold it.
    fn number(&mut self, key: &[&str], v: f64) -> &mut Self {
        if v.is_finite() {
            put_float(self.key(key), v);
        }
        self
    }

    fn integer(&mut self, key: &[&str], v: i64) -> &mut Self {
        let out = self.key(key);
        put_int(out, v);
        out.push(b'i');
        self
    }

    fn text(&mut self, key: &[&str], parts: impl Iterator<Item = String>) -> &mut Self {
        let out = self.key(key);
        out.push(b'"');
        for (n, part) in parts.enumerate() {
            if n > 0 {
                out.push(b' ');
            }
            out.extend_from_slice(part.as_bytes());
        }
        out.push(b'"');
        self
    }

    fn one(key: &[&str], v: f64) -> Self {
        let mut fields = Self::default();
        fields.number(key, v);
        fields
    }
}

/// As the series of a classic histogram.
fn series(sheet: &mut Sheet<'_>, name: &str, histogram: &Histogram) {
    let parts = Parts::of(histogram);
    for (bound, count) in parts.cumulative_to_infinity() {
        let fields = Fields::one(&["value"], count);
        sheet.line(&[name, "_bucket"].concat(), Some(("le", &bound)), &fields);
    }
    sheet.line(&[name, "_sum"].concat(), None, &Fields::one(&["value"], histogram.sum));
    sheet.line(&[name, "_count"].concat(), None, &Fields::one(&["value"], parts.count));
}

/// As Telegraf's scraper has classic ones with `metric_version = 2`.
fn tagged(sheet: &mut Sheet<'_>, name: &str, histogram: &Histogram) {
    let parts = Parts::of(histogram);
    for (bound, count) in parts.cumulative_to_infinity() {
        let fields = Fields::one(&[name, "_bucket"], count);
        sheet.line("prometheus", Some(("le", &bound)), &fields);
    }
    let mut fields = Fields::one(&[name, "_count"], parts.count);
    fields.number(&[name, "_sum"], histogram.sum);
    sheet.line("prometheus", None, &fields);
}

/// As Telegraf's `prometheusremotewrite` parser has them by default.
fn tagged_by_metric(sheet: &mut Sheet<'_>, name: &str, histogram: &Histogram) {
    let parts = Parts::of(histogram);
    let label = [name, "_le"].concat();
    for (upper, count) in parts.cumulative() {
        let fields = Fields::one(&[name], count);
        sheet.line("prometheus_remote_write", Some((&label, &go(upper))), &fields);
    }
    let mut fields = Fields::one(&[name, "_sum"], histogram.sum);
    fields.number(&[name, "_count"], parts.count);
    sheet.line("prometheus_remote_write", None, &fields);
}

/// As Telegraf's `prometheusremotewrite` parser has them with `metric_version = 1`: buckets twice, as they are and cumulative.
fn dense(sheet: &mut Sheet<'_>, name: &str, histogram: &Histogram) {
    let parts = Parts::of(histogram);
    let mut fields = Fields::default();
    fields
        .integer(&["counter_reset_hint"], histogram.hint as i64)
        .integer(&["schema"], histogram.schema.into())
        .number(&["zero_threshold"], histogram.zero_threshold)
        .number(&["zero_count"], parts.zero)
        .number(&["count"], parts.count)
        .number(&["sum"], histogram.sum);
    for (upper, count) in parts.cumulative() {
        fields.number(&[&go(upper)], count);
    }
    let sides = [
        ("positive", &histogram.positive, &parts.positive),
        ("negative", &histogram.negative, &parts.negative),
    ];
    for (side, spans, counts) in sides {
        for (n, (offset, length)) in spans.iter().enumerate() {
            fields.integer(&[side, "_span_", &n.to_string(), "_offset"], (*offset).into());
            fields.integer(&[side, "_span_", &n.to_string(), "_length"], (*length).into());
        }
        for (n, count) in counts.iter().enumerate() {
            fields.number(&[side, "_bucket_", &n.to_string()], *count);
        }
    }
    sheet.line(name, None, &fields);
}

/// As the OpenTelemetry exporter has explicit buckets: cumulative, and the last one always.
fn bounds(sheet: &mut Sheet<'_>, name: &str, histogram: &Histogram) {
    let parts = Parts::of(histogram);
    let mut fields = Fields::one(&["count"], parts.count);
    fields.number(&["sum"], histogram.sum);
    for (upper, count) in parts.cumulative().filter(|(upper, _)| upper.is_finite()) {
        fields.number(&[&upper.to_string()], count);
    }
    fields.number(&["+Inf"], parts.count);
    sheet.line(name, None, &fields);
}

/// All there is to know, in fields of always the same names: a table of InfluxDB 3 has 500 columns.
fn lossless(sheet: &mut Sheet<'_>, name: &str, histogram: &Histogram) {
    let parts = Parts::of(histogram);
    let spans = |spans: &[Span]| {
        spans
            .iter()
            .map(|(offset, length)| format!("{offset}:{length}"))
            .collect::<Vec<_>>()
    };
    let numbers = |numbers: &[f64]| numbers.iter().map(|v| go(*v)).collect::<Vec<_>>();
    let mut fields = Fields::default();
    fields
        .number(&["count"], parts.count)
        .number(&["sum"], histogram.sum)
        .integer(&["schema"], histogram.schema.into())
        .integer(&["counter_reset_hint"], histogram.hint as i64)
        .number(&["zero_threshold"], histogram.zero_threshold)
        .number(&["zero_count"], parts.zero)
        .text(&["positive_spans"], spans(&histogram.positive).into_iter())
        .text(&["positive_buckets"], numbers(&parts.positive).into_iter())
        .text(&["negative_spans"], spans(&histogram.negative).into_iter())
        .text(&["negative_buckets"], numbers(&parts.negative).into_iter())
        .text(&["custom_bounds"], numbers(&histogram.custom).into_iter());
    sheet.line(name, None, &fields);
}

/// A number as Go writes it.
pub(super) fn go(v: f64) -> String {
    let mut text = String::new();
    push_go(&mut text, v);
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::histogram::{Counts, CUSTOM_BUCKETS};
    use crate::labels::pack;
    use crate::wire::influx::{Encoder, Point, Row};

    /// Two sides, a gap, and an empty zero bucket.
    fn both_sides() -> Histogram {
        Histogram {
            schema: 0,
            zero_threshold: 0.001,
            sum: 158.63,
            positive: vec![(0, 4), (2, 1)],
            negative: vec![(0, 2)],
            counts: Counts::Integer {
                count: 16,
                zero: 0,
                positive: vec![2, -1, 2, -1, 1],
                negative: vec![2, 1],
            },
            ..Histogram::default()
        }
    }

    fn text(histogram: &Histogram, mapping: Mapping, natives: Natives) -> String {
        let options = Options {
            mapping,
            natives,
            ..Options::default()
        };
        let mut packed = Vec::new();
        pack(&mut [("__name__", "m"), ("x", "y")], &mut packed).unwrap();
        let mut encoder = Encoder::new(&options);
        encoder.add_all(std::iter::once(Row {
            labels: Some(Labels::trusted(&packed)),
            kind: None,
            t: 7,
            point: Point::Histogram(histogram),
        }));
        let lines = encoder.finish();
        assert_eq!((lines.samples(), lines.newest), (1, Some(7)));
        String::from_utf8(lines.body().to_vec()).unwrap()
    }

    #[test]
    fn as_a_classic_histogram() {
        assert_eq!(
            text(&both_sides(), Mapping::PromValue, Natives::Buckets),
            "m_bucket,le=-1,x=y value=3 7\nm_bucket,le=-0.5,x=y value=5 7\nm_bucket,le=1,x=y value=7 7\n\
             m_bucket,le=2,x=y value=8 7\nm_bucket,le=4,x=y value=11 7\nm_bucket,le=8,x=y value=13 7\n\
             m_bucket,le=64,x=y value=16 7\nm_bucket,le=+Inf,x=y value=16 7\nm_sum,x=y value=158.63 7\nm_count,x=y value=16 7\n"
        );
        let tagged = text(&both_sides(), Mapping::TelegrafV2, Natives::Buckets);
        assert!(tagged.contains("prometheus,le=+Inf,x=y m_bucket=16 7\n"));
        assert!(tagged.ends_with("prometheus,x=y m_count=16,m_sum=158.63 7\n"));
    }

    #[test]
    fn as_telegraf_writes_what_is_remote_written() {
        assert_eq!(
            text(&both_sides(), Mapping::TelegrafRw, Natives::Buckets),
            "prometheus_remote_write,m_le=-1,x=y m=3 7\nprometheus_remote_write,m_le=-0.5,x=y m=5 7\n\
             prometheus_remote_write,m_le=1,x=y m=7 7\nprometheus_remote_write,m_le=2,x=y m=8 7\n\
             prometheus_remote_write,m_le=4,x=y m=11 7\nprometheus_remote_write,m_le=8,x=y m=13 7\n\
             prometheus_remote_write,m_le=64,x=y m=16 7\nprometheus_remote_write,x=y m_sum=158.63,m_count=16 7\n"
        );
        assert_eq!(
            text(&both_sides(), Mapping::TelegrafV1, Natives::Buckets),
            "m,x=y counter_reset_hint=0i,schema=0i,zero_threshold=0.001,zero_count=0,count=16,sum=158.63,\
             -1=3,-0.5=5,1=7,2=8,4=11,8=13,64=16,\
             positive_span_0_offset=0i,positive_span_0_length=4i,positive_span_1_offset=2i,positive_span_1_length=1i,\
             positive_bucket_0=2,positive_bucket_1=1,positive_bucket_2=3,positive_bucket_3=2,positive_bucket_4=3,\
             negative_span_0_offset=0i,negative_span_0_length=2i,negative_bucket_0=2,negative_bucket_1=3 7\n"
        );
    }

    #[test]
    fn as_the_collector_writes_explicit_buckets() {
        let custom = Histogram {
            schema: CUSTOM_BUCKETS,
            sum: 1e7,
            positive: vec![(0, 3)],
            custom: vec![0.5, 1e6],
            counts: Counts::Float {
                count: 6.5,
                zero: 0.0,
                positive: vec![1.0, 2.5, 3.0],
                negative: vec![],
            },
            ..Histogram::default()
        };
        assert_eq!(
            text(&custom, Mapping::OtelV1, Natives::Buckets),
            "m,x=y count=6.5,sum=10000000,0.5=1,1000000=3.5,+Inf=6.5 7\n"
        );
    }

    #[test]
    fn with_all_there_is_to_know() {
        assert_eq!(
            text(&both_sides(), Mapping::PromValue, Natives::Lossless),
            "m,x=y count=16,sum=158.63,schema=0i,counter_reset_hint=0i,zero_threshold=0.001,zero_count=0,\
             positive_spans=\"0:4 2:1\",positive_buckets=\"2 1 3 2 3\",negative_spans=\"0:2\",negative_buckets=\"2 3\",\
             custom_bounds=\"\" 7\n"
        );
    }

    #[test]
    fn what_no_field_can_hold_is_left_out_and_a_sample_of_nothing_is_lost() {
        let mut odd = both_sides();
        odd.sum = f64::NAN;
        assert!(!text(&odd, Mapping::PromValue, Natives::Buckets).contains("m_sum"));
        odd.counts = Counts::Float {
            count: f64::NAN,
            zero: 0.0,
            positive: vec![f64::NAN; 5],
            negative: vec![f64::NAN; 2],
        };
        let mut lines = Lines::default();
        let put = put_histogram(Labels::default(), 1, &odd, &Options::default(), &mut lines);
        assert_eq!((put, lines.len()), (Err(Reason::Nan), 0));
    }
}
