//! Reading chunk files, see [`super::chunk_writer`] for their layout.

use super::{ChunkMeta, Damage, File, Reason, CHUNKS_HEADER, CHUNKS_MAGIC, CRC_SIZE};
use crate::blob::Blob;
use crate::bytes::{Decoder, Truncated};
use crate::chunk::{Chunk, Encoding};

/// The only version there is.
const VERSION: u8 = 1;

/// The chunk files of a block, in the order of their names.
#[derive(Debug, Default)]
pub struct ChunkFiles {
    files: Vec<Blob>,
}

impl ChunkFiles {
    /// Check the headers.
    pub fn open(files: Vec<Blob>) -> Result<Self, Damage> {
        for (number, file) in files.iter().enumerate() {
            check_header(file, number)?;
        }
        Ok(Self { files })
    }

    /// Bytes of all files.
    pub fn size(&self) -> usize {
        self.files.iter().map(|file| file.len()).sum()
    }

    /// The chunk that a series names, its checksum checked.
    pub fn chunk(&self, meta: &ChunkMeta) -> Result<Chunk, Damage> {
        read_chunk(&self.files, meta).map(|(chunk, _end)| chunk)
    }
}

/// The chunk that a series names, and where its entry ends in the file.
pub(super) fn read_chunk(files: &[Blob], meta: &ChunkMeta) -> Result<(Chunk, u64), Damage> {
    let (file, offset) = place(meta.reference);
    let damage = |length: usize, reason| Damage {
        file: File::Chunks((file as u32).saturating_add(1)),
        offset,
        length: length as u64,
        reason,
    };
    let blob = files.get(file).ok_or(damage(0, Reason::MissingFile))?;
    let start = offset as usize;
    if start < CHUNKS_HEADER || start >= blob.len() {
        return Err(damage(0, Reason::NoTarget(meta.reference)));
    }
    let mut rest = Decoder::new(blob.get(start..).unwrap_or_default());
    let whole = rest.len();
    let entry = take_entry(&mut rest).map_err(|Truncated| damage(whole, Reason::Truncated))?;
    let length = whole - rest.len();
    let (&[encoding], crc) = (entry.encoding, entry.crc);
    if crc32c::crc32c_append(crc32c::crc32c(&[encoding]), entry.data) != u32::from_be_bytes(*crc) {
        return Err(damage(length, Reason::Checksum));
    }
    let encoding = Encoding::from_byte(encoding).ok_or(damage(length, Reason::Encoding(encoding)))?;
    let end = start + length;
    let data = blob.slice(end - CRC_SIZE - entry.data.len()..end - CRC_SIZE);
    let chunk = Chunk {
        mint: meta.mint,
        maxt: meta.maxt,
        encoding,
        data: data.ok_or(damage(length, Reason::Truncated))?,
    };
    Ok((chunk, end as u64))
}

/// File, counted from 0, and offset in it.
pub(super) fn place(reference: u64) -> (usize, u64) {
    ((reference >> 32) as usize, reference & u64::from(u32::MAX))
}

struct Entry<'a> {
    encoding: &'a [u8; 1],
    data: &'a [u8],
    crc: &'a [u8; CRC_SIZE],
}

fn take_entry<'a>(rest: &mut Decoder<'a>) -> Result<Entry<'a>, Truncated> {
    let length = usize::try_from(rest.uvarint()?).map_err(|_| Truncated)?;
    Ok(Entry {
        encoding: rest.take(1)?.first_chunk().ok_or(Truncated)?,
        data: rest.take(length)?,
        crc: rest.take(CRC_SIZE)?.first_chunk().ok_or(Truncated)?,
    })
}

/// Check the header of a file, counted from 0.
pub(super) fn check_header(file: &[u8], number: usize) -> Result<(), Damage> {
    let damage = |reason| Damage {
        file: File::Chunks(number as u32 + 1),
        offset: 0,
        length: file.len().min(CHUNKS_HEADER) as u64,
        reason,
    };
    let mut header = Decoder::new(file.get(..CHUNKS_HEADER).ok_or(damage(Reason::Truncated))?);
    if header.u32_be() != Ok(CHUNKS_MAGIC) {
        return Err(damage(Reason::Magic));
    }
    match header.u8() {
        Ok(VERSION) => Ok(()), // the three bytes behind it are not looked at by Prometheus either
        Ok(version) => Err(damage(Reason::Version(version))),
        Err(Truncated) => Err(damage(Reason::Truncated)),
    }
}
