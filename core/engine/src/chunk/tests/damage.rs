//! Chunks with bytes that are changed or cut off: samples or an error.

use proptest::prelude::*;

use super::golden::scenarios;
use super::read;
use crate::chunk::{samples, Encoding};

fn encoding() -> impl Strategy<Value = Encoding> {
    (1..7u8).prop_map(|byte| Encoding::from_byte(byte).unwrap())
}

/// Of each encoding some chunks of Prometheus, the largest among them.
fn chunks() -> Vec<(Encoding, Vec<u8>)> {
    let mut chunks: Vec<_> = scenarios().into_iter().flat_map(|scenario| scenario.chunks).collect();
    chunks.sort_by_key(|(encoding, chunk)| (*encoding as u8, chunk.len()));
    let last = chunks.len().saturating_sub(1);
    let ends = |place: usize| place == last || chunks[place].0 != chunks[place + 1].0;
    let kept = (0..chunks.len()).filter(|&place| place % 9 == 0 || ends(place));
    kept.map(|place| chunks[place].clone()).collect()
}

#[test]
fn a_flipped_bit_ends_in_samples_or_an_error() {
    for (encoding, chunk) in chunks() {
        for place in 0..chunk.len() {
            for bit in [0x01, 0x10, 0x80] {
                let mut flipped = chunk.clone();
                flipped[place] ^= bit;
                let _ = read(encoding, &flipped);
            }
        }
    }
}

/// The last byte may hold nothing but padding, all others are missed.
#[test]
fn a_chunk_that_is_cut_says_so() {
    for (encoding, chunk) in chunks() {
        for length in 0..chunk.len() - 1 {
            assert!(
                read(encoding, &chunk[..length]).is_err(),
                "{encoding:?} {length} of {}",
                chunk.len()
            );
        }
        assert!(read(encoding, &chunk).is_ok());
    }
}

#[test]
fn a_chunk_that_promises_more_buckets_than_it_has_bits_is_bad() {
    use crate::chunk::bits::BitBuffer;
    let mut stream = BitBuffer::after(&[0, 1, 0]);
    stream.put(0, 8); // zero threshold
    stream.put_varbit(0); // schema
    stream.put_varbit_unsigned(1);
    stream.put_varbit_unsigned(u32::MAX.into());
    stream.put_varbit(i32::MIN.into());
    stream.put_varbit_unsigned(0);
    stream.put(0, 64);
    stream.put(0, 64);
    assert!(read(Encoding::Histogram, &stream.bytes).is_err());
    assert!(read(Encoding::FloatHistogram, &stream.bytes).is_err());
}

proptest! {
    #[test]
    fn any_bytes_end_in_samples_or_an_error(
        encoding in encoding(),
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let _ = read(encoding, &bytes);
    }

    /// Headers that are right more often than chance would have them.
    #[test]
    fn likely_bytes_end_in_samples_or_an_error(
        encoding in encoding(),
        count in 1..90u8,
        flags in any::<u8>(),
        bytes in proptest::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 0..300),
    ) {
        let chunk: Vec<u8> = [0, count, flags, 0].into_iter().chain(bytes).collect();
        let promised = usize::from(count) + 1;
        if let Ok(samples) = samples(encoding, &chunk) {
            prop_assert!(samples.take(promised).count() < promised);
        }
    }
}
