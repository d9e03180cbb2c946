//! Why samples are not taken: a closed set of reasons, which HTTP maps in one place.

use crate::batch::Subject;
use crate::labels::{format_labels, Labels};

/// Refused rows of a batch whose texts are kept.
const TOLD: usize = 10;

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
    /// The series is new, and there may be no more of them. Its samples are left out whatever the batch wants.
    TooManySeries,
    /// A native histogram that has not the buckets that its spans promise, or an unknown schema.
    Histogram,
    /// An exemplar that is older than the newest of its series.
    LateExemplar,
    /// The batch knows a series that has left. The whole batch is refused whatever it wants: made anew it will name the series.
    Stale,
}

impl RefusedReason {
    /// Its name in metrics and errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::OutOfOrder(_) => "out_of_order",
            Self::TooOld(_) => "too_old",
            Self::Duplicate => "duplicate",
            Self::OutOfBounds(..) => "out_of_bounds",
            Self::Labels => "labels",
            Self::Full => "full",
            Self::TooManySeries => "too_many_series",
            Self::Histogram => "histogram",
            Self::LateExemplar => "out_of_order_exemplar",
            Self::Stale => "stale",
        }
    }
}

impl Refused {
    pub(super) fn new(reason: RefusedReason, subject: Subject<'_>, known: &[u8], t: i64) -> Self {
        let labels = match subject {
            Subject::Known { .. } => Labels::trusted(known),
            named => named.labels(),
        };
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
            RefusedReason::TooManySeries => write!(f, "too many series: {series} is new"),
            RefusedReason::Histogram => {
                write!(
                    f,
                    "invalid histogram: {series} at {t} has an unknown schema, or not the buckets that its spans promise"
                )
            }
            RefusedReason::LateExemplar => write!(f, "out of order exemplar: {series} at {t}"),
            RefusedReason::Stale => f.write_str("a series has left since the batch was made"),
        }
    }
}

impl std::error::Error for Refused {}

/// Rows that break a rule.
#[derive(Debug, Clone, Default)]
pub struct Refusals {
    /// How many.
    pub count: usize,
    /// How many of them are histograms.
    pub histograms: usize,
    /// The first of them.
    pub first: Vec<Refused>,
    /// How many by the name of their reason.
    pub by_reason: Vec<(&'static str, usize)>,
}

impl Refusals {
    /// Leave a row out of a partial batch; any other batch is refused for it, as far as the reason allows.
    pub(super) fn add(
        &mut self,
        partial: bool,
        reason: RefusedReason,
        refused: impl FnOnce() -> Refused,
    ) -> Result<(), Refused> {
        match reason {
            RefusedReason::TooManySeries => {}
            RefusedReason::Stale => return Err(refused()),
            _ if !partial => return Err(refused()),
            _ => {}
        }
        self.count += 1;
        if self.first.len() < TOLD {
            self.first.push(refused());
        }
        match self.by_reason.iter_mut().find(|(name, _)| *name == reason.name()) {
            Some((_, count)) => *count += 1,
            None => self.by_reason.push((reason.name(), 1)),
        }
        Ok(())
    }
}
