//! OpenMetrics 1.0 text, read as its specification says: a family's metadata before its samples, its samples together, those
//! of one metric together, `# EOF` at the end.
//!
//! A counter's family keeps `_total` in its name and an info's `_info`, as users of the text format know them.

mod draft;
mod line;
mod parser;
mod point;
#[cfg(test)]
mod tests;

use crate::family::Family;
use crate::wire::{unix_lines, Options, ParseError};

/// Read a whole body. Families come in its order, those without samples are left out. Times become milliseconds.
pub fn parse(input: &[u8], options: Options) -> Result<Vec<Family>, ParseError> {
    if options.lenient {
        parser::parse(&unix_lines(input), options)
    } else {
        parser::parse(input, options)
    }
}
