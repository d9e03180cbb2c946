//! What all histograms of a chunk have in common: it stands once, before the first sample.
//!
//! ```text
//! zero threshold | schema varbit | spans, spans: n varbit, (length varbit, offset varbit)* | schema -53: n varbit, bound*
//! ```

use crate::chunk::bits::{BitBuffer, BitReader};
use crate::chunk::BadChunk;
use crate::histogram::spans::promised;
use crate::histogram::{Histogram, Span, CUSTOM_BUCKETS};

/// A zero threshold that is a power of two between 2^-243 and 2^10 is told as its exponent plus this, from 1 to 254.
const EXPONENT_BIAS: i64 = 244;
/// The zero threshold follows in full.
const FULL_THRESHOLD: u8 = 255;
/// Bounds up to this many thousandths are told as an integer: so far does the class of 25 bits reach.
const MAX_THOUSANDTHS: f64 = 33_554_430.0;

/// The buckets that every histogram of a chunk has.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layout {
    /// Resolution.
    pub schema: i32,
    /// Width of the zero bucket.
    pub zero_threshold: f64,
    /// Positive buckets.
    pub positive: Vec<Span>,
    /// Negative buckets.
    pub negative: Vec<Span>,
    /// Bounds of custom buckets.
    pub custom: Vec<f64>,
}

impl Layout {
    /// The layout that `histogram` dictates when it is the first; a stale marker has no buckets.
    pub fn of(histogram: &Histogram) -> Self {
        if histogram.is_stale() {
            return Self::default();
        }
        Self {
            schema: histogram.schema,
            zero_threshold: histogram.zero_threshold,
            positive: histogram.positive.clone(),
            negative: histogram.negative.clone(),
            custom: histogram.custom.clone(),
        }
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        (self.positive.capacity() + self.negative.capacity() + self.custom.capacity()) * std::mem::size_of::<Span>()
    }

    /// Append it.
    pub fn put(&self, out: &mut BitBuffer) {
        put_zero_threshold(self.zero_threshold, out);
        out.put_varbit(self.schema.into());
        for spans in [&self.positive, &self.negative] {
            out.put_varbit_unsigned(spans.len() as u64);
            for &(offset, length) in spans {
                out.put_varbit_unsigned(length.into());
                out.put_varbit(offset.into());
            }
        }
        if self.schema == CUSTOM_BUCKETS {
            out.put_varbit_unsigned(self.custom.len() as u64);
            self.custom.iter().for_each(|bound| put_bound(*bound, out));
        }
    }

    /// Read one. Its spans are sound, and the rest of the input may hold a first sample of all buckets.
    pub fn read(bits: &mut BitReader<'_>) -> Result<Self, BadChunk> {
        let zero_threshold = read_zero_threshold(bits)?;
        let schema = i32::try_from(bits.varbit()?).map_err(|_| BadChunk)?;
        if !Histogram::has_known_schema(schema) {
            return Err(BadChunk);
        }
        let (positive, negative) = (read_spans(bits)?, read_spans(bits)?);
        let custom = match schema {
            CUSTOM_BUCKETS => read_list(bits, read_bound)?,
            _ => Vec::new(),
        };
        let buckets = promised(&positive)
            .zip(promised(&negative))
            .map(|(p, n)| p.saturating_add(n));
        if buckets.is_none_or(|buckets| buckets > bits.remaining()) {
            return Err(BadChunk);
        }
        Ok(Self {
            schema,
            zero_threshold,
            positive,
            negative,
            custom,
        })
    }
}

fn read_spans(bits: &mut BitReader<'_>) -> Result<Vec<Span>, BadChunk> {
    read_list(bits, |bits| {
        let length = u32::try_from(bits.varbit_unsigned()?).map_err(|_| BadChunk)?;
        let offset = i32::try_from(bits.varbit()?).map_err(|_| BadChunk)?;
        Ok((offset, length))
    })
}

/// No item is shorter than a bit, so a number too large for the input ends with it.
fn read_list<T>(
    bits: &mut BitReader<'_>,
    item: impl Fn(&mut BitReader<'_>) -> Result<T, BadChunk>,
) -> Result<Vec<T>, BadChunk> {
    let count = bits.varbit_unsigned()?;
    if count > bits.remaining() as u64 {
        return Err(BadChunk);
    }
    (0..count).map(|_| item(bits)).collect()
}

fn put_zero_threshold(threshold: f64, out: &mut BitBuffer) {
    let exponent = (threshold.to_bits() >> 52) as i64 - 1023;
    let is_power = threshold > 0.0 && threshold.to_bits() << 12 == 0;
    if threshold == 0.0 {
        out.put(0, 8);
    } else if is_power && (1..FULL_THRESHOLD.into()).contains(&(exponent + EXPONENT_BIAS)) {
        out.put((exponent + EXPONENT_BIAS) as u64, 8);
    } else {
        out.put(FULL_THRESHOLD.into(), 8);
        out.put(threshold.to_bits(), 64);
    }
}

fn read_zero_threshold(bits: &mut BitReader<'_>) -> Result<f64, BadChunk> {
    Ok(match bits.take(8)? as u8 {
        0 => 0.0,
        FULL_THRESHOLD => f64::from_bits(bits.take(64)?),
        exponent => 2f64.powi(i32::from(exponent) - EXPONENT_BIAS as i32),
    })
}

fn put_bound(bound: f64, out: &mut BitBuffer) {
    let thousandths = (bound * 1000.0).round();
    let is_short = (0.0..=MAX_THOUSANDTHS).contains(&(bound * 1000.0)) && thousandths / 1000.0 == bound;
    if is_short {
        out.put_varbit_unsigned(thousandths as u64 + 1);
    } else {
        out.put(0, 1);
        out.put(bound.to_bits(), 64);
    }
}

fn read_bound(bits: &mut BitReader<'_>) -> Result<f64, BadChunk> {
    Ok(match bits.varbit_unsigned()? {
        0 => f64::from_bits(bits.take(64)?),
        thousandths => (thousandths - 1) as f64 / 1000.0,
    })
}
