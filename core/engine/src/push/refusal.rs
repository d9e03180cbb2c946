//! Why a push is not taken.

/// A refusal; nothing has changed when one is returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The push contradicts what other groups hold, or itself: what Pushgateway's consistency check says.
    Inconsistent(Errors),
    /// A sample carries a timestamp and timestamps are refused.
    Timestamps,
    /// A sample's timestamp is outside the accepted window: which series, and the bound.
    TimestampRange(String),
    /// More groups than configured.
    Groups(usize),
    /// More series than configured.
    Series(usize),
}

/// What is wrong with a push, one line each. Only the first ones are kept, the rest are counted: a body of a few MiB can
/// break a rule a million times.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Errors {
    first: Vec<String>,
    count: usize,
}

/// Errors listed in one answer.
const SHOWN: usize = 10;

impl Errors {
    /// One more.
    pub fn add(&mut self, message: impl FnOnce() -> String) {
        if self.first.len() < SHOWN {
            self.first.push(message());
        }
        self.count += 1;
    }

    /// True when nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl std::fmt::Display for Errors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let [one] = self.first.as_slice() {
            return f.write_str(one);
        }
        write!(f, "{} error(s) occurred:", self.count)?;
        for error in &self.first {
            write!(f, "\n* {error}")?;
        }
        match self.count - self.first.len() {
            0 => Ok(()),
            more => write!(f, "\n* and {more} more"),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Inconsistent(errors) => write!(f, "{errors}"),
            Self::Timestamps => f.write_str("pushed metrics must not have timestamps"),
            Self::TimestampRange(what) => f.write_str(what),
            Self::Groups(limit) => write!(
                f,
                "the limit of {limit} groups is reached; delete groups or raise push.max_groups"
            ),
            Self::Series(limit) => write!(
                f,
                "the limit of {limit} series is reached; delete groups or raise push.max_series"
            ),
        }
    }
}

impl std::error::Error for Refusal {}
