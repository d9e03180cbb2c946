//! Making one block of several inputs: blocks, a stretch of the head, rows.
//!
//! Each input gives its series in label order ([`SeriesStream`](crate::merge::SeriesStream)); [`Merge`] joins those of one label set; [`Builder`] lets a
//! [`block::Writer`](crate::block::Writer) take them in steps, so that its owner writes between two. At any time one
//! series' chunks of each input are in memory, and what the index needs.

mod builder;
mod chunks;
mod encode;
mod failed;
mod merge;
mod rows;

pub use builder::{Builder, Outcome, Step};
pub use encode::encode;
pub use failed::Failed;
pub use merge::{Merge, Merged};
pub use rows::Rows;
