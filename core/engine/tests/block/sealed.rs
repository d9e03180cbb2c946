//! Files that somebody changed and gave the right checksums again: whatever they say, reading them ends, in data or in damage.

use std::ops::Range;

use engine::block::{verify, Held, Tombstones};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index as Place;

use super::damage::{read_all, small};
use super::*;

/// What each checksum of a file covers; the checksum stands behind it.
type Seals = Vec<Range<usize>>;

fn u32_at(bytes: &[u8], place: usize) -> usize {
    u32::from_be_bytes(bytes[place..place + 4].try_into().unwrap()) as usize
}

fn index_seals(files: &Files) -> Seals {
    let bytes = &files.index;
    let contents = bytes.len() - 52;
    let offset = |n: usize| u32_at(bytes, contents + 8 * n + 4);
    let section = |place: usize| place + 4..place + 4 + u32_at(bytes, place);
    let mut seals = vec![section(5), section(offset(5)), contents..contents + 48];
    for reference in files.index().all().unwrap() {
        let place = 16 * reference as usize;
        assert!(bytes[place] < 0x80, "the length has one byte");
        seals.push(place + 1..place + 1 + usize::from(bytes[place]));
    }
    let mut place = offset(4).next_multiple_of(4);
    while place < offset(3) {
        let list = section(place);
        place = list.end + 4;
        seals.push(list);
    }
    seals
}

fn chunk_seals(file: &[u8]) -> Seals {
    let mut seals = Vec::new();
    let mut place = 8;
    while place < file.len() {
        let entry = place + 1..place + 2 + usize::from(file[place]);
        place = entry.end + 4;
        seals.push(entry);
    }
    seals
}

/// Put bytes into what is covered, and the checksums right.
fn change(file: &mut [u8], seals: &Seals, changes: &[(Place, Place, u8)]) {
    for (seal, place, byte) in changes {
        let covered = &mut file[seal.get(seals).clone()];
        *place.get_mut(covered) = *byte;
    }
    for seal in seals {
        let crc = crc32c::crc32c(&file[seal.clone()]);
        file[seal.end..seal.end + 4].copy_from_slice(&crc.to_be_bytes());
    }
}

fn changes() -> impl Strategy<Value = Vec<(Place, Place, u8)>> {
    let byte = prop_oneof![Just(0u8), Just(1), Just(0x7f), Just(0x80), Just(0xff), any::<u8>()];
    vec((any::<Place>(), any::<Place>(), byte), 1..6)
}

fn check(files: &Files) {
    let chunks: Vec<Blob> = files.chunks.iter().cloned().map(Blob::from).collect();
    let found = verify(
        &files.index.clone().into(),
        &chunks,
        None,
        files.held.clone().map(Blob::from).as_ref(),
    );
    assert!(found.stats.samples() < 1_000_000);
    for (_, chunks) in read_all(files).into_iter().flatten() {
        for chunk in chunks {
            let _ = chunk.samples().map(|samples| samples.take_while(Result::is_ok).count());
        }
    }
}

#[test]
fn seals_are_where_they_are_thought_to_be() {
    let mut files = small();
    let whole = files.clone();
    change(&mut files.index, &index_seals(&whole), &[]);
    for file in &mut files.chunks {
        let seals = chunk_seals(file);
        change(file, &seals, &[]);
    }
    assert_eq!(files, whole);
}

proptest! {
    #[test]
    fn an_index_that_lies_is_read_to_the_end(changes in changes()) {
        let mut files = small();
        let seals = index_seals(&files);
        change(&mut files.index, &seals, &changes);
        check(&files);
    }

    #[test]
    fn a_chunk_file_that_lies_is_read_to_the_end(changes in changes(), file in any::<Place>()) {
        let mut files = small();
        let file = file.get_mut(&mut files.chunks);
        let seals = chunk_seals(file);
        change(file, &seals, &changes);
        check(&files);
    }

    #[test]
    fn a_held_file_that_lies_is_read_to_the_end(bytes in vec(any::<u8>(), 0..40)) {
        let mut file = small().held.unwrap()[..5].to_vec();
        file.extend_from_slice(&bytes);
        file.extend_from_slice(&crc32c::crc32c(&file).to_be_bytes());
        if let Ok(held) = Held::open(file.into()) {
            for ordinal in held.ordinals() {
                let series = held.series(ordinal).expect("an ordinal that it names");
                prop_assert!(series.exceptions().iter().all(|time| held.ticks().contains(time)));
            }
        }
    }

    #[test]
    fn tombstones_that_lie_are_read_to_the_end(bytes in vec(any::<u8>(), 0..40)) {
        let mut file = Tombstones::default().write()[..5].to_vec();
        file.extend_from_slice(&bytes);
        file.extend_from_slice(&crc32c::crc32c(&bytes).to_be_bytes());
        if let Ok(stones) = Tombstones::read(&file) {
            prop_assert_eq!(Tombstones::read(&stones.write()), Ok(stones));
        }
    }
}
