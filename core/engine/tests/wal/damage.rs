//! What is wrong with a segment is a value, and everything before it stays readable.

use engine::head::Head;
use engine::wal::page::PAGE_SIZE;
use engine::wal::{BatchReader, Compression, Damage, LogBatch, Reason};
use proptest::prelude::*;

use crate::{batch, segment};

/// Batches read whole, where reading ended, and why.
fn read(segment: &[u8]) -> (Vec<LogBatch>, usize, Option<Damage>) {
    let mut reader = BatchReader::new(segment, 0);
    let mut batches = Vec::new();
    loop {
        let mut batch = LogBatch::default();
        match reader.next_batch(&mut batch) {
            Ok(true) => batches.push(batch),
            Ok(false) => return (batches, reader.offset(), None),
            Err(damage) => return (batches, reader.offset(), Some(damage)),
        }
    }
}

/// Three batches: a small one, one over several pages, a small one.
fn sample(compression: Compression) -> (Vec<u8>, Vec<usize>) {
    let long: Vec<i64> = (0..8000).map(|i| i * i).collect();
    segment(
        &[
            batch(0, None, &[1, 2, 3], b""),
            batch(3, None, &long, b"e"),
            batch(8003, None, &[5], b""),
        ],
        compression,
    )
}

type Break = fn(&mut Vec<u8>, &[usize]);

/// (what happens to the segment, how, batches that survive, the reason given)
const DAMAGES: &[(&str, Break, usize, Option<Reason>)] = &[
    ("nothing", |_, _| (), 3, None),
    (
        "zeros behind the end",
        |s, _| s.resize(s.len() + 3 * PAGE_SIZE, 0),
        3,
        None,
    ),
    ("cut at a batch", |s, e| s.truncate(e[1]), 2, None),
    (
        "cut in the last batch",
        |s, _| s.truncate(s.len() - 1),
        2,
        Some(Reason::Torn),
    ),
    (
        "cut in a fragment header",
        |s, e| s.truncate(e[1] + 3),
        2,
        Some(Reason::Torn),
    ),
    (
        "cut between header and samples",
        |s, e| s.truncate(e[1] + 14),
        2,
        Some(Reason::BatchCut),
    ),
    (
        "cut between fragments",
        |s, _| s.truncate(PAGE_SIZE),
        1,
        Some(Reason::Torn),
    ),
    (
        "a byte of a payload",
        |s, e| s[e[1] + 10] ^= 1,
        2,
        Some(Reason::Checksum),
    ),
    (
        "a byte of a checksum",
        |s, e| s[e[1] + 4] ^= 1,
        2,
        Some(Reason::Checksum),
    ),
    (
        "a length beyond the page",
        |s, e| s[e[1] + 1] = 0xff,
        2,
        Some(Reason::FragmentLength(0xff07)),
    ),
    ("an unknown type", |s, e| s[e[1]] = 5, 2, Some(Reason::FragmentType(5))),
    (
        "an unknown flag",
        |s, e| s[e[1]] = 0x21,
        2,
        Some(Reason::FragmentType(0x21)),
    ),
    ("zstd", |s, e| s[e[1]] = 0x11, 2, Some(Reason::Zstd)),
    ("snappy that is none", |s, e| s[e[1]] = 0x09, 2, Some(Reason::Snappy)),
    (
        "a last fragment alone",
        |s, e| s[e[1]] = 4,
        2,
        Some(Reason::FragmentOrder),
    ),
    (
        "a first fragment after a first",
        |s, _| s[PAGE_SIZE] = 2,
        1,
        Some(Reason::FragmentOrder),
    ),
    (
        "a page of zeros in a record",
        |s, _| s[PAGE_SIZE..2 * PAGE_SIZE].fill(0),
        1,
        Some(Reason::Padding),
    ),
    (
        "zeros with data behind them",
        |s, e| s[e[0]..PAGE_SIZE].fill(0),
        1,
        Some(Reason::Padding),
    ),
    (
        "garbage behind the end",
        |s, _| s.extend([0, 0, 0, 0, 0, 0, 0, 0, 1]),
        3,
        Some(Reason::Padding),
    ),
];

#[test]
fn damage_is_named_and_all_before_it_survives() {
    let (whole, ends) = sample(Compression::None);
    let (batches, ..) = read(&whole);
    for (name, harm, survivors, reason) in DAMAGES {
        let mut harmed = whole.clone();
        harm(&mut harmed, &ends);
        let (read, end, damage) = read(&harmed);
        assert_eq!(read, batches[..*survivors], "{name}");
        assert_eq!(end, ends[survivors - 1], "{name}");
        assert_eq!(damage.map(|damage| damage.reason), *reason, "{name}");
        assert!(
            damage.is_none_or(|damage| damage.offset >= end && damage.offset <= harmed.len()),
            "{name}"
        );
    }
}

#[test]
fn a_segment_cut_anywhere_keeps_the_batches_before_the_cut() {
    for compression in [Compression::None, Compression::Snappy] {
        let (whole, ends) = sample(compression);
        let (batches, ..) = read(&whole);
        for cut in (0..200)
            .chain(ends[1] - 20..whole.len())
            .chain((200..whole.len()).step_by(997))
        {
            let (read, end, damage) = read(&whole[..cut]);
            let survivors = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(read, batches[..survivors], "{cut}");
            assert_eq!(damage.is_none(), cut == end, "{cut}");
        }
    }
}

#[test]
fn a_flipped_bit_never_changes_what_is_read() {
    for compression in [Compression::None, Compression::Snappy] {
        let parts = [
            batch(0, Some(1), &[1, 2, 3], b"event"),
            batch(3, None, &[4, 5], b""),
            batch(5, None, &[6], b""),
        ];
        let (whole, ends) = segment(&parts, compression);
        let (batches, ..) = read(&whole);
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut harmed = whole.clone();
                harmed[at] ^= 1 << bit;
                let (read, end, damage) = read(&harmed);
                // Marked as zstd *and* snappy, a record is still read as snappy.
                if damage.is_none() && read == batches {
                    continue;
                }
                let before = ends.iter().filter(|end| **end <= at).count();
                let whole = read.iter().filter(|batch| batch.header.is_some()).count();
                assert!(damage.is_some(), "bit {bit} of byte {at}");
                assert!(batches.starts_with(&read), "bit {bit} of byte {at}");
                assert!(end <= at && whole == before, "bit {bit} of byte {at}");
            }
        }
    }
}

/// A fragment with the right checksum, whatever it holds.
fn fragment(record: &[u8]) -> Vec<u8> {
    let length = u16::try_from(record.len()).unwrap();
    [
        &[1],
        &length.to_be_bytes()[..],
        &crc32c::crc32c(record).to_be_bytes()[..],
        record,
    ]
    .concat()
}

proptest! {
    #[test]
    fn records_may_hold_anything(
        records in proptest::collection::vec(
            (prop_oneof![Just(1u8), Just(2), Just(7), Just(8), Just(0xb0), Just(0xb1), any::<u8>()],
             proptest::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..80)),
            1..8,
        )
    ) {
        let records = records.iter().map(|(kind, body)| fragment(&[&[*kind], body.as_slice()].concat()));
        let segment: Vec<u8> = records.flatten().collect();
        let mut head = Head::new();
        let replayed = head.replay(&segment, 0).unwrap();
        prop_assert!(replayed.end <= segment.len());
        prop_assert_eq!(replayed.damage.is_none(), replayed.end == segment.len());
        prop_assert_eq!(read(&segment).1 >= replayed.end, true);
    }

    #[test]
    fn segments_may_hold_anything(segment in proptest::collection::vec(prop_oneof![Just(0u8), 0u8..26, any::<u8>()], 0..400)) {
        let replayed = Head::new().replay(&segment, 0).unwrap();
        prop_assert!(replayed.end <= segment.len());
    }
}
