//! Reading on behind damage: what is lost is what was harmed, and no more than a page when a length was.

use engine::head::Head;
use engine::wal::hole::hole;
use engine::wal::page::PAGE_SIZE;
use engine::wal::{has_headers, BatchReader, Compression, LogBatch, Records, SeriesRef};
use proptest::prelude::*;

use crate::{batch, segment};

/// Sequence numbers of the batches that are read, and the ranges left out.
fn read_on(segment: &[u8]) -> (Vec<u64>, Vec<std::ops::Range<usize>>) {
    let mut reader = BatchReader::new(segment, 0);
    let (mut seqs, mut lost) = (Vec::new(), Vec::new());
    let mut batch = LogBatch::default();
    loop {
        match reader.next_batch(&mut batch) {
            Ok(true) => seqs.extend(batch.header.map(|header| header.seq)),
            Ok(false) => return (seqs, lost),
            Err(_) => {
                let from = reader.offset();
                match reader.skip(has_headers(segment)) {
                    Some(to) => lost.push(from..to),
                    None => return (seqs, lost),
                }
            }
        }
    }
}

/// Twelve batches, some of them over several pages.
fn sample(compression: Compression) -> (Vec<u8>, Vec<usize>) {
    let parts: Vec<Records> = (0..12u64)
        .map(|n| {
            let rows = if n % 4 == 1 { 5000 } else { 3 };
            let times: Vec<i64> = (0..rows).map(|i| i * i + n as i64).collect();
            batch(n, None, &times, b"event")
        })
        .collect();
    segment(&parts, compression)
}

#[test]
fn a_flip_costs_its_batch_or_the_rest_of_its_page() {
    for compression in [Compression::None, Compression::Snappy] {
        let (whole, ends) = sample(compression);
        let mut one = 0;
        let flips: Vec<usize> = (0..whole.len()).step_by(1511).collect();
        for &at in &flips {
            let mut harmed = whole.clone();
            harmed[at] ^= 0x10;
            let (seqs, lost) = read_on(&harmed);
            let victim = ends.iter().filter(|end| **end <= at).count();
            let page = at - at % PAGE_SIZE + PAGE_SIZE;
            // Batches that begin behind the page are there, and so are those before.
            let safe = (0..12).filter(|n| *n < victim || (*n > 0 && ends[n - 1] >= page && *n > victim));
            assert!(safe.into_iter().all(|n| seqs.contains(&(n as u64))), "{at}: {seqs:?}");
            assert!(lost.len() <= 1, "{at}");
            one += usize::from(seqs.len() == 11 && !seqs.contains(&(victim as u64)));
        }
        assert!(one * 10 > flips.len() * 9, "{one} of {}", flips.len());
    }
}

#[test]
fn a_hole_takes_the_place_of_what_was_lost() {
    for compression in [Compression::None, Compression::Snappy] {
        let (whole, _) = sample(compression);
        for at in (0..whole.len()).step_by(5003) {
            let mut harmed = whole.clone();
            harmed[at] ^= 0x10;
            let (seqs, lost) = read_on(&harmed);
            for range in &lost {
                let bytes = hole(range.start, range.end).unwrap();
                assert_eq!(bytes.len(), range.len());
                harmed[range.clone()].copy_from_slice(&bytes);
            }
            assert_eq!(
                read_on(&harmed),
                (seqs, if lost.is_empty() { read_on(&harmed).1 } else { vec![] }),
                "{at}"
            );
        }
    }
}

#[test]
fn parts_of_a_harmed_batch_are_not_taken_for_batches() {
    let (mut segment, ends) = segment(
        &[
            batch(0, None, &[1], b""),
            batch(1, None, &[2, 3], b""),
            batch(3, None, &[4], b""),
        ],
        Compression::None,
    );
    segment[ends[0] + 8] ^= 1; // the header of the second: its samples stand alone now
    let mut head = Head::new();
    let replayed = head.replay_past_damage(&segment, 0).unwrap();
    assert_eq!(
        (replayed.samples, replayed.end, replayed.damage),
        (2, segment.len(), None)
    );
    assert_eq!(replayed.skipped.len(), 1);
    assert_eq!(replayed.skipped[0].0, ends[0]..ends[1]);
}

#[test]
fn a_log_without_headers_goes_on_at_the_next_record() {
    let mut records = Records::default();
    for t in 0..5 {
        records.samples([(SeriesRef(1), t, 1.0)].into_iter(), usize::MAX);
    }
    let (mut segment, _) = segment(&[records], Compression::None);
    let size = segment.len() / 5;
    segment[size + 12] ^= 1;
    let replayed = Head::new().replay_past_damage(&segment, 0).unwrap();
    assert_eq!((replayed.samples, replayed.skipped[0].0.clone()), (4, size..2 * size));
}

#[test]
fn a_hole_fills_its_range_to_the_byte_or_is_not_made() {
    for (start, stop) in [
        (0, 8),
        (0, PAGE_SIZE),
        (100, 3 * PAGE_SIZE + 50),
        (PAGE_SIZE - 3, 2 * PAGE_SIZE),
    ] {
        assert_eq!(hole(start, stop).unwrap().len(), stop - start);
    }
    assert_eq!(hole(0, 0), Some(vec![]));
    for (start, stop) in [(0, 7), (0, 3), (5, 4)] {
        assert_eq!(hole(start, stop), None, "{start} to {stop}");
    }
}

proptest! {
    #[test]
    fn reading_on_ends_whatever_the_bytes(segment in proptest::collection::vec(prop_oneof![Just(0u8), 0u8..5, any::<u8>()], 0..300)) {
        let (_, lost) = read_on(&segment);
        prop_assert!(lost.windows(2).all(|pair| pair[0].end <= pair[1].start));
        let replayed = Head::new().replay_past_damage(&segment, 0).unwrap();
        prop_assert!(replayed.end <= segment.len());
    }
}
