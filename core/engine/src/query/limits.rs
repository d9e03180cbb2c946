//! How much one query may take.

use crate::merge::{text, Broken};

/// What one query may take; everything where not told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Series.
    pub series: usize,
    /// Samples of all series.
    pub samples: usize,
    /// Bytes of the result.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            series: usize::MAX,
            samples: usize::MAX,
            bytes: usize::MAX,
        }
    }
}

impl Limits {
    /// Fail when there are more series.
    pub fn check_series(&self, series: usize) -> Result<(), Failed> {
        within(Limit::Series, series, self.series)
    }

    /// What is left when some of it is taken.
    pub fn without(self, series: usize, samples: usize, bytes: usize) -> Self {
        let less = |limit: usize, taken| {
            if limit == usize::MAX {
                limit
            } else {
                limit.saturating_sub(taken)
            }
        };
        Self {
            series: less(self.series, series),
            samples: less(self.samples, samples),
            bytes: less(self.bytes, bytes),
        }
    }

    fn of(&self, what: Limit) -> usize {
        match what {
            Limit::Series => self.series,
            Limit::Samples => self.samples,
            Limit::Bytes => self.bytes,
        }
    }

    pub(super) fn check(&self, series: usize, samples: usize, bytes: usize) -> Result<(), Failed> {
        within(Limit::Series, series, self.series)?;
        within(Limit::Samples, samples, self.samples)?;
        within(Limit::Bytes, bytes, self.bytes)
    }
}

fn within(what: Limit, found: usize, limit: usize) -> Result<(), Failed> {
    if found > limit {
        return Err(Failed::TooMany { what, limit });
    }
    Ok(())
}

/// What there is too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Series.
    Series,
    /// Samples.
    Samples,
    /// Bytes.
    Bytes,
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Series => "series",
            Self::Samples => "samples",
            Self::Bytes => "bytes",
        })
    }
}

/// Why a query has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failed {
    /// It would take more than it may.
    TooMany {
        /// Of what.
        what: Limit,
        /// How much it may.
        limit: usize,
    },
    /// A block cannot be read.
    Place(Broken),
    /// A chunk of this series, packed labels, does not decode.
    Chunk(std::sync::Arc<[u8]>),
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooMany { what, limit } => write!(f, "the query takes more than {limit} {what}"),
            Self::Place(broken) => broken.fmt(f),
            Self::Chunk(labels) => write!(f, "a chunk of series {} does not decode", text(labels)),
        }
    }
}

impl std::error::Error for Failed {}

impl Failed {
    /// The same, told in terms of the limits for all selectors of a query.
    pub fn in_terms_of(self, whole: &Limits) -> Self {
        match self {
            Self::TooMany { what, .. } => Self::TooMany {
                what,
                limit: whole.of(what),
            },
            other => other,
        }
    }
}

impl From<Broken> for Failed {
    fn from(broken: Broken) -> Self {
        Self::Place(broken)
    }
}
