//! `bridge._core`: the engine's types as Python classes, thin enough to read in one sitting.
//!
//! Loops over many bytes, samples or series run with the GIL released.

use pyo3::prelude::*;

mod analyze;
mod backfill;
mod batch;
mod block;
mod buffer;
mod checkpoint;
mod column;
mod compact;
mod deletion;
mod float_histogram;
mod gil;
mod head;
mod head_chunks;
mod influx;
mod label_names;
mod late;
mod notes;
mod otlp;
mod outbound;
mod pattern;
mod pieces;
mod promql;
mod push;
mod query;
mod regex;
mod remote_read;
mod remote_write;
mod selected;
mod series;
mod staged;
mod status;
mod tally;
mod verify;
mod wal;
mod wire;

/// For what the engine allocates; the interpreter keeps its own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    wire::register(module)?;
    batch::register(module)?;
    block::register(module)?;
    analyze::register(module)?;
    backfill::register(module)?;
    verify::register(module)?;
    wal::register(module)?;
    checkpoint::register(module)?;
    head::register(module)?;
    staged::register(module)?;
    series::register(module)?;
    deletion::register(module)?;
    late::register(module)?;
    status::register(module)?;
    head_chunks::register(module)?;
    column::register(module)?;
    float_histogram::register(module)?;
    query::register(module)?;
    selected::register(module)?;
    label_names::register(module)?;
    regex::register(module)?;
    remote_read::register(module)?;
    pieces::register(module)?;
    pattern::register(module)?;
    compact::register(module)?;
    otlp::register(module)?;
    push::register(module)?;
    promql::register(module)?;
    outbound::register(module)?;
    influx::register(module)?;
    tally::register(module)?;
    remote_write::register(module)
}
