//! Wire formats: bytes in, model out, and back.

use std::borrow::Cow;
use std::fmt;

#[cfg(test)]
pub(crate) mod arbitrary;
pub mod compression;
mod count;
pub mod influx;
mod label_names;
pub mod message;
pub mod openmetrics;
pub mod otlp;
pub mod protobuf;
pub mod remote_read;
pub mod remote_write;
pub mod text;

/// How push bodies are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Metric and label names may be any UTF-8, quoted where they are not legacy names; else only legacy names.
    pub utf8: bool,
    /// Lines may end in CRLF, and the last one may lack its line feed. Of no meaning to protobuf.
    pub lenient: bool,
    /// Metrics in one body at most; a bucket or a quantile counts like a metric, so a body never has fewer series than are
    /// counted. What is read takes many times the memory of its bytes: this bounds it. 0: no limit.
    pub max_metrics: usize,
}

impl Options {
    /// The limit as a number to compare with.
    fn metrics_allowed(self) -> usize {
        match self.max_metrics {
            0 => usize::MAX,
            limit => limit,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            utf8: true,
            lenient: false,
            max_metrics: 0,
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
    /// Nothing is wrong, it is only too much: [`Options::max_metrics`].
    pub too_many: bool,
}

/// The message about a body above [`Options::max_metrics`].
fn too_many(limit: usize) -> String {
    format!("more than the limit of {limit} series")
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
