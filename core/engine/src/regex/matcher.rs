//! Label matchers.

use super::{Regex, RegexError};

/// How a matcher compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Matches,
    /// `!~`
    MatchesNot,
}

impl Operator {
    /// The operator that PromQL writes as `text`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "=" => Some(Self::Equal),
            "!=" => Some(Self::NotEqual),
            "=~" => Some(Self::Matches),
            "!~" => Some(Self::MatchesNot),
            _ => None,
        }
    }
}

/// A condition on one label. A label that a series does not have counts as "".
#[derive(Debug, Clone)]
pub struct Matcher {
    name: String,
    test: Test,
    negated: bool,
}

#[derive(Debug, Clone)]
enum Test {
    Equals(String),
    Matches(Regex),
}

impl Matcher {
    /// `name operator "value"`; fails when a pattern is not one.
    pub fn new(name: &str, operator: Operator, value: &str) -> Result<Self, RegexError> {
        let test = match operator {
            Operator::Equal | Operator::NotEqual => Test::Equals(value.into()),
            Operator::Matches | Operator::MatchesNot => Test::Matches(Regex::new(value)?),
        };
        Ok(Self {
            name: name.into(),
            test,
            negated: matches!(operator, Operator::NotEqual | Operator::MatchesNot),
        })
    }

    /// The label's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The operator is `!=` or `!~`.
    pub fn is_negated(&self) -> bool {
        self.negated
    }

    /// True when a series with this value of the label is wanted.
    pub fn matches(&self, value: &str) -> bool {
        self.fits(value) != self.negated
    }

    /// True when the value is the text, or fits the pattern, whether the matcher is negated or not.
    pub fn fits(&self, value: &str) -> bool {
        match &self.test {
            Test::Equals(wanted) => wanted == value,
            Test::Matches(regex) => regex.is_match(value),
        }
    }

    /// All values that can [fit](Self::fits), where they are few enough to be named; else each value has to be tried.
    pub fn literals(&self) -> Option<&[String]> {
        match &self.test {
            Test::Equals(wanted) => Some(std::slice::from_ref(wanted)),
            Test::Matches(regex) => regex.literals(),
        }
    }

    /// How each value that [fits](Self::fits) begins.
    pub fn prefix(&self) -> &str {
        match &self.test {
            Test::Equals(wanted) => wanted,
            Test::Matches(regex) => regex.prefix(),
        }
    }

    /// True for `=~".*"`, which every series meets.
    pub fn matches_all(&self) -> bool {
        match &self.test {
            Test::Matches(regex) => !self.negated && regex.matches_all(),
            Test::Equals(_) => false,
        }
    }
}
