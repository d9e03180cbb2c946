//! Where chunks end.

use crate::chunk::sequence::CHUNK_RANGE;
use crate::chunk::{Chunk, Sequence};

/// Chunks of a series with the given steps and values.
fn floats(start: i64, count: usize, step: impl Fn(usize) -> i64, mut value: impl FnMut() -> f64) -> Vec<Chunk> {
    let mut sequence = Sequence::default();
    let mut t = start;
    let mut chunks = Vec::new();
    for i in 0..count {
        chunks.extend(sequence.append_float(t, value()));
        t += step(i);
    }
    chunks.extend(sequence.finish());
    chunks
}

fn lengths(chunks: &[Chunk]) -> Vec<u16> {
    chunks.iter().map(|chunk| chunk.count().unwrap()).collect()
}

/// The lengths on the right were read from the head of Prometheus 2.54.
#[test]
fn floats_are_cut_where_prometheus_cuts() {
    let start = 1_700_000_000_000;
    let lengths = |start, count, step: &dyn Fn(usize) -> i64| lengths(&floats(start, count, step, || 1.0));
    assert_eq!(
        lengths(start, 1000, &|_| 15_000),
        [143, 142, 142, 120, 120, 120, 120, 93]
    );
    assert_eq!(
        lengths(start, 1000, &|_| 1000),
        [117, 117, 117, 117, 117, 117, 117, 117, 64]
    );
    assert_eq!(lengths(start, 400, &|_| 60_000), [107, 120, 120, 53]);
    assert_eq!(lengths(start, 10, &|_| 3_600_000), [2, 2, 2, 2, 2]);
    let faster = |i| if i < 40 { 15_000 } else { 100 };
    assert_eq!(
        lengths(start, 1500, &faster),
        [240, 117, 117, 117, 117, 117, 117, 117, 117, 117, 117, 90]
    );
    let slower = |i| if i < 40 { 100 } else { 45_000 };
    assert_eq!(lengths(start, 300, &slower), [41, 142, 117]);
    assert_eq!(lengths(1_699_999_200_000, 100, &|_| 120_000), [60, 40]);
}

#[test]
fn a_chunk_of_large_floats_is_cut_by_its_size() {
    let mut state = 1u64;
    let random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        f64::from_bits(state)
    };
    let faster = |i| if i < 40 { 15_000 } else { 100 };
    let chunks = floats(1_700_000_000_000, 500, faster, random);
    assert!((80..120).contains(&lengths(&chunks)[0]), "{:?}", lengths(&chunks));
    assert!(chunks.iter().all(|chunk| chunk.data.len() <= 1024));
}

#[test]
fn no_chunk_crosses_a_range_even_before_1970() {
    let mut sequence = Sequence::default();
    let times = [
        -CHUNK_RANGE - 1,
        -1,
        0,
        CHUNK_RANGE - 1,
        CHUNK_RANGE,
        i64::MAX - 1,
        i64::MAX,
    ];
    let ends = times
        .into_iter()
        .filter_map(|t| sequence.append_float(t, 1.0))
        .map(|chunk| chunk.maxt);
    assert_eq!(
        ends.collect::<Vec<_>>(),
        [-CHUNK_RANGE - 1, -1, CHUNK_RANGE - 1, CHUNK_RANGE, i64::MAX - 1]
    );
}
