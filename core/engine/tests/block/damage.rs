//! Damage: every byte changed, every length cut. Nothing panics, nothing false is believed, and `verify` sees it.

use engine::block::{verify, Block, Damage, File, Held, Reason, Verification};
use engine::chunk::{Chunk, Sequence};
use engine::histogram::{Counts, Histogram};
use engine::sample::Value;

use super::*;

pub fn small() -> Files {
    let mut writer = Writer::with_segment_size(&[2, 3, 20], 100).unwrap();
    for n in 0..9 {
        let set = labels(&[
            ("__name__", "m"),
            ("instance", &format!("host-{n:02}")),
            ("odd", ["", "x"][n % 2]),
        ]);
        let exceptions: Option<&[i64]> = (n % 3 == 0).then_some(&[2, 20]);
        writer
            .add(
                Labels::trusted(&set),
                &[chunk(&[1, 2, 3]), chunk(&[20, 21])],
                exceptions,
            )
            .unwrap();
    }
    Files::default().finish(writer)
}

fn check(files: &Files) -> Verification {
    let chunks: Vec<Blob> = files.chunks.iter().cloned().map(Blob::from).collect();
    let held = files.held.clone().map(Blob::from);
    verify(&files.index.clone().into(), &chunks, None, held.as_ref())
}

/// Labels and chunks of a series.
pub type Raw = (Vec<u8>, Vec<Chunk>);

/// Read by every way there is: what can be read, or damage.
pub fn read_all(files: &Files) -> Vec<Result<Raw, Damage>> {
    let chunks = files.chunks.iter().cloned().map(Blob::from).collect();
    let block = match Block::open(
        files.index.clone().into(),
        chunks,
        None,
        files.held.clone().map(Blob::from),
    ) {
        Ok(block) => block,
        Err(damage) => return vec![Err(damage)],
    };
    let index = block.index();
    let mut lists = vec![index.all()];
    lists.extend(index.names().flat_map(|name| index.lists(name)).map(|(_, list)| list));
    let mut all = Vec::new();
    let (mut labels, mut metas) = (Vec::new(), Vec::new());
    for list in lists {
        let list = match list {
            Ok(list) => list,
            Err(damage) => {
                all.push(Err(damage));
                continue;
            }
        };
        for reference in list {
            let series = index.series(reference, &mut labels, &mut metas).and_then(|()| {
                let chunks: Result<_, _> = metas.iter().map(|meta| block.chunks().chunk(meta)).collect();
                Ok((labels.clone(), chunks?))
            });
            all.push(series);
        }
    }
    all
}

fn same(a: &Raw, b: &Raw) -> bool {
    let parts = |chunk: &Chunk| (chunk.mint, chunk.maxt, chunk.encoding, chunk.data.to_vec());
    a.0 == b.0 && a.1.iter().map(parts).eq(b.1.iter().map(parts))
}

#[test]
fn a_whole_block_has_no_damage() {
    let found = check(&small());
    assert_eq!(found.damage, []);
    assert_eq!(
        (found.stats.series, found.stats.chunks, found.stats.samples()),
        (9, 18, 45)
    );
    assert!(read_all(&small()).iter().all(Result::is_ok));
}

/// Change the file that `file` picks in every way, and say what must come of it.
fn each_change(whole: &Files, file: impl Fn(&mut Files) -> &mut Vec<u8>, mut judge: impl FnMut(usize, &str, &Files)) {
    let length = file(&mut whole.clone()).len();
    for place in 0..length {
        for bit in [0x01, 0x80, 0xff] {
            let mut flipped = whole.clone();
            file(&mut flipped)[place] ^= bit;
            judge(place, "flipped", &flipped);
        }
        let mut cut = whole.clone();
        file(&mut cut).truncate(place);
        judge(place, "cut", &cut);
    }
}

#[test]
fn no_changed_byte_of_an_index_gives_a_false_series() {
    let whole = small();
    let truth: Vec<_> = read_all(&whole).into_iter().map(Result::unwrap).collect();
    each_change(
        &whole,
        |files| &mut files.index,
        |place, what, changed| {
            for series in read_all(changed).into_iter().flatten() {
                assert!(truth.iter().any(|known| same(known, &series)), "{what} at {place}");
            }
            let found = check(changed);
            let version_3 = changed.index.get(4) == Some(&3); // is read as version 2 is
            assert_eq!(found.damage.is_empty(), version_3, "{what} at {place}");
            if what == "flipped" && !version_3 {
                assert!(
                    found.damage.iter().any(|damage| damage.file == File::Index),
                    "{what} at {place}"
                );
            }
        },
    );
}

#[test]
fn no_changed_byte_of_a_chunk_file_gives_a_false_chunk() {
    let whole = small();
    let truth: Vec<_> = read_all(&whole).into_iter().map(Result::unwrap).collect();
    for number in [0, whole.chunks.len() - 1] {
        each_change(
            &whole,
            |files| &mut files.chunks[number],
            |place, what, changed| {
                for series in read_all(changed).into_iter().flatten() {
                    assert!(truth.iter().any(|known| same(known, &series)), "{what} at {place}");
                }
                let padding = what == "flipped" && (5..8).contains(&place); // says nothing
                let found = check(changed);
                assert_eq!(found.damage.is_empty(), padding, "{what} at {place}");
                let here = File::Chunks(number as u32 + 1);
                assert!(
                    found.damage.iter().all(|damage| damage.file == here),
                    "{what} at {place}: {found:?}"
                );
            },
        );
    }
}

#[test]
fn no_changed_byte_of_the_held_file_is_believed() {
    let whole = small();
    each_change(
        &whole,
        |files| files.held.as_mut().unwrap(),
        |place, what, changed| {
            let file = changed.held.clone().unwrap();
            assert!(Held::open(file.into()).is_err(), "{what} at {place}");
            assert_eq!(check(changed).damage.len(), 1);
        },
    );
}

#[test]
fn what_lies_behind_a_damaged_series_is_found_again() {
    let mut files = small();
    let place = u64::from(files.index().all().unwrap().nth(4).unwrap()) as usize * 16;
    files.index[place] = 0xff; // its length
    files.index[place + 1] = 0xff;
    let found = check(&files);
    assert_eq!(found.stats.series, 8);
    let Damage {
        offset, length, reason, ..
    } = found.damage[0];
    assert_eq!((offset, length % 16, reason), (place as u64, 0, Reason::Truncated));
    assert!((16..100).contains(&length));
    // Its chunks belong to nobody now.
    assert!(
        found.damage[1..]
            .iter()
            .all(|damage| damage.reason == Reason::Unreferenced),
        "{:?}",
        found.damage
    );
}

#[test]
fn chunks_are_checked_without_an_index() {
    let mut files = small();
    files.index.clear();
    files.chunks[1][12] ^= 1;
    let found = check(&files);
    let named: Vec<_> = found.damage.iter().map(|damage| (damage.file, damage.reason)).collect();
    assert_eq!(
        named,
        [(File::Index, Reason::Truncated), (File::Chunks(2), Reason::Checksum)]
    );
    assert_eq!(found.stats.chunks, 17);
}

#[test]
fn a_missing_chunk_file_is_named() {
    let mut files = small();
    files.chunks.pop();
    let last = File::Chunks(files.chunks.len() as u32 + 1);
    let found = check(&files);
    assert!(!found.damage.is_empty());
    assert!(found
        .damage
        .iter()
        .all(|damage| damage.file == last && damage.reason == Reason::MissingFile));
}

#[test]
fn chunks_that_lie_are_seen() {
    let set = labels(&[("__name__", "m")]);
    let verdict = |chunk: Chunk| {
        let files = write(&[(set.clone(), vec![chunk])]).unwrap();
        check(&files)
            .damage
            .iter()
            .map(|damage| damage.reason)
            .collect::<Vec<_>>()
    };
    assert_eq!(verdict(chunk(&[5, 6])), []);
    assert_eq!(
        verdict(Chunk {
            mint: 6,
            ..chunk(&[5, 6])
        }),
        [Reason::OutsideTimes]
    );
    assert_eq!(
        verdict(Chunk {
            maxt: 5,
            ..chunk(&[5, 6])
        }),
        [Reason::OutsideTimes]
    );
    assert_eq!(
        verdict(Chunk {
            mint: 1,
            maxt: 9,
            ..chunk(&[5, 4])
        }),
        [Reason::SampleOrder]
    );
    let data = chunk(&[5, 600, 60_000]).data;
    let cut = Chunk {
        data: data.slice(0..data.len() - 2).unwrap(),
        ..chunk(&[5, 60_000])
    };
    assert_eq!(verdict(cut), [Reason::Samples]);
}

/// A chunk of histograms at these times.
fn histograms(times: &[i64]) -> Chunk {
    let mut sequence = Sequence::default();
    for t in times {
        let counts = Counts::Integer {
            count: t.unsigned_abs(),
            zero: 0,
            positive: vec![*t],
            negative: vec![],
        };
        let histogram = Histogram {
            positive: vec![(0, 1)],
            sum: *t as f64,
            counts,
            ..Histogram::default()
        };
        assert!(sequence.append(*t, &Value::Histogram(histogram.into())).is_none());
    }
    sequence.finish().unwrap()
}

#[test]
fn chunks_of_histograms_are_read_to_their_end() {
    let set = labels(&[("__name__", "m")]);
    let found = |chunk: Chunk| check(&write(&[(set.clone(), vec![chunk])]).unwrap());
    let whole = found(histograms(&[5, 600, 60_000]));
    assert_eq!(whole.damage, []);
    assert_eq!(
        (whole.stats.histogram_samples, whole.stats.range),
        (3, Some((5, 60_000)))
    );
    let data = histograms(&[5, 600, 60_000]).data;
    let cut = Chunk {
        data: data.slice(0..data.len() - 2).unwrap(),
        ..histograms(&[5, 60_000])
    };
    assert_eq!(found(cut).damage[0].reason, Reason::Samples);
    let early = Chunk {
        mint: 6,
        ..histograms(&[5, 60_000])
    };
    assert_eq!(found(early).damage[0].reason, Reason::OutsideTimes);
}

#[test]
fn a_chunk_over_a_boundary_is_only_noted() {
    let set = labels(&[("__name__", "m")]);
    let found = check(&write(&[(set, vec![chunk(&[7_199_999, 7_200_000])])]).unwrap());
    assert_eq!((found.damage.len(), found.crossing), (0, 1));
}

#[test]
fn noise_is_damage() {
    let mut state = 1u32;
    let mut noise = |length: usize| -> Vec<u8> {
        (0..length)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect()
    };
    for length in 0..200 {
        let mut files = Files {
            index: noise(length),
            chunks: vec![noise(length)],
            held: Some(noise(length)),
        };
        assert!(check(&files).damage.len() >= 3);
        // With the right beginnings and ends of a file the rest is looked at.
        files.index = small().index;
        let middle = files.index.len() / 2;
        let _ = files.index.splice(middle..middle + length, noise(length)).count();
        files.chunks[0].splice(0..length.min(8), [0x85, 0xBD, 0x40, 0xDD, 1, 0, 0, 0]);
        assert!(!check(&files).damage.is_empty());
        let _ = read_all(&files);
    }
}
