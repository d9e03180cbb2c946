//! Samples to lines.

use std::borrow::Cow;

use super::lines::Lines;
use super::names::{put, rename, Role};
use super::number::{put_float, put_int};
use crate::batch::is_stale;
use crate::labels::{Labels, METRIC_NAME};

/// The measurement of a series without a metric name, as InfluxDB 1.x's own remote-write endpoint calls it.
pub const NO_NAME: &str = "prom_metric_not_specified";

/// The largest |ms| whose nanoseconds all generations of InfluxDB take.
const MAX_MS: u64 = (i64::MAX / 1_000_000) as u64;

/// How samples become lines.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Also write `__name__` as a tag, as InfluxDB 1.x's remote-write endpoint does, for dashboards made for it.
    pub name_tag: bool,
}

/// What a row holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Point {
    /// A float sample.
    Float(f64),
    /// A native histogram, which no line can carry.
    Histogram,
}

/// Append lines of all rows (labels, ms, point) that can be lines; the rest is counted.
/// A row has no labels when its series is unknown.
pub fn encode<'a>(rows: impl Iterator<Item = (Option<Labels<'a>>, i64, Point)>, options: Options, lines: &mut Lines) {
    for (labels, t, point) in rows {
        let unrepresentable = &mut lines.unrepresentable;
        let counter = match (labels, point) {
            (None, _) => &mut unrepresentable.unknown_series,
            (_, Point::Histogram) => &mut unrepresentable.native_histogram,
            (_, Point::Float(v)) if is_stale(v) => &mut unrepresentable.stale,
            (_, Point::Float(v)) if v.is_nan() => &mut unrepresentable.nan,
            (_, Point::Float(v)) if v.is_infinite() => &mut unrepresentable.inf,
            (_, Point::Float(_)) if t.unsigned_abs() > MAX_MS => &mut unrepresentable.time_range,
            (Some(labels), Point::Float(v)) => {
                put_line(lines.body_mut(), labels, t, v, options);
                lines.end_line();
                lines.newest = lines.newest.max(Some(t));
                continue;
            }
        };
        *counter += 1;
    }
}

fn put_line(out: &mut Vec<u8>, labels: Labels<'_>, t: i64, value: f64, options: Options) {
    put_series(out, labels, options);
    out.extend_from_slice(b" value=");
    put_float(out, value);
    out.push(b' ');
    put_int(out, t);
}

fn put_series(out: &mut Vec<u8>, labels: Labels<'_>, options: Options) {
    let name = match labels.get(METRIC_NAME) {
        "" => NO_NAME,
        name => name,
    };
    put(out, &rename(name, Role::Measurement), Role::Measurement);
    let tags = labels.iter().filter(|(key, _)| *key != METRIC_NAME);
    if options.name_tag {
        return put_sorted(out, tags, Some(name));
    }
    let start = out.len();
    for (key, value) in tags.clone() {
        if let Cow::Owned(_) = rename(key, Role::TagKey) {
            out.truncate(start);
            return put_sorted(out, tags, None);
        }
        put_tag(out, key, value);
    }
}

/// Renaming and the name tag break the order that labels have, so these few are sorted again.
fn put_sorted<'a>(out: &mut Vec<u8>, tags: impl Iterator<Item = (&'a str, &'a str)>, name: Option<&'a str>) {
    let mut tags: Vec<_> = tags.map(|(key, value)| (rename(key, Role::TagKey), value)).collect();
    tags.extend(name.map(|name| (METRIC_NAME.into(), name)));
    tags.sort_unstable();
    for (key, value) in tags {
        put_tag(out, &key, value);
    }
}

fn put_tag(out: &mut Vec<u8>, key: &str, value: &str) {
    out.push(b',');
    put(out, key, Role::TagKey);
    out.push(b'=');
    put(out, value, Role::TagValue);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::batch::STALE_NAN_BITS;
    use crate::labels::pack;

    fn encoded(labels: &[(&str, &str)], rows: &[(i64, Point)], options: Options) -> Lines {
        let mut packed = Vec::new();
        pack(&mut labels.to_vec(), &mut packed).unwrap();
        let mut lines = Lines::default();
        let labels = (!packed.is_empty()).then_some(Labels::trusted(&packed));
        encode(rows.iter().map(|(t, p)| (labels, *t, *p)), options, &mut lines);
        lines
    }

    #[test]
    fn a_sample_is_a_line() {
        let lines = encoded(
            &[
                ("__name__", "up"),
                ("instance", "h:1"),
                ("job", "a b"),
                ("time", "x"),
                ("Z", "1"),
            ],
            &[(1000, Point::Float(1.0)), (2000, Point::Float(2.5))],
            Options::default(),
        );
        assert_eq!(
            std::str::from_utf8(lines.body()).unwrap(),
            "up,Z=1,instance=h:1,job=a\\ b,label_time=x value=1 1000\nup,Z=1,instance=h:1,job=a\\ b,label_time=x value=2.5 2000\n"
        );
        assert_eq!(lines.newest, Some(2000));
    }

    #[test]
    fn renamed_tags_are_sorted_under_their_new_names() {
        let lines = encoded(
            &[("__name__", "m"), ("_a", "1"), ("b", "2")],
            &[(1, Point::Float(1.0))],
            Options { name_tag: true },
        );
        assert_eq!(lines.body(), b"m,__name__=m,b=2,label__a=1 value=1 1\n");
    }

    #[test]
    fn what_no_line_can_carry_is_counted() {
        let max = i64::MAX / 1_000_000;
        let lines = encoded(
            &[("job", "j")],
            &[
                (1, Point::Float(f64::NAN)),
                (1, Point::Float(f64::INFINITY)),
                (1, Point::Float(f64::NEG_INFINITY)),
                (1, Point::Float(f64::from_bits(STALE_NAN_BITS))),
                (1, Point::Histogram),
                (max + 1, Point::Float(1.0)),
                (i64::MIN, Point::Float(1.0)),
                (-max, Point::Float(1.0)),
            ],
            Options::default(),
        );
        assert_eq!(
            lines.unrepresentable.by_reason(),
            [
                ("nan", 1),
                ("inf", 2),
                ("stale", 1),
                ("native_histogram", 1),
                ("time_range", 2),
                ("unknown_series", 0),
            ]
        );
        assert_eq!(lines.body(), format!("{NO_NAME},job=j value=1 -{max}\n").as_bytes());
        let lost = encoded(&[], &[(1, Point::Float(1.0))], Options::default());
        assert!(lost.is_empty() && lost.unrepresentable.unknown_series == 1);
    }
}
