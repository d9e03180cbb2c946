//! Series of a block.

use std::sync::Arc;

use crate::block::{Block, ChunkMeta, Damage, Interval};
use crate::merge::{Entry, Fault, Holding, Part, SeriesStream, Window};
use crate::postings;
use crate::regex::Matcher;

/// Some series of a block in label order, as far as they reach into a window; each is read when its turn comes.
pub struct BlockSeries {
    block: Arc<Block>,
    references: std::vec::IntoIter<u32>,
    window: Window,
    ticks: Arc<[i64]>,
    labels: Vec<u8>,
    metas: Vec<ChunkMeta>,
}

impl BlockSeries {
    /// The series that meet all of `matchers`.
    pub fn new(block: Arc<Block>, matchers: &[Matcher], window: Window) -> Result<Self, Damage> {
        let references = postings::select(block.index(), matchers)?.into_iter();
        Ok(Self {
            ticks: block.held().ticks().into(),
            block,
            references,
            window,
            labels: Vec::new(),
            metas: Vec::new(),
        })
    }

    /// How many there are at most.
    pub fn len(&self) -> usize {
        self.references.len()
    }

    /// True when there is none left.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the block has of a series; None when that is nothing.
    fn read(&mut self, reference: u32) -> Result<Option<Part>, Damage> {
        let block = &*self.block;
        block.index().series(reference, &mut self.labels, &mut self.metas)?;
        self.metas.retain(|meta| self.window.meets(meta.mint, meta.maxt));
        let deleted = block.tombstones().of(reference.into()).cloned().unwrap_or_default();
        self.metas.retain(|meta| {
            !deleted.covers(Interval {
                mint: meta.mint,
                maxt: meta.maxt,
            })
        });
        if self.metas.is_empty() {
            return Ok(None);
        }
        let chunks = self.metas.iter().map(|meta| block.chunks().chunk(meta));
        Ok(Some(Part {
            chunks: chunks.collect::<Result<_, _>>()?,
            deleted,
            holding: match block.held_series(reference) {
                None => Holding::No,
                Some(series) => Holding::Stored {
                    ticks: self.ticks.clone(),
                    own: series.exceptions().to_vec(),
                },
            },
            last: None,
        }))
    }
}

impl SeriesStream for BlockSeries {
    fn ticks(&self) -> Arc<[i64]> {
        self.ticks.clone()
    }

    fn next_series(&mut self) -> Result<Option<Entry>, Fault> {
        while let Some(reference) = self.references.next() {
            if let Some(part) = self.read(reference)? {
                let labels = self.labels.as_slice().into();
                return Ok(Some(Entry { labels, part }));
            }
        }
        Ok(None)
    }
}
