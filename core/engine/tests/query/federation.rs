//! Newest samples as an exposition.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::batch::STALE_NAN_BITS;
use engine::exposition::Escaping;
use engine::family::{Kind, Value as Shown};
use engine::histogram::{Counts, Histogram, ResetHint, CUSTOM_BUCKETS};
use engine::labels::pack;
use engine::query::{listing, newest, series, union_newest, Exposition, Federation, Limits};
use engine::sample::Value;
use engine::wire::protobuf::parse_delimited;
use engine::wire::Options;

use crate::{head, places, Rowset, EVER};

fn set(labels: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    pack(&mut labels.to_vec(), &mut out).unwrap();
    out
}

fn float_histogram(schema: i32, hint: ResetHint) -> Value {
    Value::Histogram(Arc::new(Histogram {
        hint,
        schema,
        sum: 7.5,
        positive: vec![(0, 1), (1, 1)],
        custom: if schema == CUSTOM_BUCKETS {
            vec![1.0, 2.0, 4.0]
        } else {
            Vec::new()
        },
        counts: Counts::Integer {
            count: 5,
            zero: 0,
            positive: vec![2, 1],
            negative: Vec::new(),
        },
        ..Histogram::default()
    }))
}

fn federated(rows: &Rowset, exposition: Exposition, piece: usize) -> Vec<u8> {
    let head = head(rows, false);
    let one = || newest(places(&[], Some(&head), &[], EVER), EVER, &Limits::default()).unwrap();
    let external = [
        ("dc".to_owned(), "x".to_owned()),
        ("instance".to_owned(), String::new()),
    ];
    // The same selector twice finds nothing more.
    let mut federation = Federation::new(
        union_newest(vec![one(), one()]),
        &external,
        exposition,
        Escaping::Underscores,
    );
    let (mut all, mut last) = (Vec::new(), Vec::new());
    loop {
        federation.piece(&mut last, piece);
        if last.is_empty() {
            return all;
        }
        all.append(&mut last);
    }
}

fn rows() -> Rowset {
    let stale = Value::Float(f64::from_bits(STALE_NAN_BITS));
    [
        (
            set(&[("__name__", "up"), ("instance", "a:1")]),
            vec![(10, Value::Float(1.0)), (20, Value::Float(0.5))],
        ),
        (
            set(&[("__name__", "up"), ("A", "a\n\"\\"), ("dc", "own")]),
            vec![(30, Value::Float(f64::NAN))],
        ),
        (set(&[("__name__", "down")]), vec![(10, Value::Float(1.0)), (11, stale)]),
        (set(&[("__name__", "a.b"), ("c.d", "e")]), vec![(5, Value::Float(-0.0))]),
        (set(&[("nameless", "x")]), vec![(5, Value::Float(1.0))]),
        (
            set(&[("__name__", "n")]),
            vec![(7, float_histogram(0, ResetHint::Unknown))],
        ),
        (
            set(&[("__name__", "n"), ("g", "1")]),
            vec![(7, float_histogram(0, ResetHint::Gauge))],
        ),
        (
            set(&[("__name__", "n"), ("h", "1")]),
            vec![(7, float_histogram(CUSTOM_BUCKETS, ResetHint::Unknown))],
        ),
    ]
    .into()
}

#[test]
fn text_is_sorted_by_name_with_external_labels_and_times() {
    for piece in [1, 1 << 20] {
        let text = String::from_utf8(federated(&rows(), Exposition::Text, piece)).unwrap();
        assert_eq!(
            text,
            concat!(
                "# TYPE a_b untyped\n",
                "a_b{c_d=\"e\",dc=\"x\",instance=\"\"} 0 5\n",
                "# TYPE n histogram\n",
                "n_bucket{h=\"1\",dc=\"x\",instance=\"\",le=\"1\"} 2 7\n",
                "n_bucket{h=\"1\",dc=\"x\",instance=\"\",le=\"2\"} 2 7\n",
                "n_bucket{h=\"1\",dc=\"x\",instance=\"\",le=\"4\"} 5 7\n",
                "n_bucket{h=\"1\",dc=\"x\",instance=\"\",le=\"+Inf\"} 5 7\n",
                "n_sum{h=\"1\",dc=\"x\",instance=\"\"} 7.5 7\n",
                "n_count{h=\"1\",dc=\"x\",instance=\"\"} 5 7\n",
                "# TYPE up untyped\n",
                "up{A=\"a\\n\\\"\\\\\",dc=\"own\",instance=\"\"} NaN 30\n",
                "up{instance=\"a:1\",dc=\"x\"} 0.5 20\n",
            ),
        );
    }
}

#[test]
fn protobuf_has_native_histograms_too() {
    let families = parse_delimited(&federated(&rows(), Exposition::Protobuf, 1), Options::default()).unwrap();
    let by_kind: BTreeMap<(String, String), usize> = families
        .iter()
        .map(|family| {
            (
                (family.name.to_string(), family.kind.upper().to_owned()),
                family.metrics.len(),
            )
        })
        .collect();
    assert_eq!(
        by_kind.keys().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["a_b", "n", "up"]
    );
    let histograms = families.iter().find(|family| family.name == "n").unwrap();
    assert_eq!(histograms.kind, Kind::Histogram, "the last one of that name");
    let up = families.iter().find(|family| family.name == "up").unwrap();
    assert_eq!(up.metrics[1].value, Shown::Untyped(0.5));
    assert_eq!(up.metrics[1].timestamp_ms, Some(20));
}

#[test]
fn counts_of_native_histograms_are_floats() {
    let only: Rowset = [(
        set(&[("__name__", "n")]),
        vec![(7, float_histogram(0, ResetHint::Gauge))],
    )]
    .into();
    let families = parse_delimited(&federated(&only, Exposition::Protobuf, 1), Options::default()).unwrap();
    assert_eq!(families[0].kind, Kind::GaugeHistogram);
    let Shown::Histogram(histogram) = &families[0].metrics[0].value else {
        panic!("not a histogram");
    };
    let native = histogram.native.as_deref().unwrap();
    assert_eq!((histogram.count, histogram.count_float, histogram.sum), (0, 5.0, 7.5));
    assert_eq!(native.positive.spans, [(0, 1), (1, 1)]);
    assert_eq!(
        (native.positive.deltas.as_slice(), native.positive.counts.as_slice()),
        (&[][..], &[2.0, 3.0][..])
    );
}

#[test]
fn label_sets_are_listed_as_json() {
    let rows: Rowset = [
        (
            set(&[("__name__", "up"), ("a", "\u{2028}<\"\u{1}")]),
            vec![(1, Value::Float(1.0))],
        ),
        (set(&[("a", "é")]), vec![(1, Value::Float(1.0))]),
    ]
    .into();
    let head = head(&rows, false);
    let found = series(places(&[], Some(&head), &[], EVER), EVER, &Limits::default()).unwrap();
    assert_eq!(
        listing(&found),
        r#"[{"__name__":"up","a":"\u2028\u003c\"\u0001"},{"a":"é"}]"#
    );
    assert_eq!(listing(&[]), "[]");
}
