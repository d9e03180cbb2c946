//! One series from many places: the head and blocks, whose chunks may overlap, with deletions and held samples.

mod chain;
mod heap;
mod join;
mod part;
mod streams;

pub use chain::{forget_reset, Chain};
pub use heap::{Heap, Ranked};
pub use join::join;
pub use part::{decode, Holding, Part, Seen, Window};
pub use streams::{text, Broken, Entry, Fault, Gathered, SeriesStream, Streams};
