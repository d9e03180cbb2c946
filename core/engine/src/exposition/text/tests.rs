//! Expected text was printed by expfmt of prometheus/common 0.69.0, where not said otherwise.

use proptest::prelude::*;

use super::{family_header, family_lines, line};
use crate::exposition::Escaping;
use crate::family::{Bucket, Family, Histogram, Kind, Label, Metric, Native, Summary, Text, Value};
use crate::wire::{arbitrary, text, Options};

fn label(name: &str, value: &str) -> Label {
    Label {
        name: name.into(),
        value: value.into(),
    }
}

fn metric(labels: &[(&str, &str)], value: Value) -> Metric {
    Metric {
        labels: labels.iter().map(|(n, v)| label(n, v)).collect(),
        value,
        timestamp_ms: None,
        created_ms: Some(5),
    }
}

fn family(name: &str, help: Option<&str>, kind: Kind, metrics: Vec<Metric>) -> Family {
    Family {
        name: name.into(),
        help: help.map(Text::from),
        kind,
        unit: "seconds".into(),
        metrics,
    }
}

fn shown(family: &Family, escaping: Escaping) -> String {
    let mut out = String::new();
    family_header(&family.name, family.help.as_deref(), family.kind, escaping, &mut out);
    family_lines(family, escaping, &mut out);
    out
}

fn bucket(upper: f64, cumulative: u64, cumulative_float: f64) -> Bucket {
    Bucket {
        upper,
        cumulative,
        cumulative_float,
        exemplar: None,
    }
}

proptest! {
    #[test]
    fn a_line_alone_is_that_of_its_family(
        name in "[a-z:]{1,6}|[ -~]{1,6}|é\n",
        labels in proptest::collection::btree_map("[a-z]{1,3}|[ -~]{1,3}|é", "[ -~]{0,5}|\n", 0..4),
        value in any::<f64>(),
        time in any::<i64>(),
    ) {
        let labels: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut timed = metric(&labels, Value::Untyped(value));
        timed.timestamp_ms = Some(time);
        let family = family(&name, None, Kind::Untyped, vec![timed]);
        for escaping in [Escaping::AllowUtf8, Escaping::Underscores, Escaping::Dots, Escaping::Values] {
            let (mut alone, mut wanted) = (String::new(), String::new());
            line(&name, labels.iter().copied(), value, time, escaping, &mut alone);
            family_lines(&family, escaping, &mut wanted);
            prop_assert_eq!(alone, wanted);
        }
    }
}

#[test]
fn simple_families() {
    let mut timed = metric(
        &[("a", "x\\y\n\"z\""), ("b", ""), ("c", "é")],
        Value::Counter(-0.0, None),
    );
    timed.timestamp_ms = Some(-1_700_000_000_000);
    let infinite = metric(&[], Value::Counter(f64::INFINITY, None));
    let counter = family("jobs_total", Some("a \"b\"\\\n"), Kind::Counter, vec![timed, infinite]);
    let want = "# HELP jobs_total a \"b\"\\\\\\n\n# TYPE jobs_total counter\n\
        jobs_total{a=\"x\\\\y\\n\\\"z\\\"\",b=\"\",c=\"é\"} 0 -1700000000000\njobs_total +Inf\n";
    assert_eq!(shown(&counter, Escaping::AllowUtf8), want);
    let gauge = family("g", Some(""), Kind::Gauge, vec![metric(&[], Value::Gauge(1_234_567.0))]);
    assert_eq!(
        shown(&gauge, Escaping::AllowUtf8),
        "# HELP g \n# TYPE g gauge\ng 1.234567e+06\n"
    );
    let untyped = family("u", None, Kind::Untyped, vec![metric(&[], Value::Untyped(f64::NAN))]);
    assert_eq!(shown(&untyped, Escaping::AllowUtf8), "# TYPE u untyped\nu NaN\n");
}

#[test]
fn types_of_openmetrics_and_values_that_do_not_fit() {
    // Ours: the peer knows no such types, and shows nothing at all when a value does not fit.
    let values = || vec![metric(&[("v", "1")], Value::Gauge(1.0)), metric(&[], Value::Missing)];
    for kind in [Kind::Info, Kind::StateSet] {
        assert_eq!(
            shown(&family("i", None, kind, values()), Escaping::AllowUtf8),
            "# TYPE i gauge\ni{v=\"1\"} 1\n"
        );
    }
    let wrong = family("c", None, Kind::Counter, values());
    assert_eq!(shown(&wrong, Escaping::AllowUtf8), "# TYPE c counter\nc{v=\"1\"} 1\n");
}

#[test]
fn summaries() {
    let summary = Summary {
        count: 1_000_000,
        sum: -1.5,
        quantiles: vec![(0.5, 1.0), (0.99, f64::NAN)],
    };
    let summary = family(
        "s",
        None,
        Kind::Summary,
        vec![metric(&[("a", "b")], Value::Summary(Box::new(summary)))],
    );
    let want = "# TYPE s summary\ns{a=\"b\",quantile=\"0.5\"} 1\ns{a=\"b\",quantile=\"0.99\"} NaN\n\
        s_sum{a=\"b\"} -1.5\ns_count{a=\"b\"} 1e+06\n";
    assert_eq!(shown(&summary, Escaping::AllowUtf8), want);
}

#[test]
fn histograms() {
    let whole = Histogram {
        count: 4,
        sum: 2.0,
        buckets: vec![bucket(1.0, 3, 0.0), bucket(250_000.0, 4, 0.0)],
        ..Histogram::default()
    };
    let float = Histogram {
        count_float: 4.5,
        buckets: vec![bucket(f64::INFINITY, 0, 4.5)],
        ..Histogram::default()
    };
    let native = Histogram {
        count: 7,
        native: Some(Box::new(Native::default())),
        ..Histogram::default()
    };
    let metrics = [whole, float, native].map(|h| metric(&[], Value::Histogram(Box::new(h))));
    let want = "# TYPE h histogram\n\
        h_bucket{le=\"1\"} 3\nh_bucket{le=\"250000\"} 4\nh_bucket{le=\"+Inf\"} 4\nh_sum 2\nh_count 4\n\
        h_bucket{le=\"+Inf\"} 4.5\nh_sum 0\nh_count 4.5\n\
        h_bucket{le=\"+Inf\"} 7\nh_sum 0\nh_count 7\n";
    for kind in [Kind::Histogram, Kind::GaugeHistogram] {
        assert_eq!(
            shown(&family("h", None, kind, metrics.to_vec()), Escaping::AllowUtf8),
            want
        );
    }
}

#[test]
fn a_bound_is_named_once() {
    // Ours: the peer prints both labels, which no reader takes.
    let value = || Value::Histogram(Box::default());
    let both = vec![
        metric(&[("le", "x")], value()),
        metric(&[("a", "b"), ("le", "x"), ("z", "")], value()),
    ];
    let want = "# TYPE h histogram\n\
        h_bucket{le=\"+Inf\"} 0\nh_sum{le=\"x\"} 0\nh_count{le=\"x\"} 0\n\
        h_bucket{a=\"b\",z=\"\",le=\"+Inf\"} 0\nh_sum{a=\"b\",le=\"x\",z=\"\"} 0\nh_count{a=\"b\",le=\"x\",z=\"\"} 0\n";
    assert_eq!(
        shown(&family("h", None, Kind::Histogram, both), Escaping::AllowUtf8),
        want
    );
}

#[test]
fn names_that_are_not_legacy_ones() {
    let value = Value::Summary(Box::default());
    let metrics = vec![metric(&[("l.m", "v")], value), metric(&[], Value::Gauge(1.0))];
    let family = family("a.\"b", Some("x"), Kind::Summary, metrics);
    for (escaping, want) in [
        (
            Escaping::AllowUtf8,
            "# HELP \"a.\\\"b\" x\n# TYPE \"a.\\\"b\" summary\n\
             {\"a.\\\"b_sum\",\"l.m\"=\"v\"} 0\n{\"a.\\\"b_count\",\"l.m\"=\"v\"} 0\n{\"a.\\\"b\"} 1\n",
        ),
        (
            Escaping::Underscores,
            "# HELP a__b x\n# TYPE a__b summary\na__b_sum{l_m=\"v\"} 0\na__b_count{l_m=\"v\"} 0\na__b 1\n",
        ),
        (
            Escaping::Values,
            "# HELP U__a_2e__22_b x\n# TYPE U__a_2e__22_b summary\nU__a_2e__22_b_sum{U__l_2e_m=\"v\"} 0\n\
             U__a_2e__22_b_count{U__l_2e_m=\"v\"} 0\nU__a_2e__22_b 1\n",
        ),
    ] {
        assert_eq!(shown(&family, escaping), want);
    }
}

/// What the text format does not carry.
fn without_exemplars(mut family: Family) -> Family {
    for metric in &mut family.metrics {
        if let Value::Histogram(histogram) = &mut metric.value {
            if histogram.buckets.iter().all(|b| b.upper != f64::INFINITY) {
                histogram
                    .buckets
                    .push(bucket(f64::INFINITY, histogram.count, histogram.count_float));
            }
            histogram.buckets.iter_mut().for_each(|b| b.exemplar = None);
        }
    }
    family
}

proptest! {
    #[test]
    fn text_reads_back(family in arbitrary::classic_family()) {
        let printed = shown(&family, Escaping::AllowUtf8);
        let read = text::parse(printed.as_bytes(), Options::default());
        prop_assert_eq!(read, Ok(vec![without_exemplars(family)]), "{}", printed);
    }
}
