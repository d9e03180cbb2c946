//! What a writer takes, and what comes of it.

use std::collections::{BTreeMap, BTreeSet};

use engine::block::{Block, Held, Interval, Stats};
use engine::labels::compare;
use engine::postings::Source;
use proptest::prelude::*;

use super::*;

#[test]
fn series_and_chunks_are_read_again() {
    let rows = [
        (
            labels(&[("__name__", "m"), ("a", "1")]),
            vec![chunk(&[1, 2, 3]), chunk(&[4, 9])],
        ),
        (labels(&[("__name__", "m"), ("a", "1"), ("b", "")]), vec![chunk(&[-5])]),
    ];
    // A set with an empty value is the same set.
    assert!(matches!(write(&rows), Err(Refusal::Unsorted(..))));
    let files = write(&rows[..1]).unwrap();
    let wanted = vec![vec![(1, 1.0), (2, 2.0), (3, 3.0)], vec![(4, 4.0), (9, 9.0)]];
    assert_eq!(read(&files), vec![(rows[0].0.clone(), wanted)]);
    let index = files.index();
    assert_eq!(index.version(), 2);
    assert_eq!(index.names().collect::<Vec<_>>(), ["__name__", "a"]);
    assert_eq!(index.values("a").collect::<Vec<_>>(), ["1"]);
    assert_eq!(index.symbols().collect::<Vec<_>>(), ["", "1", "__name__", "a", "m"]);
    assert_eq!(index.postings("a", "1").unwrap().count(), 1);
    assert_eq!(index.postings("a", "2").unwrap().count(), 0);
    assert_eq!(index.postings("b", "1").unwrap().count(), 0);
}

#[test]
fn what_prometheus_writer_refuses_is_refused() {
    let m = labels(&[("__name__", "m")]);
    let of = |chunks: &[Chunk]| write(&[(m.clone(), chunks.to_vec())]);
    assert!(matches!(of(&[]), Err(Refusal::NoChunks(_))));
    assert!(matches!(
        of(&[chunk(&[1, 5]), chunk(&[5])]),
        Err(Refusal::ChunkTimes(..))
    ));
    let upside_down = Chunk { mint: 6, ..chunk(&[5]) };
    assert!(matches!(of(&[upside_down]), Err(Refusal::ChunkTimes(..))));
    let empty = Chunk {
        data: vec![0, 0].into(),
        ..chunk(&[5])
    };
    assert!(matches!(of(&[empty]), Err(Refusal::EmptyChunk(_))));
    assert_eq!(write(&[(Vec::new(), vec![chunk(&[1])])]), Err(Refusal::NoLabels));
    let twice = write(&[(m.clone(), vec![chunk(&[1])]), (m.clone(), vec![chunk(&[2])])]);
    assert!(matches!(twice, Err(Refusal::Unsorted(..))));
}

#[test]
fn a_refused_series_leaves_the_block_as_it_was() {
    let (a, b) = (
        labels(&[("__name__", "a")]),
        labels(&[("__name__", "b"), ("only", "here")]),
    );
    let mut writer = Writer::new(&[10, 20]).unwrap();
    writer.add(Labels::trusted(&a), &[chunk(&[1])], None).unwrap();
    let refused = writer.add(Labels::trusted(&b), &[chunk(&[1]), chunk(&[1])], None);
    assert!(refused.is_err());
    assert_eq!(
        writer.add(Labels::trusted(&b), &[chunk(&[1])], Some(&[11])),
        Err(Refusal::Exceptions)
    );
    assert_eq!(writer.stats().samples(), 1);
    assert_eq!(
        Files::default().finish(writer),
        write(&[(a, vec![chunk(&[1])])]).unwrap()
    );
}

#[test]
fn chunk_files_are_cut_at_their_size() {
    let chunks: Vec<Chunk> = (0..10).map(|n| chunk(&[10 * n, 10 * n + 1])).collect();
    let entry = chunks[0].data.len() as u64 + 6;
    let mut writer = Writer::with_segment_size(&[], 8 + 2 * entry + 5).unwrap();
    let m = labels(&[("__name__", "m")]);
    writer.add(Labels::trusted(&m), &chunks, None).unwrap();
    let files = Files::default().finish(writer);
    assert_eq!(files.chunks.len(), 5);
    let read = read(&files);
    assert_eq!(read[0].1, chunks.iter().map(floats).collect::<Vec<_>>());
}

#[test]
fn stats_count_by_kind() {
    let mut writer = Writer::new(&[]).unwrap();
    let m = labels(&[("__name__", "m")]);
    let histogram = Chunk {
        encoding: Encoding::Histogram,
        mint: 7,
        maxt: 9,
        data: vec![0, 4, 0].into(),
    };
    writer
        .add(Labels::trusted(&m), &[chunk(&[-1, 2]), histogram], None)
        .unwrap();
    let wanted = Stats {
        series: 1,
        chunks: 2,
        float_samples: 2,
        histogram_samples: 4,
        range: Some((-1, 9)),
    };
    assert_eq!(writer.stats(), wanted);
}

#[test]
fn held_series_keep_their_ticks_and_exceptions() {
    let ticks = [-30, 0, 15, 30, i64::MAX];
    let mut writer = Writer::new(&ticks).unwrap();
    let names = ["a", "b", "c", "d"];
    let held: [Option<&[i64]>; 4] = [Some(&[-30, 15, i64::MAX]), None, Some(&[]), Some(&[0])];
    for (name, exceptions) in names.iter().zip(held) {
        let packed = labels(&[("__name__", name)]);
        writer
            .add(Labels::trusted(&packed), &[chunk(&[1])], exceptions)
            .unwrap();
    }
    let files = Files::default().finish(writer);
    let held_file = files.held.map(Blob::from);
    let read = Held::open(held_file.clone().unwrap()).unwrap();
    assert_eq!(read.ticks(), ticks);
    assert_eq!(read.ordinals().collect::<Vec<_>>(), [0, 2, 3]);
    for (ordinal, exceptions) in held.iter().enumerate() {
        let series = read.series(ordinal as u32);
        assert_eq!(
            series.as_ref().map(|series| series.exceptions().to_vec()),
            exceptions.map(<[i64]>::to_vec)
        );
        if let Some(series) = series {
            for t in [-31, -30, 0, 1, 15, 30, i64::MAX] {
                let is_virtual = ticks.contains(&t) && !exceptions.unwrap().contains(&t);
                assert_eq!(series.is_virtual(t), is_virtual, "series {ordinal} at {t}");
            }
        }
    }
    assert!(matches!(Writer::new(&[1, 1]), Err(Refusal::Ticks)));

    let chunks = files.chunks.into_iter().map(Blob::from).collect();
    let block = Block::open(files.index.into(), chunks, None, held_file).unwrap();
    for (reference, exceptions) in block.index().all().unwrap().zip(held) {
        let series = block.held_series(reference);
        assert_eq!(
            series.map(|series| series.exceptions().to_vec()),
            exceptions.map(<[i64]>::to_vec)
        );
        assert!(block.held_series(u32::MAX).is_none());
    }
}

#[test]
fn a_deletion_is_clamped_to_the_times_of_each_series() {
    let rows: Vec<Row> = (0..3)
        .map(|n| {
            (
                labels(&[("__name__", "m"), ("n", &n.to_string())]),
                vec![chunk(&[100 * n, 100 * n + 10])],
            )
        })
        .collect();
    let files = write(&rows).unwrap();
    let block = Block::open(files.index.into(), vec![files.chunks[0].clone().into()], None, None).unwrap();
    let all: Vec<u32> = block.index().all().unwrap().collect();
    let stones = block
        .delete(all.iter().copied(), Interval { mint: 5, maxt: 105 })
        .unwrap();
    let wanted = [
        (all[0].into(), Interval { mint: 5, maxt: 10 }),
        (all[1].into(), Interval { mint: 100, maxt: 105 }),
    ];
    assert_eq!(stones.iter().collect::<Vec<_>>(), wanted);
}

/// Label sets out of few names and values, so that pairs are shared.
fn sets() -> impl Strategy<Value = BTreeSet<Vec<(String, String)>>> {
    let pair = ("[a-e]{1,2}", prop_oneof!["[a-z]{1,3}", "é{0,1}x", "[0-9]{1,2}"]);
    let set = proptest::collection::btree_map(pair.0, pair.1, 1..6).prop_map(|set| set.into_iter().collect());
    proptest::collection::btree_set(set, 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_series_come_back_by_every_way(sets in sets(), chunks in 1usize..4) {
        let mut rows: Vec<Row> = sets
            .iter()
            .enumerate()
            .map(|(n, set)| {
                let pairs: Vec<(&str, &str)> = set.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                let t = n as i64;
                (labels(&pairs), (0..chunks).map(|c| chunk(&[t + 10 * c as i64, t + 10 * c as i64 + 3])).collect())
            })
            .collect();
        rows.sort_by(|a, b| compare(Labels::trusted(&a.0), Labels::trusted(&b.0)));
        let files = write(&rows).unwrap();
        let wanted: Vec<Series> = rows
            .iter()
            .map(|(labels, chunks)| (labels.clone(), chunks.iter().map(floats).collect()))
            .collect();
        prop_assert_eq!(read(&files), wanted);

        let index = files.index();
        let all: Vec<u32> = index.all().unwrap().collect();
        let mut by_pair: BTreeMap<&str, BTreeMap<&str, Vec<u32>>> = BTreeMap::new();
        let mut symbols = BTreeSet::from([""]);
        for ((packed, _), reference) in rows.iter().zip(&all) {
            for (name, value) in Labels::trusted(packed).iter() {
                by_pair.entry(name).or_default().entry(value).or_default().push(*reference);
                symbols.extend([name, value]);
            }
        }
        prop_assert!(index.names().eq(by_pair.keys().copied()));
        prop_assert!(index.symbols().eq(symbols.iter().copied()));
        prop_assert_eq!(index.symbol_count(), symbols.len());
        for (name, values) in &by_pair {
            prop_assert!(index.values(name).eq(values.keys().copied()));
            for (value, references) in values {
                prop_assert_eq!(&index.postings(name, value).unwrap().collect::<Vec<_>>(), references);
                let absent = format!("{value}~");
                prop_assert!(index.postings(name, &absent).unwrap().is_empty());
            }
            for prefix in ["", "a", "b", "x", "é", "~"] {
                let fitting = values.iter().filter(|(value, _)| value.starts_with(prefix));
                let wanted: Vec<u32> = fitting.flat_map(|(_, references)| references.clone()).collect();
                let lists = Source::lists(&index, name, prefix, &mut |_| true).unwrap();
                prop_assert_eq!(lists.into_iter().flatten().collect::<Vec<_>>(), wanted);
            }
            let lists: Vec<_> = index.lists(name).map(|(value, list)| (value, list.unwrap().collect())).collect();
            prop_assert_eq!(lists, values.iter().map(|(v, r)| (*v, r.clone())).collect::<Vec<_>>());
        }
    }
}
