//! Chunks of every encoding: those of Prometheus, round trips, damage.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod cuts;
mod damage;
mod golden;
mod round_trip;

use super::{samples, BadChunk, Encoding};
use crate::histogram::spans::{from_indices, indices};
use crate::histogram::{Counts, Histogram, Span};
use crate::sample::{Sample, Value};

/// All samples of a chunk.
fn read(encoding: Encoding, chunk: &[u8]) -> Result<Vec<Sample>, BadChunk> {
    samples(encoding, chunk)?.collect()
}

/// What a sample says, however its chunk has spread it over empty buckets.
fn meaning((t, value): &Sample) -> (i64, Value) {
    match value {
        Value::Float(value) => (*t, Value::Float(*value)),
        Value::Histogram(histogram) => (*t, Value::Histogram(compact(histogram).into())),
    }
}

fn compact(histogram: &Histogram) -> Histogram {
    let mut compact = histogram.clone();
    match &mut compact.counts {
        Counts::Integer { positive, negative, .. } => {
            for (spans, deltas) in [(&mut compact.positive, positive), (&mut compact.negative, negative)] {
                let mut count = 0i64;
                let counts = deltas.iter().map(|delta| {
                    count = count.wrapping_add(*delta);
                    count
                });
                let filled = filled(spans, counts.collect::<Vec<_>>().into_iter(), |count| *count != 0);
                *spans = filled.0;
                *deltas = filled.1; // counts will do
            }
        }
        Counts::Float { positive, negative, .. } => {
            for (spans, counts) in [(&mut compact.positive, positive), (&mut compact.negative, negative)] {
                let filled = filled(spans, counts.clone().into_iter(), |count| count.to_bits() != 0);
                (*spans, *counts) = filled;
            }
        }
    }
    compact
}

fn filled<T>(spans: &[Span], counts: impl Iterator<Item = T>, is_filled: impl Fn(&T) -> bool) -> (Vec<Span>, Vec<T>) {
    let (places, counts): (Vec<i32>, Vec<T>) = indices(spans).zip(counts).filter(|(_, count)| is_filled(count)).unzip();
    (from_indices(places.into_iter()), counts)
}

fn assert_same(read: &[Sample], wanted: &[Sample]) {
    assert_eq!(read.len(), wanted.len());
    for (read, wanted) in read.iter().zip(wanted) {
        let (a, b) = (meaning(read), meaning(wanted));
        assert!(a.0 == b.0 && a.1.same(&b.1), "{read:?} is not {wanted:?}");
    }
}
