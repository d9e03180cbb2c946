//! One series from many places: the head and blocks, whose chunks may overlap, with deletions and held samples.

mod chain;
mod join;
mod part;
mod streams;

pub use chain::{forget_reset, Chain};
pub use join::join;
pub use part::{decode, Holding, Part, Seen, Window};
pub use streams::{text, Broken, Entry, Fault, Gathered, SeriesStream, Streams};
