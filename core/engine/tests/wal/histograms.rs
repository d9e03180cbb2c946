//! Native histograms in the log.

use std::sync::Arc;

use engine::histogram::{Counts, Histogram, ResetHint, CUSTOM_BUCKETS};
use engine::wal::{BatchReader, Compression, LogBatch, Records, SeriesRef};

use crate::segment;

fn histogram(hint: ResetHint, custom: &[f64], floats: bool) -> Histogram {
    let schema = if custom.is_empty() { 2 } else { CUSTOM_BUCKETS };
    let counts = if floats {
        Counts::Float {
            count: 2.5,
            zero: 0.5,
            positive: vec![1.5, 0.5],
            negative: vec![],
        }
    } else {
        Counts::Integer {
            count: 3,
            zero: 0,
            positive: vec![1, 1],
            negative: vec![],
        }
    };
    Histogram {
        hint,
        schema,
        sum: 4.5,
        positive: vec![(0, 1), (1, 1)],
        custom: custom.to_vec(),
        counts,
        ..Histogram::default()
    }
}

#[test]
fn each_kind_has_a_record_of_its_own_and_hints_and_bounds_stay() {
    let bounds = [0.1, 5.0, f64::MAX];
    let kinds = [
        histogram(ResetHint::Gauge, &bounds, true),
        histogram(ResetHint::NotReset, &[], true),
        histogram(ResetHint::Reset, &bounds, false),
        histogram(ResetHint::Unknown, &[], false),
    ];
    let rows: Vec<_> = kinds
        .iter()
        .map(|kind| (SeriesRef(4), 7, Arc::new(kind.clone())))
        .collect();
    let mut records = Records::default();
    records.histograms(&rows);
    let types: Vec<u8> = records.iter().map(|record| record[0]).collect();
    assert_eq!(
        types,
        [7, 9, 8, 10],
        "whole before parts, exponential before custom, as in Prometheus"
    );

    let (bytes, _) = segment(&[records], Compression::Snappy);
    let mut reader = BatchReader::new(&bytes, 0);
    let mut batch = LogBatch::default();
    let mut read = Vec::new();
    while reader.next_batch(&mut batch).unwrap() {
        read.extend(batch.in_order.histograms().map(|row| (*row.2).clone()));
    }
    let [a, b, c, d] = kinds;
    assert_eq!(read, [d, c, b, a]);
}

/// Schemas from 9 on are brought down to one that can be queried; of unknown ones nothing is read, and all else is.
#[test]
fn schemas_of_later_versions_do_not_stop_a_reader() {
    let of_schema = |schema| Histogram {
        schema,
        ..histogram(ResetHint::Unknown, &[], false)
    };
    let rows: Vec<_> = [8, 9, 53, -10, -9]
        .map(|schema| (SeriesRef(1), 5, Arc::new(of_schema(schema))))
        .into();
    let mut records = Records::default();
    records.histograms(&rows);
    let (bytes, _) = segment(&[records], Compression::None);
    let mut batch = LogBatch::default();
    assert!(BatchReader::new(&bytes, 0).next_batch(&mut batch).unwrap());
    let schemas: Vec<i32> = batch.in_order.histograms().map(|row| row.2.schema).collect();
    assert_eq!(schemas, [8, 8, -9]);
}
