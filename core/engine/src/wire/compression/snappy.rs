//! Snappy: the bare block of remote write, and the stream format, chunks of at most 64 KiB, each with a checksum.

use snap::raw::{decompress_len, max_compress_len, Decoder as Block};

use crate::bytes::Decoder;
use crate::wire::compression::InflateError;

/// What begins a stream, and may come again.
const IDENTIFIER: &[u8] = b"sNaPpY";

const COMPRESSED: u8 = 0x00;
const UNCOMPRESSED: u8 = 0x01;
const STREAM_IDENTIFIER: u8 = 0xff;
/// From here on unknown types may be passed over.
const FIRST_SKIPPABLE: u8 = 0x80;

/// Contents of one chunk.
const LARGEST_BLOCK: usize = 1 << 16;

/// No element of a block gives more than this many bytes for each of its own: three of them copy 64.
const MOST_FOR_A_BYTE: usize = 22;

/// How much comes out of a bare block, as it says itself in its header; one that promises more than it can keep is corrupt.
pub fn block_length(data: &[u8]) -> Result<usize, InflateError> {
    let length = decompress_len(data).map_err(corrupt)?;
    if length / MOST_FOR_A_BYTE > data.len() {
        return Err(corrupt(()));
    }
    Ok(length)
}

/// A bare block, `limit` bytes at most: whether it keeps to that is known before anything is decompressed.
pub fn unsnappy_block(data: &[u8], limit: usize) -> Result<Vec<u8>, InflateError> {
    let length = block_length(data)?;
    if length > limit {
        return Err(InflateError::TooLong(limit));
    }
    let mut out = vec![0; length];
    let written = Block::new().decompress(data, &mut out).map_err(corrupt)?;
    out.truncate(written);
    Ok(out)
}

/// A body in snappy's stream format (not the bare block of remote write), `limit` bytes at most.
pub fn unsnappy_framed(data: &[u8], limit: usize) -> Result<Vec<u8>, InflateError> {
    let mut out = Vec::with_capacity(data.len().saturating_mul(2).min(limit));
    let mut chunks = Decoder::new(data);
    let mut identified = false;
    while !chunks.is_empty() {
        let [kind, low, middle, high] = *chunks.take(4).map_err(corrupt)? else {
            return Err(corrupt(()));
        };
        identified |= kind == STREAM_IDENTIFIER;
        if !identified {
            return Err(corrupt(()));
        }
        let length = u32::from_le_bytes([low, middle, high, 0]) as usize;
        if length > max_compress_len(LARGEST_BLOCK) + 4 {
            return Err(unsupported());
        }
        match kind {
            COMPRESSED | UNCOMPRESSED => append_chunk(kind, chunks.take(length).map_err(corrupt)?, &mut out, limit)?,
            STREAM_IDENTIFIER if length != IDENTIFIER.len() => return Err(corrupt(())),
            STREAM_IDENTIFIER if chunks.take(length) != Ok(IDENTIFIER) => return Err(corrupt(())),
            STREAM_IDENTIFIER => {}
            ..FIRST_SKIPPABLE => return Err(unsupported()),
            _ => chunks.take(length).map(drop).map_err(corrupt)?,
        }
    }
    Ok(out)
}

fn append_chunk(kind: u8, chunk: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), InflateError> {
    let mut decoder = Decoder::new(chunk);
    let sum = decoder.u32_le().map_err(corrupt)?;
    let block = decoder.rest();
    let length = if kind == COMPRESSED {
        decompress_len(block).map_err(corrupt)?
    } else {
        block.len()
    };
    if length > LARGEST_BLOCK {
        return Err(corrupt(()));
    }
    let start = out.len();
    if start + length > limit {
        return Err(InflateError::TooLong(limit));
    }
    if kind == COMPRESSED {
        out.resize(start + length, 0);
        let room = out.get_mut(start..).unwrap_or_default();
        Block::new().decompress(block, room).map_err(corrupt)?;
    } else {
        out.extend_from_slice(block);
    }
    if sum != masked(crc32c::crc32c(out.get(start..).unwrap_or_default())) {
        return Err(corrupt(()));
    }
    Ok(())
}

/// Checksums are stored masked, so that one of data that holds checksums is still good.
fn masked(sum: u32) -> u32 {
    sum.rotate_right(15).wrapping_add(0xa282_ead8)
}

fn corrupt<E>(_: E) -> InflateError {
    InflateError::corrupt("snappy: corrupt input")
}

fn unsupported() -> InflateError {
    InflateError::corrupt("snappy: unsupported input")
}
