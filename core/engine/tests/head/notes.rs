//! Exemplars and metadata: on their way into the head and its log, and found again there.

use std::sync::Arc;

use engine::batch::{Batch, BATCH_TIME};
use engine::family::Kind;
use engine::head::Head;
use engine::labels::{pack, Labels};
use engine::metadata::Metadata;
use engine::regex::{Matcher, Operator};
use engine::wal::{BatchReader, Compression, LogBatch};
use proptest::prelude::*;

use crate::{append, push, Logged};

fn metadata(help: &str) -> Arc<Metadata> {
    Arc::new(Metadata {
        kind: Kind::Counter,
        unit: "".into(),
        help: help.into(),
    })
}

fn trace(id: &str) -> Vec<u8> {
    let mut out = Vec::new();
    pack(&mut [("trace_id", id)], &mut out).unwrap();
    out
}

/// A batch with one sample of a series, said to be `help`, and exemplars of it.
fn told(series: &str, t: i64, help: Option<&str>, exemplars: &[(i64, f64, &str)]) -> Batch {
    let mut batch = Batch::new(t);
    push(&mut batch, series, t, 1.0);
    help.into_iter().for_each(|help| batch.push_metadata(metadata(help)));
    for (t, value, id) in exemplars {
        batch.push_exemplar(*t, *value, Labels::trusted(&trace(id)));
    }
    batch
}

fn helps(head: &Head) -> Vec<(String, String)> {
    let mut found: Vec<_> = head
        .metadata()
        .map(|(labels, metadata)| (labels.get("i").to_owned(), metadata.help.to_string()))
        .collect();
    found.sort();
    found
}

/// (series, time, value, trace) of all exemplars in a range of time.
fn exemplars(head: &Head, mint: i64, maxt: i64) -> Vec<(String, i64, f64, String)> {
    let mut found = Vec::new();
    for series in head.exemplars(&[], mint, maxt) {
        let name = Labels::trusted(&series.series).get("i").to_owned();
        for e in &series.exemplars {
            let id = Labels::trusted(&e.labels).get("trace_id").to_owned();
            found.push((name.clone(), e.t, e.value, id));
        }
    }
    found
}

fn records(log: &[u8]) -> Vec<LogBatch> {
    let mut reader = BatchReader::new(log, 0);
    let mut batches = Vec::new();
    loop {
        let mut batch = LogBatch::default();
        if !reader.next_batch(&mut batch).unwrap() {
            return batches;
        }
        batches.push(batch);
    }
}

#[test]
fn what_is_told_is_in_the_log_and_found_again() {
    let mut logged = Logged::new(Compression::Snappy);
    logged.append(&told("a", 10, Some("first"), &[(9, 0.5, "x")]));
    logged.append(&told("b", 10, Some("other"), &[(BATCH_TIME, 1.5, "y")]));
    logged.append(&told("a", 20, Some("second"), &[(19, 0.25, "z")]));
    let mut again = Head::new();
    again.replay(logged.framer.framed(), 0).unwrap();
    for head in [&logged.head, &again] {
        assert_eq!(
            helps(head),
            [("a".into(), "second".into()), ("b".into(), "other".into())]
        );
        assert_eq!(
            exemplars(head, i64::MIN, i64::MAX),
            [
                ("a".into(), 9, 0.5, "x".into()),
                ("a".into(), 19, 0.25, "z".into()),
                ("b".into(), 10, 1.5, "y".into())
            ]
        );
    }
    assert_eq!(exemplars(&again, 10, 18), [("b".into(), 10, 1.5, "y".into())]);
    let wanted = Matcher::new("i", Operator::Equal, "a").unwrap();
    assert_eq!(again.exemplars(&[wanted], 0, 9)[0].exemplars.len(), 1);
}

#[test]
fn what_is_known_is_not_written_again() {
    let mut logged = Logged::new(Compression::None);
    for (t, help) in [(10, "a"), (20, "a"), (30, "b"), (40, "a")] {
        logged.append(&told("a", t, Some(help), &[(BATCH_TIME, 1.0, "x")]));
    }
    let batches = records(logged.framer.framed());
    let told: Vec<_> = batches.iter().map(|batch| batch.metadata.len()).collect();
    assert_eq!(told, [0, 1, 0, 1, 1], "the first is the series record");
    let exemplars: usize = batches.iter().map(|batch| batch.exemplars.len()).sum();
    assert_eq!(exemplars, 1, "without a time of its own it is the same one");
}

#[test]
fn staged_metadata_counts_for_the_next_batch_and_goes_with_a_rollback() {
    let mut head = Head::new();
    append(&mut head, &told("a", 10, Some("a"), &[]));
    let b = head.stage(&told("a", 20, Some("b"), &[])).unwrap();
    let a = head.stage(&told("a", 30, Some("a"), &[(29, 1.0, "x")])).unwrap();
    head.commit(b.id).unwrap();
    assert_eq!(helps(&head), [("a".into(), "b".into())]);
    head.commit(a.id).unwrap();
    assert_eq!(helps(&head), [("a".into(), "a".into())]);
    head.stage(&told("a", 40, Some("c"), &[(39, 1.0, "y")])).unwrap();
    head.rollback();
    assert_eq!(helps(&head), [("a".into(), "a".into())]);
    assert_eq!(head.exemplar_count(), 1);
}

#[test]
fn notes_alone_are_logged_and_those_of_unknown_series_are_not() {
    let mut logged = Logged::new(Compression::None);
    logged.append(&told("a", 10, None, &[]));
    let mut notes = Batch::new(20);
    pack(&mut [("__name__", "m"), ("i", "a")], notes.arena()).unwrap();
    notes.push_metadata(metadata("late"));
    pack(&mut [("__name__", "m"), ("i", "nobody")], notes.arena()).unwrap();
    notes.push_metadata(metadata("lost"));
    notes.push_exemplar(1, 1.0, Labels::trusted(&trace("x")));
    logged.append(&notes);
    let mut again = Head::new();
    again.replay(logged.framer.framed(), 0).unwrap();
    assert_eq!(helps(&again), [("a".into(), "late".into())]);
    assert_eq!((again.exemplar_count(), again.stats()), (0, logged.head.stats()));
}

#[test]
fn exemplars_that_break_a_rule_are_counted() {
    let mut head = Head::new();
    append(&mut head, &told("a", 10, None, &[(10, 1.0, "x")]));
    let long = "x".repeat(121);
    let staged = head
        .stage(&told(
            "a",
            20,
            None,
            &[(9, 1.0, "late"), (10, 0.5, "less"), (20, 1.0, &long), (10, 1.0, "x")],
        ))
        .unwrap();
    assert_eq!((staged.exemplars_refused.count, staged.samples), (3, 1));
    head.set_exemplar_limits(0, 0);
    assert_eq!(head.exemplar_count(), 0);
    let staged = head.stage(&told("a", 30, None, &[(30, 1.0, "y")])).unwrap();
    assert_eq!(staged.exemplars_refused.count, 1);
}

type Kept = Vec<(String, i64, f64, String)>;

/// The ring as a list in order of arrival, by the rules as they are told.
fn keep(model: &mut Kept, capacity: usize, window: i64, new: (String, i64, f64, String)) {
    let of_series: Vec<_> = model.iter().filter(|e| e.0 == new.0).collect();
    let newest = of_series
        .iter()
        .rev()
        .max_by(|a, b| (a.1, a.2).partial_cmp(&(b.1, b.2)).unwrap().then(a.3.cmp(&b.3)));
    if let Some(newest) = newest {
        let late = new.1 < newest.1;
        let rank = |e: &(String, i64, f64, String)| (e.2, e.3.clone());
        if late && (new.1 <= newest.1 - window || of_series.iter().any(|e| e.1 == new.1)) {
            return;
        }
        if !late && new.1 == newest.1 && rank(&new) <= rank(newest) {
            return;
        }
    }
    model.push(new);
    if model.len() > capacity {
        model.remove(0);
    }
}

proptest! {
    #[test]
    fn the_ring_keeps_what_the_model_keeps(
        capacity in 1usize..7, window in prop_oneof![Just(0i64), Just(5)], smaller in 1usize..7,
        rows in proptest::collection::vec((0u8..3, 0i64..12, 0u8..2, 0u8..2), 1..60),
    ) {
        let mut head = Head::new();
        head.set_exemplar_limits(capacity, window);
        let mut model = Kept::new();
        for (at, (series, t, value, id)) in rows.iter().enumerate() {
            let (series, id) = (series.to_string(), id.to_string());
            append(&mut head, &told(&series, at as i64, None, &[(*t, f64::from(*value), &id)]));
            keep(&mut model, capacity, window, (series, *t, f64::from(*value), id));
        }
        let sorted = |mut rows: Kept| {
            rows.sort_by(|a, b| (&a.0, a.1, a.2).partial_cmp(&(&b.0, b.1, b.2)).unwrap().then(a.3.cmp(&b.3)));
            rows
        };
        prop_assert_eq!(sorted(exemplars(&head, i64::MIN, i64::MAX)), sorted(model.clone()));
        head.set_exemplar_limits(smaller, window);
        let kept = model.split_off(model.len().saturating_sub(smaller));
        prop_assert_eq!(sorted(exemplars(&head, i64::MIN, i64::MAX)), sorted(kept));
    }
}
