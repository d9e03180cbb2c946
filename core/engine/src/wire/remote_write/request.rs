//! A request taken apart into the messages of its series, and these into names of series and what is told of them.

use super::schema::{v1, v2};
use super::{Limits, Version, WriteError};
use crate::batch::{Key, KeySeeds};
use crate::wire::message::{each_varint, Field, Fields, Malformed};

/// Symbols that a request may have, whatever its size: each takes memory many times its shortest form.
const SYMBOLS: usize = 1 << 20;

/// A label as it was sent: any bytes.
pub(super) type Pair<'a> = (&'a [u8], &'a [u8]);

/// The parts of a request.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) version: Version,
    /// 2.0: what references stand for.
    pub(super) symbols: Vec<&'a [u8]>,
    /// `TimeSeries` messages.
    pub(super) series: Vec<&'a [u8]>,
    /// 1.0: `MetricMetadata` messages.
    pub(super) families: Vec<&'a [u8]>,
}

/// A field of `TimeSeries`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'a> {
    Labels(Field<'a>),
    Sample(&'a [u8]),
    Histogram(&'a [u8]),
    Exemplar(&'a [u8]),
    Metadata(&'a [u8]),
    Unknown,
}

/// Why a label set in references is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadReference(pub(super) String);

impl<'a> Request<'a> {
    pub(super) fn parse(message: &'a [u8], version: Version, limits: &Limits) -> Result<Self, WriteError> {
        let mut request = Self {
            version,
            symbols: Vec::new(),
            series: Vec::new(),
            families: Vec::new(),
        };
        for field in Fields::new(message) {
            let (number, Field::Bytes(part)) = field? else { continue };
            match (version, number) {
                (Version::V1, v1::request::TIMESERIES) | (Version::V2, v2::request::TIMESERIES) => {
                    push(&mut request.series, part, "series", limits.samples)?;
                }
                (Version::V1, v1::request::METADATA) => {
                    push(&mut request.families, part, "metadata", limits.samples)?;
                }
                (Version::V2, v2::request::SYMBOLS) => push(&mut request.symbols, part, "symbols", SYMBOLS)?,
                _ => {}
            }
        }
        Ok(request)
    }

    /// The fields of a series.
    pub(super) fn parts(&self, series: &'a [u8]) -> impl Iterator<Item = Result<Part<'a>, Malformed>> {
        let version = self.version;
        Fields::new(series).map(move |field| {
            let (number, field) = field?;
            Ok(match (version, number, field) {
                (_, v1::series::LABELS, field) => Part::Labels(field),
                (_, v1::series::SAMPLES, Field::Bytes(message)) => Part::Sample(message),
                (Version::V1, v1::series::EXEMPLARS, Field::Bytes(message))
                | (Version::V2, v2::series::EXEMPLARS, Field::Bytes(message)) => Part::Exemplar(message),
                (Version::V1, v1::series::HISTOGRAMS, Field::Bytes(message))
                | (Version::V2, v2::series::HISTOGRAMS, Field::Bytes(message)) => Part::Histogram(message),
                (Version::V2, v2::series::METADATA, Field::Bytes(message)) => Part::Metadata(message),
                _ => Part::Unknown,
            })
        })
    }

    /// The labels of a series, in the order in which they were sent.
    pub(super) fn labels(
        &self,
        series: &'a [u8],
        pairs: &mut Vec<Pair<'a>>,
    ) -> Result<Result<(), BadReference>, Malformed> {
        let fields = self.parts(series).filter_map(|part| match part {
            Ok(Part::Labels(field)) => Some(Ok(field)),
            Ok(_) => None,
            Err(malformed) => Some(Err(malformed)),
        });
        self.pairs(fields, pairs)
    }

    /// What label fields say: each a label (1.0), or many references (2.0).
    pub(super) fn pairs(
        &self,
        fields: impl Iterator<Item = Result<Field<'a>, Malformed>>,
        pairs: &mut Vec<Pair<'a>>,
    ) -> Result<Result<(), BadReference>, Malformed> {
        pairs.clear();
        if self.version == Version::V1 {
            for field in fields {
                if let Field::Bytes(message) = field? {
                    pairs.push(decode_label(message)?);
                }
            }
            return Ok(Ok(()));
        }
        let mut references = Vec::new();
        for field in fields {
            each_varint(field?, |reference| references.push(reference as u32))?;
        }
        Ok(self.resolve(&references, pairs))
    }

    fn resolve(&self, references: &[u32], pairs: &mut Vec<Pair<'a>>) -> Result<(), BadReference> {
        let mut rest = references.chunks_exact(2);
        for pair in &mut rest {
            let [name, value] = *pair else { continue };
            match (self.symbol(name), self.symbol(value)) {
                (Some(name), Some(value)) => pairs.push((name, value)),
                _ => {
                    return Err(BadReference(format!(
                        "labelRefs {name} (name) = {value} (value) outside of symbols table (size {})",
                        self.symbols.len()
                    )))
                }
            }
        }
        if rest.remainder().is_empty() {
            return Ok(());
        }
        Err(BadReference(format!("invalid labelRefs length {}", references.len())))
    }

    pub(super) fn symbol(&self, reference: u32) -> Option<&'a [u8]> {
        self.symbols.get(reference as usize).copied()
    }

    /// The key of each series, none for one whose labels have to be looked at. Of 1.0 it is made of the bytes of its labels, which stand
    /// in one piece before all else; of 2.0 of the symbols that it refers to, whose references differ from request to request.
    pub(super) fn keys(&self, seeds: &KeySeeds, domain: u64) -> Vec<Option<Key>> {
        if self.version == Version::V1 {
            let key = |series: &&'a [u8]| Some(seeds.of(domain, label_bytes(series)?));
            return self.series.iter().map(key).collect();
        }
        let symbols: Vec<Key> = self.symbols.iter().map(|symbol| seeds.of(domain, symbol)).collect();
        let mut named = Vec::new();
        self.series
            .iter()
            .map(|series| {
                named.clear();
                for part in self.parts(series) {
                    if let Part::Labels(field) = part.ok()? {
                        let mut complete = true;
                        each_varint(field, |reference| match symbols.get(reference as u32 as usize) {
                            Some(symbol) => named.push(*symbol),
                            None => complete = false,
                        })
                        .ok()?;
                        if !complete {
                            return None;
                        }
                    }
                }
                (named.len() % 2 == 0).then(|| seeds.combine(domain, &named))
            })
            .collect()
    }
}

fn push<'a>(parts: &mut Vec<&'a [u8]>, part: &'a [u8], what: &'static str, limit: usize) -> Result<(), WriteError> {
    if limit > 0 && parts.len() >= limit {
        return Err(WriteError::TooMany(what, limit));
    }
    parts.push(part);
    Ok(())
}

/// The bytes of a series' labels; none when they are not all at its beginning.
fn label_bytes(series: &[u8]) -> Option<&[u8]> {
    let mut fields = Fields::new(series);
    let mut end = 0;
    let mut over = false;
    while let Some(field) = fields.next() {
        match field.ok()? {
            (v1::series::LABELS, _) if over => return None,
            (v1::series::LABELS, _) => end = series.len() - fields.rest().len(),
            _ => over = true,
        }
    }
    series.get(..end)
}

/// A message `Label`.
fn decode_label(message: &[u8]) -> Result<Pair<'_>, Malformed> {
    let mut pair: Pair<'_> = (&[], &[]);
    for field in Fields::new(message) {
        match field? {
            (v1::label::NAME, Field::Bytes(name)) => pair.0 = name,
            (v1::label::VALUE, Field::Bytes(value)) => pair.1 = value,
            _ => {}
        }
    }
    Ok(pair)
}
