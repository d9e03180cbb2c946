//! A segment that Prometheus 2.54 wrote, with every kind of record that its head writes by default: series, floats, native
//! histograms of both kinds, exemplars, metadata and a tombstone.

use std::sync::Arc;

use engine::histogram::{Counts, Histogram};
use engine::labels::{format_labels, Labels};
use engine::wal::{BatchReader, Compression, Framer, LogBatch, Records};

const SEGMENT: &[u8] = include_bytes!("prometheus-2.54.wal");

fn read() -> Vec<LogBatch> {
    let mut reader = BatchReader::new(SEGMENT, 0);
    let mut batches = Vec::new();
    let mut batch = LogBatch::default();
    while reader.next_batch(&mut batch).unwrap() {
        batches.push(batch.clone());
    }
    assert_eq!(reader.offset(), SEGMENT.len());
    batches
}

#[test]
fn its_series_are_read() {
    let mut texts = Vec::new();
    for batch in read() {
        for (reference, packed) in batch.series() {
            let mut text = format!("{} ", reference.0);
            format_labels(Labels::trusted(packed), &mut text);
            texts.push(text);
        }
    }
    assert_eq!(
        texts,
        [
            r#"1 {__name__="requests_total", code="200", job="api"}"#,
            r#"2 {__name__="requests_total", code="201", job="api"}"#,
            r#"3 {__name__="requests_total", code="202", job="api"}"#,
            r#"4 {__name__="requests_total", code="203", job="api"}"#,
            r#"5 {__name__="latency", kind="int"}"#,
            r#"6 {__name__="latency", kind="float"}"#,
            r#"7 {__name__="up", "ünï"="\"quoted\"\n"}"#,
        ]
    );
}

#[test]
fn its_samples_are_read() {
    let read = read();
    let floats: Vec<_> = read
        .iter()
        .flat_map(|batch| batch.in_order.floats())
        .map(|(r, t, v)| (r.0, *t, *v))
        .collect();
    assert_eq!(floats.len(), 13);
    assert_eq!(
        floats[..5],
        [
            (1, 1_700_000_000_000, 0.0),
            (2, 1_700_000_000_000, 1.0),
            (3, 1_700_000_000_000, 2.0),
            (4, 1_700_000_000_000, 3.0),
            (1, 1_700_000_015_000, 1.5),
        ]
    );
    assert_eq!(floats[12].2.to_bits(), engine::batch::STALE_NAN_BITS);
}

#[test]
fn its_histograms_are_read() {
    let histograms: Vec<_> = read()
        .iter()
        .flat_map(|batch| batch.in_order.histograms().cloned().collect::<Vec<_>>())
        .collect();
    assert_eq!(histograms.len(), 6);
    let whole = Histogram {
        schema: 1,
        zero_threshold: 0.001,
        sum: 18.4,
        positive: vec![(0, 2), (1, 2)],
        negative: vec![(0, 1)],
        counts: Counts::Integer {
            count: 9,
            zero: 2,
            positive: vec![1, 1, -1, 0],
            negative: vec![2],
        },
        ..Histogram::default()
    };
    assert_eq!(histograms[0].2, Arc::new(whole));
    let Counts::Float {
        count, zero, positive, ..
    } = &histograms[1].2.counts
    else {
        unreachable!("the second is of floats");
    };
    assert_eq!((*count, *zero), (9.0, 2.0));
    assert_eq!(positive, &[1.0, 2.0, 1.0, 1.0]);
}

#[test]
fn what_is_written_again_is_the_same_to_the_byte() {
    let mut records = Records::default();
    for batch in read() {
        records.series(
            batch
                .series()
                .map(|(reference, packed)| (reference, Labels::trusted(packed))),
        );
        records.rows(&batch.in_order, usize::MAX);
        records.exemplars(&batch.exemplars);
        records.metadata(batch.metadata.iter().map(|(series, metadata)| (*series, &**metadata)));
        records.tombstones(&batch.tombstones);
    }
    let mut framer = Framer::new(0, usize::MAX, Compression::Snappy);
    framer.add(&records);
    let mut ours = engine::wal::Reader::new(framer.framed(), 0);
    let mut theirs = engine::wal::Reader::new(SEGMENT, 0);
    let mut known = 0;
    let mut wanted = Vec::new();
    while let Some(record) = theirs.next_record().unwrap() {
        if matches!(record[0], 1..=4 | 6..=8) {
            wanted.push(record.to_vec());
        }
    }
    while let Some(record) = ours.next_record().unwrap() {
        assert_eq!(record, wanted[known].as_slice(), "record {known}");
        known += 1;
    }
    assert_eq!(known, wanted.len());
}

#[test]
fn what_it_tells_besides_samples_is_read() {
    let batches = read();
    let exemplars: Vec<_> = batches.iter().flat_map(|batch| &batch.exemplars).collect();
    assert!(!exemplars.is_empty());
    assert!(exemplars.iter().all(|row| Labels::checked(&row.labels).is_ok()));
    let metadata: Vec<_> = batches.iter().flat_map(|batch| &batch.metadata).collect();
    assert!(metadata.iter().any(|(_, metadata)| !metadata.help.is_empty()));
    let tombstones: Vec<_> = batches.iter().flat_map(|batch| &batch.tombstones).collect();
    assert_eq!(tombstones.len(), 1);
    assert!(tombstones[0].mint <= tombstones[0].maxt);
}

#[test]
fn its_zstd_frames_hold_the_same() {
    let mut plain = engine::wal::Reader::new(SEGMENT, 0);
    let mut zstd = engine::wal::Reader::new(include_bytes!("prometheus-2.54-zstd.wal"), 0);
    let mut records = 0;
    while let Some(record) = plain.next_record().unwrap() {
        assert_eq!(zstd.next_record().unwrap(), Some(record));
        records += 1;
    }
    assert_eq!(zstd.next_record().unwrap(), None);
    assert!(records > 10);
}
