//! Histograms as native ones.

use super::points::{Explicit, Exponential, Side};
use crate::histogram::{Counts, Histogram, ResetHint, Span, CUSTOM_BUCKETS};

/// The finest resolution that can be queried; finer ones are made coarser.
const FINEST: i32 = 8;
/// The coarsest one.
const COARSEST: i32 = -4;
/// No two floats are as near to each other as the bounds of buckets of this scale.
const NONE_FINER: i32 = 52;
/// The width of a zero bucket that tells none, as in Prometheus.
const ZERO_THRESHOLD: f64 = 1e-128;
/// So many empty buckets in a row are cheaper than another span.
const SMALL_GAP: i64 = 2;

/// Why a histogram cannot be one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadHistogram {
    /// Too coarse, or finer than there is a sense to.
    Scale(i32),
    /// Bucket indices beyond what 32 bits can say.
    Index,
    /// The buckets do not have as many observations as the histogram says.
    Count(u64, u64),
    /// The bounds do not ascend, or there is not a count for each of them and one more.
    Bounds,
}

impl std::fmt::Display for BadHistogram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scale(scale) => write!(f, "scale must be from {COARSEST} to {NONE_FINER}, was {scale}"),
            Self::Index => f.write_str("bucket offset out of range"),
            Self::Count(found, said) => write!(f, "{found} observations found in buckets, but the count is {said}"),
            Self::Bounds => {
                f.write_str("bounds do not ascend, or there are not as many buckets as bounds and one more")
            }
        }
    }
}

/// Refuse what cannot be made coarser or finer to fit.
pub fn check_scale(point: &Exponential) -> Result<(), BadHistogram> {
    if (COARSEST..=NONE_FINER).contains(&point.scale) {
        return Ok(());
    }
    Err(BadHistogram::Scale(point.scale))
}

/// An exponential histogram as a native one.
pub fn native(point: &Exponential) -> Result<Histogram, BadHistogram> {
    check_scale(point)?;
    let down = (point.scale - FINEST).max(0);
    // OpenTelemetry's bucket 0 lies behind 1, ours before it.
    let (positive, positive_counts) = buckets(merged(&point.positive, down, 1))?;
    let (negative, negative_counts) = buckets(merged(&point.negative, down, 1))?;
    let sides = [&point.positive.counts, &point.negative.counts];
    let found = sides
        .into_iter()
        .flatten()
        .fold(point.zero, |sum, count| sum.saturating_add(*count));
    check_count(found, point.count, point.sum)?;
    let is_told = point.zero_threshold > 0.0 && point.zero_threshold.is_finite();
    Ok(Histogram {
        hint: ResetHint::Unknown,
        schema: point.scale.min(FINEST),
        zero_threshold: if is_told { point.zero_threshold } else { ZERO_THRESHOLD },
        sum: point.sum.unwrap_or(0.0),
        positive,
        negative,
        custom: Vec::new(),
        counts: Counts::Integer {
            count: point.count,
            zero: point.zero,
            positive: positive_counts,
            negative: negative_counts,
        },
    })
}

/// A histogram with bounds of its own as one of custom buckets.
pub fn custom(point: &Explicit) -> Result<Histogram, BadHistogram> {
    let ascending = point.bounds.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
    let mut bounds = point.bounds.clone();
    let mut counts = point.counts.clone();
    if counts.is_empty() {
        bounds.clear();
        counts.push(point.count);
    }
    if !ascending || bounds.iter().any(|bound| bound.is_nan()) || counts.len() != bounds.len() + 1 {
        return Err(BadHistogram::Bounds);
    }
    if bounds.last() == Some(&f64::INFINITY) {
        bounds.pop(); // the last bucket has no other bound anyway
        let beyond = counts.pop().unwrap_or_default();
        if let Some(last) = counts.last_mut() {
            *last = last.saturating_add(beyond);
        }
    }
    let found = counts.iter().fold(0u64, |sum, count| sum.saturating_add(*count));
    check_count(found, point.count, point.sum)?;
    let side = Side { offset: 0, counts };
    let (positive, positive_counts) = buckets(merged(&side, 0, 0))?;
    Ok(Histogram {
        schema: CUSTOM_BUCKETS,
        sum: point.sum.unwrap_or(0.0),
        positive,
        custom: bounds,
        counts: Counts::Integer {
            count: point.count,
            zero: 0,
            positive: positive_counts,
            negative: Vec::new(),
        },
        ..Histogram::default()
    })
}

/// NaN is counted and lies in no bucket.
fn check_count(found: u64, said: u64, sum: Option<f64>) -> Result<(), BadHistogram> {
    let holds = if sum.is_some_and(f64::is_nan) {
        found <= said
    } else {
        found == said
    };
    if holds {
        Ok(())
    } else {
        Err(BadHistogram::Count(found, said))
    }
}

/// (index, count) of the buckets that are not empty, each of 2^`down` of those in `side`, indices moved by `shift`.
fn merged(side: &Side, down: i32, shift: i64) -> Vec<(i64, u64)> {
    let mut out: Vec<(i64, u64)> = Vec::new();
    for (place, count) in side.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let index = ((i64::from(side.offset) + place as i64) >> down) + shift;
        match out.last_mut() {
            Some((last, sum)) if *last == index => *sum = sum.saturating_add(*count),
            _ => out.push((index, *count)),
        }
    }
    out
}

/// Spans, and counts as differences.
fn buckets(found: Vec<(i64, u64)>) -> Result<(Vec<Span>, Vec<i64>), BadHistogram> {
    let mut spans: Vec<Span> = Vec::new();
    let mut deltas = Vec::with_capacity(found.len());
    let (mut end, mut last) = (0i64, 0u64);
    for (index, count) in found {
        let gap = index - end;
        match spans.last_mut() {
            Some((_, length)) if gap <= SMALL_GAP => {
                for _ in 0..gap {
                    deltas.push((last as i64).wrapping_neg());
                    last = 0;
                }
                *length += gap as u32 + 1;
            }
            _ => spans.push((i32::try_from(gap).map_err(|_| BadHistogram::Index)?, 1)),
        }
        deltas.push((count as i64).wrapping_sub(last as i64));
        last = count;
        end = index + 1;
        i32::try_from(end).map_err(|_| BadHistogram::Index)?;
    }
    Ok((spans, deltas))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::histogram::spans::indices;
    use proptest::prelude::*;

    fn absolute(histogram: &Histogram) -> Vec<(i32, i64)> {
        let Counts::Integer { positive, .. } = &histogram.counts else {
            unreachable!("observations are whole");
        };
        let counts = positive.iter().scan(0, |count, delta| {
            *count += delta;
            Some(*count)
        });
        indices(&histogram.positive)
            .zip(counts)
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    fn point(scale: i32, offset: i32, counts: &[u64]) -> Exponential {
        Exponential {
            count: counts.iter().sum(),
            scale,
            positive: Side {
                offset,
                counts: counts.to_vec(),
            },
            ..Exponential::default()
        }
    }

    #[test]
    fn indices_are_moved_by_one_and_small_gaps_filled() {
        let histogram = native(&point(0, -3, &[0, 4, 0, 0, 2, 0, 0, 0, 7])).unwrap();
        assert_eq!(histogram.positive, [(-1, 4), (3, 1)]);
        assert_eq!(absolute(&histogram), [(-1, 4), (2, 2), (6, 7)]);
        assert_eq!(histogram.zero_threshold, 1e-128);
        assert!(histogram.is_sound());
    }

    #[test]
    fn finer_scales_are_made_coarser() {
        let histogram = native(&point(10, -5, &[1; 9])).unwrap();
        assert_eq!(
            (histogram.schema, absolute(&histogram)),
            (8, vec![(-1, 1), (0, 4), (1, 4)])
        );
        assert_eq!(native(&point(-5, 0, &[])), Err(BadHistogram::Scale(-5)));
    }

    #[test]
    fn counts_must_agree() {
        let mut wrong = point(0, 0, &[1, 2]);
        wrong.count = 4;
        assert_eq!(native(&wrong), Err(BadHistogram::Count(3, 4)));
        wrong.sum = Some(f64::NAN);
        assert!(native(&wrong).is_ok());
        wrong.positive.offset = i32::MAX;
        assert_eq!(native(&wrong), Err(BadHistogram::Index));
    }

    #[test]
    fn bounds_become_custom_buckets() {
        let mut explicit = Explicit {
            count: 6,
            sum: Some(1.5),
            bounds: vec![0.5, 1.0, 2.0],
            counts: vec![0, 1, 0, 5],
        };
        let histogram = custom(&explicit).unwrap();
        assert_eq!(
            (histogram.positive.as_slice(), histogram.custom.as_slice()),
            (&[(1, 3)][..], &[0.5, 1.0, 2.0][..])
        );
        assert_eq!(absolute(&histogram), [(1, 1), (3, 5)]);
        assert!(histogram.is_sound());
        explicit.bounds.swap(0, 1);
        assert_eq!(custom(&explicit), Err(BadHistogram::Bounds));
        explicit.counts.clear();
        explicit.bounds.clear();
        assert_eq!(absolute(&custom(&explicit).unwrap()), [(0, 6)]);
    }

    proptest! {
        #[test]
        fn any_histogram_is_sound_or_refused(
            scale in -6i32..40,
            offset in prop_oneof![any::<i32>(), -50i32..50],
            counts in prop::collection::vec(prop_oneof![Just(0u64), 0u64..9], 0..40),
        ) {
            let point = point(scale, offset, &counts);
            if let Ok(histogram) = native(&point) {
                prop_assert!(histogram.is_sound());
                prop_assert_eq!(absolute(&histogram).iter().map(|(_, count)| *count as u64).sum::<u64>(), point.count);
            }
        }
    }
}
