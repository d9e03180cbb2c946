//! Records as zstd frames, as Prometheus writes them on request. Read here; written by whoever brings an encoder, see
//! [`super::Framer::add_packed`].

use std::io::Read;

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// What every frame begins with. No record does: 0x28 is not a type.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// No record is longer: an encoder would have to be given one by a writer that holds it in memory.
const MAX_RECORD: usize = 1 << 30;
/// Decoded at a time.
const STEP: usize = 1 << 20;

/// The frame does not decode, or not to one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadFrame;

/// Decompress one frame into `out`, whose old content goes. `decoder` is used again from record to record.
pub fn inflate(decoder: &mut FrameDecoder, frame: &[u8], out: &mut Vec<u8>) -> Result<(), BadFrame> {
    out.clear();
    let mut rest = frame;
    decoder.reset(&mut rest).map_err(|_| BadFrame)?;
    while !decoder.is_finished() {
        decoder
            .decode_blocks(&mut rest, BlockDecodingStrategy::UptoBytes(STEP))
            .map_err(|_| BadFrame)?;
        decoder.by_ref().read_to_end(out).map_err(|_| BadFrame)?;
        if out.len() > MAX_RECORD {
            return Err(BadFrame);
        }
    }
    decoder.read_to_end(out).map_err(|_| BadFrame)?;
    if rest.is_empty() {
        Ok(())
    } else {
        Err(BadFrame)
    }
}

/// True for bytes that begin as a frame does.
pub fn is_frame(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}
