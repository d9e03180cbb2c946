//! Why a push is not taken.

/// A refusal; nothing has changed when one is returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The push contradicts what other groups hold, or itself: what Pushgateway's consistency check says, one line each.
    Inconsistent(Vec<String>),
    /// A sample carries a timestamp and timestamps are refused.
    Timestamps,
    /// A sample's timestamp is outside the accepted window: which series, and the bound.
    TimestampRange(String),
    /// More groups than configured.
    Groups(usize),
    /// More series than configured.
    Series(usize),
}

/// Errors listed in one answer; the rest are counted.
const SHOWN: usize = 10;

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Inconsistent(errors) => match errors.as_slice() {
                [one] => f.write_str(one),
                many => {
                    write!(f, "{} error(s) occurred:", many.len())?;
                    for error in many.iter().take(SHOWN) {
                        write!(f, "\n* {error}")?;
                    }
                    if many.len() > SHOWN {
                        write!(f, "\n* and {} more", many.len() - SHOWN)?;
                    }
                    Ok(())
                }
            },
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
