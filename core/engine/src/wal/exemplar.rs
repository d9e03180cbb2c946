//! Exemplars in the log: rows as samples have them, with the exemplar's own labels behind the value.

use super::record::{decode_rows, Malformed};
use super::SeriesRef;
use crate::bytes::{put_prefixed, Decoder};
use crate::labels::Labels;

/// An exemplar in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct ExemplarRow {
    /// Whose it is.
    pub series: SeriesRef,
    /// Time, ms.
    pub t: i64,
    /// The observed value.
    pub value: f64,
    /// Its own labels, packed: a trace's id, most of the time.
    pub labels: Box<[u8]>,
}

/// Append the rows of an exemplar record's body to `rows`.
pub fn decode_exemplars(body: &[u8], rows: &mut Vec<ExemplarRow>) -> Result<(), Malformed> {
    decode_rows(body, |series, t, decoder| {
        let value = decoder.f64_be()?;
        let mut packed = Vec::new();
        decode_labels(decoder, &mut packed)?;
        rows.push(ExemplarRow {
            series,
            t,
            value,
            labels: packed.into(),
        });
        Ok(())
    })
}

/// Read a label set with its count before it into `packed`, and check it.
pub(super) fn decode_labels(decoder: &mut Decoder<'_>, packed: &mut Vec<u8>) -> Result<(), Malformed> {
    packed.clear();
    for _ in 0..decoder.uvarint()? {
        put_prefixed(packed, decoder.prefixed()?);
        put_prefixed(packed, decoder.prefixed()?);
    }
    Labels::checked(packed).map_err(|_| Malformed::Content)?;
    Ok(())
}
