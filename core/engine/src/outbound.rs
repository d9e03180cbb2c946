//! What remote-write receivers are sent: stored samples, the series that they are sent as, and the messages of both versions.
//!
//! ```text
//! log slice ──┐                                        ┌─> shards, pieces ─> v1: WriteRequest
//!             ├─> Router: filter, relabel ─> Samples ──┤                     v2: Request
//! columns  ───┘                                        └─> text, for dead letters and back
//! ```

mod families;
mod gather;
mod histogram;
mod message;
mod route;
mod samples;
mod tally;
mod text;
mod v1;
mod v2;

pub use ahash::RandomState as Seed;
pub use families::Families;
pub use gather::{of_columns, of_slice, Wanted};
pub use message::compress;
pub use route::{Fate, Route, Router};
pub use samples::{Exemplar, Item, Samples, Unsendable};
pub use tally::Tally;
pub use text::{read, write, BadLine};
pub use v1::encode_v1;
pub use v2::encode_v2;

#[cfg(test)]
mod tests;
