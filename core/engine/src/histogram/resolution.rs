//! Schemas that later versions may write, brought down to one that there are bounds for.

use super::spans::{from_indices, indices};
use super::{Counts, Histogram, Span, CUSTOM_BUCKETS};

/// The finest schema that can be queried.
const FINEST: i32 = 8;
/// Exponential schemas that the formats know.
const KNOWN: std::ops::RangeInclusive<i32> = -9..=52;

impl Histogram {
    /// True for schemas whose buckets have a meaning.
    pub fn has_known_schema(schema: i32) -> bool {
        schema == CUSTOM_BUCKETS || KNOWN.contains(&schema)
    }

    /// The same observations in buckets not finer than there are bounds for. The histogram must be sound.
    pub fn queryable(mut self) -> Self {
        if !(FINEST + 1..=*KNOWN.end()).contains(&self.schema) {
            return self;
        }
        let shift = (self.schema - FINEST) as u32;
        match &mut self.counts {
            Counts::Integer { positive, negative, .. } => {
                for (spans, deltas) in [(&mut self.positive, positive), (&mut self.negative, negative)] {
                    let (coarser, counts) = merge(spans, &absolute(deltas), shift, i64::wrapping_add);
                    (*spans, *deltas) = (coarser, relative(&counts));
                }
            }
            Counts::Float { positive, negative, .. } => {
                for (spans, counts) in [(&mut self.positive, positive), (&mut self.negative, negative)] {
                    (*spans, *counts) = merge(spans, counts, shift, |a, b| a + b);
                }
            }
        }
        self.schema = FINEST;
        self
    }
}

/// Each bucket is one of 2^`shift` that share an upper bound with a coarser one.
fn merge<T: Copy>(spans: &[Span], counts: &[T], shift: u32, add: impl Fn(T, T) -> T) -> (Vec<Span>, Vec<T>) {
    let mut coarser: Vec<(i32, T)> = Vec::new();
    for (index, count) in indices(spans).zip(counts) {
        let index = i64::from(index).wrapping_sub(1).checked_shr(shift).unwrap_or(0) as i32 + 1;
        match coarser.last_mut() {
            Some((last, sum)) if *last == index => *sum = add(*sum, *count),
            _ => coarser.push((index, *count)),
        }
    }
    let spans = from_indices(coarser.iter().map(|(index, _)| *index));
    (spans, coarser.into_iter().map(|(_, count)| count).collect())
}

/// Counts from the differences between them.
fn absolute(deltas: &[i64]) -> Vec<i64> {
    let counts = deltas.iter().scan(0i64, |count, delta| {
        *count = count.wrapping_add(*delta);
        Some(*count)
    });
    counts.collect()
}

/// The differences between counts.
fn relative(counts: &[i64]) -> Vec<i64> {
    let before = std::iter::once(&0).chain(counts);
    counts
        .iter()
        .zip(before)
        .map(|(count, before)| count.wrapping_sub(*before))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finer_buckets_are_added_up() {
        let fine = Histogram {
            schema: 9,
            positive: vec![(0, 3), (1, 1)],
            counts: Counts::Integer {
                count: 11,
                zero: 0,
                positive: vec![1, 2, -1, 3],
                negative: vec![],
            },
            ..Histogram::default()
        };
        let coarse = fine.queryable();
        assert_eq!((coarse.schema, coarse.positive.as_slice()), (8, &[(0, 3)][..]));
        let Counts::Integer { positive, .. } = coarse.counts else {
            unreachable!("it stays one of whole observations");
        };
        assert_eq!(absolute(&positive), [1, 5, 5]);
    }

    #[test]
    fn every_finer_schema_and_index_has_an_answer() {
        for schema in 9..=52 {
            let fine = Histogram {
                schema,
                negative: vec![(i32::MIN, 1), (i32::MAX, 1)],
                counts: Counts::Float {
                    count: 2.0,
                    zero: 0.0,
                    positive: vec![],
                    negative: vec![1.0, 1.0],
                },
                ..Histogram::default()
            };
            assert!(fine.queryable().is_sound());
        }
    }
}
