//! A block that promtool 2.42 made (`tsdb create-blocks-from openmetrics`): 20 series of 150 samples.

use engine::block::{verify, Block};
use engine::labels::format_labels;

use super::*;

const INDEX: &[u8] = include_bytes!("promtool-2.42/index");
const CHUNKS: &[u8] = include_bytes!("promtool-2.42/chunks");
const TOMBSTONES: &[u8] = include_bytes!("promtool-2.42/tombstones");
const START: i64 = 1_699_999_200_000;

pub fn files() -> Files {
    Files {
        index: INDEX.to_vec(),
        chunks: vec![CHUNKS.to_vec()],
        held: None,
    }
}

#[test]
fn its_series_are_read() {
    let rows = read(&files());
    assert_eq!(rows.len(), 20);
    for (i, (packed, chunks)) in rows.iter().enumerate() {
        let mut text = String::new();
        format_labels(Labels::checked(packed).unwrap(), &mut text);
        let rare = if i == 7 { r#"rare="x", "# } else { "" };
        let mod3 = i % 3;
        let wanted =
            format!(r#"{{__name__="rows", instance="host-{i:02}", job="nightly", {rare}text="ünï \"{mod3}\""}}"#);
        assert_eq!(text, wanted);
        let samples: Vec<(i64, f64)> = chunks.concat();
        let wanted = (0..150i64).map(|k| (START + 30_000 * k, i as f64 * 1000.0 + k as f64 * 0.5));
        assert_eq!(samples, wanted.collect::<Vec<_>>());
    }
}

#[test]
fn its_pairs_are_found() {
    let files = files();
    let block = Block::open(
        files.index.into(),
        vec![CHUNKS.to_vec().into()],
        Some(TOMBSTONES.to_vec().into()),
        None,
    )
    .unwrap();
    let index = block.index();
    assert_eq!(
        index.names().collect::<Vec<_>>(),
        ["__name__", "instance", "job", "rare", "text"]
    );
    let hosts: Vec<String> = (0..20).map(|i| format!("host-{i:02}")).collect();
    assert_eq!(index.values("instance").collect::<Vec<_>>(), hosts);
    let all: Vec<u32> = index.all().unwrap().collect();
    for (host, reference) in hosts.iter().zip(&all) {
        assert_eq!(
            index.postings("instance", host).unwrap().collect::<Vec<_>>(),
            [*reference]
        );
    }
    assert_eq!(index.postings("job", "nightly").unwrap().collect::<Vec<_>>(), all);
    assert_eq!(index.postings("rare", "x").unwrap().collect::<Vec<_>>(), [all[7]]);
    assert_eq!(block.tombstones().count(), 0);
}

#[test]
fn it_has_no_damage() {
    let found = verify(
        &INDEX.to_vec().into(),
        &[CHUNKS.to_vec().into()],
        Some(&TOMBSTONES.to_vec().into()),
        None,
    );
    assert_eq!(found.damage, []);
    assert_eq!(
        (found.stats.series, found.stats.chunks, found.stats.samples()),
        (20, 40, 3000)
    );
    assert_eq!(found.stats.range, Some((START, START + 149 * 30_000)));
    assert_eq!(found.crossing, 0);
}

/// Ours has no label-index sections, which nobody reads any more; everything before and the lists are the same.
#[test]
fn written_again_it_is_the_same_to_the_byte() {
    let (theirs, chunk_files) = (files().index(), files().chunk_files());
    let (mut packed, mut metas) = (Vec::new(), Vec::new());
    let mut rows: Vec<Row> = Vec::new();
    for reference in theirs.all().unwrap() {
        theirs.series(reference, &mut packed, &mut metas).unwrap();
        let chunks = metas.iter().map(|meta| chunk_files.chunk(meta).unwrap()).collect();
        rows.push((packed.clone(), chunks));
    }
    let ours = write(&rows).unwrap();
    assert_eq!(ours.chunks, [CHUNKS]);
    let series_end = |index: &[u8]| u64::from_be_bytes(index[index.len() - 36..][..8].try_into().unwrap()) as usize;
    assert_eq!(series_end(&ours.index), series_end(INDEX));
    assert_eq!(ours.index[..series_end(INDEX)], INDEX[..series_end(INDEX)]);
    let postings = |index: &[u8]| {
        let offset = |n: usize| u64::from_be_bytes(index[index.len() - 52 + 8 * n..][..8].try_into().unwrap()) as usize;
        let start = offset(4).next_multiple_of(4);
        index[start..offset(3)].to_vec()
    };
    assert_eq!(postings(&ours.index), postings(INDEX));
}
