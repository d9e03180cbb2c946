//! Remote write, 1.0 and 2.0: `prometheus.WriteRequest` and `io.prometheus.write.v2.Request`.

pub mod schema;
