//! Protobuf messages: fields borrowed from bytes, and fields appended to bytes.

use crate::bytes::{put_prefixed, put_uvarint, Decoder};
use crate::wire::protobuf::delimited;

/// A field's value by its wire type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field<'a> {
    /// int32 to uint64, bool, enum; of sint32 and sint64 the zigzag.
    Varint(u64),
    /// double, fixed64, sfixed64: its bits.
    Fixed64(u64),
    /// string, bytes, a message, packed numbers.
    Bytes(&'a [u8]),
    /// float, fixed32, sfixed32: its bits.
    Fixed32(u32),
}

/// A message whose fields cannot be told apart, or a string that is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("proto: cannot parse invalid wire-format data")
    }
}

impl std::error::Error for Malformed {}

/// Numbers and values of a message's fields, in order. An unknown field, or a known one of another wire type than its own,
/// is for the caller to pass over, as protobuf demands.
#[derive(Debug, Clone)]
pub struct Fields<'a>(Decoder<'a>);

impl<'a> Fields<'a> {
    /// Those of `message`.
    pub fn new(message: &'a [u8]) -> Self {
        Self(Decoder::new(message))
    }

    /// Bytes that are not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.0.rest()
    }

    fn field(&mut self) -> Option<(u32, Field<'a>)> {
        let tag = self.0.uvarint().ok()?;
        let number = u32::try_from(tag >> 3).ok().filter(|n| (1..1 << 29).contains(n))?;
        let field = match tag & 7 {
            0 => Field::Varint(self.0.uvarint().ok()?),
            1 => Field::Fixed64(self.0.u64_le().ok()?),
            2 => Field::Bytes(self.0.prefixed().ok()?),
            5 => Field::Fixed32(self.0.u32_le().ok()?),
            // Groups are in none of these messages and in no newer protobuf.
            _ => return None,
        };
        Some((number, field))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Field<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field().ok_or(Malformed);
        if field.is_err() {
            self.0 = Decoder::new(&[]);
        }
        Some(field)
    }
}

/// The text of a string field.
pub fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed)
}

/// The numbers of a repeated varint field: one, or many packed into bytes.
pub fn each_varint(field: Field<'_>, mut take: impl FnMut(u64)) -> Result<(), Malformed> {
    match field {
        Field::Varint(v) => take(v),
        Field::Bytes(packed) => {
            let mut decoder = Decoder::new(packed);
            while !decoder.is_empty() {
                take(decoder.uvarint().map_err(|_| Malformed)?);
            }
        }
        Field::Fixed64(_) | Field::Fixed32(_) => {}
    }
    Ok(())
}

/// The bits of a repeated double or fixed64 field: one, or many packed into bytes.
pub fn each_fixed64(field: Field<'_>, mut take: impl FnMut(u64)) -> Result<(), Malformed> {
    match field {
        Field::Fixed64(v) => take(v),
        Field::Bytes(packed) => {
            let mut decoder = Decoder::new(packed);
            while !decoder.is_empty() {
                take(decoder.u64_le().map_err(|_| Malformed)?);
            }
        }
        Field::Varint(_) | Field::Fixed32(_) => {}
    }
    Ok(())
}

/// Zigzag of a `sint32`, whose varint may come with more bits than count.
pub fn unzigzag32(v: u64) -> i32 {
    let v = v as u32;
    ((v >> 1) as i32) ^ -((v & 1) as i32)
}

fn put_tag(out: &mut Vec<u8>, number: u32, wire_type: u32) {
    put_uvarint(out, u64::from(number << 3 | wire_type));
}

/// Append a varint field.
pub fn put_number(out: &mut Vec<u8>, number: u32, v: u64) {
    put_tag(out, number, 0);
    put_uvarint(out, v);
}

/// Append a double field.
pub fn put_double(out: &mut Vec<u8>, number: u32, v: f64) {
    put_tag(out, number, 1);
    out.extend_from_slice(&v.to_bits().to_le_bytes());
}

/// Append a string or bytes field.
pub fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_tag(out, number, 2);
    put_prefixed(out, bytes);
}

/// Append a message field, or packed numbers, with what `message` appends.
pub fn put_message(out: &mut Vec<u8>, number: u32, message: impl FnOnce(&mut Vec<u8>)) {
    put_tag(out, number, 2);
    delimited(out, message);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_put_is_read() {
        let mut out = Vec::new();
        put_number(&mut out, 1, 300);
        put_double(&mut out, 2, -0.5);
        put_message(&mut out, 3, |out| put_bytes(out, 1, &[b'x'; 200]));
        let fields: Vec<_> = Fields::new(&out).collect::<Result<_, _>>().unwrap();
        let inner = [&[0x0a, 0xc8, 0x01][..], &[b'x'; 200][..]].concat();
        assert_eq!(
            fields,
            [
                (1, Field::Varint(300)),
                (2, Field::Fixed64((-0.5f64).to_bits())),
                (3, Field::Bytes(&inner)),
            ]
        );
    }

    #[test]
    fn repeated_numbers_come_packed_or_one_by_one() {
        let mut found = Vec::new();
        each_varint(Field::Bytes(&[1, 0x80, 1]), |v| found.push(v)).unwrap();
        each_varint(Field::Varint(7), |v| found.push(v)).unwrap();
        assert_eq!(found, [1, 128, 7]);
        assert_eq!(each_fixed64(Field::Bytes(&[0; 7]), |_| {}), Err(Malformed));
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let fields: Result<Vec<_>, _> = Fields::new(&bytes).collect();
            let cut: Result<Vec<_>, _> = Fields::new(bytes.get(..bytes.len() / 2).unwrap()).collect();
            let _ = (fields, cut);
        }
    }
}
