//! One line after the other: comments that declare families, samples that fill them.

use crate::family::{Family, Kind, Label, Text};
use crate::float::parse_go;
use crate::labels::{is_legacy_label_name, is_legacy_metric_name, METRIC_NAME};
use crate::quote::{Quoted, QuotedByte};
use crate::wire::label_names::LabelNames;
use crate::wire::text::families::{Families, Target};
use crate::wire::text::lexer::{Lexed, Lexer, Name, Token};
use crate::wire::{too_many, Options, ParseError};

#[derive(Debug)]
pub(super) struct Parser<'a> {
    lexer: Lexer<'a>,
    line: usize,
    utf8: bool,
    /// Metrics, buckets and quantiles that a body may have.
    allowed: usize,
    families: Families,
    /// The family named last, which errors tell.
    current: Option<usize>,
    /// Labels of the sample being read.
    labels: Vec<Label>,
    names: LabelNames,
}

impl<'a> Parser<'a> {
    pub(super) fn new(input: &'a [u8], options: Options) -> Self {
        Self {
            lexer: Lexer::new(input),
            line: 0,
            utf8: options.utf8,
            allowed: options.metrics_allowed(),
            families: Families::default(),
            current: None,
            labels: Vec::new(),
            names: LabelNames::default(),
        }
    }

    /// Read everything.
    pub(super) fn families(mut self) -> Result<Vec<Family>, ParseError> {
        match self.lines() {
            Ok(()) => Ok(self.families.finish()),
            Err(message) => Err(ParseError {
                format: "text format",
                line: self.line,
                message,
                too_many: self.families.count > self.allowed,
            }),
        }
    }

    fn lines(&mut self) -> Lexed<()> {
        loop {
            self.line += 1;
            self.lexer.skip_blanks();
            if self.lexer.at_end() {
                return Ok(());
            }
            match self.lexer.peek()? {
                b'#' => self.comment()?,
                b'\n' => self.lexer.bump(),
                b'{' => {
                    let (target, bound) = self.labels(None)?;
                    self.sample(target, bound)?;
                }
                _ => self.named_sample()?,
            }
            if self.families.count > self.allowed {
                return Err(too_many(self.allowed));
            }
        }
    }

    fn comment(&mut self) -> Lexed<()> {
        self.lexer.bump();
        self.lexer.skip_blanks();
        let keyword = self.lexer.word()?;
        if !matches!(keyword, b"HELP" | b"TYPE") {
            return self.lexer.line().map(drop);
        }
        self.lexer.skip_blanks();
        let name = self.lexer.name(Name::Metric)?;
        if self.lexer.bump_if(b'\n')? {
            return Ok(());
        }
        if !matches!(self.lexer.peek()?, b' ' | b'\t') {
            return Err("invalid metric name in comment".into());
        }
        let family = self.resolve(&name)?.family;
        self.lexer.skip_blanks();
        if self.lexer.bump_if(b'\n')? {
            return Ok(());
        }
        match keyword {
            b"HELP" => self.help(family),
            _ => self.kind(family),
        }
    }

    fn help(&mut self, family: usize) -> Lexed<()> {
        let family = &mut self.families.draft(family).family;
        if family.help.is_some() {
            return Err(format!(
                "second HELP line for metric name {}",
                Quoted(family.name.as_bytes())
            ));
        }
        family.help = Some(Text::from(String::from_utf8_lossy(&self.lexer.escaped_line()?)));
        Ok(())
    }

    fn kind(&mut self, family: usize) -> Lexed<()> {
        let draft = self.families.draft(family);
        if draft.typed {
            let name = Quoted(draft.family.name.as_bytes());
            return Err(format!(
                "second TYPE line for metric name {name}, or TYPE reported after samples"
            ));
        }
        let word = without_backslashes(self.lexer.line()?);
        draft.family.kind = match word.to_ascii_lowercase().as_slice() {
            b"counter" => Kind::Counter,
            b"gauge" => Kind::Gauge,
            b"summary" => Kind::Summary,
            b"untyped" => Kind::Untyped,
            b"histogram" => Kind::Histogram,
            b"gauge_histogram" | b"gaugehistogram" => Kind::GaugeHistogram,
            _ => return Err(format!("unknown metric type {}", Quoted(&word))),
        };
        draft.typed = true;
        Ok(())
    }

    /// A sample whose name stands before its labels.
    fn named_sample(&mut self) -> Lexed<()> {
        let name = self.lexer.name(Name::Metric)?;
        if name.is_empty() {
            return Err("invalid metric name".into());
        }
        let target = self.resolve_sample(&name)?;
        self.lexer.skip_blanks();
        let (target, bound) = match self.lexer.peek()? {
            b'{' => self.labels(Some(target))?,
            _ => (target, None),
        };
        self.sample(target, bound)
    }

    fn resolve(&mut self, name: &[u8]) -> Lexed<Target> {
        let valid = std::str::from_utf8(name).ok().filter(|n| {
            if self.utf8 {
                !n.is_empty()
            } else {
                is_legacy_metric_name(n)
            }
        });
        let name = valid.ok_or_else(|| format!("invalid metric name {}", Quoted(name)))?;
        let target = self.families.resolve(name);
        self.current = Some(target.family);
        Ok(target)
    }

    fn resolve_sample(&mut self, name: &[u8]) -> Lexed<Target> {
        let target = self.resolve(name)?;
        self.families.draft(target.family).typed = true;
        Ok(target)
    }

    /// Labels from `{` to `}`, left in `self.labels`. Without a target they hold the metric's name too. The second value
    /// is that of `le` or `quantile`, which is not kept as a label where it names a bucket or quantile.
    fn labels(&mut self, named: Option<Target>) -> Lexed<(Target, Option<f64>)> {
        let in_braces = named.is_none();
        let mut target = named;
        let mut bound = None;
        self.lexer.bump();
        self.labels.clear();
        loop {
            self.lexer.skip_blanks();
            if self.lexer.bump_if(b'}')? {
                break;
            }
            let name = self.lexer.name(Name::Label)?;
            if name.is_empty() {
                return Err(format!("invalid label name for metric {}", self.current()));
            }
            self.lexer.skip_blanks();
            let more = if self.lexer.bump_if(b'=')? {
                self.label(&name, target, &mut bound)?
            } else if in_braces {
                target = Some(self.name_in_braces(&name, target, &mut bound)?);
                self.lexer.bump_if(b',')?
            } else {
                return Err(format!(
                    "expected '=' after label name, found {}",
                    QuotedByte(self.lexer.peek()?)
                ));
            };
            if !more {
                self.lexer.bump();
                break;
            }
        }
        self.lexer.skip_blanks();
        Ok((target.ok_or("invalid metric name")?, bound))
    }

    /// A metric name among the labels. Labels that came before it are now known to be its family's.
    fn name_in_braces(&mut self, name: &[u8], earlier: Option<Target>, bound: &mut Option<f64>) -> Lexed<Target> {
        if earlier.is_some() {
            return Err(format!("multiple metric names for metric {}", self.current()));
        }
        let next = self.lexer.peek()?;
        if !matches!(next, b',' | b'}') {
            return Err(format!("unexpected end of metric name {}", QuotedByte(next)));
        }
        let target = self.resolve_sample(name)?;
        let special = bound_label(self.families.draft(target.family).family.kind);
        if let Some(at) = self.labels.iter().position(|l| Some(l.name.as_str()) == special) {
            let label = self.labels.remove(at);
            *bound = Some(parse_bound(&label.name, label.value.as_bytes())?);
        }
        Ok(target)
    }

    /// A label from behind its `=`; true when a comma follows, false before a closing brace.
    fn label(&mut self, name: &Token<'_>, target: Option<Target>, bound: &mut Option<f64>) -> Lexed<bool> {
        let name = self.label_name(name)?;
        let special = target.and_then(|t| bound_label(self.families.draft(t.family).family.kind));
        let is_bound = special == Some(name);
        if !is_bound && self.names.is_repeated(&self.labels, name) {
            return Err(format!("duplicate label names for metric {}", self.current()));
        }
        self.lexer.skip_blanks();
        if !self.lexer.bump_if(b'"')? {
            let found = QuotedByte(self.lexer.peek()?);
            return Err(format!("expected '\"' at start of label value, found {found}"));
        }
        let raw = self.lexer.label_value()?;
        let value = std::str::from_utf8(&raw).map_err(|_| format!("invalid label value {}", Quoted(&raw)))?;
        if is_bound {
            *bound = Some(parse_bound(name, &raw)?);
        } else {
            self.labels.push(Label {
                name: Text::from(name),
                value: Text::from(value),
            });
        }
        self.lexer.skip_blanks();
        match self.lexer.peek()? {
            b',' => self.lexer.bump_if(b','),
            b'}' => Ok(false),
            _ => Err(format!("unexpected end of label value {}", Quoted(&raw))),
        }
    }

    fn label_name<'n>(&self, name: &'n [u8]) -> Lexed<&'n str> {
        if name == METRIC_NAME.as_bytes() {
            return Err(format!("label name {} is reserved", Quoted(name)));
        }
        std::str::from_utf8(name)
            .ok()
            .filter(|n| self.utf8 || is_legacy_label_name(n))
            .ok_or_else(|| format!("invalid label name {}", Quoted(name)))
    }

    /// Value and time, up to the end of the line.
    fn sample(&mut self, target: Target, bound: Option<f64>) -> Lexed<()> {
        let word = self.lexer.word()?;
        let value = parse_go(word).ok_or_else(|| format!("expected float as value, got {}", Quoted(word)))?;
        let at = self.families.record(target, &mut self.labels, bound, value)?;
        if self.lexer.bump_if(b'\n')? {
            return Ok(());
        }
        self.lexer.skip_blanks();
        let word = self.lexer.word()?;
        let time = std::str::from_utf8(word).ok().and_then(|t| t.parse().ok());
        let time: i64 = time.ok_or_else(|| format!("expected integer as timestamp, got {}", Quoted(word)))?;
        self.families.metric(target.family, at).timestamp_ms = Some(time);
        match without_backslashes(self.lexer.line()?) {
            rest if rest.is_empty() => Ok(()),
            rest => Err(format!("spurious string after timestamp: {}", Quoted(&rest))),
        }
    }

    fn current(&self) -> Quoted<'_> {
        Quoted(self.families.name(self.current).as_bytes())
    }
}

/// The label that names a part of such a family's metrics instead of telling them apart.
fn bound_label(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Summary => Some("quantile"),
        Kind::Histogram | Kind::GaugeHistogram => Some("le"),
        _ => None,
    }
}

fn parse_bound(label: &str, value: &[u8]) -> Lexed<f64> {
    let wrong = || format!("expected float as value for '{label}' label, got {}", Quoted(value));
    parse_go(value).ok_or_else(wrong)
}

/// The peer drops backslashes where it undoes no escapes.
fn without_backslashes(line: &[u8]) -> Token<'_> {
    if memchr::memchr(b'\\', line).is_none() {
        return Token::Borrowed(line);
    }
    Token::Owned(line.iter().copied().filter(|b| *b != b'\\').collect())
}
