//! Backfill: samples of any age become blocks, without passing through the log and the head.
//!
//! ```text
//! text in pieces -> reader -> Buffer (series -> window -> chunks) -> Drain -> pieces of a block's files
//! ```
//!
//! A window is a range of time that becomes a block. Samples are compressed as they arrive, so what is kept is the blocks'
//! own size and the label sets; whoever feeds a buffer looks at [`Buffer::bytes`] and takes windows out when it is too much.

mod buffer;
mod dictionary;
mod drain;
mod line_protocol;
mod openmetrics;
mod run;
pub(crate) mod series_text;

pub use buffer::{Buffer, OutOfRange, Window};
pub use drain::{Drain, Drained, Step};
pub use line_protocol::LineProtocol;
pub use openmetrics::{BadLine, OpenMetrics};
