//! Remote write 2.0: `io.prometheus.write.v2.Request`, where each text stands once, in a table of symbols.

use ahash::RandomState;
use hashbrown::HashTable;

use super::histogram::put_histogram;
use super::message::{put_double, put_message, put_number, put_packed, put_tag};
use super::samples::{Exemplar, Samples};
use crate::bytes::put_prefixed;
use crate::labels::Labels;
use crate::metadata::{kind_number, Metadata};
use crate::sample::Value;

/// The texts of a message by their numbers; number 0 is the empty one.
struct Symbols<'a> {
    seed: &'a RandomState,
    texts: Vec<&'a [u8]>,
    by_text: HashTable<(u64, u32)>,
    /// Texts of the last label set that was numbered, with their numbers: the next one has most of them too.
    last: Vec<(&'a [u8], u64)>,
}

impl<'a> Symbols<'a> {
    fn new(seed: &'a RandomState) -> Self {
        Self {
            seed,
            texts: vec![b""],
            by_text: HashTable::with_capacity(256),
            last: Vec::with_capacity(32),
        }
    }

    fn number(&mut self, text: &'a [u8]) -> u64 {
        if text.is_empty() {
            return 0;
        }
        let hash = self.seed.hash_one(text);
        let texts = &self.texts;
        let same = |&(h, n): &(u64, u32)| h == hash && texts.get(n as usize) == Some(&text);
        if let Some(&(_, n)) = self.by_text.find(hash, same) {
            return u64::from(n);
        }
        let n = self.texts.len() as u32;
        self.texts.push(text);
        self.by_text.insert_unique(hash, (hash, n), |&(h, _)| h);
        u64::from(n)
    }

    /// The numbers of a label set's names and values in turn.
    fn labels(&mut self, labels: Labels<'a>) -> impl Iterator<Item = u64> + '_ {
        let mut count = 0;
        for text in labels.texts() {
            match self.last.get(count) {
                Some((same, _)) if *same == text => {}
                _ => {
                    let number = self.number(text);
                    match self.last.get_mut(count) {
                        Some(place) => *place = (text, number),
                        None => self.last.push((text, number)),
                    }
                }
            }
            count += 1;
        }
        self.last.truncate(count);
        self.last.iter().map(|(_, number)| *number)
    }
}

/// The message, not compressed yet; `seed` is what symbols are hashed with.
pub fn encode_v2(samples: &Samples, seed: &RandomState) -> Vec<u8> {
    let mut symbols = Symbols::new(seed);
    let mut series = Vec::with_capacity(samples.len() * 48);
    for run in samples.messages() {
        let Some(first) = run.first() else { continue };
        put_message(&mut series, 5, |out| {
            put_packed(out, 1, symbols.labels(samples.labels(first)));
            for item in run {
                if let Value::Float(v) = &item.value {
                    put_message(out, 2, |out| {
                        put_double(out, 1, *v);
                        put_number(out, 2, item.t as u64);
                    });
                }
            }
            for item in run {
                if let Value::Histogram(histogram) = &item.value {
                    put_message(out, 3, |out| put_histogram(out, item.t, histogram));
                }
            }
            for exemplar in run.iter().flat_map(|item| samples.exemplars(item)) {
                put_message(out, 4, |out| put_exemplar(out, exemplar, &mut symbols));
            }
            if let Some(metadata) = samples.series_of(first).and_then(|series| series.metadata.as_deref()) {
                put_message(out, 5, |out| put_metadata(out, metadata, &mut symbols));
            }
        });
    }
    let mut out = Vec::with_capacity(series.len() + 16 * symbols.texts.len());
    for text in &symbols.texts {
        put_tag(&mut out, 4, 2); // the empty one too: numbers count from it
        put_prefixed(&mut out, text);
    }
    out.append(&mut series);
    out
}

fn put_exemplar<'a>(out: &mut Vec<u8>, exemplar: &'a Exemplar, symbols: &mut Symbols<'a>) {
    put_packed(out, 1, symbols.labels(Labels::trusted(&exemplar.labels)));
    put_double(out, 2, exemplar.value);
    put_number(out, 3, exemplar.t as u64);
}

fn put_metadata<'a>(out: &mut Vec<u8>, metadata: &'a Metadata, symbols: &mut Symbols<'a>) {
    put_number(out, 1, u64::from(kind_number(metadata.kind)));
    put_number(out, 3, symbols.number(metadata.help.as_bytes()));
    put_number(out, 4, symbols.number(metadata.unit.as_bytes()));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::labels::pack;
    use proptest::prelude::*;

    proptest! {
        /// Few texts of one length, so that neighbours share some in some places.
        #[test]
        fn numbers_stand_for_the_texts_of_each_set(
            sets in proptest::collection::vec(proptest::collection::btree_map("[ab]{2}", "[ab]{2}", 0..4), 1..8),
        ) {
            let packed = sets.iter().map(|set| {
                let mut pairs: Vec<(&str, &str)> = set.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                let mut out = Vec::new();
                pack(&mut pairs, &mut out).unwrap();
                out
            });
            let (packed, seed) = (packed.collect::<Vec<_>>(), RandomState::new());
            let mut symbols = Symbols::new(&seed);
            let numbered = packed.iter().map(|set| symbols.labels(Labels::trusted(set)).collect());
            let numbered: Vec<Vec<u64>> = numbered.collect();
            for (set, numbers) in packed.iter().zip(numbered) {
                let texts = numbers.iter().filter_map(|n| symbols.texts.get(*n as usize).copied());
                prop_assert!(texts.eq(Labels::trusted(set).texts()));
            }
            let once: std::collections::HashSet<_> = symbols.texts.iter().collect();
            prop_assert_eq!(once.len(), symbols.texts.len());
        }
    }
}
