//! Samples with start times, as a Prometheus with `st-storage` writes them. The start times are read over: nothing here
//! stores them.
//!
//! ```text
//! first row   ref sv, t sv, start sv, value
//! others      ref - the one before sv, t - first t sv, marker(1) [start - first start sv], value
//! ```

use super::histogram::decode_histogram;
use super::record::Malformed;
use super::{FloatRow, HistogramRow, SeriesRef};
use crate::bytes::Decoder;

/// Marker: the sample has no start time.
const NONE: u8 = 0;
/// Marker: the start time of the sample before.
const SAME: u8 = 1;

/// Append the rows of a samples record's body to `rows`.
pub fn decode_samples(body: &[u8], rows: &mut Vec<FloatRow>) -> Result<(), Malformed> {
    decode_rows(body, |series, t, decoder| {
        rows.push((series, t, decoder.f64_be()?));
        Ok(())
    })
}

/// Append the rows of a histogram record's body to `rows`; `floats` tells the record's kind.
pub fn decode_histograms(body: &[u8], floats: bool, rows: &mut Vec<HistogramRow>) -> Result<(), Malformed> {
    decode_rows(body, |series, t, decoder| {
        let histogram = decode_histogram(decoder, floats)?;
        rows.extend(histogram.map(|histogram| (series, t, histogram.into())));
        Ok(())
    })
}

fn decode_rows(
    body: &[u8],
    mut each: impl FnMut(SeriesRef, i64, &mut Decoder<'_>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut decoder = Decoder::new(body);
    if decoder.is_empty() {
        return Ok(());
    }
    let mut reference = decoder.varint()?;
    let first_t = decoder.varint()?;
    decoder.varint()?; // the first start time
    each(SeriesRef(reference as u64), first_t, &mut decoder)?;
    while !decoder.is_empty() {
        reference = reference.wrapping_add(decoder.varint()?);
        let t = first_t.wrapping_add(decoder.varint()?);
        if !matches!(decoder.u8()?, NONE | SAME) {
            decoder.varint()?;
        }
        each(SeriesRef(reference as u64), t, &mut decoder)?;
    }
    Ok(())
}
