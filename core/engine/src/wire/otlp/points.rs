//! Data points, read from their messages (`opentelemetry/proto/metrics/v1/metrics.proto`).

use std::borrow::Cow;

use super::value::{read_pair, value_text};
use crate::float::NORMAL_NAN;
use crate::wire::message::{each_fixed64, each_varint, Field, Fields, Malformed};

/// `FLAGS_NO_RECORDED_VALUE_MASK`
const NO_RECORDED_VALUE: u64 = 1;

/// What all kinds of points have.
#[derive(Debug, Default)]
pub struct Point<'a> {
    /// Nanoseconds; 0 when it is not known.
    pub start: u64,
    /// Nanoseconds; 0 when it is not known.
    pub time: u64,
    /// The series has ended.
    pub ended: bool,
    /// Names as they came.
    pub attributes: Vec<(&'a str, Cow<'a, str>)>,
    /// Messages.
    pub exemplars: Vec<&'a [u8]>,
}

impl<'a> Point<'a> {
    fn clear(&mut self) {
        (self.start, self.time, self.ended) = (0, 0, false);
        self.attributes.clear();
        self.exemplars.clear();
    }

    fn attribute(&mut self, message: &'a [u8]) -> Result<(), Malformed> {
        let (key, value) = read_pair(message)?;
        self.attributes.push((key, value_text(value)?));
        Ok(())
    }

    fn flags(&mut self, flags: u64) {
        self.ended = flags & NO_RECORDED_VALUE != 0;
    }

    /// ms.
    pub fn t(&self) -> i64 {
        ms(self.time)
    }

    /// ms; 0 when it is not known.
    pub fn start(&self) -> i64 {
        ms(self.start)
    }
}

/// Milliseconds of a time in nanoseconds.
pub fn ms(nanoseconds: u64) -> i64 {
    (nanoseconds / 1_000_000) as i64
}

/// No client may say by a value that a series has ended: there is a flag for that.
pub fn double(bits: u64) -> f64 {
    let v = f64::from_bits(bits);
    if v.is_nan() {
        NORMAL_NAN
    } else {
        v
    }
}

/// Read a `NumberDataPoint`; its value.
pub fn number<'a>(message: &'a [u8], point: &mut Point<'a>) -> Result<f64, Malformed> {
    point.clear();
    let mut value = 0.0;
    for field in Fields::new(message) {
        match field? {
            (2, Field::Fixed64(t)) => point.start = t,
            (3, Field::Fixed64(t)) => point.time = t,
            (4, Field::Fixed64(bits)) => value = double(bits),
            (5, Field::Bytes(exemplar)) => point.exemplars.push(exemplar),
            (6, Field::Fixed64(int)) => value = int as i64 as f64,
            (7, Field::Bytes(pair)) => point.attribute(pair)?,
            (8, Field::Varint(flags)) => point.flags(flags),
            _ => {}
        }
    }
    Ok(value)
}

/// A histogram with bounds of its own.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Explicit {
    /// Observations.
    pub count: u64,
    /// Their sum, if told.
    pub sum: Option<f64>,
    /// Upper bounds, ascending; the last bucket has none.
    pub bounds: Vec<f64>,
    /// Observations of each bucket alone.
    pub counts: Vec<u64>,
}

/// Read a `HistogramDataPoint`.
pub fn explicit<'a>(message: &'a [u8], point: &mut Point<'a>, out: &mut Explicit) -> Result<(), Malformed> {
    point.clear();
    (out.count, out.sum) = (0, None);
    out.bounds.clear();
    out.counts.clear();
    for field in Fields::new(message) {
        match field? {
            (2, Field::Fixed64(t)) => point.start = t,
            (3, Field::Fixed64(t)) => point.time = t,
            (4, Field::Fixed64(count)) => out.count = count,
            (5, Field::Fixed64(bits)) => out.sum = Some(double(bits)),
            (6, field) => each_fixed64(field, |count| out.counts.push(count))?,
            (7, field) => each_fixed64(field, |bits| out.bounds.push(double(bits)))?,
            (8, Field::Bytes(exemplar)) => point.exemplars.push(exemplar),
            (9, Field::Bytes(pair)) => point.attribute(pair)?,
            (10, Field::Varint(flags)) => point.flags(flags),
            _ => {}
        }
    }
    Ok(())
}

/// One side of an exponential histogram: the bucket at place i has the index `offset + i`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Side {
    /// Index of the first one.
    pub offset: i32,
    /// Observations of each.
    pub counts: Vec<u64>,
}

/// An exponential histogram.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Exponential {
    /// Observations.
    pub count: u64,
    /// Their sum, if told.
    pub sum: Option<f64>,
    /// Bucket i reaches from base^i, without it, to base^(i + 1), where base = 2^(2^-scale).
    pub scale: i32,
    /// Observations in the zero bucket.
    pub zero: u64,
    /// Its width; 0 when it is not told.
    pub zero_threshold: f64,
    /// Above 0.
    pub positive: Side,
    /// Below 0.
    pub negative: Side,
}

/// Read an `ExponentialHistogramDataPoint`.
pub fn exponential<'a>(message: &'a [u8], point: &mut Point<'a>, out: &mut Exponential) -> Result<(), Malformed> {
    point.clear();
    *out = Exponential::default();
    for field in Fields::new(message) {
        match field? {
            (1, Field::Bytes(pair)) => point.attribute(pair)?,
            (2, Field::Fixed64(t)) => point.start = t,
            (3, Field::Fixed64(t)) => point.time = t,
            (4, Field::Fixed64(count)) => out.count = count,
            (5, Field::Fixed64(bits)) => out.sum = Some(double(bits)),
            (6, Field::Varint(scale)) => out.scale = sint32(scale),
            (7, Field::Fixed64(zero)) => out.zero = zero,
            (8, Field::Bytes(message)) => out.positive = side(message)?,
            (9, Field::Bytes(message)) => out.negative = side(message)?,
            (10, Field::Varint(flags)) => point.flags(flags),
            (11, Field::Bytes(exemplar)) => point.exemplars.push(exemplar),
            (14, Field::Fixed64(bits)) => out.zero_threshold = double(bits),
            _ => {}
        }
    }
    Ok(())
}

fn sint32(zigzag: u64) -> i32 {
    crate::bytes::unzigzag(u64::from(zigzag as u32)) as i32
}

fn side(message: &[u8]) -> Result<Side, Malformed> {
    let mut side = Side::default();
    for field in Fields::new(message) {
        match field? {
            (1, Field::Varint(offset)) => side.offset = sint32(offset),
            (2, field) => each_varint(field, |count| side.counts.push(count))?,
            _ => {}
        }
    }
    Ok(side)
}

/// A summary.
#[derive(Debug, Default)]
pub struct Summary {
    /// Observations.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// (quantile, value).
    pub quantiles: Vec<(f64, f64)>,
}

/// Read a `SummaryDataPoint`.
pub fn summary<'a>(message: &'a [u8], point: &mut Point<'a>, out: &mut Summary) -> Result<(), Malformed> {
    point.clear();
    (out.count, out.sum) = (0, 0.0);
    out.quantiles.clear();
    for field in Fields::new(message) {
        match field? {
            (2, Field::Fixed64(t)) => point.start = t,
            (3, Field::Fixed64(t)) => point.time = t,
            (4, Field::Fixed64(count)) => out.count = count,
            (5, Field::Fixed64(bits)) => out.sum = double(bits),
            (6, Field::Bytes(message)) => out.quantiles.push(quantile(message)?),
            (7, Field::Bytes(pair)) => point.attribute(pair)?,
            (8, Field::Varint(flags)) => point.flags(flags),
            _ => {}
        }
    }
    Ok(())
}

fn quantile(message: &[u8]) -> Result<(f64, f64), Malformed> {
    let (mut quantile, mut value) = (0.0, 0.0);
    for field in Fields::new(message) {
        match field? {
            (1, Field::Fixed64(bits)) => quantile = double(bits),
            (2, Field::Fixed64(bits)) => value = double(bits),
            _ => {}
        }
    }
    Ok((quantile, value))
}
