//! A request as a batch for the head.

use std::sync::Arc;

use super::labels::{pack, show, LabelsRefused};
use super::metadata::{self, Described};
use super::request::{BadReference, Pair, Part, Request};
use super::sample::{self, Sample};
use super::{exemplar, histogram, Counts, Replica, Rules, Tally, Version, WriteError};
use crate::batch::{Batch, Key, KeySeeds, Place};
use crate::histogram::{Counts as HistogramCounts, Histogram, ResetHint};
use crate::labels::Labels;
use crate::wire::message::Malformed;

/// Where the head has the series of these keys; it may tell of none.
pub type LookUp<'l> = dyn Fn(&[Option<Key>]) -> Vec<Option<Place>> + 'l;

/// What a request is read with, beside its rules.
pub struct Given<'g> {
    /// Samples later than this are out of bounds, ms.
    pub newest: i64,
    /// Replicas whose series are left out: another one of their cluster is heard.
    pub unheard: &'g [Replica],
    /// What names of series are turned into keys with.
    pub seeds: &'g KeySeeds,
    /// How series are found again.
    pub known: &'g LookUp<'g>,
}

/// A request as the head takes it.
#[derive(Debug, Default)]
pub struct Decoded {
    /// The samples.
    pub batch: Batch,
    /// How many of them, and of exemplars.
    pub counts: Counts,
    /// What was left out because another replica is heard.
    pub unheard: Counts,
    /// What else was left out.
    pub tally: Tally,
}

/// Read a message of `version`.
///
/// By the rules of 1.0 a series with invalid labels is left out, and a sample or histogram that cannot be stored refuses the whole
/// request; by those of 2.0 both are left out and told of. What breaks a limit is left out and told of in both.
pub fn decode(message: &[u8], version: Version, rules: &Rules, given: &Given<'_>) -> Result<Decoded, WriteError> {
    let request = Request::parse(message, version, &rules.limits)?;
    let keys = request.keys(given.seeds, rules.domain(version));
    let known = (given.known)(&keys);
    let mut draft = Draft {
        request: &request,
        rules,
        given,
        decoded: Decoded::default(),
        pairs: Vec::new(),
        own: Vec::new(),
        described: Described::default(),
    };
    draft.decoded.batch.partial = version == Version::V2;
    draft.decoded.batch.resent = true;
    let places = keys.iter().zip(known.iter().copied().chain(std::iter::repeat(None)));
    for (series, (key, known)) in request.series.iter().zip(places) {
        draft.series(series, *key, known)?;
    }
    for message in &request.families {
        if let Some(family) = metadata::family(message)? {
            draft.decoded.batch.push_family(family);
        }
    }
    Ok(draft.decoded)
}

struct Draft<'d, 'a> {
    request: &'d Request<'a>,
    rules: &'d Rules,
    given: &'d Given<'d>,
    decoded: Decoded,
    pairs: Vec<Pair<'a>>,
    own: Vec<u8>,
    described: Described,
}

impl<'a> Draft<'_, 'a> {
    fn series(&mut self, series: &'a [u8], key: Option<Key>, known: Option<Place>) -> Result<(), WriteError> {
        if !self.given.unheard.is_empty() && self.is_unheard(series)? {
            self.decoded.unheard += self.count(series)?;
            return Ok(());
        }
        match (known, key) {
            (Some((slot, reference)), _) => self.decoded.batch.begin_known(slot, reference),
            (None, key) => {
                if let Err((reason, text)) = self.labels(series)? {
                    return self.leave_out(series, reason, text);
                }
                match key {
                    Some(key) => self.decoded.batch.begin(key),
                    None => self.decoded.batch.begin_unkeyed(),
                }
            }
        }
        if self.request.version == Version::V2 {
            let counts = self.count(series)?;
            if counts.samples + counts.histograms == 0 {
                let text = self.told(
                    "TimeSeries must contain at least one sample or histogram for series",
                    series,
                )?;
                self.decoded.tally.refuse("no_samples", counts, || text);
                return Ok(());
            }
            let batch = &mut self.decoded.batch;
            if let Err(BadReference(text)) = self.described.note(self.request, series, batch)? {
                return self.leave_out(series, "symbols", format!("parsing metadata: {text}"));
            }
        }
        self.rows(series)
    }

    /// Append the labels to the arena.
    fn labels(&mut self, series: &'a [u8]) -> Result<Result<(), (&'static str, String)>, Malformed> {
        let resolved = self.request.labels(series, &mut self.pairs)?;
        if let Err(BadReference(text)) = resolved {
            return Ok(Err(("symbols", format!("parsing labels for series: {text}"))));
        }
        let replicas = self.rules.replicas.as_ref();
        let packed = pack(
            &mut self.pairs,
            &self.rules.limits,
            replicas,
            self.decoded.batch.arena(),
        );
        Ok(packed.map_err(|refused| match refused {
            LabelsRefused::Invalid(text) => ("labels", text),
            LabelsRefused::Limit(reason, text) => (reason, text),
        }))
    }

    /// A series of which nothing is taken. 1.0 says nothing of invalid labels.
    fn leave_out(&mut self, series: &'a [u8], reason: &'static str, text: String) -> Result<(), WriteError> {
        let counts = self.count(series)?;
        if self.request.version == Version::V1 && reason == "labels" {
            self.decoded.tally.skip(reason, counts);
        } else {
            self.decoded.tally.refuse(reason, counts, || text);
        }
        Ok(())
    }

    fn count(&self, series: &'a [u8]) -> Result<Counts, Malformed> {
        let mut counts = Counts::default();
        for part in self.request.parts(series) {
            match part? {
                Part::Sample(_) => counts.samples += 1,
                Part::Histogram(_) => counts.histograms += 1,
                Part::Exemplar(_) => counts.exemplars += 1,
                Part::Labels(_) | Part::Metadata(_) | Part::Unknown => {}
            }
        }
        Ok(counts)
    }

    fn is_unheard(&mut self, series: &'a [u8]) -> Result<bool, Malformed> {
        let Some(labels) = &self.rules.replicas else {
            return Ok(false);
        };
        let resolved = self.request.labels(series, &mut self.pairs)?;
        let replica = resolved.ok().and_then(|()| labels.of(&self.pairs));
        Ok(replica.is_some_and(|replica| self.given.unheard.contains(&replica)))
    }

    /// A text about a series.
    fn told(&mut self, what: &str, series: &'a [u8]) -> Result<String, Malformed> {
        let _ = self.request.labels(series, &mut self.pairs)?;
        self.pairs.sort_by_key(|pair| pair.0);
        Ok(format!("{what} {}", show(&self.pairs)))
    }

    fn rows(&mut self, series: &'a [u8]) -> Result<(), WriteError> {
        for part in self.request.parts(series) {
            match part? {
                Part::Sample(message) => self.sample(series, sample::decode(message)?)?,
                Part::Histogram(message) => self.histogram(series, message)?,
                Part::Exemplar(message) => self.exemplar(series, message)?,
                Part::Labels(_) | Part::Metadata(_) | Part::Unknown => {}
            }
        }
        Ok(())
    }

    fn sample(&mut self, series: &'a [u8], sent: Sample) -> Result<(), WriteError> {
        let one = Counts {
            samples: 1,
            ..Counts::default()
        };
        if !self.is_within(sent.t) {
            let text = self.out_of_bounds(series, sent.t)?;
            return self.refuse("out_of_bounds", one, text);
        }
        self.add(one)?;
        if self.begins(sent.start, sent.t) {
            self.decoded.batch.add_start(sent.start);
        }
        self.decoded.batch.add_float(sent.t, sent.value);
        Ok(())
    }

    fn histogram(&mut self, series: &'a [u8], message: &'a [u8]) -> Result<(), WriteError> {
        let sent = histogram::decode(message)?;
        let one = Counts {
            histograms: 1,
            ..Counts::default()
        };
        if !self.is_within(sent.t) {
            let text = self.out_of_bounds(series, sent.t)?;
            return self.refuse("out_of_bounds", one, text);
        }
        let value = match sent.value.validated() {
            Ok(value) => value,
            Err(invalid) => {
                let text = self.told(&format!("{invalid} for series"), series)?;
                return self.refuse("histogram", one, text);
            }
        };
        self.add(one)?;
        if self.begins(sent.start, sent.t) {
            let empty = Arc::new(empty_as(&value));
            self.decoded.batch.add_histogram_start(sent.start, empty);
        }
        self.decoded.batch.add_histogram(sent.t, Arc::new(value));
        Ok(())
    }

    /// 1.0 says nothing of exemplars that cannot be stored, nor does any version of those that are only too late.
    fn exemplar(&mut self, series: &'a [u8], message: &'a [u8]) -> Result<(), WriteError> {
        let one = Counts {
            exemplars: 1,
            ..Counts::default()
        };
        let decoded = exemplar::decode(self.request, message, &mut self.pairs, &mut self.own)?;
        match decoded {
            Ok(sent) if self.is_within(sent.t) => {
                self.add(one)?;
                let own = Labels::trusted(&self.own);
                self.decoded.batch.push_exemplar(sent.t, sent.value, own);
            }
            Ok(_) => self.decoded.tally.skip("out_of_bounds", one),
            Err(_) if self.request.version == Version::V1 => self.decoded.tally.skip("exemplar", one),
            Err(BadReference(text)) => {
                let series = self.told("parsing exemplar for series", series)?;
                self.decoded
                    .tally
                    .refuse("exemplar", one, || format!("{series}: {text}"));
            }
        }
        Ok(())
    }

    /// Count what goes into the batch.
    fn add(&mut self, counts: Counts) -> Result<(), WriteError> {
        self.decoded.counts += counts;
        let Counts {
            samples,
            histograms,
            exemplars,
        } = self.decoded.counts;
        let limit = self.rules.limits.samples;
        if limit > 0 && samples + histograms > limit {
            return Err(WriteError::TooMany("samples", limit));
        }
        if limit > 0 && exemplars > limit {
            return Err(WriteError::TooMany("exemplars", limit));
        }
        Ok(())
    }

    /// Leave a sample out, or refuse the whole request.
    fn refuse(&mut self, reason: &'static str, counts: Counts, text: String) -> Result<(), WriteError> {
        if self.request.version == Version::V1 {
            return Err(WriteError::Refused(reason, text));
        }
        self.decoded.tally.refuse(reason, counts, || text);
        Ok(())
    }

    /// The smallest number of all stands for something else in a batch, and is as far away as any.
    fn is_within(&self, t: i64) -> bool {
        t <= self.given.newest && t != i64::MIN
    }

    fn out_of_bounds(&mut self, series: &'a [u8], t: i64) -> Result<String, Malformed> {
        let series = self.told("for series", series)?;
        Ok(if t == i64::MIN {
            format!("out of bounds: timestamp is too far in the past {series}")
        } else {
            format!("out of bounds: timestamp is too far in the future {series}")
        })
    }

    fn begins(&self, start: i64, t: i64) -> bool {
        self.rules.start_samples && start != 0 && start < t && start != i64::MIN
    }
}

/// A histogram of the same kind that has observed nothing, where the counter began.
fn empty_as(histogram: &Histogram) -> Histogram {
    let counts = if histogram.is_float() {
        HistogramCounts::Float {
            count: 0.0,
            zero: 0.0,
            positive: Vec::new(),
            negative: Vec::new(),
        }
    } else {
        HistogramCounts::default()
    };
    Histogram {
        hint: ResetHint::Reset,
        schema: histogram.schema,
        zero_threshold: histogram.zero_threshold,
        custom: histogram.custom.clone(),
        counts,
        ..Histogram::default()
    }
}
