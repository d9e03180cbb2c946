//! Records grouped into batches, and slices of them.

use engine::labels::Labels;
use engine::wal::{BatchHeader, BatchReader, Compression, LogBatch, LogSlice, Reason, Records, SeriesRef};

use crate::{batch, labels, segment};

fn first(records: &[Records]) -> Result<LogBatch, Reason> {
    let (bytes, _) = segment(records, Compression::Snappy);
    let mut batch = LogBatch::default();
    let read = BatchReader::new(&bytes, 0).next_batch(&mut batch);
    read.map(|_| batch).map_err(|damage| damage.reason)
}

fn header(seq: u64, samples: u64, records: u64) -> BatchHeader {
    BatchHeader {
        held: true,
        seq,
        samples,
        records,
        late: 0,
    }
}

#[test]
fn a_batch_comes_back_as_it_went_in() {
    let mut records = Records::default();
    records.header(&header(1 << 40, 3, 1), b"event\0");
    let rows = [
        (SeriesRef(9), 5, -1.5),
        (SeriesRef(1), i64::MIN, f64::NAN),
        (SeriesRef(u64::MAX), i64::MAX, 0.0),
    ];
    records.samples(rows.into_iter(), usize::MAX);
    let read = first(&[records]).unwrap();
    assert_eq!(read.header, Some(header(1 << 40, 3, 1)));
    assert_eq!(read.event, b"event\0");
    let bits = |row: &(SeriesRef, i64, f64)| (row.0, row.1, row.2.to_bits());
    assert_eq!(
        read.in_order.floats().map(bits).collect::<Vec<_>>(),
        rows.iter().map(bits).collect::<Vec<_>>()
    );
}

#[test]
fn new_series_stand_before_the_batch_and_alone() {
    let read = first(&[batch(0, Some(7), &[1], b"")]).unwrap();
    assert_eq!(
        read.series().collect::<Vec<_>>(),
        [(SeriesRef(7), labels("m").as_slice())]
    );
    assert_eq!((read.header, read.samples()), (None, 0));
}

#[test]
fn an_event_needs_no_samples() {
    let read = first(&[batch(4, None, &[], b"gone")]).unwrap();
    assert_eq!(
        (read.event.as_slice(), read.samples(), read.header.unwrap().seq),
        (&b"gone"[..], 0, 4)
    );
}

#[test]
fn a_record_without_a_header_is_a_batch() {
    let mut records = Records::default();
    records.samples([(SeriesRef(1), 1, 1.0)].into_iter(), usize::MAX);
    records.samples([(SeriesRef(1), 2, 2.0)].into_iter(), usize::MAX);
    records.tick(99);
    let (bytes, _) = segment(&[records], Compression::None);
    let mut reader = BatchReader::new(&bytes, 0);
    let mut batch = LogBatch::default();
    assert!(reader.next_batch(&mut batch).unwrap());
    assert_eq!((batch.samples(), batch.tick), (1, None));
    assert!(reader.next_batch(&mut batch).unwrap());
    assert!(reader.next_batch(&mut batch).unwrap());
    assert_eq!((batch.samples(), batch.tick), (0, Some(99)));
    assert!(!reader.next_batch(&mut batch).unwrap());
    assert_eq!(reader.offset(), bytes.len());
}

#[test]
fn what_a_header_says_must_be_so() {
    let samples = |records: &mut Records, n: i64| records.samples((0..n).map(|t| (SeriesRef(1), t, 0.0)), usize::MAX);
    let mut more = Records::default();
    more.header(&header(0, 1, 1), b"");
    samples(&mut more, 2);
    assert_eq!(first(&[more]), Err(Reason::BatchCount));

    let mut nested = Records::default();
    nested.header(&header(0, 1, 1), b"");
    nested.header(&header(0, 1, 1), b"");
    assert_eq!(first(&[nested]), Err(Reason::BatchCut));

    let mut series = Records::default();
    series.header(&header(0, 0, 1), b"");
    let packed = labels("m");
    series.series([(SeriesRef(1), Labels::trusted(&packed))].into_iter());
    assert_eq!(first(&[series]), Err(Reason::BatchCut));

    let mut endless = Records::default();
    endless.header(&header(0, u64::MAX, u64::MAX), b"");
    samples(&mut endless, 2);
    assert_eq!(first(&[endless]), Err(Reason::BatchCut));
}

#[test]
fn a_slice_holds_whole_batches() {
    let parts = [
        batch(10, Some(1), &[1, 2], b"e"),
        batch(12, None, &[3, 4, 5], b""),
        batch(15, None, &[6], b""),
    ];
    let (bytes, ends) = segment(&parts, Compression::Snappy);
    let within = |start, stop, bounds| LogSlice::read(&bytes, start, stop, bounds, 0).unwrap();
    let read = |start, stop, max| within(start, stop, (1, max));

    let all = read(0, bytes.len(), usize::MAX);
    assert_eq!((all.samples(), all.end, all.seq), (6, ends[2], 16));
    assert_eq!(all.rows().floats().last(), Some(&(SeriesRef(1), 6, 6.0)));

    let least = read(0, bytes.len(), 1);
    assert_eq!((least.samples(), least.end, least.seq), (2, ends[0], 12));
    let full = read(0, bytes.len(), 5);
    assert_eq!((full.samples(), full.end, full.seq), (5, ends[1], 15));
    let one = read(0, bytes.len(), 4);
    assert_eq!((one.samples(), one.end, one.seq), (2, ends[0], 12), "two would be more");
    let enough = within(0, bytes.len(), (3, 4));
    assert_eq!((enough.samples(), enough.end), (5, ends[1]));
    let more = within(0, bytes.len(), (3, 2));
    assert_eq!((more.samples(), more.end), (5, ends[1]));
    let rest = read(ends[1], bytes.len(), 100);
    assert_eq!((rest.samples(), rest.end, rest.seq), (1, ends[2], 16));

    let stopped = read(0, ends[1], usize::MAX);
    assert_eq!((stopped.samples(), stopped.end), (5, ends[1]));
    let nothing = LogSlice::read(&bytes, ends[2], ends[2], (1, 100), 16).unwrap();
    assert_eq!((nothing.samples(), nothing.end, nothing.seq), (0, ends[2], 16));
}

#[test]
fn a_slice_ends_before_damage_and_then_says_what_it_is() {
    let (mut bytes, ends) = segment(
        &[batch(0, None, &[1], b""), batch(1, None, &[2], b"")],
        Compression::None,
    );
    bytes[ends[0] + 8] ^= 1;
    let before = LogSlice::read(&bytes, 0, bytes.len(), (1, 100), 0).unwrap();
    assert_eq!((before.samples(), before.end), (1, ends[0]));
    let damage = LogSlice::read(&bytes, ends[0], bytes.len(), (1, 100), 1).unwrap_err();
    assert_eq!((damage.offset, damage.reason), (ends[0], Reason::Checksum));
}

#[test]
fn a_log_without_headers_is_counted_on() {
    let mut records = Records::default();
    records.samples([(SeriesRef(1), 1, 1.0), (SeriesRef(1), 2, 1.0)].into_iter(), usize::MAX);
    let (bytes, _) = segment(&[records.clone(), records], Compression::None);
    let read = |least| LogSlice::read(&bytes, 0, bytes.len(), (least, 3), 100).unwrap().seq;
    assert_eq!((read(1), read(3)), (102, 104));
}
