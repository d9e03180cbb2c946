//! Lines to samples: the inverse of [`super::encode`], and what any Influx client sends.
//!
//! A number or boolean field is a sample of the series `measurement_field`, or `measurement` when the field is called
//! `value`; tags are labels. Text fields are no samples and are counted. A request with a bad line is refused whole.

use std::borrow::Cow;

use super::names::{read, Role};
use super::number::{read_field, Field};
use super::scan;
use crate::batch::{Batch, BATCH_TIME};
use crate::labels::{pack, METRIC_NAME};

/// The longest series key (measurement and tags, as written) that InfluxDB takes.
const MAX_KEY: usize = 65_535;

/// How many bad lines an error spells out.
const MAX_TOLD: usize = 20;

/// How much of a bad line is told.
const MAX_LINE_TOLD: usize = 1024;

/// The unit of timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// This many units make a millisecond; finer times are rounded down.
    PerMs(i64),
    /// A unit is this many milliseconds.
    Ms(i64),
}

impl Precision {
    /// The names that the write routes of 1.x and 2.x know; none is nanoseconds.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "" | "n" | "ns" => Self::PerMs(1_000_000),
            "u" | "us" | "µ" => Self::PerMs(1_000),
            "ms" => Self::Ms(1),
            "s" => Self::Ms(1_000),
            "m" => Self::Ms(60_000),
            "h" => Self::Ms(3_600_000),
            _ => return None,
        })
    }

    fn ms(self, time: &str) -> Result<i64, &'static str> {
        if !time
            .bytes()
            .enumerate()
            .all(|(i, b)| b.is_ascii_digit() || (i == 0 && b == b'-'))
            || time == "-"
        {
            return Err("bad timestamp");
        }
        let ms = time.parse::<i64>().ok().and_then(|units| match self {
            Self::PerMs(n) => units.checked_div_euclid(n),
            Self::Ms(n) => units.checked_mul(n),
        });
        // The lowest value means "the batch's own time" and is no time.
        ms.filter(|&ms| ms != BATCH_TIME).ok_or("time outside range")
    }
}

/// What a body held.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The samples, as a partial batch.
    pub batch: Batch,
    /// Points, that is lines that are no comment.
    pub points: u64,
    /// Text fields, which are no samples.
    pub skipped: u64,
}

/// Lines that cannot be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BadLines {
    /// (line number from 1, line, reason), at most [`MAX_TOLD`].
    pub told: Vec<(usize, String, &'static str)>,
    /// How many there are.
    pub count: usize,
}

/// Why nothing of a body was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParseError {
    /// These lines are wrong.
    BadLines(BadLines),
    /// Labels repeated for each field would need more than the limit.
    TooLong(usize),
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bad = match self {
            Self::TooLong(limit) => return write!(f, "points expand to more than {limit} bytes of labels"),
            Self::BadLines(bad) => bad,
        };
        for (i, (number, line, reason)) in bad.told.iter().enumerate() {
            let newline = if i > 0 { "\n" } else { "" };
            write!(f, "{newline}unable to parse '{line}': {reason} (line {number})")?;
        }
        match bad.count - bad.told.len() {
            0 => Ok(()),
            more => write!(f, "\nand {more} more lines"),
        }
    }
}

impl std::error::Error for ParseError {}

/// Read a body. Points without a time get the batch's, which is `now` ms. `limit` bounds the bytes of packed labels,
/// which are repeated for each field and so can be many times the body.
pub fn parse(body: &[u8], precision: Precision, now: i64, limit: usize) -> Result<Parsed, ParseError> {
    let mut parsed = Parsed {
        batch: Batch::new(now),
        ..Parsed::default()
    };
    parsed.batch.partial = true;
    let mut bad = BadLines::default();
    let text = match std::str::from_utf8(body) {
        Ok(text) => text,
        Err(error) => return Err(not_utf8(body, error.valid_up_to())),
    };
    for (number, line) in scan::lines(text) {
        let line = line.trim_start_matches([' ', '\t', '\0']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        parsed.points += 1;
        if let Err(reason) = point(&mut parsed, line, precision) {
            bad.add(number, line, reason);
        }
        if parsed.batch.arena().len() > limit {
            return Err(ParseError::TooLong(limit));
        }
    }
    if bad.count > 0 {
        return Err(ParseError::BadLines(bad));
    }
    Ok(parsed)
}

impl BadLines {
    fn add(&mut self, number: usize, line: &str, reason: &'static str) {
        self.count += 1;
        if self.told.len() < MAX_TOLD {
            let cut = line.char_indices().find(|&(i, c)| i >= MAX_LINE_TOLD || c == '\n');
            let told = line.get(..cut.map_or(line.len(), |(i, _)| i)).unwrap_or_default();
            self.told.push((number, told.to_owned(), reason));
        }
    }
}

fn not_utf8(body: &[u8], at: usize) -> ParseError {
    let before = body.get(..at).unwrap_or_default();
    let number = 1 + before.iter().filter(|&&b| b == b'\n').count();
    let start = memchr::memrchr(b'\n', before).map_or(0, |i| i + 1);
    let line = body
        .get(start..)
        .and_then(|rest| rest.split(|&b| b == b'\n').next())
        .unwrap_or_default();
    let mut bad = BadLines::default();
    bad.add(number, &String::from_utf8_lossy(line), "not UTF-8");
    ParseError::BadLines(bad)
}

fn point(parsed: &mut Parsed, text: &str, precision: Precision) -> Result<(), &'static str> {
    let line = scan::line(text)?;
    if line.measurement.len() + line.tags.len() > MAX_KEY {
        return Err("max key length exceeded");
    }
    let t = if line.time.is_empty() {
        BATCH_TIME
    } else {
        precision.ms(line.time)?
    };
    let measurement = read(line.measurement, Role::Measurement);
    let tags = tags(line.tags, &measurement)?;
    for field in scan::fields(line.fields) {
        let (key, raw) = field?;
        let value = match raw.strip_prefix('"') {
            Some(_) => Field::Text,
            None => read_field(raw)?,
        };
        let Field::Number(value) = value else {
            parsed.skipped += 1;
            continue;
        };
        let name = series_name(&measurement, &read(key, Role::TagValue));
        let mut labels = Vec::with_capacity(tags.len() + 1);
        labels.push((METRIC_NAME, &*name));
        labels.extend(tags.iter().map(|(key, value)| (&**key, &**value)));
        pack(&mut labels, parsed.batch.arena()).map_err(|_| "duplicate tags")?;
        parsed.batch.push_float(t, value);
    }
    Ok(())
}

fn series_name<'a>(measurement: &'a str, field: &str) -> Cow<'a, str> {
    match field {
        "value" => Cow::Borrowed(measurement),
        field => Cow::Owned(format!("{measurement}_{field}")),
    }
}

type Tags<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

fn tags<'a>(text: &'a str, measurement: &str) -> Result<Tags<'a>, &'static str> {
    let mut tags = Tags::new();
    for tag in scan::tags(text) {
        let (raw_key, raw_value) = tag?;
        let (key, value) = (read(raw_key, Role::TagKey), read(raw_value, Role::TagValue));
        if key != METRIC_NAME {
            tags.push((key, value));
        } else if value != measurement {
            return Err("tag __name__ contradicts the measurement");
        }
    }
    Ok(tags)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
