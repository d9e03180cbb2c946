//! Native histograms as both versions write them: message `Histogram`.

use super::message::{put_double, put_doubles, put_message, put_number, put_packed, put_tag};
use crate::bytes::{put_uvarint, zigzag};
use crate::histogram::{Counts, Histogram, Span};

/// Append the fields of a histogram at `t` ms. What excludes its neighbour (a whole or a float count) is there even when zero.
pub fn put_histogram(out: &mut Vec<u8>, t: i64, histogram: &Histogram) {
    match &histogram.counts {
        Counts::Integer { count, .. } => {
            put_tag(out, 1, 0);
            put_uvarint(out, *count);
        }
        Counts::Float { count, .. } => put_float(out, 2, *count),
    }
    put_double(out, 3, histogram.sum);
    put_number(out, 4, zigzag(i64::from(histogram.schema)));
    put_double(out, 5, histogram.zero_threshold);
    match &histogram.counts {
        Counts::Integer { zero, .. } => {
            put_tag(out, 6, 0);
            put_uvarint(out, *zero);
        }
        Counts::Float { zero, .. } => put_float(out, 7, *zero),
    }
    put_side(out, 8, &histogram.negative, side(&histogram.counts, false));
    put_side(out, 11, &histogram.positive, side(&histogram.counts, true));
    put_number(out, 14, histogram.hint as u64);
    put_number(out, 15, t as u64);
    put_doubles(out, 16, &histogram.custom);
}

enum Side<'a> {
    Deltas(&'a [i64]),
    Counts(&'a [f64]),
}

fn side(counts: &Counts, is_positive: bool) -> Side<'_> {
    match counts {
        Counts::Integer { positive, negative, .. } => Side::Deltas(if is_positive { positive } else { negative }),
        Counts::Float { positive, negative, .. } => Side::Counts(if is_positive { positive } else { negative }),
    }
}

/// Spans, deltas and counts have numbers that follow each other.
fn put_side(out: &mut Vec<u8>, first: u32, spans: &[Span], side: Side<'_>) {
    for (offset, length) in spans {
        put_message(out, first, |out| {
            put_number(out, 1, zigzag(i64::from(*offset)));
            put_number(out, 2, u64::from(*length));
        });
    }
    match side {
        Side::Deltas(deltas) => put_packed(out, first + 1, deltas.iter().map(|delta| zigzag(*delta))),
        Side::Counts(counts) => put_doubles(out, first + 2, counts),
    }
}

fn put_float(out: &mut Vec<u8>, number: u32, v: f64) {
    put_tag(out, number, 1);
    out.extend_from_slice(&v.to_bits().to_le_bytes());
}
