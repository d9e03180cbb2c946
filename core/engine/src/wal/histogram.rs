//! A native histogram inside a WAL record.
//!
//! ```text
//! hint(1) schema sv  zero_threshold f64  zero_count  count  sum f64
//! positive spans, negative spans: n uv, (offset sv, length uv)*
//! positive buckets, negative buckets: n uv, value*
//! schema -53 only: n uv, upper bound f64*
//! ```
//!
//! Counts are uvarints and bucket values zigzag differences, or all of them doubles in a float histogram.

use crate::bytes::{put_uvarint, put_varint, Decoder, Truncated};
use crate::histogram::{Counts, Histogram, ResetHint, Span, CUSTOM_BUCKETS};

use super::record::Malformed;

/// Append one histogram.
pub fn encode_histogram(histogram: &Histogram, out: &mut Vec<u8>) {
    out.push(histogram.hint as u8);
    put_varint(out, histogram.schema.into());
    put_f64(out, histogram.zero_threshold);
    match &histogram.counts {
        Counts::Integer { count, zero, .. } => {
            put_uvarint(out, *zero);
            put_uvarint(out, *count);
        }
        Counts::Float { count, zero, .. } => {
            put_f64(out, *zero);
            put_f64(out, *count);
        }
    }
    put_f64(out, histogram.sum);
    for spans in [&histogram.positive, &histogram.negative] {
        put_list(out, spans, |out, (offset, length)| {
            put_varint(out, offset.into());
            put_uvarint(out, length.into());
        });
    }
    match &histogram.counts {
        Counts::Integer { positive, negative, .. } => {
            put_list(out, positive, put_varint);
            put_list(out, negative, put_varint);
        }
        Counts::Float { positive, negative, .. } => {
            put_list(out, positive, put_f64);
            put_list(out, negative, put_f64);
        }
    }
    if histogram.schema == CUSTOM_BUCKETS {
        put_list(out, &histogram.custom, put_f64);
    }
}

/// Read one histogram; `floats` tells the kind of the record that it stands in. It is sound and can be queried; `None` for
/// one of a schema that nobody knows the meaning of.
pub fn decode_histogram(decoder: &mut Decoder<'_>, floats: bool) -> Result<Option<Histogram>, Malformed> {
    let hint = ResetHint::from_byte(decoder.u8()?);
    let schema = i32::try_from(decoder.varint()?).map_err(|_| Malformed::Content)?;
    let zero_threshold = decoder.f64_be()?;
    let (mut zero, mut count, mut zero_float, mut count_float) = (0, 0, 0.0, 0.0);
    if floats {
        (zero_float, count_float) = (decoder.f64_be()?, decoder.f64_be()?);
    } else {
        (zero, count) = (decoder.uvarint()?, decoder.uvarint()?);
    }
    let sum = decoder.f64_be()?;
    let (positive, negative) = (decode_list(decoder, decode_span)?, decode_list(decoder, decode_span)?);
    let counts = if floats {
        Counts::Float {
            count: count_float,
            zero: zero_float,
            positive: decode_list(decoder, decode_f64)?,
            negative: decode_list(decoder, decode_f64)?,
        }
    } else {
        Counts::Integer {
            count,
            zero,
            positive: decode_list(decoder, decode_delta)?,
            negative: decode_list(decoder, decode_delta)?,
        }
    };
    let custom = match schema {
        CUSTOM_BUCKETS => decode_list(decoder, decode_f64)?,
        _ => Vec::new(),
    };
    let histogram = Histogram {
        hint,
        schema,
        zero_threshold,
        sum,
        positive,
        negative,
        custom,
        counts,
    };
    if !Histogram::has_known_schema(schema) {
        return Ok(None);
    }
    if !histogram.is_sound() {
        return Err(Malformed::Content);
    }
    Ok(Some(histogram.queryable()))
}

fn put_list<T: Copy>(out: &mut Vec<u8>, items: &[T], put: impl Fn(&mut Vec<u8>, T)) {
    put_uvarint(out, items.len() as u64);
    items.iter().for_each(|item| put(out, *item));
}

fn put_f64(out: &mut Vec<u8>, v: f64) {
    out.extend_from_slice(&v.to_bits().to_be_bytes());
}

/// No item is shorter than a byte, so a number too large for the input ends with it.
fn decode_list<T>(
    decoder: &mut Decoder<'_>,
    item: impl Fn(&mut Decoder<'_>) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let count = decoder.uvarint()?;
    if count > decoder.len() as u64 {
        return Err(Truncated.into());
    }
    (0..count).map(|_| item(decoder)).collect()
}

fn decode_span(decoder: &mut Decoder<'_>) -> Result<Span, Malformed> {
    let offset = i32::try_from(decoder.varint()?).map_err(|_| Malformed::Content)?;
    let length = u32::try_from(decoder.uvarint()?).map_err(|_| Malformed::Content)?;
    Ok((offset, length))
}

fn decode_f64(decoder: &mut Decoder<'_>) -> Result<f64, Malformed> {
    Ok(decoder.f64_be()?)
}

fn decode_delta(decoder: &mut Decoder<'_>) -> Result<i64, Malformed> {
    Ok(decoder.varint()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::histogram::arbitrary;

    proptest! {
        #[test]
        fn round_trips(histogram in arbitrary::histogram()) {
            let mut record = Vec::new();
            encode_histogram(&histogram, &mut record);
            let mut decoder = Decoder::new(&record);
            let read = decode_histogram(&mut decoder, histogram.is_float());
            prop_assert!(decoder.is_empty());
            let read = read.ok().flatten().ok_or_else(|| TestCaseError::fail("does not decode"))?;
            prop_assert_eq!(read.hint, histogram.hint);
            let mut again = Vec::new();
            encode_histogram(&read, &mut again);
            prop_assert_eq!(again, record);
        }

        #[test]
        fn any_bytes_decode_to_a_sound_histogram_or_not_at_all(
            histogram in arbitrary::histogram(),
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            floats in any::<bool>(),
        ) {
            let mut record = Vec::new();
            encode_histogram(&histogram, &mut record);
            for (place, byte) in changes {
                let place = place.index(record.len());
                record.iter_mut().skip(place).take(1).for_each(|changed| *changed = byte);
            }
            if let Ok(Some(read)) = decode_histogram(&mut Decoder::new(&record), floats) {
                prop_assert!(read.is_sound());
            }
        }
    }
}
