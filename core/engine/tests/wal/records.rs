//! Each kind of record: there and back, harmed in every byte, cut at every length.

use std::sync::Arc;

use engine::bytes::put_varint;
use engine::family::Kind;
use engine::labels::pack;
use engine::metadata::Metadata;
use engine::wal::page::ZSTD;
use engine::wal::{
    BatchReader, Compression, ExemplarRow, Framer, LogBatch, MarkerRow, MetadataRow, Reason, Records, SeriesRef,
    TombstoneRow,
};
use proptest::prelude::*;

/// One record of the log, decoded.
fn decode(record: &[u8]) -> Result<LogBatch, Reason> {
    let mut framer = Framer::new(0, usize::MAX, Compression::None);
    framer.add_packed([(0, record)].into_iter());
    let mut batch = LogBatch::default();
    let read = BatchReader::new(framer.framed(), 0).next_batch(&mut batch);
    read.map(|_| batch).map_err(|damage| damage.reason)
}

fn only(fill: impl FnOnce(&mut Records)) -> Vec<u8> {
    let mut records = Records::default();
    fill(&mut records);
    assert_eq!(records.len(), 1);
    let record = records.iter().next().unwrap();
    record.to_vec()
}

fn packed(value: &str) -> Box<[u8]> {
    let mut out = Vec::new();
    pack(&mut [("trace_id", value), ("span", "ü")], &mut out).unwrap();
    out.into()
}

fn exemplar() -> impl Strategy<Value = ExemplarRow> {
    let parts = (any::<u64>(), any::<i64>(), -1e9f64..1e9, "[a-z]{0,8}");
    parts.prop_map(|(series, t, value, text)| ExemplarRow {
        series: SeriesRef(series),
        t,
        value,
        labels: packed(&text),
    })
}

fn metadata() -> impl Strategy<Value = MetadataRow> {
    let kinds = prop_oneof![
        Just(Kind::Counter),
        Just(Kind::Gauge),
        Just(Kind::Summary),
        Just(Kind::Untyped),
        Just(Kind::Histogram),
        Just(Kind::GaugeHistogram),
        Just(Kind::Info),
        Just(Kind::StateSet)
    ];
    let parts = (any::<u64>(), kinds, "\\PC{0,12}", "\\PC{0,40}");
    parts.prop_map(|(series, kind, unit, help)| {
        let (unit, help) = (unit.into(), help.into());
        (SeriesRef(series), Arc::new(Metadata { kind, unit, help }))
    })
}

fn tombstone() -> impl Strategy<Value = TombstoneRow> {
    let parts = (any::<u64>(), any::<i64>(), any::<i64>());
    parts.prop_map(|(series, mint, maxt)| TombstoneRow {
        series: SeriesRef(series),
        mint,
        maxt,
    })
}

fn some<T: std::fmt::Debug>(rows: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    proptest::collection::vec(rows, 1..6)
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        exemplars in some(exemplar()),
        metadata in some(metadata()),
        tombstones in some(tombstone()),
        markers in some((any::<u64>(), any::<u64>())),
    ) {
        let markers: Vec<_> = markers.iter().map(|&(r, chunk)| MarkerRow { series: SeriesRef(r), chunk }).collect();
        let batch = decode(&only(|records| records.exemplars(&exemplars))).unwrap();
        prop_assert_eq!(batch.exemplars, exemplars);
        let rows = metadata.iter().map(|(series, row)| (*series, &**row));
        prop_assert_eq!(decode(&only(|records| records.metadata(rows))).unwrap().metadata, metadata);
        prop_assert_eq!(decode(&only(|records| records.tombstones(&tombstones))).unwrap().tombstones, tombstones);
        prop_assert_eq!(decode(&only(|records| records.markers(&markers))).unwrap().markers, markers);
    }

    #[test]
    fn rows_in_runs_are_the_same_rows(
        rows in proptest::collection::vec((any::<u64>(), any::<i64>(), -1e9f64..1e9), 0..700), run in 1usize..300
    ) {
        let rows: Vec<_> = rows.into_iter().map(|(r, t, v)| (SeriesRef(r), t, v)).collect();
        let mut records = Records::default();
        records.samples(rows.iter().copied(), run);
        prop_assert_eq!(records.len(), rows.len().div_ceil(run));
        let read = records.iter().flat_map(|record| decode(record).unwrap().in_order.floats().copied().collect::<Vec<_>>());
        prop_assert_eq!(read.collect::<Vec<_>>(), rows);
    }

    #[test]
    fn any_body_decodes_or_is_refused(kind in 1u8..14, body in proptest::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..120)) {
        let outcome = decode(&[&[kind], body.as_slice()].concat());
        prop_assert!(outcome.is_ok() || outcome == Err(Reason::Record(kind)));
    }
}

/// A record of each kind that the crate writes, besides those that other tests take apart.
fn each_kind() -> Vec<(&'static str, Vec<u8>)> {
    let exemplars: Vec<_> = (0..3i64)
        .map(|t| ExemplarRow {
            series: SeriesRef(7),
            t,
            value: 0.5,
            labels: packed("abc"),
        })
        .collect();
    let metadata = Metadata {
        kind: Kind::Counter,
        unit: "seconds".into(),
        help: "How long.".into(),
    };
    let tombstones = [TombstoneRow {
        series: SeriesRef(3),
        mint: -5,
        maxt: 1 << 40,
    }];
    let markers = [MarkerRow {
        series: SeriesRef(3),
        chunk: (1 << 32) | 8,
    }];
    vec![
        ("exemplars", only(|records| records.exemplars(&exemplars))),
        (
            "metadata",
            only(|records| records.metadata([(SeriesRef(300), &metadata)].into_iter())),
        ),
        ("tombstones", only(|records| records.tombstones(&tombstones))),
        ("markers", only(|records| records.markers(&markers))),
        ("samples with start times", samples_st()),
    ]
}

/// Three samples: with a start time, with the same one, with another, and one with none.
fn samples_st() -> Vec<u8> {
    let mut out = vec![11];
    for v in [5, 1_000, 900] {
        put_varint(&mut out, v); // reference, time, start time
    }
    out.extend(1.0f64.to_be_bytes());
    for (reference, t, marker, start) in [(1, 10, 1, None), (-2, 20, 2, Some(-900)), (0, -30, 0, None)] {
        put_varint(&mut out, reference);
        put_varint(&mut out, t);
        out.push(marker);
        start.into_iter().for_each(|start| put_varint(&mut out, start));
        out.extend(2.0f64.to_be_bytes());
    }
    out
}

#[test]
fn start_times_are_read_over() {
    let rows: Vec<_> = decode(&samples_st()).unwrap().in_order.floats().copied().collect();
    let row = |r, t, v| (SeriesRef(r), t, v);
    assert_eq!(
        rows,
        [
            row(5, 1_000, 1.0),
            row(6, 1_010, 2.0),
            row(4, 1_020, 2.0),
            row(4, 970, 2.0)
        ]
    );
}

#[test]
fn unknown_metadata_fields_and_types_are_read_over() {
    let body = b"\x06\x05\x63\x02\x03FOO\x01x\x04HELP\x02hi";
    let read = decode(body).unwrap().metadata;
    assert_eq!(read.len(), 1);
    assert_eq!((read[0].0, read[0].1.kind), (SeriesRef(5), Kind::Untyped));
    assert_eq!((read[0].1.help.as_str(), read[0].1.unit.as_str()), ("hi", ""));
}

#[test]
fn a_record_cut_short_is_a_shorter_one_or_refused() {
    for (name, record) in each_kind() {
        let whole = rows(&decode(&record).unwrap());
        for cut in 1..record.len() {
            match decode(&record[..cut]) {
                Ok(batch) => assert!(rows(&batch) < whole, "{name} cut at {cut}"),
                Err(reason) => assert_eq!(reason, Reason::Record(record[0]), "{name} cut at {cut}"),
            }
        }
    }
}

fn rows(batch: &LogBatch) -> usize {
    batch.samples() + batch.exemplars.len() + batch.metadata.len() + batch.tombstones.len() + batch.markers.len()
}

/// In the log every byte is covered: what a flip leaves is damage, never another record.
#[test]
fn a_flipped_bit_of_a_framed_record_is_damage() {
    for (name, record) in each_kind() {
        for (compression, packed) in [
            (Compression::None, None),
            (Compression::Snappy, None),
            (Compression::Zstd, Some(raw_frame(&record))),
        ] {
            let mut framer = Framer::new(0, usize::MAX, compression);
            match &packed {
                Some(frame) => assert!(framer.add_packed([(ZSTD, frame.as_slice())].into_iter())),
                None => assert!(framer.add_packed([(0, record.as_slice())].into_iter())),
            }
            let segment = framer.framed().to_vec();
            let mut whole = LogBatch::default();
            assert!(BatchReader::new(&segment, 0).next_batch(&mut whole).unwrap());
            for at in 0..segment.len() {
                for bit in 0..8 {
                    let mut harmed = segment.clone();
                    harmed[at] ^= 1 << bit;
                    let mut batch = LogBatch::default();
                    let read = BatchReader::new(&harmed, 0).next_batch(&mut batch);
                    assert!(
                        read.is_err() || batch == whole,
                        "{name} {compression:?}: bit {bit} of byte {at}"
                    );
                }
            }
        }
    }
}

/// A zstd frame of one raw block: what an encoder makes of bytes that do not compress.
fn raw_frame(content: &[u8]) -> Vec<u8> {
    let size = u8::try_from(content.len()).unwrap();
    let block = (u32::from(size) << 3) | 1; // the last block, raw
    let block = block.to_le_bytes();
    [&[0x28, 0xb5, 0x2f, 0xfd, 0x20, size][..], &block[..3], content].concat()
}

#[test]
fn a_frame_cut_or_lengthened_is_refused() {
    let record = samples_st();
    let frame = raw_frame(&record);
    let read = |frame: &[u8]| {
        let mut framer = Framer::new(0, usize::MAX, Compression::Zstd);
        framer.add_packed([(ZSTD, frame)].into_iter());
        let mut batch = LogBatch::default();
        let read = BatchReader::new(framer.framed(), 0).next_batch(&mut batch);
        read.map_err(|damage| damage.reason)
    };
    assert_eq!(read(&frame), Ok(true));
    for cut in 0..frame.len() {
        assert_eq!(read(&frame[..cut]), Err(Reason::Zstd), "cut at {cut}");
    }
    assert_eq!(read(&[frame.as_slice(), &[0]].concat()), Err(Reason::Zstd));
}

proptest! {
    #[test]
    fn any_frame_decodes_or_is_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let frame = [&[0x28, 0xb5, 0x2f, 0xfd][..], &body].concat();
        let mut framer = Framer::new(0, usize::MAX, Compression::Zstd);
        framer.add_packed([(ZSTD, frame.as_slice())].into_iter());
        let _ = BatchReader::new(framer.framed(), 0).next_batch(&mut LogBatch::default());
    }
}
