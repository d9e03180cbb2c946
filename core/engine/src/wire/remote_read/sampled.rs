//! `ReadResponse`: all samples in one message, which is one snappy block.
//!
//! The lengths stand in front of what they count, and nothing of that is known before all of it is. A snappy block is a
//! length and then pieces that know nothing of each other, so the samples are compressed as they come and what has to
//! stand before them is a piece of its own: only compressed bytes are ever held.

use snap::raw::Encoder;

use super::External;
use crate::bytes::{put_uvarint, zigzag};
use crate::histogram::{Counts, Histogram, Span};
use crate::query::Columns;
use crate::wire::message::{put_double, put_message, put_number};

/// Append a `TimeSeries` field for each series.
pub fn put_series(out: &mut Vec<u8>, columns: &Columns, external: &External) {
    for series in 0..columns.len() {
        let Some(labels) = columns.labels(series) else { continue };
        put_message(out, 1, |out| {
            external.put_labels(out, 1, labels);
            let (times, values) = columns.floats_of(series);
            for (t, value) in times.iter().zip(values) {
                put_message(out, 2, |out| {
                    put_value(out, 1, *value);
                    put_time(out, 2, *t);
                });
            }
            for (t, histogram) in columns.histograms_of(series) {
                put_message(out, 4, |out| put_histogram(out, *t, histogram));
            }
        });
    }
}

/// Zero is what a field has that is left out.
fn put_value(out: &mut Vec<u8>, number: u32, v: f64) {
    if v.to_bits() != 0 {
        put_double(out, number, v);
    }
}

fn put_time(out: &mut Vec<u8>, number: u32, t: i64) {
    if t != 0 {
        put_number(out, number, t as u64);
    }
}

fn put_histogram(out: &mut Vec<u8>, t: i64, histogram: &Histogram) {
    match &histogram.counts {
        Counts::Integer { count, .. } => put_number(out, 1, *count),
        Counts::Float { count, .. } => put_double(out, 2, *count),
    }
    put_value(out, 3, histogram.sum);
    put_number(out, 4, zigzag(histogram.schema.into()));
    put_value(out, 5, histogram.zero_threshold);
    match &histogram.counts {
        Counts::Integer { zero, .. } => put_number(out, 6, *zero),
        Counts::Float { zero, .. } => put_double(out, 7, *zero),
    }
    put_spans(out, 8, &histogram.negative);
    put_spans(out, 11, &histogram.positive);
    match &histogram.counts {
        Counts::Integer { positive, negative, .. } => {
            put_deltas(out, 9, negative);
            put_deltas(out, 12, positive);
        }
        Counts::Float { positive, negative, .. } => {
            put_doubles(out, 10, negative);
            put_doubles(out, 13, positive);
        }
    }
    put_number(out, 14, histogram.hint as u64);
    put_time(out, 15, t);
    put_doubles(out, 16, &histogram.custom);
}

fn put_spans(out: &mut Vec<u8>, number: u32, spans: &[Span]) {
    for (offset, length) in spans {
        put_message(out, number, |out| {
            put_number(out, 1, zigzag((*offset).into()));
            put_number(out, 2, (*length).into());
        });
    }
}

fn put_deltas(out: &mut Vec<u8>, number: u32, deltas: &[i64]) {
    if !deltas.is_empty() {
        put_message(out, number, |out| {
            deltas.iter().for_each(|delta| put_uvarint(out, zigzag(*delta)))
        });
    }
}

fn put_doubles(out: &mut Vec<u8>, number: u32, values: &[f64]) {
    if !values.is_empty() {
        put_message(out, number, |out| {
            values
                .iter()
                .for_each(|v| out.extend_from_slice(&v.to_bits().to_le_bytes()));
        });
    }
}

/// The answer is larger than a snappy block can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

/// The elements of a block for `raw`, with which no other piece has anything to do.
pub fn compress(raw: &[u8]) -> Result<Vec<u8>, TooLarge> {
    let mut block = Encoder::new().compress_vec(raw).map_err(|_| TooLarge)?;
    let length = uvarint_length(raw.len() as u64);
    Ok(block.split_off(length.min(block.len())))
}

/// What stands before the whole block, and before the pieces of each `QueryResult`, which are `lengths` bytes raw.
pub fn heads(lengths: &[u64]) -> Result<(Vec<u8>, Vec<Vec<u8>>), TooLarge> {
    let mut total = 0u64;
    let mut heads = Vec::with_capacity(lengths.len());
    for length in lengths {
        let mut field = vec![RESULT];
        put_uvarint(&mut field, *length);
        total = total.saturating_add(field.len() as u64).saturating_add(*length);
        field.insert(0, ((field.len() - 1) << 2) as u8); // as a literal
        heads.push(field);
    }
    let total = u32::try_from(total).map_err(|_| TooLarge)?;
    let mut block = Vec::new();
    put_uvarint(&mut block, total.into());
    Ok((block, heads))
}

/// The tag of `ReadResponse.results`.
const RESULT: u8 = 1 << 3 | 2;

fn uvarint_length(v: u64) -> usize {
    let mut out = Vec::with_capacity(10);
    put_uvarint(&mut out, v);
    out.len()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_make_one_block(results in prop::collection::vec(prop::collection::vec(prop::collection::vec(0u8..4, 0..300), 0..4), 0..4)) {
            let lengths: Vec<u64> = results.iter().map(|pieces| pieces.concat().len() as u64).collect();
            let (mut block, results_heads) = heads(&lengths).unwrap();
            let mut wanted = Vec::new();
            for ((pieces, length), head) in results.iter().zip(&lengths).zip(results_heads) {
                block.extend(head);
                wanted.push(RESULT);
                put_uvarint(&mut wanted, *length);
                for piece in pieces {
                    block.extend(compress(piece).unwrap());
                    wanted.extend(piece);
                }
            }
            prop_assert_eq!(snap::raw::Decoder::new().decompress_vec(&block).unwrap(), wanted);
        }
    }

    #[test]
    fn what_no_block_can_hold_is_refused() {
        assert!(heads(&[u32::MAX.into()]).is_err());
        assert!(heads(&[u64::MAX, 7]).is_err());
    }
}
