#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;

use ahash::RandomState;
use proptest::prelude::*;

use super::samples::Table;
use super::*;
use crate::batch::{KeySeeds, STALE_NAN_BITS};
use crate::histogram::arbitrary::histogram;
use crate::histogram::Histogram;
use crate::labels::{pack, Labels};
use crate::regex::{Matcher, Operator};
use crate::relabel::{Rule, Settings};
use crate::sample::Value;
use crate::wal::SeriesRef;
use crate::wire::remote_write::{decode, Given, Rules, Version};

fn seed() -> RandomState {
    RandomState::with_seeds(1, 2, 3, 4)
}

fn packed(labels: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    pack(&mut labels.to_vec(), &mut out).unwrap();
    out
}

/// Samples (series, time) of series that are called by letters.
fn samples(rows: &[(&str, i64)]) -> Samples {
    let lines: Vec<String> = rows
        .iter()
        .map(|(name, t)| format!("{{n=\"{name}\"}} {t} {t}"))
        .collect();
    read(lines.iter().map(String::as_str), &seed()).unwrap()
}

fn rows(samples: &Samples) -> Vec<(String, i64)> {
    let row = |item: &Item| (samples.labels(item).get("n").to_owned(), item.t);
    samples.items().iter().map(row).collect()
}

fn lines(samples: &Samples) -> Vec<String> {
    samples
        .items()
        .iter()
        .map(|item| write(samples.labels(item), item))
        .collect()
}

#[test]
fn samples_of_a_series_stand_together() {
    let whole = samples(&[("a", 1), ("b", 1), ("a", 2), ("c", 1), ("b", 2)]);
    let want = [("a", 1), ("a", 2), ("b", 1), ("b", 2), ("c", 1)].map(|(n, t)| (n.to_owned(), t));
    assert_eq!(rows(&whole), want);
    assert_eq!(rows(&whole.slice(1..3)), want[1..3]);
    let (newest, older) = whole.split_newest();
    assert_eq!(rows(&newest), [want[1].clone(), want[3].clone(), want[4].clone()]);
    assert_eq!(rows(&older), [want[0].clone(), want[2].clone()]);
    let other = samples(&[("c", 0), ("a", 3)]);
    let both = Samples::concat([&whole.slice(0..3), &other].into_iter());
    let want = [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("c", 0)].map(|(n, t)| (n.to_owned(), t));
    assert_eq!(rows(&both), want);
}

#[test]
fn a_series_is_always_in_the_same_shard() {
    let names: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let of = |t| samples(&names.iter().map(|name| (name.as_str(), t)).collect::<Vec<_>>());
    let (first, second) = (of(1).shards(7), of(2).shards(7));
    assert_eq!(first.iter().map(Samples::len).sum::<usize>(), 100);
    assert!(first.iter().all(|shard| !shard.is_empty()), "spread over all");
    for (a, b) in first.iter().zip(&second) {
        let names = |shard: &Samples| rows(shard).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(a), names(b));
    }
}

#[test]
fn fits_by_count_and_by_bytes_but_always_one() {
    let whole = samples(&[("a", 1), ("a", 2), ("b", 1), ("b", 2)]);
    assert_eq!(
        (
            whole.fit(0, 3, 1 << 20),
            whole.fit(3, 3, 1 << 20),
            whole.fit(4, 3, 1 << 20)
        ),
        (3, 1, 0)
    );
    assert_eq!(whole.fit(0, 9, whole.slice(0..2).size()), 2);
    assert_eq!(whole.fit(1, 9, 1), 1);
}

#[test]
fn exemplars_go_with_samples() {
    let mut whole = samples(&[("a", 10), ("a", 20), ("b", 10)]);
    let exemplar = |t| Exemplar {
        t,
        value: 1.0,
        labels: [].into(),
    };
    whole.attach(vec![
        (0, exemplar(25)),
        (0, exemplar(5)),
        (0, exemplar(15)),
        (7, exemplar(1)),
    ]);
    let times = |item: &Item| whole.exemplars(item).iter().map(|one| one.t).collect::<Vec<_>>();
    let found: Vec<_> = whole.items().iter().map(times).collect();
    assert_eq!(found, [vec![5], vec![15, 25], vec![]]);
}

#[test]
fn routes() {
    let matcher = |name: &str, value: &str| Matcher::new(name, Operator::Equal, value).unwrap();
    let rule = |settings: Settings| Rule::new(settings).unwrap();
    let mut route = Route {
        wanted: vec![vec![matcher("job", "a")], vec![matcher("job", "b"), matcher("x", "")]],
        ..Route::default()
    };
    let fate = |route: &Route, labels: &[(&str, &str)]| route.fate(Labels::trusted(&packed(labels)));
    assert_eq!(fate(&route, &[("job", "a"), ("x", "1")]), Fate::Same);
    assert_eq!(fate(&route, &[("job", "b")]), Fate::Same);
    assert_eq!(fate(&route, &[("job", "b"), ("x", "1")]), Fate::Filtered);
    route.external = vec![("job".into(), "ext".into()), ("dc".into(), "1".into())];
    let changed = |labels: &[(&str, &str)]| Fate::Changed(packed(labels).into());
    assert_eq!(fate(&route, &[("job", "a")]), changed(&[("dc", "1"), ("job", "a")]));
    route.rules = vec![
        rule(Settings {
            action: "drop".into(),
            source_labels: vec!["dc".into(), "secret".into()],
            regex: "1;.+".into(),
            ..Settings::default()
        }),
        rule(Settings {
            action: "labeldrop".into(),
            regex: "dc|gone".into(),
            ..Settings::default()
        }),
    ];
    assert_eq!(
        fate(&route, &[("job", "a"), ("secret", "x")]),
        Fate::Filtered,
        "rules see external labels"
    );
    assert_eq!(fate(&route, &[("job", "a")]), Fate::Same);
    assert_eq!(fate(&route, &[("gone", "1"), ("job", "a")]), changed(&[("job", "a")]));
    route.external.clear();
    route.wanted.clear();
    assert_eq!(fate(&route, &[("gone", "1")]), Fate::Filtered, "no label is left");
}

#[test]
fn a_series_costs_its_rules_once() {
    let route = Route {
        external: vec![("a".into(), "b".into())],
        ..Route::default()
    };
    let mut router = Router::new(route);
    let labels = packed(&[("x", "y")]);
    let first = router.fate(SeriesRef(1), || Some(Labels::trusted(&labels)));
    assert_eq!(first, Some(Fate::Changed(packed(&[("a", "b"), ("x", "y")]).into())));
    assert_eq!(router.fate(SeriesRef(1), || unreachable!()), first);
    assert_eq!(router.fate(SeriesRef(2), || None), None);
}

#[test]
fn lines_read_back() {
    for line in [
        r#"up{job="a b\"c\\\n"} 1 1700000000000"#,
        "up{job=\"tab\t\"} 1 1",
        r#"{__name__="no name",a="b"} 1 1"#,
        r#"{"with space"="é"} -1.5e-07 -5"#,
        "{} NaN 0",
        "{a=\"b\"} StaleNaN 1",
        "{a=\"b\"} +Inf 1",
        r#"h {{schema:3 count:4 zero:1 positive:1,2 sum:2.5 positive_spans:0+2 hint:gauge}} 7"#,
        r#"h {{schema:-53 float_count:4.5 float_zero:0 positive:1.5,3 positive_spans:0+2 custom:0.5,+Inf}} 7"#,
    ] {
        assert_eq!(lines(&read([line].into_iter(), &seed()).unwrap()), [line]);
    }
    let stale = read(["{} StaleNaN 1"].into_iter(), &seed()).unwrap();
    assert!(matches!(stale.items()[0].value, Value::Float(v) if v.to_bits() == STALE_NAN_BITS));
    assert_eq!(
        lines(&read(["{b=\"1\",\"up\",a=\"2\"} 3 4"].into_iter(), &seed()).unwrap()),
        [r#"up{a="2",b="1"} 3 4"#]
    );
}

#[test]
fn a_tally_counts_each_time_of_a_series_once() {
    let mut tally = Tally::new(10);
    let read = |lines: &[&str]| read(lines.iter().copied(), &seed()).unwrap();
    tally.add(&read(&[
        "a{x=\"1\"} 1 5",
        "a{x=\"2\"} 1 5",
        "a{x=\"1\"} 2 12",
        "b StaleNaN 3",
        "b 1 -1",
    ]));
    tally.add(&read(&["a{x=\"1\"} 1 5"]));
    assert_eq!(
        tally.counts().collect::<Vec<_>>(),
        [("a", 0, 2), ("a", 10, 1), ("b", -10, 1)]
    );
    tally.forget_points();
    tally.add(&read(&["a{x=\"1\"} 1 5"]));
    assert_eq!(tally.counts().next(), Some(("a", 0, 3)));
}

#[test]
fn what_is_no_line() {
    for line in [
        "",
        "x",
        "x 1",
        "x 1 soon",
        "x y 1",
        "{a=b} 1 1",
        "{a=\"b\" 1 1",
        "x {{schema:x}} 1",
        "x {{positive_spans:0+3}} 1",
        "x {{what:1}} 1",
        "x {{count}} 1",
    ] {
        assert!(read([line].into_iter(), &seed()).is_err(), "{line}");
    }
}

/// Receivers take the floats of a message's series before its histograms, so samples of one kind make a series of the message.
#[test]
fn messages_keep_the_order_of_a_series_whose_kind_changes() {
    const LINES: [&str; 7] = [
        "a {{count:1 zero:1}} 1",
        "a 2 2",
        "a 3 3",
        "a {{count:4 zero:4}} 4",
        "a {{float_count:1.5 float_zero:1.5}} 5",
        "b 1 1",
        "b {{count:2 zero:2}} 2",
    ];
    let whole = read(LINES.into_iter(), &seed()).unwrap();
    for (version, message) in [
        (Version::V1, encode_v1(&whole)),
        (Version::V2, encode_v2(&whole, &seed())),
    ] {
        let given = Given {
            newest: 9,
            unheard: &[],
            seeds: &KeySeeds::new(seed(), seed()),
            known: &|_| Vec::new(),
        };
        let decoded = decode(&message, version, &Rules::default(), &given).unwrap();
        let series = decoded.batch.rows().map(|row| row.subject.labels().packed().to_vec());
        let items = whole.items().iter();
        assert!(series.eq(items.clone().map(|item| whole.labels(item).packed().to_vec())));
        let items = items.map(|item| (item.t, item.value.clone()));
        for ((t, value), row) in items.zip(decoded.batch.rows()) {
            assert!(
                t == row.t && value.same(&row.value),
                "{version:?}: {t} {value:?} {row:?}"
            );
        }
    }
    let alternating = whole.slice(2..4);
    let one_series = alternating.slice(0..1).size() + alternating.slice(1..2).size();
    assert_eq!(
        alternating.size(),
        one_series,
        "labels are counted as often as they are sent"
    );
}

fn one(histogram: Arc<Histogram>) -> Samples {
    let mut table = Table::default();
    let series = table.intern(packed(&[("__name__", "h")]).into(), &seed());
    let item = Item {
        series,
        t: 1,
        value: Value::Histogram(histogram),
        exemplars: 0..0,
    };
    Samples::new(table, vec![item], Unsendable::default())
}

proptest! {
    #[test]
    fn histograms_read_back(histogram in histogram()) {
        let text = lines(&one(histogram.clone())).remove(0);
        let found = read([text.as_str()].into_iter(), &seed()).unwrap();
        let Value::Histogram(read) = &found.items()[0].value else { panic!("no histogram") };
        let same = read.same(&histogram) || histogram.is_stale() || has_odd_nan(&histogram);
        prop_assert!(same, "{} {:?} {:?}", text, read, histogram);
    }

    #[test]
    fn any_text_can_be_tried(line in any::<String>()) {
        let _ = read([line.as_str()].into_iter(), &seed());
    }
}

/// Of NaN other than the two that Prometheus knows only that it is one survives.
fn has_odd_nan(histogram: &Histogram) -> bool {
    format!("{histogram:?}").contains("NaN")
}
