//! The fields of a protobuf message, borrowed from its bytes.

use crate::bytes::Decoder;
use crate::float::NORMAL_NAN;
use crate::wire::protobuf::ProtobufError;

/// A field's value by its wire type.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field<'a> {
    Varint(u64),
    Double(f64),
    Bytes(&'a [u8]),
    Fixed32,
}

/// All 64-bit fields of these messages are doubles. Of the many NaNs only one is let in: another one is the stale marker, by
/// which the store says that a series has ended, and no client may say that.
fn double(bits: u64) -> f64 {
    let v = f64::from_bits(bits);
    if v.is_nan() {
        NORMAL_NAN
    } else {
        v
    }
}

/// Numbers and values of a message's fields, in order. An unknown field, or a known one of another wire type than its own,
/// is for the caller to pass over, as protobuf demands.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a>(Decoder<'a>);

impl<'a> Fields<'a> {
    pub(super) fn new(message: &'a [u8]) -> Self {
        Self(Decoder::new(message))
    }

    fn field(&mut self) -> Option<(u32, Field<'a>)> {
        let tag = self.0.uvarint().ok()?;
        let number = u32::try_from(tag >> 3).ok().filter(|n| (1..1 << 29).contains(n))?;
        let field = match tag & 7 {
            0 => Field::Varint(self.0.uvarint().ok()?),
            1 => Field::Double(double(self.0.u64_le().ok()?)),
            2 => Field::Bytes(self.0.prefixed().ok()?),
            5 => self.0.u32_le().ok().map(|_| Field::Fixed32)?,
            // Groups are in none of these messages and in no newer protobuf.
            _ => return None,
        };
        Some((number, field))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Field<'a>), ProtobufError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field().ok_or(ProtobufError::Malformed);
        if field.is_err() {
            self.0 = Decoder::new(&[]);
        }
        Some(field)
    }
}

/// The numbers of a repeated field: one, or many packed into bytes.
pub(super) fn each_number(field: Field<'_>, take: impl FnMut(u64)) -> Result<(), ProtobufError> {
    match field {
        Field::Varint(v) => std::iter::once(v).for_each(take),
        Field::Bytes(packed) => return unpack(packed, |d| d.uvarint().ok(), take),
        Field::Double(_) | Field::Fixed32 => {}
    }
    Ok(())
}

/// The doubles of a repeated field: one, or many packed into bytes.
pub(super) fn each_double(field: Field<'_>, take: impl FnMut(f64)) -> Result<(), ProtobufError> {
    match field {
        Field::Double(v) => std::iter::once(v).for_each(take),
        Field::Bytes(packed) => return unpack(packed, |d| d.u64_le().ok().map(double), take),
        Field::Varint(_) | Field::Fixed32 => {}
    }
    Ok(())
}

fn unpack<T>(
    packed: &[u8],
    one: fn(&mut Decoder<'_>) -> Option<T>,
    mut take: impl FnMut(T),
) -> Result<(), ProtobufError> {
    let mut decoder = Decoder::new(packed);
    while !decoder.is_empty() {
        take(one(&mut decoder).ok_or(ProtobufError::Malformed)?);
    }
    Ok(())
}
