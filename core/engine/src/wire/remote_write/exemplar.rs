//! Exemplars, whose labels are written as those of series are.

use super::request::{BadReference, Pair, Request};
use super::schema::{exemplar as field, v1};
use crate::labels;
use crate::wire::message::{Field, Fields, Malformed};

/// An exemplar as it was sent; its labels are packed.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) t: i64,
    pub(super) value: f64,
}

/// Read a message `Exemplar`; its labels, packed, take the place of what is in `own`.
pub(super) fn decode<'a>(
    request: &Request<'a>,
    message: &'a [u8],
    pairs: &mut Vec<Pair<'a>>,
    own: &mut Vec<u8>,
) -> Result<Result<Sent, BadReference>, Malformed> {
    let mut sent = Sent::default();
    for next in Fields::new(message) {
        match next? {
            (field::VALUE, Field::Fixed64(bits)) => sent.value = f64::from_bits(bits),
            (field::TIME, Field::Varint(t)) => sent.t = t as i64,
            _ => {}
        }
    }
    let fields = Fields::new(message).filter_map(|field| match field {
        Ok((v1::exemplar::LABELS, field)) => Some(Ok(field)),
        Ok(_) => None,
        Err(malformed) => Some(Err(malformed)),
    });
    if let Err(bad) = request.pairs(fields, pairs)? {
        return Ok(Err(bad));
    }
    own.clear();
    Ok(pack(pairs, own).map(|()| sent))
}

fn pack(pairs: &[Pair<'_>], own: &mut Vec<u8>) -> Result<(), BadReference> {
    let text = |bytes| std::str::from_utf8(bytes).ok();
    let texts: Option<Vec<(&str, &str)>> = pairs.iter().map(|(n, v)| Some((text(n)?, text(v)?))).collect();
    let mut texts = texts.ok_or_else(|| BadReference("label name or value is not UTF-8".into()))?;
    labels::pack(&mut texts, own).map_err(|error| BadReference(error.to_string()))
}
