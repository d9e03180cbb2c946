//! Damage in the log and in head chunks is named, wherever it is.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use engine::chunk::Sequence;
use engine::head_chunks::{encode, HEADER};
use engine::labels::{pack, Labels};
use engine::verify::{head_chunks, Damaged, LogVerifier};
use engine::wal::{BatchHeader, Compression, Framer, Records, SeriesRef, PAGE_SIZE};

/// A segment of some pages: a series, then batches of samples, one of them longer than a page.
fn segment(batches: u64) -> Vec<u8> {
    let mut framer = Framer::new(0, 1 << 20, Compression::None);
    let mut packed = Vec::new();
    pack(&mut [("__name__", "up")], &mut packed).unwrap();
    for n in 0..batches {
        let mut records = Records::default();
        if n == 0 {
            records.series([(SeriesRef(1), Labels::trusted(&packed))].into_iter());
        }
        let samples = if n == 1 { 10_000 } else { 100 };
        let header = BatchHeader {
            samples,
            records: 1,
            ..BatchHeader::default()
        };
        records.header(&header, b"an event");
        records.samples(
            (0..samples as i64).map(|t| (SeriesRef(1), t * 7919, t as f64 * 1.1)),
            usize::MAX,
        );
        assert!(framer.add(&records));
    }
    framer.framed().to_vec()
}

fn covers(damaged: &[Damaged], at: usize) -> bool {
    damaged
        .iter()
        .any(|range| (range.offset..range.offset + range.length.max(1)).contains(&at))
}

#[test]
fn a_sound_log_has_no_damage_and_all_samples() {
    let mut verifier = LogVerifier::default();
    let mut segment = segment(100);
    assert_eq!(verifier.segment(&segment), []);
    assert_eq!((verifier.samples, verifier.orphans), (10_000 + 99 * 100, 0));
    segment.resize(1 << 20, 0);
    assert_eq!(
        LogVerifier::default().segment(&segment),
        [],
        "preallocated zeros are no damage"
    );
}

#[test]
fn each_flipped_byte_of_a_log_is_in_a_damaged_range_and_the_pages_behind_it_are_read() {
    let sound = segment(200);
    let pages = sound.len().div_ceil(PAGE_SIZE);
    assert!(pages > 6, "{pages}");
    for at in (0..sound.len()).step_by(3571) {
        let mut segment = sound.clone();
        segment[at] ^= 0x55;
        let mut verifier = LogVerifier::default();
        let damaged = verifier.segment(&segment);
        assert!(covers(&damaged, at), "byte {at}: {damaged:?}");
        let lost: usize = damaged.iter().map(|range| range.length).sum();
        assert!(lost <= 6 * PAGE_SIZE, "byte {at}: {damaged:?}");
        assert!(verifier.samples > 5_000);
    }
}

#[test]
fn samples_without_their_series_are_counted() {
    let mut segment = segment(10);
    segment[8] ^= 1;
    let mut verifier = LogVerifier::default();
    assert!(!verifier.segment(&segment).is_empty());
    assert_eq!(verifier.orphans, verifier.samples);
}

#[test]
fn each_flipped_byte_of_a_file_of_head_chunks_is_in_a_damaged_range() {
    let mut sound = HEADER.to_vec();
    let mut chunks = Sequence::default();
    for t in 0..1000 {
        if let Some(chunk) = chunks.append_float(t * 15_000, t as f64) {
            encode(SeriesRef(7), &chunk, false, &mut sound);
        }
    }
    let length = sound.len();
    sound.resize(length + 4096, 0);
    let (count, damaged) = head_chunks(&sound.clone().into());
    assert_eq!((count, damaged.len()), (8, 0));
    for at in (0..length).filter(|at| !(5..8).contains(at)).step_by(7) {
        let mut file = sound.clone();
        file[at] ^= 0x55;
        let (_, damaged) = head_chunks(&file.into());
        assert!(covers(&damaged, at), "byte {at}: {damaged:?}");
    }
}
