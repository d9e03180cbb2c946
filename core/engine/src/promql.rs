//! Loops of PromQL: what the evaluator does to many series, samples or steps at once.
//!
//! Cells are series x steps, row after row, each a value and whether there is one. What a query means is decided by the caller.

pub mod classic;
pub mod histogram_functions;
pub mod label_sets;
pub mod lookback;
pub mod samples;

pub use label_sets::{Grouping, LabelSets};
pub use samples::Samples;
