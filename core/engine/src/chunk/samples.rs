//! Reading a chunk of any encoding.

use super::histogram::{self, Fractions, Whole, START_COUNT_MASK};
use super::{xor, xor2, BadChunk, Encoding};
use crate::histogram::Histogram;
use crate::sample::{Sample, Value};

/// The samples of `chunk`, oldest first. Bytes from a file may be anything: a bad chunk ends in an error, never in a panic.
pub fn samples(encoding: Encoding, chunk: &[u8]) -> Result<Samples<'_>, BadChunk> {
    Ok(match encoding {
        Encoding::Xor | Encoding::Xor2 => Samples::Floats(floats(encoding, chunk)?),
        Encoding::Histogram => Samples::Histograms(histogram::Samples::new(chunk)?),
        Encoding::FloatHistogram => Samples::FloatHistograms(histogram::Samples::new(chunk)?),
        Encoding::HistogramSt => Samples::Histograms(histogram::Samples::with_start_times(chunk)?),
        Encoding::FloatHistogramSt => Samples::FloatHistograms(histogram::Samples::with_start_times(chunk)?),
    })
}

/// The samples of a chunk of floats, oldest first; an error for one of histograms.
pub fn floats(encoding: Encoding, chunk: &[u8]) -> Result<Floats<'_>, BadChunk> {
    match encoding {
        Encoding::Xor => xor::Samples::new(chunk).map(Floats::Xor),
        Encoding::Xor2 => xor2::Samples::new(chunk).map(Floats::Xor2),
        _ => Err(BadChunk),
    }
}

/// How many samples `chunk` has, as its header says.
pub fn count(encoding: Encoding, chunk: &[u8]) -> Result<u16, BadChunk> {
    let (count, _) = chunk.split_first_chunk::<2>().ok_or(BadChunk)?;
    let count = u16::from_be_bytes(*count);
    Ok(match encoding {
        Encoding::HistogramSt | Encoding::FloatHistogramSt => count & START_COUNT_MASK,
        _ => count,
    })
}

/// Iterator over the samples of a chunk of floats.
#[derive(Debug, Clone)]
pub enum Floats<'a> {
    /// Encoding 1.
    Xor(xor::Samples<'a>),
    /// Encoding 4.
    Xor2(xor2::Samples<'a>),
}

impl Iterator for Floats<'_> {
    type Item = Result<(i64, f64), BadChunk>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Xor(samples) => samples.next(),
            Self::Xor2(samples) => samples.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Xor(samples) => samples.size_hint(),
            Self::Xor2(samples) => samples.size_hint(),
        }
    }
}

/// Iterator over the samples of a chunk. Who reads many floats matches on it first.
#[derive(Debug, Clone)]
pub enum Samples<'a> {
    /// Encodings 1 and 4.
    Floats(Floats<'a>),
    /// Encodings 2 and 5.
    Histograms(histogram::Samples<'a, Whole>),
    /// Encodings 3 and 6.
    FloatHistograms(histogram::Samples<'a, Fractions>),
}

impl Iterator for Samples<'_> {
    type Item = Result<Sample, BadChunk>;

    fn next(&mut self) -> Option<Self::Item> {
        let histogram = |(t, histogram): (i64, Histogram)| (t, Value::Histogram(histogram.queryable().into()));
        match self {
            Self::Floats(samples) => {
                let sample = samples.next()?;
                Some(sample.map(|(t, value)| (t, Value::Float(value))))
            }
            Self::Histograms(samples) => Some(samples.next()?.map(histogram)),
            Self::FloatHistograms(samples) => Some(samples.next()?.map(histogram)),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Floats(samples) => samples.size_hint(),
            Self::Histograms(samples) => samples.size_hint(),
            Self::FloatHistograms(samples) => samples.size_hint(),
        }
    }
}
