//! `ChunkedReadResponse`: the chunks of one series, a frame at a time.

use super::External;
use crate::bytes::put_uvarint;
use crate::chunk::Chunk;
use crate::labels::Labels;
use crate::wire::message::{put_bytes, put_message, put_number};

/// Append a frame: uvarint length, CRC32-Castagnoli (big-endian), message. It has the labels and the first of `chunks`, at
/// least one, until they are `limit` bytes or more. `query` is the place of the query in the request.
pub fn put_frame(
    out: &mut Vec<u8>,
    query: u64,
    (labels, external): (Labels<'_>, &External),
    chunks: &mut impl Iterator<Item = Chunk>,
    limit: usize,
) {
    let mut message = Vec::new();
    put_message(&mut message, 1, |out| {
        external.put_labels(out, 1, labels);
        for chunk in chunks.by_ref() {
            put_chunk(out, &chunk);
            if out.len() >= limit {
                break;
            }
        }
    });
    if query > 0 {
        put_number(&mut message, 2, query);
    }
    put_uvarint(out, message.len() as u64);
    out.extend_from_slice(&crc32c::crc32c(&message).to_be_bytes());
    out.extend_from_slice(&message);
}

fn put_chunk(out: &mut Vec<u8>, chunk: &Chunk) {
    put_message(out, 2, |out| {
        put_number(out, 1, chunk.mint as u64);
        put_number(out, 2, chunk.maxt as u64);
        put_number(out, 3, chunk.encoding as u64);
        put_bytes(out, 4, &chunk.data);
    });
}
