//! Patterns that take a text apart, and templates that put it together again.

use super::{translate, RegexError, CACHE_LIMIT, SIZE_LIMIT};

/// A pattern in Go's syntax, anchored at both ends, that captures parts of what it matches.
#[derive(Debug, Clone)]
pub struct Rewrite(regex::Regex);

impl Rewrite {
    /// Compile a pattern.
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        let translated = translate::translate(pattern)?;
        regex::RegexBuilder::new(&format!("^(?s:{translated})$"))
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(CACHE_LIMIT)
            .build()
            .map(Self)
            .map_err(|_| RegexError::new("expression too large", pattern))
    }

    /// `template` with `$1`, `${1}` and `${name}` replaced by what was captured in `text`; None when `text` does not match. Go and
    /// Rust read templates alike.
    pub fn apply(&self, text: &str, template: &str) -> Option<String> {
        let captures = self.0.captures(text)?;
        let mut out = String::new();
        captures.expand(template, &mut out);
        Some(out)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn puts_captures_into_the_template() {
        let rewrite = Rewrite::new("(?P<first>[a-z]+)-(.*)").unwrap();
        let apply = |template| rewrite.apply("ab-c d", template);
        assert_eq!(apply("$2/${1}/${first}"), Some("c d/ab/ab".into()));
        assert_eq!(apply("$1x|$3|$$"), Some("||$".into()), "no such captures");
        assert_eq!(rewrite.apply("ab", "$1"), None);
        assert!(Rewrite::new("(").is_err());
    }
}
