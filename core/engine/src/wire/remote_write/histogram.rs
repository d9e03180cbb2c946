//! Histograms, which both versions write alike.

use super::schema::{histogram as field, span};
use crate::bytes::unzigzag;
use crate::histogram::{Counts, Histogram, ResetHint, Span};
use crate::wire::message::{each_fixed64, each_varint, unzigzag32, Field, Fields, Malformed};

/// A histogram sample as it was sent. Nothing of it is checked yet.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// ms
    pub(super) t: i64,
    /// ms; 0: not told
    pub(super) start: i64,
    pub(super) value: Histogram,
}

#[derive(Default)]
struct Side {
    spans: Vec<Span>,
    deltas: Vec<i64>,
    counts: Vec<f64>,
}

/// A message `Histogram`.
pub(super) fn decode(message: &[u8]) -> Result<Sent, Malformed> {
    let mut sent = Sent::default();
    let (mut positive, mut negative) = (Side::default(), Side::default());
    // Of two fields that exclude each other the last one counts.
    let (mut count, mut zero) = (Number::default(), Number::default());
    for next in Fields::new(message) {
        match next? {
            (field::COUNT, Field::Varint(v)) => count = Number::Whole(v),
            (field::COUNT_FLOAT, Field::Fixed64(bits)) => count = Number::Float(f64::from_bits(bits)),
            (field::SUM, Field::Fixed64(bits)) => sent.value.sum = f64::from_bits(bits),
            (field::SCHEMA, Field::Varint(v)) => sent.value.schema = unzigzag32(v),
            (field::ZERO_THRESHOLD, Field::Fixed64(bits)) => sent.value.zero_threshold = f64::from_bits(bits),
            (field::ZERO_COUNT, Field::Varint(v)) => zero = Number::Whole(v),
            (field::ZERO_COUNT_FLOAT, Field::Fixed64(bits)) => zero = Number::Float(f64::from_bits(bits)),
            (field::RESET_HINT, Field::Varint(v)) => {
                sent.value.hint = u8::try_from(v).map_or(ResetHint::Unknown, ResetHint::from_byte);
            }
            (field::TIME, Field::Varint(v)) => sent.t = v as i64,
            (field::START, Field::Varint(v)) => sent.start = v as i64,
            (field::CUSTOM_VALUES, values) => each_fixed64(values, |v| sent.value.custom.push(f64::from_bits(v)))?,
            (number @ field::NEGATIVE_SPANS..=field::NEGATIVE_COUNTS, value) => {
                side(&mut negative, number - field::NEGATIVE_SPANS, value)?;
            }
            (number @ field::POSITIVE_SPANS..=field::POSITIVE_COUNTS, value) => {
                side(&mut positive, number - field::POSITIVE_SPANS, value)?;
            }
            _ => {}
        }
    }
    sent.value.positive = positive.spans;
    sent.value.negative = negative.spans;
    sent.value.counts = match count {
        Number::Whole(count) => Counts::Integer {
            count,
            zero: zero.whole(),
            positive: positive.deltas,
            negative: negative.deltas,
        },
        Number::Float(count) => Counts::Float {
            count,
            zero: zero.float(),
            positive: positive.counts,
            negative: negative.counts,
        },
    };
    Ok(sent)
}

#[derive(Clone, Copy)]
enum Number {
    Whole(u64),
    Float(f64),
}

impl Default for Number {
    fn default() -> Self {
        Self::Whole(0)
    }
}

impl Number {
    fn whole(self) -> u64 {
        match self {
            Self::Whole(v) => v,
            Self::Float(_) => 0,
        }
    }

    fn float(self) -> f64 {
        match self {
            Self::Whole(_) => 0.0,
            Self::Float(v) => v,
        }
    }
}

/// Spans, deltas and counts have numbers that follow each other.
fn side(side: &mut Side, which: u32, value: Field<'_>) -> Result<(), Malformed> {
    match (which, value) {
        (0, Field::Bytes(message)) => side.spans.push(decode_span(message)?),
        (1, deltas) => each_varint(deltas, |v| side.deltas.push(unzigzag(v)))?,
        (2, counts) => each_fixed64(counts, |bits| side.counts.push(f64::from_bits(bits)))?,
        _ => {}
    }
    Ok(())
}

fn decode_span(message: &[u8]) -> Result<Span, Malformed> {
    let (mut offset, mut length) = (0, 0);
    for next in Fields::new(message) {
        match next? {
            (span::OFFSET, Field::Varint(v)) => offset = unzigzag32(v),
            (span::LENGTH, Field::Varint(v)) => length = v as u32,
            _ => {}
        }
    }
    Ok((offset, length))
}
