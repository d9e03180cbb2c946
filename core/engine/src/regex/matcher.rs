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

    /// True when a series with this value of the label is wanted.
    pub fn matches(&self, value: &str) -> bool {
        self.tests(value) != self.negated
    }

    fn tests(&self, value: &str) -> bool {
        match &self.test {
            Test::Equals(wanted) => wanted == value,
            Test::Matches(regex) => regex.is_match(value),
        }
    }

    /// All values that can match, where the matcher names them itself; else each value has to be tried.
    pub fn candidates(&self) -> Option<Vec<&str>> {
        match &self.test {
            _ if self.negated => None,
            Test::Equals(wanted) => Some(vec![wanted]),
            Test::Matches(regex) => regex.literals().map(|set| set.iter().map(String::as_str).collect()),
        }
    }
}
