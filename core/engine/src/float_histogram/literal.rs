//! Histograms as the test language writes them: `{{schema:1 count:9 sum:5.5 buckets:[3 0 4]}}`, `{{..}}+{{..}}x10`.

use std::fmt;
use std::sync::Arc;

use super::add::Incompatible;
use super::{Buckets, FloatHistogram};
use crate::float::{parse_go, NORMAL_NAN};
use crate::histogram::ResetHint;

/// What is wrong with a text, and at which byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLiteral {
    /// Byte offset.
    pub offset: usize,
    /// What is wrong there.
    pub why: String,
}

impl fmt::Display for BadLiteral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.why, self.offset)
    }
}

impl std::error::Error for BadLiteral {}

/// Samples that one item of a series stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    /// In order of time.
    pub histograms: Vec<Arc<FloatHistogram>>,
    /// The (last) literal tells a counter reset hint.
    pub tells_hint: bool,
}

/// The one literal that `text` is; true when it tells a counter reset hint.
pub fn parse_literal(text: &str) -> Result<(FloatHistogram, bool), BadLiteral> {
    let mut parser = Parser::new(text);
    let literal = parser.literal()?;
    parser.end()?;
    Ok(literal)
}

/// A literal, repeated (`axn`: n+1 samples) or growing (`a+bxn`, `a-bxn`), to at most `limit` samples.
pub fn parse_sequence(text: &str, limit: usize) -> Result<Sequence, BadLiteral> {
    let mut parser = Parser::new(text);
    let (first, mut tells_hint) = parser.literal()?;
    let mut histograms = vec![Arc::new(first)];
    let step = match parser.rest().bytes().next() {
        Some(sign @ (b'+' | b'-')) => {
            parser.offset += 1;
            let (step, tells) = parser.literal()?;
            tells_hint = tells;
            Some((sign, step))
        }
        _ => None,
    };
    let times = if step.is_some() || parser.rest().starts_with('x') {
        parser.times(limit)?
    } else {
        0
    };
    parser.end()?;
    for _ in 0..times {
        let Some(last) = histograms.last() else { break };
        let next = match &step {
            None => last.clone(),
            Some((sign, step)) => Arc::new(grown(last, *sign, step).map_err(|why| parser.error(&why))?),
        };
        histograms.push(next);
    }
    Ok(Sequence { histograms, tells_hint })
}

fn grown(last: &FloatHistogram, sign: u8, step: &FloatHistogram) -> Result<FloatHistogram, String> {
    if last.schema > step.schema {
        return Err(format!(
            "error combining histograms: cannot merge from schema {} to {}",
            step.schema, last.schema
        ));
    }
    let mut next = last.clone();
    let combined = if sign == b'+' {
        next.add(step)
    } else {
        next.subtract(step)
    };
    combined.map_err(|why: Incompatible| why.to_string())?;
    Ok(next)
}

struct Parser<'a> {
    text: &'a str,
    offset: usize,
}

/// A side in the making.
#[derive(Default)]
struct Side {
    offset: i32,
    counts: Vec<f64>,
}

impl Side {
    fn buckets(self) -> Buckets {
        let indices = self.offset..;
        indices.zip(self.counts).collect()
    }
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, offset: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    fn error(&self, why: &str) -> BadLiteral {
        BadLiteral {
            offset: self.offset,
            why: why.to_owned(),
        }
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.offset += token.len();
        }
        found
    }

    fn spaces(&mut self) {
        self.offset += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
    }

    fn word(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let word = rest.split(|c| !is_part(c)).next().unwrap_or_default();
        self.offset += word.len();
        word
    }

    fn end(&self) -> Result<(), BadLiteral> {
        if self.rest().is_empty() {
            return Ok(());
        }
        Err(self.error("unexpected text behind the histogram"))
    }

    fn literal(&mut self) -> Result<(FloatHistogram, bool), BadLiteral> {
        if !self.take("{{") {
            return Err(self.error("expected \"{{\""));
        }
        let mut histogram = FloatHistogram::default();
        let (mut positive, mut negative) = (Side::default(), Side::default());
        let mut keys: Vec<&str> = Vec::new();
        loop {
            self.spaces();
            if self.take("}}") {
                break;
            }
            let start = self.offset;
            let key = self.word(|c| c.is_ascii_lowercase() || c == '_');
            if keys.contains(&key) {
                self.offset = start;
                return Err(self.error(&format!("duplicate key \"{key}\" in histogram")));
            }
            if !self.take(":") {
                self.offset = start;
                return Err(self.error(
                    "unexpected text in histogram description, expected histogram description key, e.g. buckets:[5 10 7]",
                ));
            }
            match key {
                "schema" => histogram.schema = self.integer()?,
                "sum" => histogram.sum = self.number()?,
                "count" => histogram.count = self.number()?,
                "z_bucket" => histogram.zero_count = self.number()?,
                "z_bucket_w" => histogram.zero_threshold = self.number()?,
                "custom_values" => histogram.custom = self.list()?.into(),
                "buckets" => positive.counts = self.list()?,
                "offset" => positive.offset = self.integer()?,
                "n_buckets" => negative.counts = self.list()?,
                "n_offset" => negative.offset = self.integer()?,
                "counter_reset_hint" => histogram.hint = self.hint()?,
                _ => {
                    self.offset = start;
                    return Err(self.error(&format!("unknown key \"{key}\" in histogram")));
                }
            }
            keys.push(key);
        }
        histogram.positive = positive.buckets();
        histogram.negative = negative.buckets();
        Ok((histogram, keys.contains(&"counter_reset_hint")))
    }

    fn integer(&mut self) -> Result<i32, BadLiteral> {
        let start = self.offset;
        let word = self.word(|c| c.is_ascii_digit() || c == '-' || c == '+');
        word.parse().map_err(|_| BadLiteral {
            offset: start,
            why: "expected an integer".to_owned(),
        })
    }

    fn number(&mut self) -> Result<f64, BadLiteral> {
        let start = self.offset;
        let word = self.word(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.' | '_'));
        go_number(word).ok_or_else(|| BadLiteral {
            offset: start,
            why: "expected a number".to_owned(),
        })
    }

    fn list(&mut self) -> Result<Vec<f64>, BadLiteral> {
        if !self.take("[") {
            return Err(self.error("expected \"[\""));
        }
        let mut numbers = Vec::new();
        loop {
            self.spaces();
            if self.take("]") {
                return Ok(numbers);
            }
            numbers.push(self.number()?);
        }
    }

    fn hint(&mut self) -> Result<ResetHint, BadLiteral> {
        let start = self.offset;
        let name = self.word(|c| c.is_ascii_lowercase() || c == '_');
        ResetHint::from_name(name).ok_or_else(|| BadLiteral {
            offset: start,
            why: format!("error parsing counter_reset_hint: unknown value {name}"),
        })
    }

    fn times(&mut self, limit: usize) -> Result<usize, BadLiteral> {
        if !self.take("x") {
            return Err(self.error("expected \"x\" and a number of repetitions"));
        }
        let start = self.offset;
        let times = self.word(|c| c.is_ascii_digit()).parse::<usize>();
        match times {
            Ok(times) if times < limit => Ok(times),
            Ok(_) => Err(BadLiteral {
                offset: start,
                why: format!("more than {limit} samples"),
            }),
            Err(_) => Err(BadLiteral {
                offset: start,
                why: "expected a number of repetitions".to_owned(),
            }),
        }
    }
}

/// A number as descriptions of series have it: `Inf`, `NaN`, decimal, octal after a zero, with `_` between digits. None
/// is hexadecimal, for `x` says how often.
fn go_number(word: &str) -> Option<f64> {
    let (sign, digits) = match word.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, word.strip_prefix('+').unwrap_or(word)),
    };
    if digits.eq_ignore_ascii_case("nan") {
        return Some(NORMAL_NAN);
    }
    let is_apart = |part: &str| part.is_empty() || !part.starts_with(|c: char| c.is_ascii_digit());
    if digits.starts_with(['+', '-', '_']) || digits.split('_').skip(1).any(is_apart) {
        return None;
    }
    let joined = digits.replace('_', "");
    if let Some(octal) = joined
        .strip_prefix('0')
        .and_then(|octal| i64::from_str_radix(octal, 8).ok())
    {
        return Some(sign * octal as f64);
    }
    parse_go(joined.as_bytes()).map(|v| sign * v)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sequence(text: &str) -> Result<Vec<String>, String> {
        let sequence = parse_sequence(text, 1000).map_err(|bad| bad.to_string())?;
        Ok(sequence
            .histograms
            .iter()
            .map(|histogram| histogram.literal())
            .collect())
    }

    #[test]
    fn numbers_are_those_of_series() {
        let numbers = [
            "010", "09", "1_000", "-017", "0", "1e1_0", "0x10", "_1", "1__0", "1_", "--1",
        ]
        .map(go_number);
        let ten = Some(1e10);
        let wanted = [
            Some(8.0),
            Some(9.0),
            Some(1000.0),
            Some(-15.0),
            Some(0.0),
            ten,
            None,
            None,
            None,
            None,
            None,
        ];
        assert_eq!(numbers, wanted);
    }

    #[test]
    fn every_key_is_read() {
        let text = "{{schema:-2 count:1_6 sum:-1.5e3 z_bucket:3 z_bucket_w:0.5 counter_reset_hint:gauge offset:-1 buckets:[1 -2] \
                    n_offset:2 n_buckets:[NaN +Inf]}}";
        let (histogram, tells_hint) = parse_literal(text).unwrap();
        assert_eq!(
            histogram.literal(),
            "{{schema:-2 count:16 sum:-1500 z_bucket:3 z_bucket_w:0.5 counter_reset_hint:gauge offset:-1 buckets:[1 -2] \
             n_offset:2 n_buckets:[NaN +Inf]}}"
        );
        assert!(tells_hint && !parse_literal("{{ sum:1 }}").unwrap().1);
        let (custom, _) = parse_literal("{{schema:-53 custom_values:[1 2 5]}}").unwrap();
        assert_eq!(custom.custom.to_vec(), [1.0, 2.0, 5.0]);
    }

    #[test]
    fn a_series_repeats_grows_and_shrinks() {
        let grown = |n: usize| format!("{{{{count:{n} buckets:[{n}]}}}}");
        assert_eq!(sequence("{{count:1 buckets:[1]}}").unwrap(), [grown(1)]);
        assert_eq!(
            sequence("{{count:1 buckets:[1]}}x2").unwrap(),
            [grown(1), grown(1), grown(1)]
        );
        assert_eq!(
            sequence("{{count:1 buckets:[1]}}+{{count:2 buckets:[2]}}x2").unwrap(),
            [grown(1), grown(3), grown(5)]
        );
        assert_eq!(
            sequence("{{count:5 buckets:[5]}}-{{count:2 buckets:[2]}}x1").unwrap(),
            [grown(5), grown(3)]
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, want) in [
            ("{{count:1", "unexpected text in histogram description, expected histogram description key, e.g. buckets:[5 10 7] at byte 9"),
            ("{{count:x}}", "expected a number at byte 8"),
            ("{{count:1 count:2}}", "duplicate key \"count\" in histogram at byte 10"),
            ("{{weight:1}}", "unknown key \"weight\" in histogram at byte 2"),
            ("{{schema:1.5}}", "unexpected text in histogram description, expected histogram description key, e.g. buckets:[5 10 7] at byte 10"),
            ("{{buckets:1}}", "expected \"[\" at byte 10"),
            ("{{}}x9999", "more than 1000 samples at byte 5"),
            ("{{}}+{{}}", "expected \"x\" and a number of repetitions at byte 9"),
            ("{{}} ", "unexpected text behind the histogram at byte 4"),
            (
                "{{schema:2}}+{{schema:1}}x1",
                "error combining histograms: cannot merge from schema 1 to 2 at byte 27",
            ),
            (
                "{{schema:-53 custom_values:[1]}}+{{}}x1",
                "cannot apply this operation on histograms with a mix of exponential and custom bucket schemas at byte 39",
            ),
        ] {
            assert_eq!(sequence(text), Err(want.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_an_answer(text in "(\\{\\{)?[a-z_:x0-9 \\[\\]{}+-]{0,40}") {
            let _ = parse_sequence(&text, 10);
        }
    }
}
