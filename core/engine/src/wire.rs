//! Wire formats: bytes in, model out, and back.

pub mod compression;
pub mod influx;
pub mod openmetrics;
pub mod protobuf;
pub mod text;
