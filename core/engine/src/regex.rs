//! Patterns of matchers: Go's RE2 syntax, always anchored at both ends, in time linear in the text.

mod matcher;

pub use matcher::{Matcher, Operator};

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegexError(String);

impl std::fmt::Display for RegexError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RegexError {}

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct Regex {
    regex: regex::Regex,
}

impl Regex {
    /// Compile `pattern`.
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        let regex = regex::Regex::new(&format!("^(?s:{pattern})$")).map_err(|e| RegexError(e.to_string()))?;
        Ok(Self { regex })
    }

    /// True when all of `text` matches.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The only texts that can match, where the pattern is a plain alternation.
    pub fn literals(&self) -> Option<&[String]> {
        None
    }
}
