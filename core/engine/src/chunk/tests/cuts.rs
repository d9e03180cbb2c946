//! Where chunks end.

use crate::chunk::sequence::CHUNK_RANGE;
use crate::chunk::{Chunk, Sequence};
use crate::histogram::{Counts, Histogram};
use crate::sample::Value;

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

/// Histogram `i` of a series: its first buckets have grown.
fn histogram(i: usize, counts: &mut [i64], buckets: usize, floats: bool) -> Value {
    let counts = &mut counts[..buckets];
    for (place, count) in counts.iter_mut().enumerate() {
        *count += ((i * 7 + place * 13) % 11) as i64 + 1;
    }
    let total: i64 = counts.iter().sum();
    let before = std::iter::once(&0).chain(counts.iter());
    let counts = if floats {
        Counts::Float {
            count: total as f64,
            zero: 0.0,
            positive: counts.iter().map(|count| *count as f64).collect(),
            negative: vec![],
        }
    } else {
        Counts::Integer {
            count: total as u64,
            zero: 0,
            positive: counts
                .iter()
                .zip(before)
                .map(|(count, before)| count - before)
                .collect(),
            negative: vec![],
        }
    };
    let histogram = Histogram {
        schema: 1,
        sum: total as f64 * 1.25,
        positive: vec![(0, buckets as u32)],
        counts,
        ..Histogram::default()
    };
    Value::Histogram(histogram.into())
}

/// (samples, bytes) of each chunk of a series of such histograms.
fn histograms(
    count: usize,
    step: impl Fn(usize) -> i64,
    buckets: impl Fn(usize) -> usize,
    floats: bool,
) -> Vec<(u16, usize)> {
    let mut sequence = Sequence::default();
    let mut counts = [0; 160];
    let mut t = 1_700_000_000_000;
    let mut chunks = Vec::new();
    for i in 0..count {
        chunks.extend(sequence.append(t, &histogram(i, &mut counts, buckets(i), floats)));
        t += step(i);
    }
    chunks.extend(sequence.finish());
    chunks
        .iter()
        .map(|chunk| (chunk.count().unwrap(), chunk.data.len()))
        .collect()
}

/// The lengths on the right were read from the head of Prometheus 2.54.
#[test]
fn histograms_are_cut_where_prometheus_cuts() {
    let whole = |count, step, buckets| histograms(count, |_| step, |_| buckets, false);
    assert_eq!(
        whole(500, 15_000, 8),
        [(143, 1150), (142, 1151), (142, 1137), (73, 608)]
    );
    let twenty = [
        (61, 884),
        (61, 882),
        (61, 890),
        (61, 892),
        (61, 897),
        (61, 892),
        (34, 512),
    ];
    assert_eq!(whole(400, 15_000, 20), twenty);
    let hundred = whole(150, 15_000, 100);
    assert_eq!(hundred[..3], [(11, 659), (11, 663), (11, 661)]);
    assert_eq!(hundred[13..], [(7, 447)]);
    let widest = [(10, 925), (10, 832), (10, 926), (10, 990), (10, 992), (10, 947)];
    assert_eq!(whole(60, 60_000, 160), widest);
    assert_eq!(whole(60, 300_000, 8), [(22, 206), (24, 217), (14, 143)]);
    let faster = histograms(600, |i| if i < 15 { 60_000 } else { 500 }, |_| 8, false);
    assert_eq!(faster, [(257, 2048), (110, 894), (111, 900), (108, 886), (14, 141)]);
}

#[test]
fn histograms_of_other_shapes_are_cut_where_prometheus_cuts() {
    let growing = histograms(300, |_| 15_000, |i| 2 + i / 20, false);
    assert_eq!(growing, [(214, 1849), (86, 1064)]);
    let floats = histograms(200, |_| 15_000, |_| 8, true);
    assert_eq!(
        floats,
        [(33, 650), (36, 660), (40, 774), (40, 721), (40, 741), (11, 270)]
    );
    let large = [(10, 1479), (10, 1362), (10, 1436), (10, 1362), (10, 1468), (10, 1358)];
    assert_eq!(histograms(60, |_| 60_000, |_| 60, true), large);
}
