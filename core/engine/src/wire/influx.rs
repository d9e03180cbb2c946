//! InfluxDB line protocol, both ways.
//!
//! Out: samples become lines by a [`Mapping`], always with times in milliseconds (the request says `precision=ms`). A line
//! is a pure function of its samples and of what kind of metric they are of, so sending it again overwrites it with itself.
//!
//! By the default, `prom-value`, one float sample is one line, `metric,label=value,... value=<float> <ms>`:
//!
//! | Prometheus            | line protocol                                                                    |
//! |-----------------------|----------------------------------------------------------------------------------|
//! | `__name__`            | measurement ([`NO_NAME`] when a series has none)                                 |
//! | other labels          | tags, sorted bytewise; empty values do not occur                                 |
//! | value                 | float field `value`, shortest digits that read back to the same bits             |
//! | NaN, ±Inf, stale      | no line, unless [`Options`] has one; counted, see [`Unrepresentable`]            |
//! | native histogram      | lines of a classic one                                                           |
//!
//! That mapping is one-to-one, so [`parse`] gives back the very series and sample ([`names`] says how odd names survive).

mod buckets;
mod encode;
mod lines;
mod mapping;
mod merge;
mod names;
mod native;
mod notes;
mod number;
mod parse;
mod scan;
mod stored;
mod tags;
mod tally;
mod unchanged;
mod view;

pub use encode::{Encoder, Point, Row, NO_NAME};
pub use lines::{Lines, Reason, Unrepresentable};
pub use mapping::{Mapping, Natives, NonFinite, Options, Stale};
pub use notes::metadata_lines;
pub use parse::{parse, BadLines, ParseError, Parsed, Precision};
pub use scan::whole_lines;
pub use stored::{
    encode_behind, encode_columns, encode_exemplars, encode_floats, encode_histograms, note_histograms, Memory,
};
pub use tally::Tally;
pub use unchanged::{Told, Unchanged};
pub use view::SinkView;
