//! What of a request is not in its batch, and why.

/// Texts that are kept.
const TOLD: usize = 10;

/// How many of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Float samples.
    pub samples: usize,
    /// Histogram samples.
    pub histograms: usize,
    /// Exemplars.
    pub exemplars: usize,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.samples += other.samples;
        self.histograms += other.histograms;
        self.exemplars += other.exemplars;
    }
}

/// What was left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// By reason.
    pub counts: Vec<(&'static str, Counts)>,
    /// Mistakes that the sender is told of,
    pub errors: usize,
    /// and the first of them.
    pub texts: Vec<String>,
}

impl Tally {
    /// Count what is left out without a word.
    pub(super) fn skip(&mut self, reason: &'static str, counts: Counts) {
        match self.counts.iter_mut().find(|(other, _)| *other == reason) {
            Some((_, sum)) => *sum += counts,
            None => self.counts.push((reason, counts)),
        }
    }

    /// Count what is left out, and tell the sender why.
    pub(super) fn refuse(&mut self, reason: &'static str, counts: Counts, text: impl FnOnce() -> String) {
        self.skip(reason, counts);
        self.errors += 1;
        if self.texts.len() < TOLD {
            self.texts.push(text());
        }
    }
}
