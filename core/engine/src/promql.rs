//! Loops of PromQL: what the evaluator does to many series, samples or steps at once.
//!
//! Cells are series x steps, row after row, each a value and whether there is one. What a query means is decided by the caller.

pub mod aggregate;
pub mod cells;
mod changes;
pub mod choose;
pub mod classic;
mod extended_rate;
pub mod functions;
pub mod histogram_functions;
pub mod histogram_groups;
pub mod histogram_operators;
mod histogram_rate;
mod instant_rate;
pub mod json;
mod kahan;
pub mod label_sets;
pub mod lookback;
mod over_time;
mod quantile;
mod rate;
mod regression;
mod relabel;
mod room;
pub mod samples;
pub mod smooth;
mod starts;
pub mod weights;
pub mod window;
mod xxh64;

pub use cells::Cells;
pub use label_sets::{Grouping, LabelSets};
pub use room::Room;
pub use samples::Samples;
