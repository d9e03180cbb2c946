//! Records into pages and back.

use engine::wal::page::{boundary, HEADER_SIZE, PAGE_SIZE};
use engine::wal::{Compression, Framer, Reader, Records, SeriesRef};
use proptest::prelude::*;

/// A samples record of `count` rows that do not compress.
fn noise(count: usize, seed: u64) -> Records {
    let mut records = Records::default();
    let mut state = seed;
    let row = |i: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (SeriesRef(i as u64), i as i64, f64::from_bits(state))
    };
    let rows: Vec<_> = (0..count).map(row).collect();
    records.samples(rows.into_iter(), usize::MAX);
    records
}

fn read_all(segment: &[u8], start: usize) -> Vec<Vec<u8>> {
    let mut reader = Reader::new(segment, start);
    let mut records = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        records.push(record.to_vec());
    }
    records
}

proptest! {
    #[test]
    fn records_round_trip_wherever_pages_end(
        counts in proptest::collection::vec(prop_oneof![1usize..40, 2000..3300usize, Just(9000)], 1..12),
        snappy in any::<bool>(),
        zeros in prop_oneof![Just(0usize), Just(5), Just(100_000)],
    ) {
        let compression = if snappy { Compression::Snappy } else { Compression::None };
        let mut framer = Framer::new(0, usize::MAX, compression);
        let mut wanted = Vec::new();
        let mut starts = Vec::new();
        for (i, count) in counts.iter().enumerate() {
            let records = noise(*count, i as u64);
            starts.push(framer.offset());
            prop_assert!(framer.add(&records));
            wanted.extend(records.iter().map(<[u8]>::to_vec));
        }
        prop_assert_eq!(framer.framed().len(), framer.offset());
        let mut segment = framer.framed().to_vec();
        segment.resize(segment.len() + zeros, 0);
        for (i, start) in starts.iter().enumerate() {
            prop_assert_eq!(&read_all(&segment, *start)[..], &wanted[i..]);
        }
    }
}

/// A record whose fragment leaves `left` bytes of the first page.
fn fill(framer: &mut Framer, left: usize) {
    let mut records = Records::default();
    let header = engine::wal::BatchHeader::default();
    // type, version, flags and three counts of one byte
    let event = vec![7; PAGE_SIZE - HEADER_SIZE - left - 6];
    records.header(&header, &event);
    assert!(framer.add(&records));
}

#[test]
fn a_page_without_room_for_a_header_is_closed() {
    for left in 0..10 {
        let mut framer = Framer::new(0, usize::MAX, Compression::None);
        fill(&mut framer, left);
        let closed = left < HEADER_SIZE;
        assert_eq!(
            framer.offset(),
            if closed { PAGE_SIZE } else { PAGE_SIZE - left },
            "{left}"
        );
        framer.add(&noise(3, 1));
        assert_eq!(read_all(framer.framed(), 0).len(), 2, "{left}");
        assert_eq!(boundary(PAGE_SIZE - left), framer_start(left), "{left}");
    }
}

fn framer_start(left: usize) -> usize {
    if left < HEADER_SIZE {
        PAGE_SIZE
    } else {
        PAGE_SIZE - left
    }
}

#[test]
fn a_framer_goes_on_where_a_reader_ended() {
    let mut first = Framer::new(0, usize::MAX, Compression::Snappy);
    for i in 0..100 {
        first.add(&noise(50, i));
    }
    let mut segment = first.framed().to_vec();
    let mut second = Framer::new(segment.len(), usize::MAX, Compression::Snappy);
    second.add(&noise(50, 100));
    segment.extend_from_slice(second.framed());
    assert_eq!(segment.len(), second.offset());
    assert_eq!(read_all(&segment, 0).len(), 101);
}

#[test]
fn a_batch_that_does_not_fit_is_left_out_whole() {
    let mut framer = Framer::new(0, PAGE_SIZE, Compression::None);
    assert!(framer.add(&noise(2000, 1)));
    let (offset, framed) = (framer.offset(), framer.framed().to_vec());
    assert!(!framer.add(&noise(2000, 2)));
    assert_eq!((framer.offset(), framer.framed()), (offset, framed.as_slice()));
    assert!(framer.add(&noise(10, 3)));
}

#[test]
fn an_empty_segment_takes_anything() {
    let mut framer = Framer::new(0, PAGE_SIZE, Compression::None);
    assert!(framer.add(&noise(10_000, 1)));
    assert!(framer.offset() > 3 * PAGE_SIZE);
    assert!(!framer.add(&noise(1, 2)));
}

#[test]
fn rewinding_forgets_what_was_not_written() {
    let mut framer = Framer::new(0, usize::MAX, Compression::None);
    framer.add(&noise(5, 1));
    let (written, end) = (framer.framed().to_vec(), framer.offset());
    framer.clear();
    framer.add(&noise(5, 2));
    framer.rewind(end);
    assert!(framer.framed().is_empty());
    framer.add(&noise(5, 3));
    let segment = [written.as_slice(), framer.framed()].concat();
    let wanted: Vec<Vec<u8>> = [noise(5, 1), noise(5, 3)]
        .iter()
        .flat_map(|r| r.iter().map(<[u8]>::to_vec).collect::<Vec<_>>())
        .collect();
    assert_eq!(read_all(&segment, 0), wanted);
}

#[test]
fn what_does_not_shrink_is_stored_as_it_is() {
    let mut framer = Framer::new(0, usize::MAX, Compression::Snappy);
    framer.add(&crate::batch(0, None, &[], b"abcdefgh"));
    assert_eq!(framer.framed()[0], 1, "a full fragment, not compressed");
    let mut records = Records::default();
    records.samples((0..100).map(|_| (SeriesRef(1), 1, 1.0)), usize::MAX);
    let before = framer.offset();
    framer.add(&records);
    assert_eq!(framer.framed()[before], 1 | 8, "a full fragment, snappy");
}
