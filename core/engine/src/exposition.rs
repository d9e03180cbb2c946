//! Families out: text 0.0.4, OpenMetrics, protobuf and the JSON of the Pushgateway API; and as series for the store.

pub mod escaping;
pub mod json;
pub mod openmetrics;
pub mod protobuf;
pub mod series;
pub mod text;

pub use escaping::Escaping;
