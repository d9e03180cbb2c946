//! OpenMetrics text with a timestamp on each sample, read as `promtool tsdb create-blocks-from openmetrics` reads it: line by
//! line, whatever the order of families, and only to `# EOF`.
//!
//! A line's series is not parsed but looked up by its text, and before that compared with the one that followed its
//! predecessor the last time: in text that is grouped by series that is the same one, in text that is grouped by time the next
//! one, so most lines cost one comparison.

use super::buffer::{Buffer, SeriesNumber};
use super::dictionary::Dictionary;
use super::series_text;
use crate::float::parse_go;
use crate::labels::Labels;

/// A longer line is refused: it would have to be kept in memory until its end comes.
pub(super) const MAX_LINE: usize = 16 << 20;
/// How much of a bad line is told.
const TOLD: usize = 200;
/// What ends the text.
const EOF: &[u8] = b"# EOF";
/// Types that a TYPE line may name.
const TYPES: [&str; 8] = [
    "counter",
    "gauge",
    "histogram",
    "gaugehistogram",
    "summary",
    "info",
    "stateset",
    "unknown",
];

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// From 1.
    pub number: u64,
    /// Why.
    pub reason: String,
}

impl std::fmt::Display for BadLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.number, self.reason)
    }
}

impl std::error::Error for BadLine {}

/// A reader that is fed with pieces of any length.
#[derive(Debug, Default)]
pub struct OpenMetrics {
    /// A line that has begun.
    begun: Vec<u8>,
    /// Lines read.
    number: u64,
    ended: bool,
    texts: Dictionary,
    known: Vec<Known>,
    last: u32,
    /// Of the buffer when `texts` were numbered.
    generation: u64,
    packed: Vec<u8>,
}

/// What is known of a series' text.
#[derive(Debug, Clone, Copy)]
struct Known {
    series: SeriesNumber,
    /// The text that came after this one the last time.
    next: u32,
}

impl OpenMetrics {
    /// Memory in use, roughly.
    pub fn bytes(&self) -> usize {
        self.begun.capacity() + self.texts.bytes() + self.known.capacity() * std::mem::size_of::<Known>()
    }

    /// Read on. After an error the reader is of no use any more.
    pub fn feed(&mut self, mut piece: &[u8], buffer: &mut Buffer) -> Result<(), BadLine> {
        if self.generation != buffer.generation() {
            self.generation = buffer.generation();
            (self.texts, self.known, self.last) = (Dictionary::default(), Vec::new(), 0);
        }
        if !self.begun.is_empty() {
            let end = memchr::memchr(b'\n', piece);
            let (rest, tail) = piece
                .split_at_checked(end.unwrap_or(piece.len()))
                .unwrap_or((piece, &[]));
            self.begun.extend_from_slice(rest);
            if end.is_some() {
                let line = std::mem::take(&mut self.begun);
                self.line(&line, buffer)?;
            }
            piece = tail.get(1..).unwrap_or_default();
        }
        while let Some(end) = memchr::memchr(b'\n', piece) {
            let (line, tail) = piece.split_at_checked(end).unwrap_or((piece, &[]));
            self.line(line, buffer)?;
            piece = tail.get(1..).unwrap_or_default();
        }
        self.begun.extend_from_slice(piece);
        if self.begun.len() > MAX_LINE {
            self.number += 1;
            return Err(self.bad(format!("the line is longer than {MAX_LINE} bytes")));
        }
        Ok(())
    }

    /// The text ends here.
    pub fn finish(&mut self) -> Result<(), BadLine> {
        let begun = std::mem::take(&mut self.begun);
        self.number += 1;
        if self.ended && !begun.is_empty() {
            return Err(self.bad("text behind \"# EOF\""));
        }
        if self.ended || begun == EOF {
            return Ok(());
        }
        let end = "the text does not end with \"# EOF\": it may have been cut";
        Err(self.bad(end))
    }

    fn line(&mut self, line: &[u8], buffer: &mut Buffer) -> Result<(), BadLine> {
        self.number += 1;
        if self.ended {
            return Err(self.bad("text behind \"# EOF\""));
        }
        let read = match line.first() {
            Some(b'#') if line == EOF => {
                self.ended = true;
                Ok(())
            }
            Some(b'#') => metadata(line),
            _ => self.sample(line, buffer),
        };
        read.map_err(|reason| {
            let told = line.get(..TOLD.min(line.len())).unwrap_or_default();
            self.bad(format!("{reason}: {}", String::from_utf8_lossy(told)))
        })
    }

    fn bad(&self, reason: impl Into<String>) -> BadLine {
        BadLine {
            number: self.number,
            reason: reason.into(),
        }
    }

    fn sample(&mut self, line: &[u8], buffer: &mut Buffer) -> Result<(), String> {
        let (series, rest) = self.series(line, buffer)?;
        let (value, t) = value_and_time(rest)?;
        buffer.append(series, t, value).map_err(|error| error.to_string())
    }

    /// The series of a line, and what follows its text.
    fn series<'a>(&mut self, line: &'a [u8], buffer: &mut Buffer) -> Result<(SeriesNumber, &'a [u8]), String> {
        let expected = self.known.get(self.last as usize).map_or(0, |known| known.next);
        if let Some(known) = self.known.get(expected as usize) {
            if let Some(rest) = line.strip_prefix(self.texts.get(expected)) {
                if rest.first() == Some(&b' ') {
                    self.last = expected;
                    return Ok((known.series, rest));
                }
            }
        }
        let end = series_text::end(line).ok_or("no value, or a quoted string that is not closed")?;
        let (text, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
        let number = match self.texts.find(text) {
            Some(number) => number,
            None => self.learn(text, buffer)?,
        };
        if let Some(last) = self.known.get_mut(self.last as usize) {
            last.next = number;
        }
        self.last = number;
        let known = self.known.get(number as usize).ok_or("too many series")?;
        Ok((known.series, rest))
    }

    fn learn(&mut self, text: &[u8], buffer: &mut Buffer) -> Result<u32, String> {
        self.packed.clear();
        series_text::pack(text, &mut self.packed)?;
        if self.packed.is_empty() {
            return Err("a series without labels".into());
        }
        let series = buffer.series(Labels::trusted(&self.packed));
        let series = series.map_err(|_| "too many series")?;
        let number = self.texts.number(text).ok_or("too many series")?;
        self.known.push(Known { series, next: number });
        Ok(number)
    }
}

/// ` value time`, and an exemplar, which is not kept.
fn value_and_time(rest: &[u8]) -> Result<(f64, i64), String> {
    let (word, rest) = word(rest).ok_or("expected a blank and a value behind the series")?;
    let value = parse_go(word).ok_or("the value is not a number")?;
    let (seconds, rest) = word_of_time(rest).ok_or("the sample has no timestamp, which backfill needs")?;
    let t = milliseconds(seconds).ok_or("the timestamp is not a time in seconds")?;
    if !rest.is_empty() {
        exemplar(rest)?;
    }
    Ok((value, t))
}

/// A blank and what follows up to the next one; what is left.
fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_prefix(b" ")?;
    let end = memchr::memchr(b' ', text).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(word, _)| !word.is_empty())
}

fn word_of_time(text: &[u8]) -> Option<(&[u8], &[u8])> {
    word(text).filter(|(word, _)| *word != b"#")
}

/// Prometheus rounds towards zero.
fn milliseconds(seconds: &[u8]) -> Option<i64> {
    let ms = parse_go(seconds)? * 1000.0;
    (ms.abs() < 9e18).then_some(ms as i64)
}

/// ` # {labels} value [time]`
fn exemplar(text: &[u8]) -> Result<(), String> {
    let text = text.strip_prefix(b" # ").filter(|text| text.first() == Some(&b'{'));
    let text = text.ok_or("text behind the timestamp that is no exemplar")?;
    let end = series_text::end(text).ok_or("the exemplar's braces are not closed")?;
    let (labels, rest) = text.split_at_checked(end).unwrap_or((text, &[]));
    let labels = std::str::from_utf8(labels).map_err(|_| "the exemplar is not UTF-8")?;
    series_text::braces(labels, &mut Vec::new())?;
    let (value, rest) = word(rest).ok_or("the exemplar has no value")?;
    parse_go(value).ok_or("the exemplar's value is not a number")?;
    if let Some((time, rest)) = word(rest) {
        milliseconds(time).ok_or("the exemplar's timestamp is not a time in seconds")?;
        return if rest.is_empty() {
            Ok(())
        } else {
            Err("text behind the exemplar".into())
        };
    }
    if rest.is_empty() {
        Ok(())
    } else {
        Err("text behind the exemplar".into())
    }
}

/// Metadata is checked, and not kept: blocks have no place for it.
fn metadata(line: &[u8]) -> Result<(), String> {
    let line = std::str::from_utf8(line).map_err(|_| "the line is not UTF-8")?;
    let parts = line.strip_prefix("# ").and_then(|line| line.split_once(' '));
    let (keyword, rest) = parts
        .filter(|(keyword, _)| matches!(*keyword, "TYPE" | "HELP" | "UNIT"))
        .ok_or("expected TYPE, HELP, UNIT or EOF behind \"# \"")?;
    let (name, text) = rest.split_once(' ').ok_or("expected a name and a text")?;
    let is_unit = || {
        name.trim_matches('"')
            .strip_suffix(text)
            .is_some_and(|rest| rest.ends_with('_'))
    };
    match keyword {
        "TYPE" if !TYPES.contains(&text) => Err(format!("there is no metric type {text:?}")),
        "UNIT" if !text.is_empty() && !is_unit() => Err(format!("the name {name:?} does not end in its unit {text:?}")),
        _ => Ok(()),
    }
}
