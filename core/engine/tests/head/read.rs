//! Which series and samples a reader gets.

use engine::batch::{Batch, STALE_NAN_BITS};
use engine::head::{Head, Window};
use engine::labels::{pack, Labels};
use engine::query::{Dump, Failed, Limit, Limits};
use engine::regex::{Matcher, Operator};

use crate::{append, batch, dump, place, push, samples, select, EVER};

fn matcher(text: &str) -> Matcher {
    let at = text.find(['=', '!']).unwrap();
    let operator = if text[at..].starts_with("==") { 1 } else { 2 };
    let operator = if text[at..].starts_with("=~") || text[at..].starts_with('!') {
        2
    } else {
        operator.min(1)
    };
    let (operator, value) = text[at..].split_at(operator);
    Matcher::new(&text[..at], Operator::parse(operator).unwrap(), value).unwrap()
}

/// Series of a small town: `x` has no `zone`.
fn town() -> Head {
    let mut batch = Batch::new(0);
    let series: [&[(&str, &str)]; 5] = [
        &[("__name__", "up"), ("job", "api"), ("zone", "a")],
        &[("__name__", "up"), ("job", "db"), ("zone", "b")],
        &[("__name__", "up"), ("job", "db")],
        &[("__name__", "load"), ("job", "api"), ("zone", "b")],
        &[("job", "api")],
    ];
    for labels in series {
        pack(&mut labels.to_vec(), batch.arena()).unwrap();
        batch.push_float(1, 1.0);
    }
    let mut head = Head::new();
    append(&mut head, &batch);
    head
}

/// (matchers, what is selected, each series as its values joined)
const SELECTIONS: &[(&[&str], &[&str])] = &[
    (&[], &["load api b", "up api a", "up db", "up db b", "api"]),
    (&["__name__=up"], &["up api a", "up db", "up db b"]),
    (&["__name__=up", "zone!=a"], &["up db", "up db b"]),
    (&["__name__=up", "zone="], &["up db"]),
    (&["__name__=up", "zone!="], &["up api a", "up db b"]),
    (&["__name__="], &["api"]),
    (&["zone=~a|b"], &["load api b", "up api a", "up db b"]),
    (&["zone=~a|"], &["up api a", "up db", "api"]),
    (&["zone=~.*"], &["load api b", "up api a", "up db", "up db b", "api"]),
    (&["zone=~.+", "job=api"], &["load api b", "up api a"]),
    (&["zone!~.+"], &["up db", "api"]),
    (&["zone!~a|b", "job=db"], &["up db"]),
    (&["zone=~[ab]", "zone!~a"], &["load api b", "up db b"]),
    (&["nothing="], &["load api b", "up api a", "up db", "up db b", "api"]),
    (&["nothing!="], &[]),
    (&["nothing=x"], &[]),
    (&["job=api", "job=db"], &[]),
    (&["job=~a.*", "job=~.*i"], &["load api b", "up api a", "api"]),
];

#[test]
fn matchers_select_as_in_prometheus() {
    let head = town();
    for (texts, wanted) in SELECTIONS {
        let matchers: Vec<Matcher> = texts.iter().map(|text| matcher(text)).collect();
        let found: Vec<String> = select(&head, &matchers, EVER)
            .label_sets()
            .iter()
            .map(|packed| {
                Labels::trusted(packed)
                    .iter()
                    .map(|(_, v)| v)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        assert_eq!(found, *wanted, "{texts:?}");
    }
}

#[test]
fn a_limit_bounds_the_series() {
    let head = town();
    let entries = |series| {
        let limits = Limits {
            series,
            ..Limits::default()
        };
        head.entries(&[], EVER, &limits)
    };
    assert_eq!(entries(5).unwrap().count(), 5);
    let refused = entries(4).unwrap_err();
    assert!(matches!(
        refused,
        Failed::TooMany {
            what: Limit::Series,
            limit: 4
        }
    ));
}

#[test]
fn a_window_bounds_the_samples() {
    let mut head = Head::new();
    for t in 0..1000 {
        append(&mut head, &batch(&[("a", t * 15_000, t as f64)]));
    }
    assert!(head.stats().chunks > 5);
    let within = |mint, maxt| {
        samples(
            &head,
            "a",
            Window {
                mint,
                maxt,
                held: false,
            },
        )
    };
    let all: Vec<(i64, f64)> = (0..1000).map(|t| (t * 15_000, t as f64)).collect();
    assert_eq!(within(i64::MIN, i64::MAX), all);
    for (mint, maxt) in [
        (0, 0),
        (1, 14_999),
        (15_000, 30_000),
        (2_000_000, 9_000_000),
        (14_985_000, i64::MAX),
        (5, 4),
    ] {
        let wanted: Vec<_> = all.iter().copied().filter(|(t, _)| (mint..=maxt).contains(t)).collect();
        assert_eq!(within(mint, maxt), wanted, "{mint}..={maxt}");
    }
}

fn held(rows: &[(i64, f64)], ticks: &[i64], mint: i64, maxt: i64, pushed: bool) -> Vec<(i64, f64)> {
    let mut head = Head::new();
    for (t, value) in rows {
        let mut batch = batch(&[("a", *t, *value)]);
        batch.held = pushed;
        append(&mut head, &batch);
    }
    ticks.iter().for_each(|t| head.commit_tick(*t));
    assert_eq!(
        samples(&head, "a", EVER).len(),
        rows.len(),
        "held samples are shown on demand only"
    );
    samples(&head, "a", Window { mint, maxt, held: true })
}

#[test]
fn pushed_values_stand_until_the_next_sample() {
    let rows = [(10, 1.0), (40, 2.0)];
    let ticks = [5, 10, 15, 30, 40, 45, 60];
    let all = [(10, 1.0), (15, 1.0), (30, 1.0), (40, 2.0), (45, 2.0), (60, 2.0)];
    assert_eq!(held(&rows, &ticks, i64::MIN, i64::MAX, true), all);
    assert_eq!(held(&rows, &ticks, 11, 44, true), all[1..4]);
    assert_eq!(held(&rows, &ticks, 46, 100, true), all[5..]);
    assert_eq!(
        held(&rows, &[45, 5, 15, 30, 60, 40, 10, 15], i64::MIN, i64::MAX, true),
        all,
        "in any order, once each"
    );
    assert_eq!(
        held(&rows, &ticks, i64::MIN, i64::MAX, false),
        rows,
        "what was not pushed is not held"
    );
}

#[test]
fn a_stale_marker_ends_holding() {
    let stale = f64::from_bits(STALE_NAN_BITS);
    let found = held(
        &[(10, 1.0), (20, stale), (40, 3.0)],
        &[15, 25, 30, 45],
        i64::MIN,
        i64::MAX,
        true,
    );
    let times: Vec<i64> = found.iter().map(|(t, _)| *t).collect();
    assert_eq!(times, [10, 15, 20, 40, 45]);
}

#[test]
fn a_dump_comes_in_pieces_and_shows_one_moment() {
    let mut head = Head::new();
    for t in 0..500 {
        append(&mut head, &batch(&[("b", t, t as f64), ("a", t, 0.5)]));
    }
    let whole = dump(&head, &[], EVER);
    assert_eq!(whole.lines().count(), 1000);
    assert!(whole.starts_with("{__name__=\"m\", i=\"a\"} 0.5 0\n"));
    assert!(whole.ends_with("{__name__=\"m\", i=\"b\"} 499 499\n"));

    let mut dump = Dump::new(place(&head, &[], EVER), EVER);
    let mut pieces = String::new();
    for t in 500.. {
        let mut piece = String::new();
        dump.piece(&mut piece, 1000).unwrap();
        if piece.is_empty() {
            break;
        }
        assert!(piece.len() < 1100);
        pieces.push_str(&piece);
        append(&mut head, &batch(&[("b", t, 0.0), ("a", t, 0.0), ("c", t, 0.0)]));
    }
    assert_eq!(pieces, whole);
}

#[test]
fn a_dump_prints_what_promtool_prints() {
    let mut head = Head::new();
    let mut rows = Batch::new(0);
    pack(&mut [("__name__", "up"), ("ünï", "\"q\"\n\u{a0}é")], rows.arena()).unwrap();
    rows.push_float(-5, f64::from_bits(STALE_NAN_BITS));
    push(&mut rows, "x", 1, 1e6);
    push(&mut rows, "x", 2, f64::NEG_INFINITY);
    push(&mut rows, "x", 3, 0.000_01);
    push(&mut rows, "x", 4, 123_456.789);
    append(&mut head, &rows);
    // As Debian's promtool 2.42 prints a log with these samples.
    let wanted =
        "{__name__=\"m\", i=\"x\"} 1e+06 1\n{__name__=\"m\", i=\"x\"} -Inf 2\n{__name__=\"m\", i=\"x\"} 1e-05 3\n\
        {__name__=\"m\", i=\"x\"} 123456.789 4\n{__name__=\"up\", ünï=\"\\\"q\\\"\\n\\u00a0é\"} NaN -5\n";
    assert_eq!(dump(&head, &[], EVER), wanted);
}
