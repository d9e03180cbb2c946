//! What a query gives is what a plain model gives.

use std::collections::{BTreeMap, BTreeSet};

use engine::block::Interval;
use engine::merge::Window;
use engine::postings;
use engine::query::{newest, select, series, Dump, Limits};
use engine::regex::{Matcher, Operator};
use engine::sample::Value;
use proptest::prelude::*;

use crate::{block, floats, head, labels, places, read, Files, Rowset, EVER};

fn rowsets(range: std::ops::Range<i64>) -> impl Strategy<Value = BTreeMap<String, BTreeSet<i64>>> {
    let times = proptest::collection::btree_set(range, 1..200);
    proptest::collection::btree_map("[abc]{1,2}", times, 0..6)
}

fn rows(of: &BTreeMap<String, BTreeSet<i64>>, value: f64) -> Rowset {
    let samples = |times: &BTreeSet<i64>| times.iter().map(|t| (*t, Value::Float(value))).collect();
    of.iter().map(|(name, times)| (labels(name), samples(times))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_query_finds_each_sample_once(
        in_blocks in proptest::collection::vec(rowsets(0..1000), 0..3),
        in_head in rowsets(500..1500),
        (deleted_series, deleted, length) in ("[abc]", 0i64..1000, 0i64..300),
        (mint, maxt) in (-10i64..800, 100i64..1600),
        pattern in prop_oneof![Just(".*"), Just("a.*"), Just("a|b|ca"), Just("[bc]+")],
    ) {
        let matchers = [Matcher::new("i", Operator::Matches, pattern).unwrap()];
        let mut model: BTreeMap<Vec<u8>, BTreeMap<i64, Vec<f64>>> = BTreeMap::new();
        let mut blocks = Vec::new();
        let doomed = Matcher::new("i", Operator::Matches, &format!("{deleted_series}.*")).unwrap();
        for (value, of) in in_blocks.iter().enumerate() {
            let rows = rows(of, value as f64);
            if rows.is_empty() {
                continue; // a block without series is none
            }
            let whole = block(rows.clone());
            let references = postings::select(whole.index(), std::slice::from_ref(&doomed)).unwrap();
            let interval = Interval { mint: deleted, maxt: deleted + length };
            let tombstones = whole.delete(references.into_iter(), interval).unwrap().write();
            let merge = engine::compact::Merge::new(places(&[whole], None, &[], EVER), i64::MIN, i64::MAX);
            blocks.push(Files::build(merge, 1, 4096).open(Some(tombstones)));
            for (name, times) in of {
                let is_doomed = doomed.matches(name);
                let left = times.iter().filter(|t| !is_doomed || !(deleted..=deleted + length).contains(t));
                for t in left {
                    model.entry(labels(name)).or_default().entry(*t).or_default().push(value as f64);
                }
            }
        }
        let in_head = rows(&in_head, 9.0);
        for (labels, samples) in &in_head {
            for (t, _) in samples {
                model.entry(labels.clone()).or_default().entry(*t).or_default().push(9.0);
            }
        }
        let head = head(&in_head, false);
        for samples in model.values_mut() {
            samples.retain(|t, _| (mint..=maxt).contains(t));
        }
        model.retain(|_, samples| !samples.is_empty());
        let names: BTreeMap<Vec<u8>, String> = ["a", "b", "c"].iter()
            .flat_map(|a| ["", "a", "b", "c"].iter().map(move |b| format!("{a}{b}")))
            .map(|name| (labels(&name), name)).collect();
        model.retain(|labels, _| matchers[0].matches(&names[labels]));

        let window = Window { mint, maxt, held: false };
        let columns = select(places(&blocks, Some(&head), &matchers, window), window, &Limits::default()).unwrap();
        let found = floats(&columns);
        prop_assert_eq!(found.len(), columns.len());
        prop_assert_eq!(found.keys().collect::<Vec<_>>(), model.keys().collect::<Vec<_>>());
        for (labels, samples) in &found {
            let wanted = &model[labels];
            prop_assert_eq!(samples.iter().map(|(t, _)| *t).collect::<Vec<_>>(), wanted.keys().copied().collect::<Vec<_>>());
            prop_assert!(samples.iter().all(|(t, value)| wanted[t].contains(value)));
        }

        let listed = series(places(&blocks, Some(&head), &matchers, window), window, &Limits::default()).unwrap();
        prop_assert!(model.keys().all(|labels| listed.iter().any(|listed| **listed == **labels)));

        let ends = newest(places(&blocks, Some(&head), &matchers, window), window, &Limits::default()).unwrap();
        let ends: BTreeMap<Vec<u8>, i64> = ends.into_iter().map(|newest| (newest.labels.to_vec(), newest.t)).collect();
        let last = |samples: &Vec<(i64, f64)>| samples.last().map(|(t, _)| *t).unwrap();
        let wanted: BTreeMap<Vec<u8>, i64> = found.iter().map(|(labels, samples)| (labels.clone(), last(samples))).collect();
        prop_assert_eq!(ends, wanted);

        let mut dump = Dump::new(places(&blocks, Some(&head), &matchers, window), window);
        let (mut text, mut pieces) = (String::new(), 0);
        loop {
            let mut piece = String::new();
            dump.piece(&mut piece, 100).unwrap();
            if piece.is_empty() {
                break;
            }
            prop_assert!(piece.ends_with('\n') && piece.len() < 200);
            text.push_str(&piece);
            pieces += 1;
        }
        prop_assert!(pieces <= columns.samples());
        let by_name: BTreeMap<&str, _> = found.iter().map(|(labels, samples)| (names[labels].as_str(), samples)).collect();
        let lines = by_name.into_iter().flat_map(|(name, samples)| {
            samples.iter().map(move |(t, value)| format!("{{__name__=\"m\", i=\"{name}\"}} {value} {t}\n"))
        });
        prop_assert_eq!(text, lines.collect::<String>());
    }
}

#[test]
fn what_comes_later_does_not_change_a_query_under_way() {
    let rows = |range: std::ops::Range<i64>| -> Rowset {
        [(labels("a"), range.map(|t| (t, Value::Float(t as f64))).collect())].into()
    };
    let mut head = head(&rows(0..10), false);
    let under_way = places(&[], Some(&head), &[], EVER);
    let mut batch = engine::batch::Batch::new(0);
    batch.arena().extend_from_slice(&labels("a"));
    batch.push_float(10, 10.0);
    let staged = head.stage(&batch).unwrap();
    assert_eq!(read(&[], Some(&head), EVER).samples(), 10, "what is staged is not seen");
    head.commit(staged.id).unwrap();
    assert_eq!(select(under_way, EVER, &Limits::default()).unwrap().samples(), 10);
    assert_eq!(read(&[], Some(&head), EVER).samples(), 11);
}

/// What is held in the head is real in a block, and told apart all the same.
#[test]
fn held_samples_are_seen_by_those_who_ask() {
    let rows: Rowset = [(labels("a"), vec![(10, Value::Float(1.0)), (25, Value::Float(2.0))])].into();
    let mut head = head(&rows, true);
    [5, 15, 20, 30].into_iter().for_each(|tick| head.commit_tick(tick));
    let all = [(10, 1.0), (15, 1.0), (20, 1.0), (25, 2.0), (30, 2.0)];
    let held = Window { held: true, ..EVER };
    let merge = engine::compact::Merge::new(places(&[], Some(&head), &[], held), 0, 100);
    let block = Files::build(merge, 1000, 1 << 20).open(None);
    for (blocks, head) in [
        (vec![], Some(&head)),
        (vec![block.clone()], None),
        (vec![block], Some(&head)),
    ] {
        assert_eq!(floats(&read(&blocks, head, held))[&labels("a")], all);
        assert_eq!(floats(&read(&blocks, head, EVER))[&labels("a")], [(10, 1.0), (25, 2.0)]);
        let late = Window {
            mint: 16,
            maxt: 22,
            held: true,
        };
        assert_eq!(floats(&read(&blocks, head, late))[&labels("a")], [(20, 1.0)]);
        let ends = |window| newest(places(&blocks, head, &[], window), window, &Limits::default()).unwrap();
        assert_eq!(ends(held).iter().map(|newest| newest.t).collect::<Vec<_>>(), [30]);
        assert_eq!(ends(late).iter().map(|newest| newest.t).collect::<Vec<_>>(), [20]);
        assert_eq!(ends(EVER).iter().map(|newest| newest.t).collect::<Vec<_>>(), [25]);
        assert!(read(&blocks, head, Window { held: false, ..late }).is_empty());
    }
}
