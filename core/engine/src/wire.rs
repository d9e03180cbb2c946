//! Wire formats: bytes in, model out, and back.

use std::borrow::Cow;
use std::fmt;

#[cfg(test)]
pub(crate) mod arbitrary;
pub mod compression;
mod count;
pub mod influx;
mod label_names;
pub mod openmetrics;
pub mod protobuf;
pub mod text;

/// How the two text formats are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Metric and label names may be any UTF-8, quoted where they are not legacy names; else only legacy names.
    pub utf8: bool,
    /// Lines may end in CRLF, and the last one may lack its line feed.
    pub lenient: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            utf8: true,
            lenient: false,
        }
    }
}

/// Why text was refused, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// What was being read, as the message begins with it.
    pub format: &'static str,
    /// Counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} parsing error in line {}: {}",
            self.format, self.line, self.message
        )
    }
}

impl std::error::Error for ParseError {}

/// The input as a strict reader wants it: LF for CRLF, and a line feed at the end.
fn unix_lines(input: &[u8]) -> Cow<'_, [u8]> {
    let complete = input.is_empty() || input.ends_with(b"\n");
    if complete && memchr::memmem::find(input, b"\r\n").is_none() {
        return Cow::Borrowed(input);
    }
    let mut out = Vec::with_capacity(input.len() + 1);
    for line in input.split_inclusive(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        out.push(b'\n');
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_made_strict() {
        assert_eq!(unix_lines(b"a\r\nb\rc\r\n\r\nd"), &b"a\nb\rc\n\nd\n"[..]);
        assert_eq!(unix_lines(b"a\r"), &b"a\n"[..]);
        assert!(matches!(unix_lines(b"a\rb\n"), Cow::Borrowed(b"a\rb\n")));
        assert!(matches!(unix_lines(b""), Cow::Borrowed(b"")));
    }
}
