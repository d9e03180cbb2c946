#![allow(clippy::unwrap_used, reason = "writing to a vector cannot fail")]

use std::io::Write;

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use proptest::prelude::*;

use super::{gunzip, unsnappy_framed, InflateError};

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn snappy(data: &[u8]) -> Vec<u8> {
    let mut encoder = snap::write::FrameEncoder::new(Vec::new());
    encoder.write_all(data).unwrap();
    encoder.into_inner().unwrap()
}

type Inflate = fn(&[u8], usize) -> Result<Vec<u8>, InflateError>;

fn refusal(inflate: Inflate, data: &[u8]) -> String {
    match inflate(data, 1000) {
        Ok(data) => format!("{data:?}"),
        Err(error) => error.to_string(),
    }
}

/// The first `n` bytes, or all but the last `-n`.
fn cut(data: &[u8], n: isize) -> &[u8] {
    let end = if n < 0 {
        data.len().saturating_add_signed(n)
    } else {
        n.unsigned_abs()
    };
    data.get(..end).unwrap_or_default()
}

/// With bits of one byte changed, counted from the end.
fn flipped(data: &[u8], from_end: usize) -> Vec<u8> {
    let mut data = data.to_vec();
    let at = data.len() - from_end;
    if let Some(byte) = data.get_mut(at) {
        *byte ^= 1;
    }
    data
}

#[test]
fn members_and_streams_follow_one_another() {
    assert_eq!(
        gunzip(&[gzip(b"one "), gzip(b""), gzip(b"two")].concat(), 7).unwrap(),
        b"one two"
    );
    assert_eq!(
        unsnappy_framed(&[snappy(b"one "), snappy(b"two")].concat(), 7).unwrap(),
        b"one two"
    );
    assert_eq!(unsnappy_framed(b"", 0).unwrap(), b"");
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let bomb = vec![0u8; 1 << 20];
    for (packed, inflate) in [(gzip(&bomb), gunzip as Inflate), (snappy(&bomb), unsnappy_framed)] {
        for limit in [0, 1000, (1 << 20) - 1] {
            assert_eq!(inflate(&packed, limit), Err(InflateError::TooLong(limit)));
        }
        assert_eq!(inflate(&packed, 1 << 20), Ok(bomb.clone()));
        assert!(inflate(&packed, 1 << 20).unwrap().capacity() <= 2 << 20);
    }
    // Members that are each within it are beyond it together.
    assert_eq!(gunzip(&gzip(b"12345").repeat(3), 14), Err(InflateError::TooLong(14)));
}

#[test]
fn headers_with_everything_are_passed_over() {
    let builder = GzBuilder::new()
        .filename("a name")
        .comment("a comment")
        .extra(b"extra".as_slice());
    let mut encoder = builder.write(Vec::new(), Compression::fast());
    encoder.write_all(b"text").unwrap();
    let whole = encoder.finish().unwrap();
    assert_eq!(gunzip(&whole, 4).unwrap(), b"text");
    for n in 1..35 {
        assert_eq!(refusal(gunzip, cut(&whole, n)), "unexpected EOF");
    }
    let long = [b"\x1f\x8b\x08\x08\0\0\0\0\0\0".as_slice(), &[b'x'; 512], b"\0"].concat();
    assert_eq!(refusal(gunzip, &long), "gzip: invalid header");
    // A header's checksum is the lower half of the CRC32 of all before it.
    let mut checked = gzip(b"text");
    checked.splice(0..10, *b"\x1f\x8b\x08\x02\0\0\0\0\0\xff\0\0");
    let mut crc = flate2::Crc::new();
    crc.update(cut(&checked, 10));
    checked.splice(10..12, (crc.sum() as u16).to_le_bytes());
    assert_eq!(gunzip(&checked, 4).unwrap(), b"text");
    checked.splice(10..11, [crc.sum() as u8 ^ 1]);
    assert_eq!(refusal(gunzip, &checked), "gzip: invalid header");
}

#[test]
fn gzip_is_refused_in_the_words_of_go() {
    let good = gzip(b"some text");
    for (data, want) in [
        (&b""[..], "EOF"),
        (b"plain text, no gzip", "gzip: invalid header"),
        (b"plain", "unexpected EOF"),
        (cut(&good, -3), "unexpected EOF"),
        (cut(&good, 12), "unexpected EOF"),
        (&flipped(&good, 6), "gzip: invalid checksum"),
        (&flipped(&good, 1), "gzip: invalid checksum"),
        (&[&good, &b"x"[..]].concat(), "unexpected EOF"),
        (&[&good, &b"some other text"[..]].concat(), "gzip: invalid header"),
        (
            b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x07\0\0\0\0",
            "flate: corrupt input before offset 1",
        ),
        (&gzip(&[b'x'; 1001]), "more than 1000 bytes after decompression"),
    ] {
        assert_eq!(refusal(gunzip, data), want, "{}", data.escape_ascii());
    }
}

#[test]
fn snappy_is_refused_in_the_words_of_go() {
    let good = snappy(&b"some text ".repeat(20));
    let with = |chunk: &[u8]| [&good, chunk].concat();
    for (data, want) in [
        (b"plain text".to_vec(), "snappy: corrupt input"),
        (b"\xff\x06\0\0sNaPpX".to_vec(), "snappy: corrupt input"),
        (b"\xff\x05\0\0sNaPp".to_vec(), "snappy: corrupt input"),
        (cut(&good, 3).to_vec(), "snappy: corrupt input"),
        (cut(&good, -1).to_vec(), "snappy: corrupt input"),
        (flipped(&good, 1), "snappy: corrupt input"),
        (with(b"\x00\x03\0\0abc"), "snappy: corrupt input"),
        (with(b"\x01\x05\0\0abcde"), "snappy: corrupt input"),
        (with(b"\x02\0\0\0"), "snappy: unsupported input"),
        (with(b"\x7f\0\0\0"), "snappy: unsupported input"),
        (with(b"\x00\0\0\x02"), "snappy: unsupported input"),
        (with(b"\x80\x02\0\0a"), "snappy: corrupt input"),
    ] {
        assert_eq!(refusal(unsnappy_framed, &data), want, "{}", data.escape_ascii());
    }
    assert_eq!(
        unsnappy_framed(&with(b"\xfe\x02\0\0ab\x80\0\0\0"), 200).unwrap().len(),
        200
    );
}

proptest! {
    #[test]
    fn round_trips(data in proptest::collection::vec(any::<u8>(), 0..5000)) {
        prop_assert_eq!(&gunzip(&gzip(&data), 5000).unwrap(), &data);
        prop_assert_eq!(&unsnappy_framed(&snappy(&data), 5000).unwrap(), &data);
    }

    #[test]
    fn damage_is_an_error_or_a_limit(data in proptest::collection::vec(any::<u8>(), 1..300), at in 0..300usize) {
        for (packed, inflate) in [(gzip(&data), gunzip as Inflate), (snappy(&data), unsnappy_framed)] {
            let _ = inflate(&data, 1000);
            if let Ok(same) = inflate(&flipped(&packed, 1 + at % packed.len()), 1000) {
                prop_assert_eq!(&same, &data);
            }
        }
    }
}
