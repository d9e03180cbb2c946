//! Series whose samples change their kind within one batch: they are judged, logged and found again in the order of the batch.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::batch::{Batch, STALE_NAN_BITS};
use engine::head::{Head, RefusedReason};
use engine::histogram::{Counts, Histogram, CUSTOM_BUCKETS};
use engine::labels::pack;
use engine::sample::Value;
use engine::wal::{Checkpoint, Compression, Framer, LogSlice, Records, SeriesRef};
use proptest::prelude::*;

use crate::{append, batch, select, Logged, EVER};

/// A value of one of the six kinds; numbers tell values of a kind apart.
fn value(kind: u8, number: u8) -> Value {
    let count = u64::from(number) + 1;
    let whole = Counts::Integer {
        count,
        zero: 0,
        positive: vec![count as i64],
        negative: vec![],
    };
    let parts = Counts::Float {
        count: count as f64,
        zero: 0.0,
        positive: vec![count as f64],
        negative: vec![],
    };
    let (counts, is_custom) = match kind {
        0 => return Value::Float(f64::from(number)),
        1 => return Value::Float(f64::from_bits(STALE_NAN_BITS)),
        2 => (whole, false),
        3 => (whole, true),
        4 => (parts, false),
        _ => (parts, true),
    };
    Value::Histogram(Arc::new(Histogram {
        schema: if is_custom { CUSTOM_BUCKETS } else { 0 },
        custom: if is_custom { vec![1.0] } else { vec![] },
        positive: vec![(0, 1)],
        counts,
        ..Histogram::default()
    }))
}

/// (series, time, kind, number)
type Row = (u8, i64, u8, u8);

fn rows(rows: &[Row]) -> Batch {
    let mut batch = Batch::new(0);
    batch.resent = true;
    for (series, t, kind, number) in rows {
        pack(&mut [("__name__", "m"), ("i", &series.to_string())], batch.arena()).unwrap();
        match value(*kind, *number) {
            Value::Float(value) => batch.push_float(*t, value),
            Value::Histogram(value) => batch.push_histogram(*t, value),
        }
    }
    batch
}

/// Everything in a head, to the bit.
fn all(head: &Head) -> String {
    let found = select(head, &[], EVER);
    let bits: Vec<u64> = found.values().iter().map(|value| value.to_bits()).collect();
    let offsets = (found.offsets(), found.histogram_offsets());
    let floats = (found.timestamps(), bits);
    format!("{offsets:?} {floats:?} {:?} {:?}", found.histograms(), head.stats())
}

fn replayed(log: &[u8], window: i64) -> Head {
    let mut head = Head::new();
    head.set_out_of_order_window(window);
    let replayed = head.replay(log, 0).unwrap();
    assert_eq!((replayed.damage, replayed.unknown_refs), (None, 0));
    head.end_replay();
    head
}

/// The checkpoint of a log of which all is kept.
fn condensed(log: &[u8]) -> Vec<u8> {
    let mut checkpoint = Checkpoint::new(i64::MIN, Compression::Snappy);
    assert_eq!(checkpoint.feed(log, 0, usize::MAX, |_| Some(i64::MIN)), Ok(None));
    checkpoint.finish(&[]);
    let mut framer = Framer::new(0, usize::MAX, Compression::Snappy);
    assert!(framer.add(checkpoint.records()));
    framer.framed().to_vec()
}

/// What a sink reads of each series, in order: time and value.
fn read(log: &[u8]) -> BTreeMap<SeriesRef, Vec<(i64, String)>> {
    let slice = LogSlice::read(log, 0, log.len(), (1, usize::MAX), 0).unwrap();
    let mut read: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (series, t, value) in slice.rows().iter() {
        read.entry(series).or_default().push((t, format!("{value:?}")));
    }
    read
}

/// A head with a series at 1000, so that no sample of a test moves what is accepted.
fn begun(window: i64) -> Logged {
    let mut logged = Logged::new(Compression::Snappy);
    logged.head.set_out_of_order_window(window);
    logged.append(&batch(&[("other", 1000, 1.0)]));
    logged
}

fn row() -> impl Strategy<Value = Row> {
    (0u8..3, 0i64..12, 0u8..6, 0u8..2)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// Out of order is refused, accepted, or accepted from 4 on.
    #[test]
    fn a_batch_is_taken_as_its_samples_one_by_one_would_be(
        all_rows in proptest::collection::vec(row(), 0..24), window in prop_oneof![Just(0i64), Just(5000), Just(996)],
    ) {
        let (mut single, mut reasons) = (begun(window), BTreeMap::new());
        let mut stored = 0;
        for row in &all_rows {
            let one = rows(&[*row]);
            match single.head.stage(&one) {
                Ok(staged) => {
                    stored += staged.samples;
                    prop_assert!(single.framer.add(&staged.records));
                    prop_assert!(single.head.commit(staged.id).is_ok());
                }
                Err(refused) => *reasons.entry(refused.reason.name()).or_insert(0) += 1,
            }
        }
        let mut whole = begun(window);
        let mut batch = rows(&all_rows);
        let taken = whole.head.stage(&batch).map(|staged| staged.samples);
        prop_assert_eq!(taken.ok(), reasons.is_empty().then_some(stored));
        whole.head.rollback();
        batch.partial = true;
        let staged = whole.head.stage(&batch).unwrap();
        let refused: BTreeMap<_, usize> = staged.refusals.by_reason.iter().copied().collect();
        prop_assert_eq!((staged.samples, &refused), (stored, &reasons));
        prop_assert!(whole.framer.add(&staged.records));
        prop_assert!(whole.head.commit(staged.id).is_ok());

        prop_assert_eq!(all(&whole.head), all(&single.head));
        let logs = [whole.framer.framed(), single.framer.framed()];
        for log in [logs[0].to_vec(), condensed(logs[0]), condensed(logs[1])] {
            prop_assert_eq!(all(&replayed(&log, window)), all(&single.head));
        }
        let [mut of_batch, mut of_singles] = logs.map(read);
        if window > 0 {
            // In a batch late samples stand behind the others.
            let sort = |read: &mut BTreeMap<_, Vec<_>>| read.values_mut().for_each(|samples| samples.sort());
            sort(&mut of_batch);
            sort(&mut of_singles);
        }
        let in_rows = |read: BTreeMap<SeriesRef, Vec<_>>| read.into_values().collect::<std::collections::BTreeSet<_>>();
        prop_assert_eq!(in_rows(of_batch), in_rows(of_singles));
    }
}

/// Types of the records of a batch behind its series and header.
fn types(records: &Records) -> Vec<u8> {
    records.iter().map(|record| record[0]).skip(2).collect()
}

#[test]
fn there_are_no_more_records_than_the_order_needs() {
    let of = |all_rows: &[Row]| types(&Head::new().stage(&rows(all_rows)).unwrap().records);
    let many = |kinds: &[u8]| -> Vec<Row> {
        let kinds = kinds.iter().enumerate();
        kinds
            .flat_map(|(t, kind)| (0..9).map(move |series| (series, t as i64, *kind, 0)))
            .collect()
    };
    assert_eq!(of(&many(&[0, 0])), [2]);
    assert_eq!(of(&many(&[2, 2])), [7]);
    assert_eq!(of(&many(&[0, 2, 3, 4, 5])), [2, 7, 9, 8, 10]);
    assert_eq!(of(&many(&[2, 0])), [7, 2]);
    assert_eq!(of(&many(&[5, 4, 3, 2, 0])), [10, 8, 9, 7, 2]);
    assert_eq!(of(&many(&[2, 4, 0, 2, 4, 0])), [7, 8, 2, 7, 8, 2]);
    let mut each_changes = many(&[2, 0]);
    each_changes.sort();
    assert_eq!(of(&each_changes), [7, 2], "whatever stands between them");
    let mut mixed = many(&[0]);
    mixed.extend((10..19).map(|series| (series, 0, 4, 0)));
    mixed.extend((20..29).map(|series| (series, 0, 0, 0)));
    assert_eq!(of(&mixed), [2, 8], "series that do not change cost nothing");
    let one_changes = [&mixed[..], &[(10, 1, 0, 0)]].concat();
    assert_eq!(of(&one_changes), [2, 8, 2]);
}

#[test]
fn a_refusal_is_of_the_first_that_breaks_a_rule() {
    let mut head = Head::new();
    append(&mut head, &rows(&[(0, 5, 2, 0)]));
    let refused = head
        .stage(&rows(&[(0, 6, 2, 0), (0, 4, 2, 1), (0, 3, 0, 0)]))
        .unwrap_err();
    assert_eq!((refused.reason, refused.t), (RefusedReason::OutOfOrder(6), 4));
    let refused = head.stage(&rows(&[(0, 6, 2, 0), (0, 6, 0, 0)])).unwrap_err();
    assert_eq!((refused.reason, refused.t), (RefusedReason::Duplicate, 6));
}
