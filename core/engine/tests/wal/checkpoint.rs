//! What a checkpoint keeps of the batches that it is made of.

use std::sync::Arc;

use engine::family::Kind;
use engine::head::Head;
use engine::labels::Labels;
use engine::metadata::Metadata;
use engine::query::{Dump, Limits};
use engine::wal::{
    BatchHeader, BatchReader, Checkpoint, Compression, ExemplarRow, Framer, LogBatch, Records, SeriesRef, TombstoneRow,
};
use proptest::prelude::*;

use crate::{labels, segment};

/// All batches of the checkpoint of `log`, which keeps the series in `kept` from the times given.
fn checkpoint(log: &[u8], mint: i64, budget: usize, events: &[Vec<u8>], kept: &[(u64, i64)]) -> Vec<LogBatch> {
    let mut checkpoint = Checkpoint::new(mint, Compression::Snappy);
    let mut framer = Framer::new(0, usize::MAX, Compression::Snappy);
    let needed = |series: SeriesRef| kept.iter().find(|(r, _)| *r == series.0).map(|(_, from)| *from);
    let mut at = Some(0);
    while let Some(start) = at {
        at = checkpoint.feed(log, start, budget, needed).unwrap();
        assert!(framer.add(checkpoint.records()));
        checkpoint.clear();
    }
    checkpoint.finish(events);
    assert!(framer.add(checkpoint.records()));
    let mut reader = BatchReader::new(framer.framed(), 0);
    let mut batches = Vec::new();
    loop {
        let mut batch = LogBatch::default();
        if !reader.next_batch(&mut batch).unwrap() {
            return batches;
        }
        batches.push(batch);
    }
}

/// A series record of references 1 to `n`.
fn series(n: u64) -> Records {
    let packed: Vec<_> = (1..=n).map(|r| labels(&format!("m{r}"))).collect();
    let mut records = Records::default();
    records.series(
        (1..=n)
            .zip(&packed)
            .map(|(r, packed)| (SeriesRef(r), Labels::trusted(packed))),
    );
    records
}

fn samples(seq: u64, held: bool, rows: &[(u64, i64)]) -> Records {
    let mut records = Records::default();
    let header = BatchHeader {
        held,
        seq,
        samples: rows.len() as u64,
        records: u64::from(!rows.is_empty()),
        late: 0,
    };
    records.header(&header, b"event");
    records.samples(rows.iter().map(|(r, t)| (SeriesRef(*r), *t, *t as f64)), usize::MAX);
    records
}

fn floats(batches: &[LogBatch]) -> Vec<(u64, i64, bool)> {
    let held = |batch: &LogBatch| batch.header.unwrap().held;
    let rows = batches
        .iter()
        .flat_map(|b| b.in_order.floats().map(move |row| (row.0 .0, row.1, held(b))));
    rows.collect()
}

#[test]
fn it_keeps_what_is_needed_and_counts_on() {
    let parts = [
        series(4),
        samples(100, false, &[(1, 5), (2, 5), (3, 5)]),
        samples(103, true, &[(4, 6)]),
        samples(104, false, &[(1, 20), (2, 20), (3, 20)]),
        samples(107, true, &[]),
    ];
    let (log, _) = segment(&parts, Compression::Snappy);
    let batches = checkpoint(&log, 10, usize::MAX, &[b"state".to_vec()], &[(1, 10), (3, 10), (4, 6)]);
    assert_eq!(floats(&batches), [(4, 6, true), (1, 20, false), (3, 20, false)]);
    let named: Vec<_> = batches.iter().flat_map(|b| b.series().map(|s| s.0 .0)).collect();
    assert_eq!(named, [1, 3, 4]);
    let events: Vec<_> = batches
        .iter()
        .map(|b| b.event.as_slice())
        .filter(|e| !e.is_empty())
        .collect();
    assert_eq!(events, [b"state"]);
    assert_eq!(batches.last().unwrap().header.unwrap().seq, 107);
}

#[test]
fn a_checkpoint_of_a_checkpoint_is_the_same() {
    let parts = [
        series(3),
        samples(0, false, &[(1, 5), (2, 11)]),
        samples(2, true, &[(3, 12), (1, 13)]),
    ];
    let (log, _) = segment(&parts, Compression::None);
    let kept = [(1, 0), (2, 0), (3, 0)];
    let once = checkpoint(&log, 10, 1, &[], &kept);
    let mut framer = Framer::new(0, usize::MAX, Compression::Snappy);
    let mut first = Checkpoint::new(10, Compression::Snappy);
    first.feed(&log, 0, usize::MAX, |_| Some(10)).unwrap();
    first.finish(&[]);
    framer.add(first.records());
    assert_eq!(first.stats().series, 3);
    assert_eq!((first.stats().samples, first.stats().samples_dropped), (3, 1));
    let twice = checkpoint(framer.framed(), 10, usize::MAX, &[], &kept);
    assert_eq!(floats(&twice), floats(&once)[1..]);
    assert_eq!(twice.last().unwrap().header.unwrap().seq, 4);
}

#[test]
fn exemplars_deletions_ticks_and_metadata_are_kept_by_their_own_rules() {
    let exemplar = |series, t| ExemplarRow {
        series: SeriesRef(series),
        t,
        value: 1.0,
        labels: Box::default(),
    };
    let told = |help: &str| Metadata {
        kind: Kind::Gauge,
        unit: "".into(),
        help: help.into(),
    };
    let mut records = series(2);
    records.exemplars(&[exemplar(1, 5), exemplar(1, 15), exemplar(2, 15)]);
    records.metadata([(SeriesRef(1), &told("old")), (SeriesRef(2), &told("gone"))].into_iter());
    let tombstone = |series, mint, maxt| TombstoneRow {
        series: SeriesRef(series),
        mint,
        maxt,
    };
    records.tombstones(&[tombstone(1, 0, 9), tombstone(1, 0, 10), tombstone(2, 0, 99)]);
    records.tick(9);
    records.tick(10);
    records.metadata([(SeriesRef(1), &told("new"))].into_iter());
    let (log, _) = segment(&[records], Compression::Snappy);
    let batches = checkpoint(&log, 10, 64, &[], &[(1, 10)]);
    let exemplars: Vec<_> = batches.iter().flat_map(|b| b.exemplars.clone()).collect();
    assert_eq!(exemplars, [exemplar(1, 15)]);
    let tombstones: Vec<_> = batches.iter().flat_map(|b| b.tombstones.clone()).collect();
    assert_eq!(tombstones, [tombstone(1, 0, 10)]);
    assert_eq!(batches.iter().filter_map(|b| b.tick).collect::<Vec<_>>(), [10]);
    let metadata: Vec<_> = batches.iter().flat_map(|b| b.metadata.clone()).collect();
    assert_eq!(metadata, [(SeriesRef(1), Arc::new(told("new")))]);
}

#[test]
fn damage_is_told_and_what_came_before_is_taken() {
    let parts = [series(1), samples(0, false, &[(1, 20)]), samples(1, false, &[(1, 21)])];
    let (mut log, ends) = segment(&parts, Compression::None);
    log[ends[1] + 9] ^= 1;
    let mut checkpoint = Checkpoint::new(0, Compression::Snappy);
    let damage = checkpoint.feed(&log, 0, usize::MAX, |_| Some(0)).unwrap_err();
    assert_eq!(damage.offset, ends[1]);
    checkpoint.finish(&[]);
    assert_eq!(checkpoint.stats().samples, 1);
}

proptest! {
    /// A head made of the checkpoint and the rest of the log shows, from `mint` on, what one made of the whole log shows.
    #[test]
    fn nothing_newer_is_lost(
        rows in proptest::collection::vec((proptest::collection::vec(1u64..6, 1..6), any::<bool>()), 1..40),
        mint in 0i64..40, split in 0usize..40, budget in 1usize..400,
    ) {
        let mut parts = vec![series(5)];
        let mut seq = 0;
        for (t, (refs, held)) in rows.iter().enumerate() {
            let mut refs = refs.clone();
            refs.sort_unstable();
            refs.dedup();
            let rows: Vec<_> = refs.iter().map(|r| (*r, t as i64)).collect();
            parts.push(samples(seq, *held, &rows));
            seq += rows.len() as u64;
        }
        let split = 1 + split.min(parts.len() - 1);
        let (old, _) = segment(&parts[..split], Compression::Snappy);
        let (new, _) = segment(&parts[split..], Compression::Snappy);
        let mut whole = Head::new();
        whole.replay(&old, 0).unwrap();
        whole.replay(&new, 0).unwrap();

        let mut made = Checkpoint::new(mint, Compression::Snappy);
        let mut framer = Framer::new(0, usize::MAX, Compression::Snappy);
        let mut at = Some(0);
        while let Some(start) = at {
            at = made.feed(&old, start, budget, |series| whole.needed_from(series, mint)).unwrap();
            framer.add(made.records());
            made.clear();
        }
        made.finish(&[]);
        framer.add(made.records());
        let mut again = Head::new();
        prop_assert_eq!(again.replay(framer.framed(), 0).unwrap().unknown_refs, 0);
        prop_assert_eq!(again.replay(&new, 0).unwrap().unknown_refs, 0);
        let shown = |head: &Head| {
            let window = engine::head::Window { mint, maxt: i64::MAX, held: false };
            let entries = head.entries(&[], window, &Limits::default()).unwrap();
            let mut out = String::new();
            Dump::new(vec![Box::new(entries)], window).piece(&mut out, usize::MAX).unwrap();
            out
        };
        prop_assert_eq!(shown(&again), shown(&whole));
        prop_assert_eq!(again.stats().seq, seq);
    }
}
