//! The fields of `io.prometheus.client` messages, whose 64-bit ones are all doubles.

use crate::float::NORMAL_NAN;
use crate::wire::message::{self, Malformed};
use crate::wire::protobuf::ProtobufError;

/// A field's value by its wire type.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field<'a> {
    Varint(u64),
    Double(f64),
    Bytes(&'a [u8]),
    Fixed32,
}

/// Of the many NaNs only one is let in: another one is the stale marker, by which the store says that a series has ended, and no
/// client may say that.
fn double(bits: u64) -> f64 {
    let v = f64::from_bits(bits);
    if v.is_nan() {
        NORMAL_NAN
    } else {
        v
    }
}

impl<'a> From<message::Field<'a>> for Field<'a> {
    fn from(field: message::Field<'a>) -> Self {
        match field {
            message::Field::Varint(v) => Self::Varint(v),
            message::Field::Fixed64(bits) => Self::Double(double(bits)),
            message::Field::Bytes(bytes) => Self::Bytes(bytes),
            message::Field::Fixed32(_) => Self::Fixed32,
        }
    }
}

impl From<Malformed> for ProtobufError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// Numbers and values of a message's fields, in order.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a>(message::Fields<'a>);

impl<'a> Fields<'a> {
    pub(super) fn new(message: &'a [u8]) -> Self {
        Self(message::Fields::new(message))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Field<'a>), ProtobufError>;

    fn next(&mut self) -> Option<Self::Item> {
        let field = self.0.next()?;
        Some(field.map(|(number, field)| (number, field.into())).map_err(Into::into))
    }
}

/// The numbers of a repeated field: one, or many packed into bytes.
pub(super) fn each_number(field: Field<'_>, take: impl FnMut(u64)) -> Result<(), ProtobufError> {
    let field = match field {
        Field::Varint(v) => message::Field::Varint(v),
        Field::Bytes(packed) => message::Field::Bytes(packed),
        Field::Double(_) | Field::Fixed32 => return Ok(()),
    };
    Ok(message::each_varint(field, take)?)
}

/// The doubles of a repeated field: one, or many packed into bytes.
pub(super) fn each_double(field: Field<'_>, mut take: impl FnMut(f64)) -> Result<(), ProtobufError> {
    match field {
        Field::Double(v) => take(v),
        Field::Bytes(packed) => message::each_fixed64(message::Field::Bytes(packed), |bits| take(double(bits)))?,
        Field::Varint(_) | Field::Fixed32 => {}
    }
    Ok(())
}
