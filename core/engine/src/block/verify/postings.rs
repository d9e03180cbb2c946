//! The postings lists of an index: each one's order, and that it has the series that have its pair.

use ahash::RandomState;
use hashbrown::HashMap;

use crate::block::contents::{damage, section, Contents};
use crate::block::pairs::Pairs;
use crate::block::{Postings, Reason, CRC_SIZE};

use super::sections::check_padding;
use super::Verification;

/// What the series say about the lists: for each pair how many series have it, and a sum over their references that no
/// accident hits twice. The lists themselves would need as much memory as the index.
#[derive(Default)]
pub(super) struct Tally {
    seed: RandomState,
    pairs: HashMap<u64, Sum, RandomState>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
struct Sum {
    count: u32,
    hashes: u64,
}

impl Sum {
    fn add(&mut self, seed: &RandomState, reference: u32) {
        self.count += 1;
        self.hashes = self.hashes.wrapping_add(seed.hash_one(reference));
    }
}

impl Tally {
    /// A series has a pair.
    pub(super) fn add(&mut self, name: &str, value: &str, reference: u32) {
        let key = self.seed.hash_one((name, value));
        self.pairs.entry(key).or_default().add(&self.seed, reference);
    }

    /// Compare a list with what the series said; each list once.
    fn take(&mut self, name: &str, value: &str, list: Postings<'_>) -> bool {
        let mut sum = Sum::default();
        list.for_each(|reference| sum.add(&self.seed, reference));
        self.pairs
            .remove(&self.seed.hash_one((name, value)))
            .unwrap_or_default()
            == sum
    }
}

/// Check all lists. `tally` is there when every series was read; `whole` says that `references` are all there are.
pub(super) fn check_postings(
    index: &[u8],
    contents: &Contents,
    pairs: &Pairs,
    references: &[u32],
    whole: bool,
    mut tally: Option<Tally>,
    found: &mut Verification,
) {
    let mut ranges = Vec::with_capacity(pairs.count());
    for pair in pairs.iter(index) {
        let start = usize::try_from(pair.list).unwrap_or(usize::MAX);
        let body = match section(index, start) {
            Ok(body) => body,
            Err(damage) => {
                found.report(damage);
                continue;
            }
        };
        let range = start..body.end + CRC_SIZE;
        ranges.push((range.start, range.end));
        let Some(list) = read_list(index.get(body).unwrap_or_default()) else {
            found.report(damage(range, Reason::Undecodable));
            continue;
        };
        let ascending = list.zip(list.skip(1)).all(|(a, b)| a < b);
        if !ascending {
            found.report(damage(range, Reason::Unsorted));
        } else if pair.name.is_empty() {
            if whole && !list.eq(references.iter().copied()) {
                found.report(damage(range, Reason::Postings));
            }
        } else if tally
            .as_mut()
            .is_some_and(|tally| !tally.take(pair.name, pair.value, list))
        {
            found.report(damage(range, Reason::Postings));
        }
    }
    if tally.is_some_and(|tally| !tally.pairs.is_empty()) {
        found.report(damage(contents.postings_table..pairs.end(), Reason::Postings));
    }
    check_cover(index, contents, ranges, found);
}

fn read_list(body: &[u8]) -> Option<Postings<'_>> {
    let (count, references) = body.split_first_chunk()?;
    Postings::new(references).filter(|list| list.len() == u32::from_be_bytes(*count) as usize)
}

/// Lists and padding are all that lies where lists lie.
fn check_cover(index: &[u8], contents: &Contents, mut ranges: Vec<(usize, usize)>, found: &mut Verification) {
    ranges.sort_unstable();
    let mut place = contents.postings;
    for (start, end) in ranges {
        if start < place || end > contents.label_table {
            found.report(damage(start..end, Reason::Sections));
        } else if start.next_multiple_of(4) != start || start - place >= 4 {
            found.report(damage(place..start, Reason::Unreferenced));
        } else {
            check_padding(index, place..start, 4, found);
        }
        place = place.max(end);
    }
    if place < contents.label_table {
        check_padding(index, place..contents.label_table, 4, found);
    }
}
