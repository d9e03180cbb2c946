//! Writing a chunk of any encoding that is written.

use super::histogram::{self, Cut, Fractions, Whole};
use super::{xor, Chunk, Encoding};
use crate::histogram::ResetHint;
use crate::sample::{Sample, Value};

/// An open chunk. Times must ascend and histograms must be sound; whoever appends sees to it.
#[derive(Debug, Clone)]
pub enum Appender {
    /// Encoding 1; in place, for most series have nothing else.
    Floats(xor::Appender),
    /// Encoding 2.
    Histograms(Box<histogram::Appender<Whole>>),
    /// Encoding 3.
    FloatHistograms(Box<histogram::Appender<Fractions>>),
}

impl Appender {
    /// A chunk of one sample, which follows no other.
    pub fn new(t: i64, first: &Value) -> Self {
        Self::with_header(t, first, told(first))
    }

    /// A chunk of one sample that follows another chunk: `header` is what that one says in [`Self::append`] or
    /// [`Self::header_after`].
    pub fn with_header(t: i64, first: &Value, header: ResetHint) -> Self {
        match first {
            Value::Float(first) => Self::Floats(xor::Appender::new(t, *first)),
            Value::Histogram(first) if first.is_float() => {
                Self::FloatHistograms(Box::new(histogram::Appender::new(t, first, header)))
            }
            Value::Histogram(first) => Self::Histograms(Box::new(histogram::Appender::new(t, first, header))),
        }
    }

    /// Append a sample, or say how the next chunk has to begin with it.
    pub fn append(&mut self, t: i64, value: &Value) -> Result<(), Cut> {
        match (self, value) {
            (Self::Floats(chunk), Value::Float(value)) if chunk.samples() < xor::MAX_SAMPLES => {
                chunk.append(t, *value);
                Ok(())
            }
            (Self::Histograms(chunk), Value::Histogram(value)) => chunk.append(t, value),
            (Self::FloatHistograms(chunk), Value::Histogram(value)) => chunk.append(t, value),
            (_, value) => Err(Cut(told(value))),
        }
    }

    /// The header of the chunk that `first` begins because this one is full.
    pub fn header_after(&self, first: &Value) -> ResetHint {
        match (self, first) {
            (Self::Histograms(chunk), Value::Histogram(first)) => chunk.header_after(first),
            (Self::FloatHistograms(chunk), Value::Histogram(first)) => chunk.header_after(first),
            _ => told(first),
        }
    }

    /// The last sample.
    pub fn last(&self) -> Sample {
        match self {
            Self::Floats(chunk) => {
                let (t, value) = chunk.last();
                (t, Value::Float(value))
            }
            Self::Histograms(chunk) => {
                let (t, value) = chunk.last();
                (t, Value::Histogram(value.into()))
            }
            Self::FloatHistograms(chunk) => {
                let (t, value) = chunk.last();
                (t, Value::Histogram(value.into()))
            }
        }
    }

    /// Time of the last sample, ms.
    pub fn last_time(&self) -> i64 {
        match self {
            Self::Floats(chunk) => chunk.last().0,
            Self::Histograms(chunk) => chunk.last_time(),
            Self::FloatHistograms(chunk) => chunk.last_time(),
        }
    }

    /// Samples so far.
    pub fn samples(&self) -> u16 {
        match self {
            Self::Floats(chunk) => chunk.samples(),
            Self::Histograms(chunk) => chunk.samples(),
            Self::FloatHistograms(chunk) => chunk.samples(),
        }
    }

    /// How it is compressed.
    pub fn encoding(&self) -> Encoding {
        match self {
            Self::Floats(_) => Encoding::Xor,
            Self::Histograms(_) => Encoding::Histogram,
            Self::FloatHistograms(_) => Encoding::FloatHistogram,
        }
    }

    /// The chunk as it stands.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Floats(chunk) => chunk.bytes(),
            Self::Histograms(chunk) => chunk.bytes(),
            Self::FloatHistograms(chunk) => chunk.bytes(),
        }
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        match self {
            Self::Floats(chunk) => chunk.capacity(),
            Self::Histograms(chunk) => std::mem::size_of_val(&**chunk) + chunk.heap(),
            Self::FloatHistograms(chunk) => std::mem::size_of_val(&**chunk) + chunk.heap(),
        }
    }

    /// The chunk, no longer to be appended to; `mint` is the time of its first sample, ms.
    pub fn into_chunk(self, mint: i64) -> Chunk {
        let (maxt, encoding) = (self.last_time(), self.encoding());
        let data = match self {
            Self::Floats(chunk) => chunk.into_bytes(),
            Self::Histograms(chunk) => chunk.into_bytes(),
            Self::FloatHistograms(chunk) => chunk.into_bytes(),
        };
        Chunk {
            mint,
            maxt,
            encoding,
            data: data.into(),
        }
    }
}

fn told(first: &Value) -> ResetHint {
    match first {
        Value::Float(_) => ResetHint::Unknown,
        Value::Histogram(first) => histogram::told(first),
    }
}
