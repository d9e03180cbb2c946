//! How the buckets of a chunk and those of its next sample come together.

use super::appender::Misfit;
use super::kind::{counts, Kind, Number};
use super::layout::Layout;
use crate::histogram::spans::{indices, union};
use crate::histogram::{Histogram, Span};

/// Positive and negative spans.
type Sides = (Vec<Span>, Vec<Span>);

/// What has to change before the sample can be appended.
#[derive(Debug, PartialEq)]
pub struct Layouts {
    /// Spans that the sample gets, when the chunk has buckets that it lacks.
    pub sample: Option<Sides>,
    /// Spans that the chunk gets, when the sample has buckets that it lacks.
    pub chunk: Option<Sides>,
}

impl Layouts {
    /// For a counter. As Prometheus has it, to the byte: where only one of the two lacks buckets, the other's spans are
    /// taken as they are, however they are cut.
    pub fn of_counter(chunk: &Layout, sample: &Histogram) -> Option<Self> {
        let (new, gone) = compare(chunk, sample)?;
        let side = |gone, chunk: &Vec<Span>, sample: &Vec<Span>| match gone {
            _ if !new.any() => chunk.clone(),
            true => union(chunk, sample),
            false => sample.clone(),
        };
        let spans = (
            side(gone.positive, &chunk.positive, &sample.positive),
            side(gone.negative, &chunk.negative, &sample.negative),
        );
        Some(Self::new(spans, new.any(), gone.any()))
    }

    /// For a gauge, whose buckets come and go.
    pub fn of_gauge(chunk: &Layout, sample: &Histogram) -> Option<Self> {
        let (new, gone) = compare(chunk, sample)?;
        let spans = if gone.any() {
            (
                union(&chunk.positive, &sample.positive),
                union(&chunk.negative, &sample.negative),
            )
        } else {
            (sample.positive.clone(), sample.negative.clone())
        };
        Some(Self::new(spans, new.any(), gone.any()))
    }

    fn new(spans: Sides, chunk_grows: bool, sample_grows: bool) -> Self {
        Self {
            sample: sample_grows.then(|| spans.clone()),
            chunk: chunk_grows.then_some(spans),
        }
    }
}

/// Sides that have buckets which the other one lacks.
#[derive(Debug, Clone, Copy)]
struct Lack {
    positive: bool,
    negative: bool,
}

impl Lack {
    fn any(self) -> bool {
        self.positive || self.negative
    }
}

/// Buckets that only the sample has, and buckets that only the chunk has; `None` when there are neither.
fn compare(chunk: &Layout, sample: &Histogram) -> Option<(Lack, Lack)> {
    if chunk.positive == sample.positive && chunk.negative == sample.negative {
        return None; // nearly always
    }
    let new = Lack {
        positive: lacks(&chunk.positive, &sample.positive),
        negative: lacks(&chunk.negative, &sample.negative),
    };
    let gone = Lack {
        positive: lacks(&sample.positive, &chunk.positive),
        negative: lacks(&sample.negative, &chunk.negative),
    };
    (new.any() || gone.any()).then_some((new, gone))
}

/// True when `these` lack a bucket that is in `those`.
fn lacks(these: &[Span], those: &[Span]) -> bool {
    let mut these = indices(these);
    !indices(those).all(|wanted| these.by_ref().find(|index| *index >= wanted) == Some(wanted))
}

/// Refuse a side that has lost observations: a bucket counts less, or is gone although something was in it. Buckets are as
/// they are stored.
pub fn check_counters<K: Kind>(
    before: (&[Span], impl Iterator<Item = Number<K>>),
    after: (&[Span], impl Iterator<Item = Number<K>>),
) -> Result<(), Misfit> {
    let mut after = indices(after.0).zip(counts::<K>(after.1)).peekable();
    for (index, count) in indices(before.0).zip(counts::<K>(before.1)) {
        while after.next_if(|(other, _)| *other < index).is_some() {}
        let is_reset = match after.next_if(|(other, _)| *other == index) {
            Some((_, now)) => count > now,
            None => count != Number::<K>::default(),
        };
        if is_reset {
            return Err(Misfit::Reset);
        }
    }
    Ok(())
}
