//! Prometheus' text format 0.0.4, read as strictly as Pushgateway reads it: what it accepts is accepted, what it refuses
//! is refused at the same place with the same words, so that a client's error handling keeps working.
//!
//! Lines of a summary or histogram with the same labels become one metric. Where the peer's reader goes wrong this one
//! does not follow: a line `{l="v"} 1` without any metric name is refused (the peer writes into the series of the line
//! before, or panics), a quoted name inside braces always opens a fresh label set of its own family, HELP that is not
//! UTF-8 has its bad bytes replaced, and a negative `_count` of a summary is 0 rather than 2^64 - 1.

mod families;
mod lexer;
mod parser;
mod record;
#[cfg(test)]
mod tests;

use crate::family::Family;
use crate::wire::{unix_lines, Options, ParseError};

/// Read a whole body. Families come in the order of their first line, those without samples are left out.
pub fn parse(input: &[u8], options: Options) -> Result<Vec<Family>, ParseError> {
    if options.lenient {
        parser::Parser::new(&unix_lines(input), options).families()
    } else {
        parser::Parser::new(input, options).families()
    }
}
