//! InfluxDB line protocol, both ways, by the mapping `prom-value`.
//!
//! One float sample is one line, `metric,label=value,... value=<float> <ms>`:
//!
//! | Prometheus            | line protocol                                                                    |
//! |-----------------------|----------------------------------------------------------------------------------|
//! | `__name__`            | measurement ([`NO_NAME`] when a series has none)                                 |
//! | other labels          | tags, sorted bytewise; empty values do not occur                                 |
//! | value                 | float field `value`, shortest digits that read back to the same bits             |
//! | time                  | milliseconds: the request says `precision=ms`                                    |
//! | NaN, ±Inf, stale      | no line; counted, see [`Unrepresentable`]                                        |
//! | native histogram      | no line; counted                                                                 |
//!
//! The mapping is a pure function of the sample, so sending a line again overwrites it with itself, and it is
//! one-to-one, so [`parse`] gives back the very series and sample ([`names`] says how odd names survive).

mod encode;
mod lines;
mod names;
mod number;
mod parse;
mod scan;
mod stored;
mod tally;

pub use encode::{encode, Options, Point, NO_NAME};
pub use lines::{Lines, Unrepresentable};
pub use parse::{parse, BadLines, ParseError, Parsed, Precision};
pub use scan::whole_lines;
pub use stored::encode_columns;
pub use tally::Tally;
