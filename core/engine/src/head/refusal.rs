//! Why samples are not taken: a closed set of reasons, which HTTP maps in one place.

use crate::labels::{format_labels, Labels};

/// Why a batch is refused. Nothing has changed then.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// The kind of reason.
    pub reason: RefusedReason,
    /// The series, as PromQL writes it.
    pub series: String,
    /// Time of the refused sample, ms.
    pub t: i64,
}

/// The closed set of reasons for which samples are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedReason {
    /// Older than the series' newest sample, whose time this is.
    OutOfOrder(i64),
    /// Out of order, and older than what the window for such samples, which begins at this time, takes.
    TooOld(i64),
    /// The series has another value at this time.
    Duplicate,
    /// Outside of the times that the head accepts.
    OutOfBounds(i64, i64),
    /// No labels at all.
    Labels,
    /// There are as many series as can be numbered.
    Full,
    /// A native histogram that has not the buckets that its spans promise, or an unknown schema.
    Histogram,
}

impl Refused {
    pub(super) fn new(reason: RefusedReason, labels: Labels<'_>, t: i64) -> Self {
        let mut series = String::new();
        format_labels(labels, &mut series);
        Self { reason, series, t }
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { series, t, .. } = self;
        match self.reason {
            RefusedReason::OutOfOrder(last) => {
                write!(
                    f,
                    "out of order sample: {series} at {t}, the series' newest is at {last}"
                )
            }
            RefusedReason::TooOld(oldest) => {
                write!(
                    f,
                    "too old sample: {series} at {t}, out of order is accepted from {oldest} on"
                )
            }
            RefusedReason::Duplicate => {
                write!(f, "duplicate sample for timestamp: {series} has another value at {t}")
            }
            RefusedReason::OutOfBounds(min, max) => {
                write!(f, "out of bounds: {series} at {t}, accepted are {min} to {max}")
            }
            RefusedReason::Labels => f.write_str("a sample without labels"),
            RefusedReason::Full => f.write_str("no more series can be numbered before a restart"),
            RefusedReason::Histogram => {
                write!(
                    f,
                    "invalid histogram: {series} at {t} has an unknown schema, or not the buckets that its spans promise"
                )
            }
        }
    }
}

impl std::error::Error for Refused {}

/// Rows that break a rule.
#[derive(Debug, Default)]
pub struct Refusals {
    /// How many.
    pub count: usize,
    /// The first of them.
    pub first: Option<Refused>,
}

impl Refusals {
    /// Leave a row out of a partial batch; any other batch is refused for it.
    pub(super) fn add(&mut self, partial: bool, refused: impl FnOnce() -> Refused) -> Result<(), Refused> {
        if !partial {
            return Err(refused());
        }
        self.count += 1;
        self.first.get_or_insert_with(refused);
        Ok(())
    }
}
