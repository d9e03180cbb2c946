//! A native histogram inside a WAL record.
//!
//! ```text
//! hint(1) schema sv  zero_threshold f64  zero_count  count  sum f64
//! positive spans, negative spans: n uv, (offset sv, length uv)*
//! positive buckets, negative buckets: n uv, value*
//! ```
//!
//! Counts are uvarints and bucket values zigzag differences, or all of them doubles in a float histogram.

use crate::bytes::{put_uvarint, put_varint, Decoder};
use crate::family::{Buckets, Histogram, Native};

use super::record::Malformed;

/// "Unknown whether the counter was reset": whoever reads compares with the sample before.
const HINT_UNKNOWN: u8 = 0;

/// Append the histogram's native part, with its count and sum. Classic buckets have no place in this record.
pub fn encode_histogram(histogram: &Histogram, out: &mut Vec<u8>) {
    let empty = Native::default();
    let native = histogram.native.as_deref().unwrap_or(&empty);
    let floats = histogram.is_float();
    out.push(HINT_UNKNOWN);
    put_varint(out, native.schema.into());
    put_f64(out, native.zero_threshold);
    if floats {
        put_f64(out, native.zero_count_float);
        put_f64(out, histogram.count_float);
    } else {
        put_uvarint(out, native.zero_count);
        put_uvarint(out, histogram.count);
    }
    put_f64(out, histogram.sum);
    for side in [&native.positive, &native.negative] {
        put_uvarint(out, side.spans.len() as u64);
        for &(offset, length) in &side.spans {
            put_varint(out, offset.into());
            put_uvarint(out, length.into());
        }
    }
    for side in [&native.positive, &native.negative] {
        if floats {
            put_uvarint(out, side.counts.len() as u64);
            side.counts.iter().for_each(|count| put_f64(out, *count));
        } else {
            put_uvarint(out, side.deltas.len() as u64);
            side.deltas.iter().for_each(|delta| put_varint(out, *delta));
        }
    }
}

/// Read one histogram; `floats` tells the kind of the record that it stands in.
pub fn decode_histogram(decoder: &mut Decoder<'_>, floats: bool) -> Result<Histogram, Malformed> {
    let mut histogram = Histogram::default();
    let mut native = Native::default();
    decoder.u8()?; // the reset hint is found anew by readers
    native.schema = i32::try_from(decoder.varint()?).map_err(|_| Malformed::Content)?;
    native.zero_threshold = decoder.f64_be()?;
    if floats {
        native.zero_count_float = decoder.f64_be()?;
        histogram.count_float = decoder.f64_be()?;
    } else {
        native.zero_count = decoder.uvarint()?;
        histogram.count = decoder.uvarint()?;
    }
    histogram.sum = decoder.f64_be()?;
    native.positive.spans = decode_spans(decoder)?;
    native.negative.spans = decode_spans(decoder)?;
    decode_buckets(decoder, floats, &mut native.positive)?;
    decode_buckets(decoder, floats, &mut native.negative)?;
    histogram.native = Some(Box::new(native));
    Ok(histogram)
}

fn decode_spans(decoder: &mut Decoder<'_>) -> Result<Vec<(i32, u32)>, Malformed> {
    let mut spans = Vec::new();
    for _ in 0..decoder.uvarint()? {
        let offset = i32::try_from(decoder.varint()?).map_err(|_| Malformed::Content)?;
        let length = u32::try_from(decoder.uvarint()?).map_err(|_| Malformed::Content)?;
        spans.push((offset, length));
    }
    Ok(spans)
}

fn decode_buckets(decoder: &mut Decoder<'_>, floats: bool, side: &mut Buckets) -> Result<(), Malformed> {
    for _ in 0..decoder.uvarint()? {
        if floats {
            side.counts.push(decoder.f64_be()?);
        } else {
            side.deltas.push(decoder.varint()?);
        }
    }
    Ok(())
}

fn put_f64(out: &mut Vec<u8>, v: f64) {
    out.extend_from_slice(&v.to_bits().to_be_bytes());
}
