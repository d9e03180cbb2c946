//! Chunk files: `magic u32, version u8, 0 0 0`, then `length uv, encoding u8, data, crc32c(encoding + data)` for each chunk.

use super::{Piece, CHUNKS_HEADER, CHUNKS_MAGIC, CRC_SIZE};
use crate::bytes::put_uvarint;
use crate::chunk::Chunk;

/// No chunk begins a file that would grow beyond this.
pub const SEGMENT_SIZE: u64 = 512 << 20;
/// The only version there is.
const VERSION: u8 = 1;
/// What a chunk's length takes at most, in Prometheus' reckoning of what still fits.
const MAX_LENGTH_FIELD: u64 = 5;

/// Lays chunks behind each other, file after file.
#[derive(Debug)]
pub(super) struct ChunkWriter {
    segment_size: u64,
    /// Of the file that is being written, from 1; 0 before the first chunk.
    file: u32,
    /// In that file.
    offset: u64,
    pending: Vec<Piece>,
}

impl ChunkWriter {
    pub(super) fn new(segment_size: u64) -> Self {
        Self {
            segment_size,
            file: 0,
            offset: 0,
            pending: Vec::new(),
        }
    }

    /// Append a chunk; its reference.
    pub(super) fn add(&mut self, chunk: &Chunk) -> u64 {
        let most = MAX_LENGTH_FIELD + 1 + chunk.data.len() as u64 + CRC_SIZE as u64;
        let full = self.offset > CHUNKS_HEADER as u64 && self.offset + most > self.segment_size;
        if self.file == 0 || full {
            self.begin_file();
        }
        let reference = u64::from(self.file - 1) << 32 | self.offset;
        if let Some(Piece { bytes, .. }) = self.pending.last_mut().filter(|piece| piece.file == self.file) {
            self.offset += put_chunk(bytes, chunk);
        } else {
            let mut bytes = Vec::new();
            self.offset += put_chunk(&mut bytes, chunk);
            self.pending.push(Piece { file: self.file, bytes });
        }
        reference
    }

    fn begin_file(&mut self) {
        self.file += 1;
        let mut bytes = CHUNKS_MAGIC.to_be_bytes().to_vec();
        bytes.extend_from_slice(&[VERSION, 0, 0, 0]);
        self.offset = bytes.len() as u64;
        self.pending.push(Piece { file: self.file, bytes });
    }

    /// Bytes that wait to be drained.
    pub(super) fn pending(&self) -> usize {
        self.pending.iter().map(|piece| piece.bytes.len()).sum()
    }

    pub(super) fn drain(&mut self) -> Vec<Piece> {
        std::mem::take(&mut self.pending)
    }
}

/// Append the entry of `chunk`; its bytes.
fn put_chunk(out: &mut Vec<u8>, chunk: &Chunk) -> u64 {
    let before = out.len();
    put_uvarint(out, chunk.data.len() as u64);
    out.push(chunk.encoding as u8);
    out.extend_from_slice(&chunk.data);
    let crc = crc32c::crc32c_append(crc32c::crc32c(&[chunk.encoding as u8]), &chunk.data);
    out.extend_from_slice(&crc.to_be_bytes());
    (out.len() - before) as u64
}
