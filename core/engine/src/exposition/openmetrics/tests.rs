//! What the format can say is tested with its reader in `wire::openmetrics`; here is what it cannot.

use super::family;
use crate::exposition::Escaping;
use crate::family::{Bucket, Exemplar, Family, Histogram, Kind, Label, Metric, Summary, Text, Value};

fn metric(value: Value) -> Metric {
    Metric {
        labels: Vec::new(),
        value,
        timestamp_ms: None,
        created_ms: Some(1500),
    }
}

fn of(name: &str, kind: Kind, value: Value) -> Family {
    Family {
        name: name.into(),
        help: None,
        kind,
        unit: Text::default(),
        metrics: vec![metric(value)],
    }
}

fn shown(shown: &Family, escaping: Escaping) -> String {
    let mut out = String::new();
    family(shown, escaping, &mut out);
    out
}

fn exemplar(chars: usize) -> Exemplar {
    Exemplar {
        labels: vec![Label {
            name: "é".into(),
            value: "x".repeat(chars - 1).into(),
        }],
        value: 1.0,
        timestamp_ms: None,
    }
}

#[test]
fn names_without_the_suffix_of_their_type() {
    for (family, want) in [
        (
            of("c_total", Kind::Counter, Value::Counter(1.0, None)),
            "# TYPE c counter\nc_total 1.0\nc_created 1.5\n",
        ),
        (
            of("c", Kind::Counter, Value::Counter(1.0, None)),
            "# TYPE c unknown\nc 1.0\n",
        ),
        (
            of("i_info", Kind::Info, Value::Gauge(1.0)),
            "# TYPE i info\ni_info 1.0\n",
        ),
        (of("i", Kind::Info, Value::Gauge(1.0)), "# TYPE i gauge\ni 1.0\n"),
        (of("u", Kind::Untyped, Value::Untyped(1.0)), "# TYPE u unknown\nu 1.0\n"),
        (of("m", Kind::Gauge, Value::Missing), "# TYPE m gauge\n"),
    ] {
        assert_eq!(shown(&family, Escaping::AllowUtf8), want);
    }
}

#[test]
fn suffixes_go_after_names_are_escaped() {
    let counter = of("a.b_total", Kind::Counter, Value::Counter(1.0, None));
    for (escaping, want) in [
        (
            Escaping::AllowUtf8,
            "# TYPE \"a.b\" counter\n{\"a.b_total\"} 1.0\n{\"a.b_created\"} 1.5\n",
        ),
        (
            Escaping::Underscores,
            "# TYPE a_b counter\na_b_total 1.0\na_b_created 1.5\n",
        ),
        (
            Escaping::Values,
            "# TYPE U__a_2e_b_ counter\nU__a_2e_b__total 1.0\nU__a_2e_b__created 1.5\n",
        ),
    ] {
        assert_eq!(shown(&counter, escaping), want);
    }
}

#[test]
fn units_that_the_name_does_not_end_in() {
    for (name, unit, want) in [
        (
            "a_seconds",
            "seconds",
            "# TYPE a_seconds gauge\n# UNIT a_seconds seconds\na_seconds 1.0\n",
        ),
        ("aseconds", "seconds", "# TYPE aseconds gauge\naseconds 1.0\n"),
        ("seconds", "seconds", "# TYPE seconds gauge\nseconds 1.0\n"),
        ("a", "b", "# TYPE a gauge\na 1.0\n"),
    ] {
        let mut family = of(name, Kind::Gauge, Value::Gauge(1.0));
        family.unit = unit.into();
        assert_eq!(shown(&family, Escaping::AllowUtf8), want);
    }
}

#[test]
fn exemplars_that_are_too_long() {
    let counter = |chars| {
        of(
            "c_total",
            Kind::Counter,
            Value::Counter(1.0, Some(Box::new(exemplar(chars)))),
        )
    };
    assert!(shown(&counter(128), Escaping::AllowUtf8).contains(" # {\"é\"=\"xx"));
    assert_eq!(
        shown(&counter(129), Escaping::AllowUtf8),
        "# TYPE c counter\nc_total 1.0\nc_created 1.5\n"
    );
}

#[test]
fn histograms_of_every_sort() {
    let bucket = |upper, cumulative, cumulative_float| Bucket {
        upper,
        cumulative,
        cumulative_float,
        exemplar: None,
    };
    let whole = Histogram {
        count: 4_000_000,
        sum: -0.0,
        buckets: vec![bucket(1.0, 3, 0.0), bucket(f64::INFINITY, 4_000_000, 0.0)],
        ..Histogram::default()
    };
    let float = Histogram {
        count_float: 4.5,
        buckets: vec![bucket(0.5, 0, 3.0)],
        ..Histogram::default()
    };
    let whole = of("h", Kind::Histogram, Value::Histogram(Box::new(whole)));
    let want =
        "# TYPE h histogram\nh_bucket{le=\"1.0\"} 3\nh_bucket{le=\"+Inf\"} 4000000\nh_sum 0.0\nh_count 4000000\n\
        h_created 1.5\n";
    assert_eq!(shown(&whole, Escaping::AllowUtf8), want);
    let float = of("q", Kind::GaugeHistogram, Value::Histogram(Box::new(float)));
    let want =
        "# TYPE q gaugehistogram\nq_bucket{le=\"0.5\"} 3.0\nq_bucket{le=\"+Inf\"} 4.5\nq_gsum 0.0\nq_gcount 4.5\n";
    assert_eq!(shown(&float, Escaping::AllowUtf8), want);
}

#[test]
fn times_keep_their_milliseconds() {
    for (ms, want) in [
        (0, "0.0"),
        (1_700_000_000_001, "1700000000.001"),
        (-1_500, "-1.5"),
        (-10, "-0.01"),
        (100_000, "100.0"),
        (i64::MAX, "9223372036854775.807"),
        (i64::MIN, "-9223372036854775.808"),
    ] {
        let mut family = of("s", Kind::Summary, Value::Summary(Box::<Summary>::default()));
        family
            .metrics
            .iter_mut()
            .for_each(|m| (m.timestamp_ms, m.created_ms) = (Some(ms), None));
        let text = format!("# TYPE s summary\ns_sum 0.0 {want}\ns_count 0 {want}\n");
        assert_eq!(shown(&family, Escaping::AllowUtf8), text);
    }
}
