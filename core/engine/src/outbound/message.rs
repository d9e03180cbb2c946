//! Protobuf as it is written. What proto3 takes for said when it is missing is left out.

use snap::raw::{max_compress_len, Encoder};

use crate::bytes::{put_prefixed, put_uvarint, Decoder};

/// A field's tag.
pub fn put_tag(out: &mut Vec<u8>, number: u32, wire_type: u32) {
    put_uvarint(out, u64::from(number << 3 | wire_type));
}

/// An integer; zero is left out, as proto3 has it.
pub fn put_number(out: &mut Vec<u8>, number: u32, v: u64) {
    if v != 0 {
        put_tag(out, number, 0);
        put_uvarint(out, v);
    }
}

/// A float; the zero without a sign is left out.
pub fn put_double(out: &mut Vec<u8>, number: u32, v: f64) {
    if v.to_bits() != 0 {
        put_tag(out, number, 1);
        out.extend_from_slice(&v.to_bits().to_le_bytes());
    }
}

/// A string; the empty one is left out.
pub fn put_text(out: &mut Vec<u8>, number: u32, text: &str) {
    if !text.is_empty() {
        put_tag(out, number, 2);
        put_prefixed(out, text.as_bytes());
    }
}

/// A message, with its length before it.
pub fn put_message(out: &mut Vec<u8>, number: u32, message: impl FnOnce(&mut Vec<u8>)) {
    put_tag(out, number, 2);
    let length_at = out.len();
    out.push(0);
    message(out);
    let length = out.len() - length_at - 1;
    if length < 0x80 {
        if let Some(place) = out.get_mut(length_at) {
            *place = length as u8;
        }
        return;
    }
    let mut prefix = Vec::with_capacity(5);
    put_uvarint(&mut prefix, length as u64);
    out.splice(length_at..=length_at, prefix);
}

/// Numbers one after the other, packed; none are left out whole.
pub fn put_packed(out: &mut Vec<u8>, number: u32, numbers: impl Iterator<Item = u64>) {
    let mut numbers = numbers.peekable();
    if numbers.peek().is_some() {
        put_message(out, number, |out| numbers.for_each(|v| put_uvarint(out, v)));
    }
}

/// Floats one after the other, packed; none are left out whole.
pub fn put_doubles(out: &mut Vec<u8>, number: u32, numbers: &[f64]) {
    if !numbers.is_empty() {
        put_message(out, number, |out| {
            numbers
                .iter()
                .for_each(|v| out.extend_from_slice(&v.to_bits().to_le_bytes()));
        });
    }
}

/// What snappy compresses at a time, of itself too.
const PIECE: usize = 1 << 16;

/// One snappy block of `message`; `None` when it is longer than a block can be. A piece at a time, so that memory is taken for
/// what comes out and not for the most that could.
pub fn compress(message: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(message.len()).ok()?;
    let mut encoder = Encoder::new();
    let mut scratch = vec![0; max_compress_len(message.len().min(PIECE))];
    let mut out = Vec::new();
    put_uvarint(&mut out, length.into());
    for piece in message.chunks(PIECE) {
        let written = encoder.compress(piece, &mut scratch).ok()?;
        let mut block = Decoder::new(scratch.get(..written)?);
        block.uvarint().ok()?; // the length of the piece, which the whole has told
        out.extend_from_slice(block.rest());
    }
    Some(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_one_block() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 17] {
            let message: Vec<u8> = (0..length).map(|n| (n / 7 % 251) as u8).collect();
            let block = compress(&message).unwrap();
            assert_eq!(snap::raw::Decoder::new().decompress_vec(&block).unwrap(), message);
        }
    }
}
