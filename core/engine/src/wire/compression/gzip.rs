//! The members of a gzip body (RFC 1952).

use flate2::{Crc, Decompress, FlushDecompress, Status};

use crate::bytes::Decoder;
use crate::wire::compression::InflateError;

/// Bits of a member's flag byte.
const HEADER_CRC: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;

/// Go reads no longer names and comments, the zero at their end included.
const LONGEST_TEXT: usize = 512;

/// All members of a gzip body, `limit` bytes at most. No more than that is ever held.
pub fn gunzip(data: &[u8], limit: usize) -> Result<Vec<u8>, InflateError> {
    if data.is_empty() {
        return Err(InflateError::corrupt("EOF"));
    }
    let most = limit.saturating_add(1);
    let mut out = Vec::with_capacity(data.len().saturating_mul(4).min(most));
    let mut rest = data;
    while !rest.is_empty() {
        let body = behind_header(rest)?;
        let start = out.len();
        let behind = inflate(body, &mut out, limit)?;
        rest = check_trailer(behind, out.get(start..).unwrap_or_default())?;
    }
    Ok(out)
}

fn cut_short<E>(_: E) -> InflateError {
    InflateError::corrupt("unexpected EOF")
}

fn invalid_header() -> InflateError {
    InflateError::corrupt("gzip: invalid header")
}

fn behind_header(member: &[u8]) -> Result<&[u8], InflateError> {
    let mut decoder = Decoder::new(member);
    let fixed = decoder.take(10).map_err(cut_short)?;
    let [0x1f, 0x8b, 8, flags, ..] = *fixed else {
        return Err(invalid_header());
    };
    if flags & EXTRA != 0 {
        let [low, high] = [decoder.u8(), decoder.u8()].map(|byte| byte.map_err(cut_short));
        decoder
            .take(usize::from(u16::from_le_bytes([low?, high?])))
            .map_err(cut_short)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            skip_text(&mut decoder)?;
        }
    }
    if flags & HEADER_CRC != 0 {
        let mut crc = Crc::new();
        crc.update(member.get(..member.len() - decoder.len()).unwrap_or_default());
        let [low, high] = [decoder.u8(), decoder.u8()].map(|byte| byte.map_err(cut_short));
        if u16::from_le_bytes([low?, high?]) != crc.sum() as u16 {
            return Err(invalid_header());
        }
    }
    Ok(decoder.rest())
}

fn skip_text(decoder: &mut Decoder<'_>) -> Result<(), InflateError> {
    let seen = decoder.rest().get(..LONGEST_TEXT).unwrap_or(decoder.rest());
    match memchr::memchr(0, seen) {
        Some(end) => decoder.take(end + 1).map(drop).map_err(cut_short),
        None if seen.len() == LONGEST_TEXT => Err(invalid_header()),
        None => Err(cut_short(())),
    }
}

/// Append what a deflate stream holds, and return what follows the stream.
fn inflate<'a>(stream: &'a [u8], out: &mut Vec<u8>, limit: usize) -> Result<&'a [u8], InflateError> {
    let most = limit.saturating_add(1);
    let mut inflater = Decompress::new(false);
    let mut rest = stream;
    loop {
        if out.len() == out.capacity() {
            let step = out.len().max(4096).min(most - out.len().min(most));
            out.reserve_exact(step);
        }
        let (read, room) = (inflater.total_in(), out.capacity() - out.len());
        let written = inflater.total_out();
        let status = inflater.decompress_vec(rest, out, FlushDecompress::None);
        let read = (inflater.total_in() - read) as usize;
        rest = rest.get(read..).unwrap_or_default();
        if out.len() > limit {
            return Err(InflateError::TooLong(limit));
        }
        let stuck = read == 0 && inflater.total_out() == written && room > 0;
        match status {
            Ok(Status::StreamEnd) => return Ok(rest),
            Ok(_) if !stuck => {}
            Ok(_) if rest.is_empty() => return Err(cut_short(())),
            _ => {
                let offset = inflater.total_in();
                return Err(InflateError::Corrupt(format!(
                    "flate: corrupt input before offset {offset}"
                )));
            }
        }
    }
}

/// Check a member's contents, and return the members behind it.
fn check_trailer<'a>(behind: &'a [u8], contents: &[u8]) -> Result<&'a [u8], InflateError> {
    let mut decoder = Decoder::new(behind);
    let sum = decoder.u32_le().map_err(cut_short)?;
    let length = decoder.u32_le().map_err(cut_short)?;
    let mut crc = Crc::new();
    crc.update(contents);
    if sum != crc.sum() || length != contents.len() as u32 {
        return Err(InflateError::corrupt("gzip: invalid checksum"));
    }
    Ok(decoder.rest())
}
