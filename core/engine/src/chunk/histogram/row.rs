//! The columns of a histogram chunk, as the last sample told them.

use super::column::{Column, Float, Integer};
use super::kind::{Kind, Number, Parts};
use super::layout::Layout;
use crate::batch::{is_stale, STALE_NAN_BITS};
use crate::chunk::bits::{BitBuffer, BitReader};
use crate::chunk::BadChunk;
use crate::histogram::spans::promised;
use crate::histogram::{Histogram, ResetHint};

/// One column for each field, in the order on disk.
#[derive(Debug, Clone)]
pub struct Row<K: Kind> {
    t: Integer,
    count: K::Column,
    zero: K::Column,
    sum: Float,
    positive: Vec<K::Column>,
    negative: Vec<K::Column>,
}

impl<K: Kind> Row<K> {
    /// Tell the first sample in full.
    pub fn put_first(t: i64, sum: f64, parts: &Parts<'_, Number<K>>, out: &mut BitBuffer) -> Self {
        out.put_varbit(t);
        K::put_total(parts.count, out);
        K::put_total(parts.zero, out);
        out.put(sum.to_bits(), 64);
        let mut put_buckets = |buckets: &[Number<K>]| {
            buckets.iter().for_each(|bucket| K::put_bucket(*bucket, out));
            buckets.iter().copied().map(K::Column::starting_at).collect()
        };
        Self {
            t: Integer::starting_at(t),
            count: K::Column::starting_at(parts.count),
            zero: K::Column::starting_at(parts.zero),
            sum: Float::starting_at(sum),
            positive: put_buckets(parts.positive),
            negative: put_buckets(parts.negative),
        }
    }

    /// Tell a sample by what has changed.
    pub fn put(&mut self, t: i64, sum: f64, parts: &Parts<'_, Number<K>>, out: &mut BitBuffer) {
        self.t.put(t, out);
        self.count.put(parts.count, out);
        self.zero.put(parts.zero, out);
        self.sum.put(sum, out);
        let columns = self.positive.iter_mut().zip(parts.positive);
        for (column, bucket) in columns.chain(self.negative.iter_mut().zip(parts.negative)) {
            column.put(*bucket, out);
        }
    }

    /// Tell a stale marker, which has no buckets.
    pub fn put_stale(&mut self, t: i64, out: &mut BitBuffer) {
        let parts = Parts {
            count: K::stale_total(&self.count),
            zero: K::stale_total(&self.zero),
            positive: &[],
            negative: &[],
        };
        self.put(t, f64::from_bits(STALE_NAN_BITS), &parts, out);
    }

    /// Read the first sample.
    pub fn read_first(layout: &Layout, bits: &mut BitReader<'_>) -> Result<Self, BadChunk> {
        let t = Integer::starting_at(bits.varbit()?);
        let count = K::Column::starting_at(K::read_total(bits)?);
        let zero = K::Column::starting_at(K::read_total(bits)?);
        let sum = Float::starting_at(f64::from_bits(bits.take(64)?));
        let mut read_buckets = |buckets: Option<usize>| {
            let bucket = |_| K::read_bucket(bits).map(K::Column::starting_at);
            (0..buckets.unwrap_or(0)).map(bucket).collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            t,
            count,
            zero,
            sum,
            positive: read_buckets(promised(&layout.positive))?,
            negative: read_buckets(promised(&layout.negative))?,
        })
    }

    /// Read the next sample.
    pub fn read(&mut self, bits: &mut BitReader<'_>) -> Result<(), BadChunk> {
        self.t.read(bits)?;
        self.count.read(bits)?;
        self.zero.read(bits)?;
        self.sum.read(bits)?;
        if self.is_stale() {
            return Ok(());
        }
        let mut buckets = self.positive.iter_mut().chain(&mut self.negative);
        buckets.try_for_each(|column| column.read(bits))
    }

    /// Time of the last sample, ms.
    pub fn t(&self) -> i64 {
        self.t.number()
    }

    /// The last sample is a stale marker.
    pub fn is_stale(&self) -> bool {
        is_stale(self.sum.number())
    }

    /// Observations, and those in the zero bucket.
    pub fn totals(&self) -> (Number<K>, Number<K>) {
        (self.count.number(), self.zero.number())
    }

    /// The last sample's positive buckets, as they are stored.
    pub fn positive(&self) -> impl Iterator<Item = Number<K>> + '_ {
        self.positive.iter().map(Column::number)
    }

    /// The last sample's negative buckets, as they are stored.
    pub fn negative(&self) -> impl Iterator<Item = Number<K>> + '_ {
        self.negative.iter().map(Column::number)
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        (self.positive.capacity() + self.negative.capacity()) * std::mem::size_of::<K::Column>()
    }

    /// The last sample.
    pub fn histogram(&self, layout: &Layout, hint: ResetHint) -> Histogram {
        if self.is_stale() {
            return Histogram {
                sum: self.sum.number(),
                counts: K::counts(Default::default(), Default::default(), Vec::new(), Vec::new()),
                ..Histogram::default()
            };
        }
        let (count, zero) = self.totals();
        let (positive, negative) = (self.positive().collect(), self.negative().collect());
        Histogram {
            hint,
            schema: layout.schema,
            zero_threshold: layout.zero_threshold,
            sum: self.sum.number(),
            positive: layout.positive.clone(),
            negative: layout.negative.clone(),
            custom: layout.custom.clone(),
            counts: K::counts(count, zero, positive, negative),
        }
    }
}
