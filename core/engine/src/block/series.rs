//! A series' entry in the index: `length uv, body, crc32c(body)`, and how its chunks are told in the body.

use crate::bytes::{put_uvarint, put_varint, Decoder};

/// Where a chunk is, and the times of its first and last sample in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkMeta {
    /// Of the first sample.
    pub mint: i64,
    /// Of the last sample.
    pub maxt: i64,
    /// `file << 32 | offset`, files counted from 0.
    pub reference: u64,
}

/// Append the chunks of a series: `n uv, mint sv, maxt-mint uv, ref uv`, then `mint-last maxt uv, maxt-mint uv, ref-last ref sv`.
pub(super) fn put_chunks(out: &mut Vec<u8>, chunks: &[ChunkMeta]) {
    put_uvarint(out, chunks.len() as u64);
    let mut last: Option<&ChunkMeta> = None;
    for chunk in chunks {
        let length = chunk.maxt.wrapping_sub(chunk.mint) as u64;
        match last {
            None => {
                put_varint(out, chunk.mint);
                put_uvarint(out, length);
                put_uvarint(out, chunk.reference);
            }
            Some(last) => {
                put_uvarint(out, chunk.mint.wrapping_sub(last.maxt) as u64);
                put_uvarint(out, length);
                put_varint(out, chunk.reference.wrapping_sub(last.reference) as i64);
            }
        }
        last = Some(chunk);
    }
}

/// Read what [`put_chunks`] writes. Arithmetic wraps, as in Prometheus, whose old releases wrote chunks that overlap.
pub(super) fn take_chunks(body: &mut Decoder<'_>, chunks: &mut Vec<ChunkMeta>) -> Result<(), crate::bytes::Truncated> {
    chunks.clear();
    let count = body.uvarint()?;
    let mut last: Option<ChunkMeta> = None;
    for _ in 0..count {
        let mint = match last {
            None => body.varint()?,
            Some(last) => last.maxt.wrapping_add_unsigned(body.uvarint()?),
        };
        let maxt = mint.wrapping_add_unsigned(body.uvarint()?);
        let reference = match last {
            None => body.uvarint()?,
            Some(last) => last.reference.wrapping_add_signed(body.varint()?),
        };
        let chunk = ChunkMeta { mint, maxt, reference };
        chunks.push(chunk);
        last = Some(chunk);
    }
    Ok(())
}
