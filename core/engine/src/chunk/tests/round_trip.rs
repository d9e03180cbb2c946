//! What is appended is read again.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{assert_same, read};
use crate::chunk::{Chunk, Encoding, Sequence};
use crate::histogram::{arbitrary, Counts, Histogram, ResetHint};
use crate::sample::{Sample, Value};

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
        2 => arbitrary::histogram().prop_map(Value::Histogram),
    ]
}

/// Samples in time order.
fn samples(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Vec<Sample>> {
    let step = prop_oneof![6 => 1..60_000i64, 1 => 1..100_000_000i64];
    (any::<i32>(), vec((step, value), 1..80)).prop_map(|(start, steps)| {
        let mut t = i64::from(start);
        let samples = steps.into_iter().map(|(step, value)| {
            t += step;
            (t, value)
        });
        samples.collect()
    })
}

/// Histograms that one instrument could make, so that many share a chunk.
fn growing(gauge: bool, floats: bool) -> impl Strategy<Value = Vec<Sample>> {
    let hint = if gauge { ResetHint::Gauge } else { ResetHint::Unknown };
    vec((0..30usize, 1..5i64), 1..80).prop_map(move |observations| {
        let mut buckets = [0i64; 30];
        let samples = observations.into_iter().enumerate().map(|(i, (bucket, count))| {
            buckets[bucket] += count;
            (15_000 * i as i64, Value::Histogram(snapshot(&buckets, hint, floats)))
        });
        samples.collect()
    })
}

/// A histogram of the buckets that are not empty; every seventh is on the negative side too.
fn snapshot(buckets: &[i64], hint: ResetHint, floats: bool) -> Arc<Histogram> {
    let filled = |step: usize| {
        let filled = buckets
            .iter()
            .enumerate()
            .filter(move |(place, count)| place % step == 0 && **count > 0);
        filled.map(|(place, count)| (place as i32 - 9, *count))
    };
    let spans = |step| crate::histogram::spans::from_indices(filled(step).map(|(index, _)| index));
    let deltas = |step| {
        let mut before = 0;
        let deltas = filled(step).map(|(_, count)| count - std::mem::replace(&mut before, count));
        deltas.collect()
    };
    let counts = |step| filled(step).map(|(_, count)| count as f64 / 4.0).collect();
    let count: i64 = buckets.iter().sum();
    Arc::new(Histogram {
        hint,
        sum: count as f64 * 0.3,
        positive: spans(1),
        negative: spans(7),
        counts: if floats {
            Counts::Float {
                count: count as f64,
                zero: 0.5,
                positive: counts(1),
                negative: counts(7),
            }
        } else {
            Counts::Integer {
                count: count as u64,
                zero: 1,
                positive: deltas(1),
                negative: deltas(7),
            }
        },
        ..Histogram::default()
    })
}

/// All chunks of a series; the open one is asked for the last sample before each new one.
fn chunks(samples: &[Sample]) -> Vec<Chunk> {
    let mut sequence = Sequence::default();
    let mut chunks = Vec::new();
    let mut before: Option<&Sample> = None;
    for sample in samples {
        let last = sequence.last();
        assert_same(
            &last.into_iter().collect::<Vec<_>>(),
            &before.into_iter().cloned().collect::<Vec<_>>(),
        );
        chunks.extend(sequence.append(sample.0, &sample.1));
        before = Some(sample);
    }
    chunks.extend(sequence.finish());
    chunks
}

fn check(samples: &[Sample]) -> Result<(), TestCaseError> {
    let chunks = chunks(samples);
    let mut again = Vec::new();
    for chunk in &chunks {
        let read = read(chunk.encoding, &chunk.data).unwrap();
        prop_assert_eq!((chunk.mint, chunk.maxt), (read[0].0, read[read.len() - 1].0));
        prop_assert_eq!(usize::from(chunk.count().unwrap()), read.len());
        again.extend(read);
    }
    assert_same(&again, samples);
    Ok(())
}

proptest! {
    #[test]
    fn any_samples_round_trip(samples in samples(value())) {
        check(&samples)?;
    }

    #[test]
    fn samples_of_one_instrument_round_trip(
        counters in growing(false, false),
        gauges in growing(true, false),
        float_counters in growing(false, true),
        float_gauges in growing(true, true),
    ) {
        for samples in [counters, gauges, float_counters, float_gauges] {
            check(&samples)?;
        }
    }

    /// Re-encoding what was read changes nothing but the hints and the spread over empty buckets.
    #[test]
    fn chunks_that_are_read_and_written_again_say_the_same(samples in samples(value())) {
        let first = chunks(&samples);
        let read_again: Vec<Sample> = first.iter().flat_map(|chunk| chunk.samples().unwrap().map(Result::unwrap)).collect();
        check(&read_again)?;
    }
}

#[test]
fn counters_that_only_grow_share_a_chunk_and_say_that_none_was_reset() {
    let samples: Vec<Sample> = (1..9)
        .map(|round: usize| {
            let mut buckets = [0i64; 30];
            buckets
                .iter_mut()
                .step_by(9 - round)
                .for_each(|count| *count = round as i64);
            (round as i64, buckets)
        })
        .scan([0i64; 30], |total, (t, buckets)| {
            total.iter_mut().zip(buckets).for_each(|(total, count)| *total += count);
            Some((
                t,
                Value::Histogram(snapshot(total.as_slice(), ResetHint::Unknown, false)),
            ))
        })
        .collect();
    let chunks = chunks(&samples);
    assert_eq!(chunks.len(), 1);
    let hints = read(Encoding::Histogram, &chunks[0].data)
        .unwrap()
        .into_iter()
        .map(|(_, value)| match value {
            Value::Histogram(histogram) => histogram.hint,
            Value::Float(_) => panic!("a histogram chunk has no floats"),
        });
    let hints: Vec<ResetHint> = hints.collect();
    assert_eq!(hints[0], ResetHint::Unknown);
    assert!(hints[1..].iter().all(|hint| *hint == ResetHint::NotReset));
}
