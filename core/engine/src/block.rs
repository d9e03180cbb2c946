//! Blocks: immutable directories of chunks and the index over them, in Prometheus' format.
//!
//! ```text
//! <ULID>/ meta.json (Python's)  index  chunks/000001..  tombstones  held (ours)
//! ```
//!
//! What is read is borrowed from the files, mapped by whoever opens them; what is written leaves in pieces. Bytes from a
//! file are believed no further than their checksum and their lengths go: everything else ends in a [`Damage`].

mod chunk_files;
mod chunk_writer;
mod contents;
mod damage;
mod dictionary;
mod held;
mod index;
mod index_writer;
mod open;
mod pairs;
mod postings;
mod refusal;
mod series;
mod source;
mod symbols;
mod tombstones;
mod verify;
mod writer;

pub use chunk_files::ChunkFiles;
pub use chunk_writer::SEGMENT_SIZE;
pub use damage::{Damage, File, Reason};
pub use held::{Held, HeldSeries};
pub use index::Index;
pub use index_writer::IndexPieces;
pub use open::Block;
pub use postings::Postings;
pub use refusal::Refusal;
pub use series::ChunkMeta;
pub use tombstones::{Interval, Intervals, Tombstones};
pub use verify::{verify, Verification};
pub use writer::{Finished, Piece, Stats, Writer};

/// First bytes of an index.
const INDEX_MAGIC: u32 = 0xBAAA_D700;
/// First bytes of a chunk file.
const CHUNKS_MAGIC: u32 = 0x85BD_40DD;
/// Magic number, version, three zeros.
const CHUNKS_HEADER: usize = 8;
/// A checksum's bytes, in every file of a block.
const CRC_SIZE: usize = 4;
/// Series of an index begin at multiples of this: a reference is the offset divided by it, and reaches 64 GiB with 32 bits.
const SERIES_ALIGN: u64 = 16;
