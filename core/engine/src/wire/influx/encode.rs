//! Samples to lines.

use super::lines::{Lines, Reason};
use super::mapping::{place, NonFinite, Options, Place, Stale};
use super::merge::Merger;
use super::native;
use super::notes;
use super::number::put_float;
use super::tags::{put_series, put_time};
use crate::batch::is_stale;
use crate::family::Kind;
use crate::histogram::Histogram;
use crate::labels::{Labels, METRIC_NAME};
use crate::wal::ExemplarRow;

/// The measurement of a series without a metric name, as InfluxDB 1.x's own remote-write endpoint calls it.
pub const NO_NAME: &str = "prom_metric_not_specified";

/// The largest |ms| whose nanoseconds all generations of InfluxDB take.
pub(super) const MAX_MS: u64 = (i64::MAX / 1_000_000) as u64;

/// What a row holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Point<'a> {
    /// A float sample.
    Float(f64),
    /// A native histogram.
    Histogram(&'a Histogram),
}

/// A sample and its series.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// None when the series is unknown.
    pub labels: Option<Labels<'a>>,
    /// What kind of metric it is of, where that is told.
    pub kind: Option<Kind>,
    /// Time, ms.
    pub t: i64,
    /// What the series has then.
    pub point: Point<'a>,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Field {
    Number(f64),
    /// Beside the number's field.
    Text(&'static str),
    Stale,
}

/// Makes lines of rows that come in several pieces. Samples that are fields of one point share a line.
pub struct Encoder<'o> {
    options: &'o Options,
    lines: Lines,
    merger: Option<Merger>,
}

impl<'o> Encoder<'o> {
    /// Nothing yet.
    pub fn new(options: &'o Options) -> Self {
        Self {
            options,
            lines: Lines::default(),
            merger: options.mapping.merges().then(Merger::default),
        }
    }

    /// How samples become lines.
    pub fn options(&self) -> &'o Options {
        self.options
    }

    /// Whether a sample at `t` is one that the sink takes, by its time.
    pub fn reaches(&self, t: i64) -> bool {
        t >= self.options.oldest && t.unsigned_abs() <= MAX_MS
    }

    /// Take a sample; one that can be no line is counted.
    pub fn add(&mut self, row: &Row<'_>) {
        match put_row(row, self.options, &mut self.lines, self.merger.as_mut()) {
            Ok(()) => self.lines.newest = self.lines.newest.max(Some(row.t)),
            Err(reason) => self.leave_out(reason),
        }
    }

    /// Take a sample that is counted elsewhere: its line stands for none. One that can be no line is nothing.
    pub fn add_again(&mut self, row: &Row<'_>) {
        let before = self.lines.len();
        if put_row(row, self.options, &mut self.lines, None).is_ok() {
            self.lines.weigh_nothing(before);
        }
    }

    /// Take an exemplar of the series with `labels`, which is no sample.
    pub fn add_exemplar(&mut self, labels: Labels<'_>, kind: Option<Kind>, exemplar: &ExemplarRow) {
        notes::put_exemplar(labels, kind, exemplar, self.options, &mut self.lines);
    }

    /// Take several.
    pub fn add_all<'a>(&mut self, rows: impl Iterator<Item = Row<'a>>) {
        rows.for_each(|row| self.add(&row));
    }

    /// Count a sample that the sink need not be sent: it is as good as sent.
    pub fn leave_out_unchanged(&mut self, t: i64) {
        self.lines.newest = self.lines.newest.max(Some(t));
        self.leave_out(Reason::Unchanged);
    }

    /// Count a sample that has no line.
    pub fn leave_out(&mut self, reason: Reason) {
        self.lines.unrepresentable.add(reason, 1);
    }

    /// The lines: those of several fields come last.
    pub fn finish(mut self) -> Lines {
        if let Some(merger) = self.merger {
            merger.write(&mut self.lines);
        }
        self.lines
    }
}

fn put_row(row: &Row<'_>, options: &Options, lines: &mut Lines, merger: Option<&mut Merger>) -> Result<(), Reason> {
    let labels = row.labels.ok_or(Reason::UnknownSeries)?;
    if row.t < options.oldest {
        return Err(Reason::Expired);
    }
    let is_in_time = row.t.unsigned_abs() <= MAX_MS;
    let v = match row.point {
        Point::Float(v) => v,
        Point::Histogram(histogram) if histogram.is_stale() => f64::from_bits(crate::batch::STALE_NAN_BITS),
        Point::Histogram(_) if !is_in_time => return Err(Reason::TimeRange),
        Point::Histogram(histogram) => return native::put_histogram(labels, row.t, histogram, options, lines),
    };
    let field = field_of(v, options)?;
    if !is_in_time {
        return Err(Reason::TimeRange);
    }
    let name = name_of(labels);
    let place = place(options.mapping, name, row.kind, |label| labels.get(label));
    if let Some(merger) = merger {
        let series = |out: &mut Vec<u8>| put_series(out, labels, &place, options.mapping, None);
        merger.add(row.t, series, |out| put_field(out, &place, field));
        return Ok(());
    }
    let out = lines.body_mut();
    put_series(out, labels, &place, options.mapping, None);
    out.push(b' ');
    put_field(out, &place, field);
    put_time(out, row.t);
    lines.end_line(1);
    Ok(())
}

fn field_of(v: f64, options: &Options) -> Result<Field, Reason> {
    if v.is_finite() {
        return Ok(Field::Number(v));
    }
    if is_stale(v) {
        return match options.stale {
            Stale::Omit => Err(Reason::Stale),
            Stale::Marker => Ok(Field::Stale),
        };
    }
    let (text, instead, reason) = if v.is_nan() {
        ("\"NaN\"", None, Reason::Nan)
    } else if v > 0.0 {
        ("\"+Inf\"", Some(f64::MAX), Reason::Inf)
    } else {
        ("\"-Inf\"", Some(f64::MIN), Reason::Inf)
    };
    match options.non_finite {
        NonFinite::Omit => Err(reason),
        NonFinite::Text => Ok(Field::Text(text)),
        NonFinite::Sentinel(sentinel) => Ok(Field::Number(instead.unwrap_or(sentinel))),
    }
}

/// The metric's name, or what stands for it.
pub(super) fn name_of(labels: Labels<'_>) -> &str {
    match labels.get(METRIC_NAME) {
        "" => NO_NAME,
        name => name,
    }
}

fn put_field(out: &mut Vec<u8>, place: &Place<'_>, field: Field) {
    place.field.put(out);
    match field {
        Field::Number(v) => {
            out.push(b'=');
            put_float(out, v);
        }
        Field::Text(text) => {
            out.extend_from_slice(b"_text=");
            out.extend_from_slice(text.as_bytes());
        }
        Field::Stale => out.extend_from_slice(b"_stale=true"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::batch::STALE_NAN_BITS;
    use crate::labels::pack;
    use crate::wire::influx::{Mapping, Natives};

    fn encoded(labels: &[(&str, &str)], rows: &[(i64, f64)], options: &Options) -> Lines {
        let mut packed = Vec::new();
        pack(&mut labels.to_vec(), &mut packed).unwrap();
        let mut encoder = Encoder::new(options);
        let labels = (!packed.is_empty()).then_some(Labels::trusted(&packed));
        encoder.add_all(rows.iter().map(|(t, v)| Row {
            labels,
            kind: None,
            t: *t,
            point: Point::Float(*v),
        }));
        encoder.finish()
    }

    fn by(mapping: Mapping) -> Options {
        Options {
            mapping,
            ..Options::default()
        }
    }

    fn text(lines: &Lines) -> &str {
        std::str::from_utf8(lines.body()).unwrap()
    }

    #[test]
    fn a_sample_is_a_line() {
        let series = [
            ("__name__", "up"),
            ("instance", "h:1"),
            ("job", "a b"),
            ("time", "x"),
            ("Z", "1"),
        ];
        let lines = encoded(&series, &[(1000, 1.0), (2000, 2.5)], &Options::default());
        assert_eq!(
            text(&lines),
            "up,Z=1,instance=h:1,job=a\\ b,label_time=x value=1 1000\nup,Z=1,instance=h:1,job=a\\ b,label_time=x value=2.5 2000\n"
        );
        assert_eq!((lines.newest, lines.samples()), (Some(2000), 2));
    }

    #[test]
    fn renamed_tags_are_sorted_under_their_new_names() {
        let series = [("__name__", "m"), ("_a", "1"), ("b", "2")];
        let lines = encoded(&series, &[(1, 1.0)], &by(Mapping::Influx1Compat));
        assert_eq!(text(&lines), "m,__name__=m,b=2,label__a=1 value=1 1\n");
    }

    #[test]
    fn a_metric_that_is_a_reserved_field_is_renamed() {
        for (name, want) in [("time", "metric_time"), ("_x", "metric__x"), ("a=b c", "a\\=b\\ c")] {
            let lines = encoded(&[("__name__", name)], &[(1, 1.0)], &by(Mapping::TelegrafRw));
            assert_eq!(text(&lines), format!("prometheus_remote_write {want}=1 1\n"));
        }
    }

    #[test]
    fn what_no_line_can_carry_is_counted() {
        let max = i64::MAX / 1_000_000;
        let rows = [
            (1, f64::NAN),
            (1, f64::INFINITY),
            (1, f64::NEG_INFINITY),
            (1, f64::from_bits(STALE_NAN_BITS)),
            (max + 1, 1.0),
            (i64::MIN, 1.0),
            (-max, 1.0),
        ];
        let lines = encoded(&[("job", "j")], &rows, &Options::default());
        let counts: Vec<_> = lines.unrepresentable.by_reason().filter(|(_, n)| *n > 0).collect();
        assert_eq!(counts, [("nan", 1), ("inf", 2), ("stale", 1), ("time_range", 2)]);
        assert_eq!(text(&lines), format!("{NO_NAME},job=j value=1 -{max}\n"));
        let lost = encoded(&[], &[(1, 1.0)], &Options::default());
        assert!(lost.is_empty() && lost.unrepresentable.count(Reason::UnknownSeries) == 1);
    }

    #[test]
    fn what_has_no_number_may_have_a_field_of_its_own() {
        let rows = [
            (1, f64::NAN),
            (2, f64::INFINITY),
            (3, f64::NEG_INFINITY),
            (4, f64::from_bits(STALE_NAN_BITS)),
        ];
        let mut options = Options {
            non_finite: NonFinite::Text,
            stale: Stale::Marker,
            ..Options::default()
        };
        let lines = encoded(&[("__name__", "m")], &rows, &options);
        assert_eq!(
            text(&lines),
            "m value_text=\"NaN\" 1\nm value_text=\"+Inf\" 2\nm value_text=\"-Inf\" 3\nm value_stale=true 4\n"
        );
        options.non_finite = NonFinite::Sentinel(-1.0);
        let lines = encoded(&[("__name__", "m")], rows.get(..3).unwrap(), &options);
        assert_eq!(
            text(&lines),
            "m value=-1 1\nm value=1.7976931348623157e308 2\nm value=-1.7976931348623157e308 3\n"
        );
    }

    #[test]
    fn samples_of_one_point_share_a_line_and_no_field_is_there_twice() {
        let options = by(Mapping::TelegrafRw);
        let mut encoder = Encoder::new(&options);
        let mut series = Vec::new();
        for name in ["a", "b", "c"] {
            let mut packed = Vec::new();
            pack(&mut [("__name__", name), ("x", "1")], &mut packed).unwrap();
            series.push(packed);
        }
        let row = |n: usize, t, v| Row {
            labels: series.get(n).map(|packed| Labels::trusted(packed)),
            kind: None,
            t,
            point: Point::Float(v),
        };
        encoder.add_all([row(0, 1, 1.0), row(1, 2, 2.0)].into_iter());
        encoder.add_all([row(1, 1, 3.0), row(0, 1, 4.0), row(2, 1, 5.0)].into_iter());
        let lines = encoder.finish();
        assert_eq!(
            text(&lines),
            "prometheus_remote_write,x=1 a=1,b=3 1\nprometheus_remote_write,x=1 b=2 2\nprometheus_remote_write,x=1 a=4,c=5 1\n"
        );
        assert_eq!(lines.samples(), 5);
        assert_eq!((0..3).map(|i| lines.weight(i).unwrap()).collect::<Vec<_>>(), [2, 1, 2]);
    }

    #[test]
    fn a_line_has_a_bounded_number_of_fields() {
        let options = by(Mapping::TelegrafV2);
        let mut encoder = Encoder::new(&options);
        let series: Vec<Vec<u8>> = (0..600)
            .map(|n| {
                let mut packed = Vec::new();
                pack(&mut [("__name__", &*format!("m{n}"))], &mut packed).unwrap();
                packed
            })
            .collect();
        encoder.add_all(series.iter().map(|packed| Row {
            labels: Some(Labels::trusted(packed)),
            kind: None,
            t: 1,
            point: Point::Float(1.0),
        }));
        let lines = encoder.finish();
        assert_eq!((lines.len(), lines.samples(), lines.weight(0)), (3, 600, Some(256)));
        assert_eq!(lines.singly().len(), 600);
    }

    #[test]
    fn histograms_may_be_left_out() {
        let options = Options {
            natives: Natives::Omit,
            ..Options::default()
        };
        let mut encoder = Encoder::new(&options);
        let histogram = Histogram::default();
        encoder.add_all(std::iter::once(Row {
            labels: Some(Labels::default()),
            kind: None,
            t: 1,
            point: Point::Histogram(&histogram),
        }));
        let lines = encoder.finish();
        assert!(lines.is_empty() && lines.unrepresentable.count(Reason::NativeHistogram) == 1);
    }
}
