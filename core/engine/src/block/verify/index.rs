//! The series of an index, one after the other.

use crate::blob::Blob;
use crate::block::contents::{damage, Contents, HEADER};
use crate::block::pairs::Pairs;
use crate::block::series::{take_chunks, take_entry, take_labels};
use crate::block::symbols::Symbols;
use crate::block::{ChunkMeta, Reason, SERIES_ALIGN};
use crate::bytes::{put_prefixed, Decoder};
use crate::labels::{compare, Labels};

use super::chunks::ChunkWalk;
use super::postings::{check_postings, Tally};
use super::sections::{check_padding, check_sections};
use super::{Found, Verification};

/// Check an index, and on the way the chunks of each series.
pub(super) fn verify(index: &Blob, contents: &Contents, walk: &mut ChunkWalk<'_>, found: &mut Verification) -> Found {
    let symbols = Symbols::read(index, contents.symbols, contents.version)
        .map_err(|damage| found.report(damage))
        .ok();
    let pairs = Pairs::read(index, contents.postings_table)
        .map_err(|damage| found.report(damage))
        .ok();
    check_padding(index, HEADER..contents.symbols, 1, found);
    if let Some(symbols) = &symbols {
        let padding = symbols.end()..contents.series;
        check_padding(index, padding, SERIES_ALIGN as usize, found);
    }
    let mut series = SeriesWalk {
        index,
        contents,
        symbols: symbols.as_ref(),
        tally: Tally::default(),
        last: Vec::new(),
        whole: true,
        references: Vec::new(),
    };
    series.walk(walk, found);
    walk.finish(found);
    let SeriesWalk {
        tally,
        references,
        whole,
        ..
    } = series;
    check_sections(
        index,
        contents.label_indices..contents.postings.min(contents.label_table),
        found,
    );
    check_sections(index, contents.label_table..contents.postings_table, found);
    if let Some(pairs) = &pairs {
        let tally = Some(tally).filter(|_| whole && symbols.is_some());
        check_postings(index, contents, pairs, &references, whole, tally, found);
        check_padding(index, pairs.end()..contents.end, 1, found);
    }
    Found { references, whole }
}

struct SeriesWalk<'a> {
    index: &'a [u8],
    contents: &'a Contents,
    symbols: Option<&'a Symbols>,
    tally: Tally,
    /// Labels of the series before, packed.
    last: Vec<u8>,
    whole: bool,
    references: Vec<u32>,
}

impl SeriesWalk<'_> {
    fn walk(&mut self, walk: &mut ChunkWalk<'_>, found: &mut Verification) {
        let end = self.contents.label_indices;
        let align = if self.contents.version == 1 {
            1
        } else {
            SERIES_ALIGN as usize
        };
        let mut place = self.contents.series;
        let mut chunks = Vec::new();
        loop {
            let start = place.next_multiple_of(align).min(end);
            check_padding(self.index, place..start, align.max(2), found);
            if start == end {
                return;
            }
            let mut rest = Decoder::new(self.index.get(start..end).unwrap_or_default());
            let body = take_entry(&mut rest);
            if body.is_ok_and(<[u8]>::is_empty) && self.is_zero(start..end) {
                return check_padding(self.index, start..end, SERIES_ALIGN as usize, found);
            }
            place = match body {
                Ok(_) => end - rest.len(),
                Err(_) => self.resume(start, end - rest.len(), align),
            };
            let decoded = body.and_then(|body| self.check_series(start, body, &mut chunks));
            match decoded {
                Ok(()) => {
                    found.stats.series += 1;
                    walk.visit_series(&chunks, damage(start..place, Reason::NoChunks), found);
                }
                Err(reason) => {
                    self.whole = false;
                    found.report(damage(start..place, reason));
                }
            }
        }
    }

    fn is_zero(&self, range: std::ops::Range<usize>) -> bool {
        self.index
            .get(range)
            .is_some_and(|bytes| bytes.iter().all(|byte| *byte == 0))
    }

    /// Where the search goes on after a damaged entry: at the next aligned place where an entry has its checksum.
    fn resume(&self, start: usize, told_end: usize, align: usize) -> usize {
        let end = self.contents.label_indices;
        if align == 1 {
            // Anything could begin anywhere: the length is all there is to go by.
            return if told_end > start { told_end } else { end };
        }
        let is_entry = |place: &usize| {
            let mut rest = Decoder::new(self.index.get(*place..end).unwrap_or_default());
            take_entry(&mut rest).is_ok_and(|body| !body.is_empty())
        };
        (start + align..end).step_by(align).find(is_entry).unwrap_or(end)
    }

    fn check_series(&mut self, start: usize, body: &[u8], chunks: &mut Vec<ChunkMeta>) -> Result<(), Reason> {
        let reference = match self.contents.version {
            1 => start,
            _ => start / SERIES_ALIGN as usize,
        };
        let reference = u32::try_from(reference).map_err(|_| Reason::NoTarget(start as u64))?;
        let mut body = Decoder::new(body);
        let mut labels = Vec::new();
        let (index, symbols) = (self.index, self.symbols);
        take_labels(&mut body, |name, value| {
            let Some(symbols) = symbols else { return Ok(()) };
            let text = |symbol| symbols.get(index, symbol).ok_or(Reason::NoSymbol(symbol));
            put_prefixed(&mut labels, text(name)?.as_bytes());
            put_prefixed(&mut labels, text(value)?.as_bytes());
            Ok(())
        })?;
        take_chunks(&mut body, chunks)?;
        self.references.push(reference);
        let set = Labels::trusted(&labels);
        set.iter()
            .for_each(|(name, value)| self.tally.add(name, value, reference));
        let sorted = symbols.is_none() || compare(Labels::trusted(&self.last), set).is_lt();
        self.last = labels;
        if sorted {
            Ok(())
        } else {
            Err(Reason::Unsorted)
        }
    }
}
