//! The engine of pushbridge: loops over bytes, samples and series.
//!
//! It never opens a file, reads a clock, logs, spawns a thread or reads configuration; bytes, times and limits are
//! arguments. No input makes it panic: every length is checked before use and damage is an error value.

pub mod analyze;
pub mod backfill;
pub mod batch;
pub mod blob;
pub mod block;
pub mod bytes;
pub mod chunk;
pub mod compact;
pub mod exposition;
pub mod extent;
pub mod family;
pub mod float;
pub mod float_histogram;
pub mod head;
pub mod head_chunks;
pub mod histogram;
pub mod labels;
pub mod merge;
pub mod metadata;
pub mod native;
pub mod outbound;
pub mod postings;
pub mod promql;
pub mod push;
pub mod query;
pub mod quote;
pub mod regex;
pub mod relabel;
pub mod sample;
pub mod verify;
pub mod wal;
pub mod wire;
