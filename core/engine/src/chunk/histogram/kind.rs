//! The two kinds of histogram chunks: how they code counts. All else they share.

use std::fmt::Debug;

use super::appender::Misfit;
use super::column::{Column, Float, Integer};
use crate::chunk::bits::{BitBuffer, BitReader};
use crate::chunk::BadChunk;
use crate::histogram::{Counts, ResetHint};

/// A kind's number.
pub type Number<K> = <<K as Kind>::Column as Column>::Number;

/// The counts of one sample.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts<'h, N> {
    pub count: N,
    pub zero: N,
    pub positive: &'h [N],
    pub negative: &'h [N],
}

/// A kind of histogram chunk.
pub trait Kind: Debug + Clone + Copy {
    /// How a count is told.
    type Column: Column;
    /// True when the counts are of this kind.
    fn is_of(counts: &Counts) -> bool;
    /// The counts; none when they are of the other kind.
    fn parts(counts: &Counts) -> Parts<'_, Number<Self>>;
    /// The counts of a sample.
    fn counts(
        count: Number<Self>,
        zero: Number<Self>,
        positive: Vec<Number<Self>>,
        negative: Vec<Number<Self>>,
    ) -> Counts;
    /// Tell the count or the zero count of the first sample.
    fn put_total(number: Number<Self>, out: &mut BitBuffer);
    /// Read the count or the zero count of the first sample.
    fn read_total(bits: &mut BitReader<'_>) -> Result<Number<Self>, BadChunk>;
    /// Tell a bucket of the first sample.
    fn put_bucket(number: Number<Self>, out: &mut BitBuffer);
    /// Read a bucket of the first sample.
    fn read_bucket(bits: &mut BitReader<'_>) -> Result<Number<Self>, BadChunk>;
    /// The count that a stale marker seems to have.
    fn stale_total(column: &Self::Column) -> Number<Self>;
    /// A count or zero count of `after` observations where there were `before`.
    fn is_reset(before: Number<Self>, after: Number<Self>) -> bool;
    /// Observations in a bucket that is stored as `bucket`, after one with `before` observations.
    fn count_after(before: Number<Self>, bucket: Number<Self>) -> Number<Self>;
    /// How a bucket of `count` observations is stored after one with `before`.
    fn bucket_after(before: Number<Self>, count: Number<Self>) -> Number<Self>;
    /// What the header of a chunk says that was begun because its first sample did not fit into the one before.
    fn header_after(misfit: Misfit) -> ResetHint;
    /// What the header of a chunk says that was begun because the one before was full.
    fn header_continued(misfit: Option<Misfit>) -> ResetHint;
}

/// Observations in each bucket.
pub fn counts<K: Kind>(buckets: impl Iterator<Item = Number<K>>) -> impl Iterator<Item = Number<K>> {
    buckets.scan(Default::default(), |before, bucket| {
        *before = K::count_after(*before, bucket);
        Some(*before)
    })
}

/// Buckets as they are stored.
pub fn buckets<K: Kind>(counts: impl Iterator<Item = Number<K>>) -> impl Iterator<Item = Number<K>> {
    counts.scan(Default::default(), |before, count| {
        Some(K::bucket_after(std::mem::replace(before, count), count))
    })
}

/// Whole observations, encodings 2 and 5.
#[derive(Debug, Clone, Copy)]
pub struct Whole;

impl Kind for Whole {
    type Column = Integer;

    fn is_of(counts: &Counts) -> bool {
        matches!(counts, Counts::Integer { .. })
    }

    fn parts(counts: &Counts) -> Parts<'_, i64> {
        match counts {
            Counts::Integer {
                count,
                zero,
                positive,
                negative,
            } => Parts {
                count: *count as i64,
                zero: *zero as i64,
                positive,
                negative,
            },
            Counts::Float { .. } => Parts::default(),
        }
    }

    fn counts(count: i64, zero: i64, positive: Vec<i64>, negative: Vec<i64>) -> Counts {
        Counts::Integer {
            count: count as u64,
            zero: zero as u64,
            positive,
            negative,
        }
    }

    fn put_total(number: i64, out: &mut BitBuffer) {
        out.put_varbit_unsigned(number as u64);
    }

    fn read_total(bits: &mut BitReader<'_>) -> Result<i64, BadChunk> {
        bits.varbit_unsigned().map(|number| number as i64)
    }

    fn put_bucket(number: i64, out: &mut BitBuffer) {
        out.put_varbit(number);
    }

    fn read_bucket(bits: &mut BitReader<'_>) -> Result<i64, BadChunk> {
        bits.varbit()
    }

    fn stale_total(column: &Integer) -> i64 {
        column.unchanged()
    }

    fn is_reset(before: i64, after: i64) -> bool {
        (after as u64) < before as u64
    }

    fn count_after(before: i64, bucket: i64) -> i64 {
        before.wrapping_add(bucket)
    }

    fn bucket_after(before: i64, count: i64) -> i64 {
        count.wrapping_sub(before)
    }

    fn header_after(misfit: Misfit) -> ResetHint {
        match misfit {
            Misfit::Reset => ResetHint::Reset,
            Misfit::Gauge => ResetHint::NotReset,
            Misfit::Stale | Misfit::Layout => ResetHint::Unknown,
        }
    }

    fn header_continued(misfit: Option<Misfit>) -> ResetHint {
        misfit.map_or(ResetHint::NotReset, Self::header_after)
    }
}

/// Parts of observations, encodings 3 and 6.
#[derive(Debug, Clone, Copy)]
pub struct Fractions;

impl Kind for Fractions {
    type Column = Float;

    fn is_of(counts: &Counts) -> bool {
        matches!(counts, Counts::Float { .. })
    }

    fn parts(counts: &Counts) -> Parts<'_, f64> {
        match counts {
            Counts::Float {
                count,
                zero,
                positive,
                negative,
            } => Parts {
                count: *count,
                zero: *zero,
                positive,
                negative,
            },
            Counts::Integer { .. } => Parts::default(),
        }
    }

    fn counts(count: f64, zero: f64, positive: Vec<f64>, negative: Vec<f64>) -> Counts {
        Counts::Float {
            count,
            zero,
            positive,
            negative,
        }
    }

    fn put_total(number: f64, out: &mut BitBuffer) {
        out.put(number.to_bits(), 64);
    }

    fn read_total(bits: &mut BitReader<'_>) -> Result<f64, BadChunk> {
        bits.take(64).map(f64::from_bits)
    }

    fn put_bucket(number: f64, out: &mut BitBuffer) {
        Self::put_total(number, out);
    }

    fn read_bucket(bits: &mut BitReader<'_>) -> Result<f64, BadChunk> {
        Self::read_total(bits)
    }

    fn stale_total(_: &Float) -> f64 {
        0.0
    }

    fn is_reset(before: f64, after: f64) -> bool {
        after < before
    }

    fn count_after(_: f64, bucket: f64) -> f64 {
        bucket
    }

    fn bucket_after(_: f64, count: f64) -> f64 {
        count
    }

    fn header_after(misfit: Misfit) -> ResetHint {
        match misfit {
            Misfit::Reset => ResetHint::Reset,
            Misfit::Gauge | Misfit::Stale | Misfit::Layout => ResetHint::Unknown,
        }
    }

    fn header_continued(misfit: Option<Misfit>) -> ResetHint {
        match misfit {
            Some(Misfit::Reset) => ResetHint::Reset,
            _ => ResetHint::NotReset,
        }
    }
}
