//! The log's format: framing, records, batches, and what damage leaves readable.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod batches;
mod checkpoint;
mod damage;
mod framing;
mod histograms;
mod prometheus;
mod records;
mod resync;

use engine::labels::{pack, Labels};
use engine::wal::{BatchHeader, Compression, Framer, Records, SeriesRef};

/// Packed labels of a series named `name`.
fn labels(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    pack(&mut [("__name__", name), ("job", "test")], &mut out).unwrap();
    out
}

/// The records of a batch: a new series when `series` is given, and samples of reference 1 at the times given.
fn batch(seq: u64, series: Option<u64>, times: &[i64], event: &[u8]) -> Records {
    let mut records = Records::default();
    let packed = labels("m");
    records.series(series.map(|r| (SeriesRef(r), Labels::trusted(&packed))).into_iter());
    let header = BatchHeader {
        held: false,
        seq,
        samples: times.len() as u64,
        records: u64::from(!times.is_empty()),
        late: 0,
    };
    records.header(&header, event);
    records.samples(times.iter().map(|t| (SeriesRef(1), *t, *t as f64)), usize::MAX);
    records
}

/// `batches` framed from offset 0, and the offset after each.
fn segment(batches: &[Records], compression: Compression) -> (Vec<u8>, Vec<usize>) {
    let mut framer = Framer::new(0, usize::MAX, compression);
    let mut ends = Vec::new();
    for records in batches {
        assert!(framer.add(records));
        ends.push(framer.offset());
    }
    (framer.framed().to_vec(), ends)
}
