//! The tokens of a line.

use std::borrow::Cow;

use crate::family::{Exemplar, Label, Text};
use crate::float::parse_go;
use crate::labels::{is_legacy_label_name, is_legacy_metric_name, METRIC_NAME};
use crate::wire::label_names::LabelNames;

/// What was read, or the message of the error.
pub(super) type Read<T> = Result<T, String>;

/// A sample as its line has it.
#[derive(Debug)]
pub(super) struct Sample<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) labels: Vec<Label>,
    pub(super) value: f64,
    /// Seconds since 1970.
    pub(super) time: Option<f64>,
    pub(super) exemplar: Option<Exemplar>,
}

/// A cursor over a line without its line feed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    rest: &'a str,
    utf8: bool,
}

impl<'a> Line<'a> {
    pub(super) fn new(line: &'a str, utf8: bool) -> Self {
        Self { rest: line, utf8 }
    }

    fn take(&mut self, n: usize) -> &'a str {
        let (token, rest) = self.rest.split_at_checked(n).unwrap_or((self.rest, ""));
        self.rest = rest;
        token
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, prefix: &str, place: &str) -> Read<()> {
        if self.eat(prefix) {
            return Ok(());
        }
        match self.rest.chars().next() {
            Some(found) => Err(format!("expected {prefix:?} {place}, found {found:?}")),
            None => Err(format!("expected {prefix:?} {place}, found the end of the line")),
        }
    }

    /// What follows up to the next blank.
    fn word(&mut self) -> &'a str {
        self.take(self.rest.find(' ').unwrap_or(self.rest.len()))
    }

    /// Keyword, family name and the rest of a metadata line, from behind its `# `.
    pub(super) fn metadata(mut self) -> Read<(&'a str, Cow<'a, str>, &'a str)> {
        let keyword = self.word();
        if !matches!(keyword, "TYPE" | "HELP" | "UNIT") {
            return Err("expected HELP, TYPE, UNIT or EOF behind \"# \"".into());
        }
        self.expect(" ", "before the metric name")?;
        let name = self.metric_name()?;
        if !self.rest.is_empty() {
            self.expect(" ", "behind the metric name")?;
        }
        Ok((keyword, name, self.rest))
    }

    /// A sample, which takes the whole line.
    pub(super) fn sample(mut self) -> Read<Sample<'a>> {
        let (name, labels) = if self.eat("{") {
            let mut name = None;
            let labels = self.labels(Some(&mut name))?;
            (name.ok_or("no metric name in the braces")?, labels)
        } else {
            let name = self.metric_name()?;
            let labels = if self.eat("{") { self.labels(None)? } else { Vec::new() };
            (name, labels)
        };
        self.expect(" ", "before the value")?;
        let (value, time) = self.value_and_time()?;
        let exemplar = if self.rest.is_empty() {
            None
        } else {
            Some(self.exemplar()?)
        };
        Ok(Sample {
            name,
            labels,
            value,
            time,
            exemplar,
        })
    }

    fn exemplar(&mut self) -> Read<Exemplar> {
        self.expect(" # {", "before an exemplar")?;
        let labels = self.labels(None)?;
        self.expect(" ", "before the exemplar's value")?;
        let (value, time) = self.value_and_time()?;
        if !self.rest.is_empty() {
            return Err(format!("{:?} behind the exemplar", self.rest));
        }
        Ok(Exemplar {
            labels,
            value,
            timestamp_ms: time.map(milliseconds).transpose()?,
        })
    }

    /// A value, and seconds when a blank and no exemplar follow.
    fn value_and_time(&mut self) -> Read<(f64, Option<f64>)> {
        let word = self.word();
        let value = parse_go(word.as_bytes()).ok_or_else(|| format!("expected a number as value, got {word:?}"))?;
        if self.rest.is_empty() || self.rest.starts_with(" # ") {
            return Ok((value, None));
        }
        self.expect(" ", "before the timestamp")?;
        let word = self.word();
        let time = parse_go(word.as_bytes()).filter(|t| t.is_finite());
        let time = time.ok_or_else(|| format!("expected seconds as timestamp, got {word:?}"))?;
        Ok((value, Some(time)))
    }

    /// Labels from behind `{` to behind `}`. The metric's name may be among them where there is a place for it.
    fn labels(&mut self, mut metric: Option<&mut Option<Cow<'a, str>>>) -> Read<Vec<Label>> {
        let mut labels = Vec::new();
        let mut names = LabelNames::default();
        if self.eat("}") {
            return Ok(labels);
        }
        loop {
            let quoted = self.rest.starts_with('"');
            let name = if quoted {
                self.quoted()?
            } else {
                self.bare(is_label_byte)
            };
            match &mut metric {
                Some(metric) if quoted && !self.rest.starts_with('=') => {
                    self.check_metric_name(&name)?;
                    if metric.replace(name).is_some() {
                        return Err("two metric names in the braces".into());
                    }
                }
                _ => labels.push(self.label(&name, &labels, &mut names)?),
            }
            if self.eat("}") {
                return Ok(labels);
            }
            self.expect(",", "or \"}\" behind a label")?;
        }
    }

    /// A label from behind its name.
    fn label(&mut self, name: &str, earlier: &[Label], names: &mut LabelNames) -> Read<Label> {
        if name == METRIC_NAME {
            return Err(format!("label name {name:?} is reserved"));
        }
        if name.is_empty() || !(self.utf8 || is_legacy_label_name(name)) {
            return Err(format!("invalid label name {name:?}"));
        }
        if names.is_repeated(earlier, name) {
            return Err(format!("label {name:?} is given twice"));
        }
        self.expect("=", "behind a label name")?;
        if !self.rest.starts_with('"') {
            self.expect("\"", "before a label value")?;
        }
        Ok(Label {
            name: Text::from(name),
            value: Text::from(self.quoted()?),
        })
    }

    fn metric_name(&mut self) -> Read<Cow<'a, str>> {
        let name = if self.rest.starts_with('"') {
            self.quoted()?
        } else {
            self.bare(|b| is_label_byte(b) || b == b':')
        };
        self.check_metric_name(&name)?;
        Ok(name)
    }

    fn check_metric_name(&self, name: &str) -> Read<()> {
        if name.is_empty() || !(self.utf8 || is_legacy_metric_name(name)) {
            return Err(format!("invalid metric name {name:?}"));
        }
        Ok(())
    }

    /// A name without quotes; empty when it would begin with a digit.
    fn bare(&mut self, is_name_byte: fn(u8) -> bool) -> Cow<'a, str> {
        let end = self
            .rest
            .bytes()
            .position(|b| !is_name_byte(b))
            .unwrap_or(self.rest.len());
        let starts = !self.rest.starts_with(|c: char| c.is_ascii_digit());
        Cow::Borrowed(if starts { self.take(end) } else { "" })
    }

    /// A string from its opening quote to behind its closing one.
    fn quoted(&mut self) -> Read<Cow<'a, str>> {
        let body = self.rest.get(1..).unwrap_or_default();
        let mut end = 0;
        while let Some(at) = body
            .get(end..)
            .and_then(|rest| memchr::memchr2(b'"', b'\\', rest.as_bytes()))
        {
            end += at;
            if body.as_bytes().get(end) == Some(&b'"') {
                let text = body.get(..end).unwrap_or_default();
                self.rest = body.get(end + 1..).unwrap_or_default();
                return Ok(unescape(text));
            }
            // The backslash, and what it escapes, which may be a character of several bytes.
            end += 1 + body
                .get(end + 1..)
                .and_then(|rest| rest.chars().next())
                .map_or(0, char::len_utf8);
        }
        Err("a quoted string is not closed".into())
    }
}

fn is_label_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Undo `\n`, `\"` and `\\`; a backslash before any other character is just a backslash.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('\\', Some(escaped @ ('n' | '"' | '\\'))) => {
                out.push(if escaped == 'n' { '\n' } else { escaped });
                chars.next();
            }
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Seconds to the nearest millisecond.
pub(super) fn milliseconds(seconds: f64) -> Read<i64> {
    let ms = (seconds * 1000.0).round();
    if ms.abs() < 9e18 {
        Ok(ms as i64)
    } else {
        Err(format!("timestamp {seconds:?} is out of range"))
    }
}
