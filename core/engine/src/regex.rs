//! Patterns of matchers: Go's syntax, always anchored at both ends, in time linear in the text.

mod capture;
mod matcher;
mod rewrite;
mod shape;
mod translate;

pub use capture::{Capture, Groups};
pub use matcher::{Matcher, Operator};
pub use rewrite::Rewrite;

use shape::Shape;

/// Bytes that a compiled pattern may take. `\p{L}{100}` needs some 2 MB.
const SIZE_LIMIT: usize = 10 << 20;
/// Bytes that matching may take beside it.
const CACHE_LIMIT: usize = 1 << 20;

/// Why a pattern cannot be used, in the words of Go's regexp package, which Prometheus passes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegexError(String);

impl RegexError {
    /// `what` is wrong with the piece `part` of the pattern.
    fn new(what: &str, part: &str) -> Self {
        Self(format!("error parsing regexp: {what}: `{part}`"))
    }
}

impl std::fmt::Display for RegexError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RegexError {}

/// A compiled pattern. Most patterns that people write need no automaton.
#[derive(Debug, Clone)]
pub struct Regex(Test);

#[derive(Debug, Clone)]
enum Test {
    Shape(Shape),
    /// The pattern, and how each text begins that matches it.
    Automaton(regex::Regex, String),
}

impl Regex {
    /// Compile `pattern` as Prometheus does: anchored, and with a dot that matches any character.
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        let dot_all = format!("(?s:{})", translate::translate(pattern)?);
        // What is left to go wrong is depth and size.
        let tree =
            regex_syntax::parse(&dot_all).map_err(|_| RegexError::new("expression nests too deeply", pattern))?;
        if let Some(shape) = Shape::of(&tree) {
            return Ok(Self(Test::Shape(shape)));
        }
        regex::RegexBuilder::new(&format!("^{dot_all}$"))
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(CACHE_LIMIT)
            .build()
            .map(|automaton| Self(Test::Automaton(automaton, shape::prefix(&tree))))
            .map_err(|_| RegexError::new("expression too large", pattern))
    }

    /// True when all of `text` matches.
    pub fn is_match(&self, text: &str) -> bool {
        match &self.0 {
            Test::Shape(shape) => shape.is_match(text),
            Test::Automaton(automaton, prefix) => text.starts_with(prefix.as_str()) && automaton.is_match(text),
        }
    }

    /// All texts that match, sorted, where they are few enough to be named.
    pub fn literals(&self) -> Option<&[String]> {
        match &self.0 {
            Test::Shape(Shape::Set(texts)) => Some(texts),
            _ => None,
        }
    }

    /// How each text begins that matches; often "".
    pub fn prefix(&self) -> &str {
        match &self.0 {
            Test::Shape(Shape::Gap { prefix, .. }) | Test::Automaton(_, prefix) => prefix,
            Test::Shape(Shape::Set(_)) => "",
        }
    }

    /// True for `.*`.
    pub fn matches_all(&self) -> bool {
        matches!(&self.0, Test::Shape(Shape::Gap { prefix, suffix, between: 0 }) if prefix.is_empty() && suffix.is_empty())
    }
}
