//! Reading: the head and blocks as one store.
//!
//! What is asked of the head is collected under its lock ([`Head::entries`](crate::head::Head::entries)), which costs no
//! decoding; all the rest happens outside. So a query sees each batch whole or not at all, and holds up nobody.

mod block;
mod columns;
mod dump;
mod export;
mod federation;
mod limits;
mod listing;
mod newest;
mod remote_read;
mod select;
mod stream;

pub use block::BlockSeries;
pub use columns::{Columns, Own};
pub use dump::Dump;
pub use export::{Export, Format};
pub use federation::{Exposition, Federation};
pub use limits::{Failed, Limit, Limits};
pub use listing::listing;
pub use newest::{newest, union_newest, Newest};
pub use remote_read::{ChunkRead, SampleRead};
pub use select::{select, select_unordered, series, union};
pub use stream::Entries;
