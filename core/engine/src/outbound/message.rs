//! Protobuf as it is written. What proto3 takes for said when it is missing is left out.

use snap::raw::{max_compress_len, Encoder};

use crate::bytes::{put_prefixed, put_uvarint, uvarint_len, Decoder};

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
    put_bytes(out, number, text.as_bytes());
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
    // The length takes more than the one byte left for it: what follows moves.
    let content = length_at + 1..out.len();
    let more = uvarint_len(length as u64) - 1;
    out.resize(out.len() + more, 0);
    out.copy_within(content, length_at + 1 + more);
    let mut prefix = out
        .get_mut(length_at..=length_at + more)
        .into_iter()
        .flatten()
        .peekable();
    let mut left = length;
    while let Some(byte) = prefix.next() {
        *byte = (left & 0x7f) as u8 | if prefix.peek().is_some() { 0x80 } else { 0 };
        left >>= 7;
    }
}

/// A label, which is a message of two texts: name and value.
pub fn put_label(out: &mut Vec<u8>, number: u32, name: &[u8], value: &[u8]) {
    put_tag(out, number, 2);
    put_uvarint(out, (bytes_len(name) + bytes_len(value)) as u64);
    put_bytes(out, 1, name);
    put_bytes(out, 2, value);
}

fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    if !bytes.is_empty() {
        put_tag(out, number, 2);
        put_prefixed(out, bytes);
    }
}

/// What [`put_bytes`] appends, for a number of one digit.
fn bytes_len(bytes: &[u8]) -> usize {
    match bytes.len() {
        0 => 0,
        length => 1 + uvarint_len(length as u64) + length,
    }
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
    fn messages_of_any_length_have_it_before_them() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 2_097_152] {
            let mut out = vec![7];
            put_message(&mut out, 1, |out| out.extend((0..length).map(|n| (n % 251) as u8)));
            let mut wanted = vec![7, 0x0a];
            put_prefixed(&mut wanted, &(0..length).map(|n| (n % 251) as u8).collect::<Vec<_>>());
            assert!(out == wanted, "{length}");
        }
    }

    #[test]
    fn a_label_is_a_message_of_its_texts() {
        let long = "v".repeat(300);
        for (name, value) in [
            ("a", "b"),
            ("a", ""),
            ("name", "\u{e9}"),
            ("a", long.as_str()),
            (long.as_str(), &long),
        ] {
            let (mut out, mut wanted) = (Vec::new(), Vec::new());
            put_label(&mut out, 1, name.as_bytes(), value.as_bytes());
            put_message(&mut wanted, 1, |out| {
                put_text(out, 1, name);
                put_text(out, 2, value);
            });
            assert_eq!(out, wanted);
        }
    }

    #[test]
    fn pieces_make_one_block() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 17] {
            let message: Vec<u8> = (0..length).map(|n| (n / 7 % 251) as u8).collect();
            let block = compress(&message).unwrap();
            assert_eq!(snap::raw::Decoder::new().decompress_vec(&block).unwrap(), message);
        }
    }
}
