//! Families out: text 0.0.4, OpenMetrics, protobuf and the JSON of the Pushgateway API.
//!
//! Every function appends to its output. Families come merged by name and in the order of the page; a metric is written by
//! the value that it has, also where that is not of its family's type.

mod escaping;
pub mod json;
mod lines;
pub mod openmetrics;
pub mod protobuf;
mod samples;
pub mod series;
pub mod text;

pub use escaping::Escaping;
