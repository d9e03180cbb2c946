//! A series' entry in the index: `length uv, body, crc32c(body)`.
//!
//! ```text
//! body: labels uv, (name symbol uv, value symbol uv).. | chunks uv, chunk..
//! first chunk: mint sv, maxt - mint uv, ref uv        others: mint - last maxt uv, maxt - mint uv, ref - last ref sv
//! ```

use super::{Reason, CRC_SIZE};
use crate::bytes::{put_uvarint, put_varint, Decoder, Truncated};

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

/// Take an entry and check it: its body. `rest` stands behind the entry unless the entry leads out of it.
pub(super) fn take_entry<'a>(rest: &mut Decoder<'a>) -> Result<&'a [u8], Reason> {
    let mut entry = *rest;
    let parts = entry.prefixed().and_then(|body| Ok((body, entry.take(CRC_SIZE)?)));
    let (body, crc) = parts.map_err(|Truncated| Reason::Truncated)?;
    *rest = entry;
    if crc != crc32c::crc32c(body).to_be_bytes() {
        return Err(Reason::Checksum);
    }
    Ok(body)
}

/// Take the labels of a body: `visit` gets the symbols of name and value.
pub(super) fn take_labels(
    body: &mut Decoder<'_>,
    mut visit: impl FnMut(u64, u64) -> Result<(), Reason>,
) -> Result<(), Reason> {
    let undecodable = |Truncated| Reason::Undecodable;
    let mut last = None;
    for _ in 0..body.uvarint().map_err(undecodable)? {
        let name = body.uvarint().map_err(undecodable)?;
        let value = body.uvarint().map_err(undecodable)?;
        // Symbols are sorted, so names are in order when their symbols are.
        if last.is_some_and(|last| last >= name) {
            return Err(Reason::LabelOrder);
        }
        last = Some(name);
        visit(name, value)?;
    }
    Ok(())
}

/// Append the chunks of a series.
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

/// Take the chunks of a body, which end it. Arithmetic wraps, as in Prometheus, whose old releases wrote chunks that overlap.
pub(super) fn take_chunks(body: &mut Decoder<'_>, chunks: &mut Vec<ChunkMeta>) -> Result<(), Reason> {
    let undecodable = |Truncated| Reason::Undecodable;
    chunks.clear();
    for _ in 0..body.uvarint().map_err(undecodable)? {
        let chunk = take_chunk(body, chunks.last()).map_err(undecodable)?;
        if chunk.maxt < chunk.mint {
            return Err(Reason::Times);
        }
        chunks.push(chunk);
    }
    if !body.is_empty() {
        return Err(Reason::Undecodable);
    }
    Ok(())
}

fn take_chunk(body: &mut Decoder<'_>, last: Option<&ChunkMeta>) -> Result<ChunkMeta, Truncated> {
    let mint = match last {
        None => body.varint()?,
        Some(last) => last.maxt.wrapping_add_unsigned(body.uvarint()?),
    };
    let maxt = mint.wrapping_add_unsigned(body.uvarint()?);
    let reference = match last {
        None => body.uvarint()?,
        Some(last) => last.reference.wrapping_add_signed(body.varint()?),
    };
    Ok(ChunkMeta { mint, maxt, reference })
}
