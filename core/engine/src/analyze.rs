//! What a block's labels and chunks are like: the figures of `promtool tsdb analyze`.

use ahash::RandomState;
use hashbrown::HashMap;

use crate::block::{Block, ChunkMeta, Damage};
use crate::chunk;
use crate::labels::{Labels, METRIC_NAME};

/// Samples that a full chunk has.
const FULL_CHUNK: u64 = 120;
/// Classes of fullness.
const CLASSES: u64 = 10;

/// A figure and whose it is; lists of them are sorted by the figure, largest first, then by the name.
pub type Ranked = (u64, String);

/// The figures of one block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Analysis {
    /// Label names.
    pub label_names: u64,
    /// Different label pairs.
    pub pairs: u64,
    /// Labels of all series together.
    pub entries: u64,
    /// Label pairs by how many blocks' worth of time their series don't cover, whole ones.
    pub churning_pairs: Vec<Ranked>,
    /// Label names by the same.
    pub churning_names: Vec<Ranked>,
    /// Label pairs by their series.
    pub common_pairs: Vec<Ranked>,
    /// Label names by the bytes of their values.
    pub longest_values: Vec<Ranked>,
    /// Label names by the number of their values.
    pub most_values: Vec<Ranked>,
    /// Metrics by their series.
    pub largest_metrics: Vec<Ranked>,
    /// Chunks.
    pub chunks: u64,
    /// Chunks by fullness: up to 10 %, up to 20 %, ... of 120 samples.
    pub fullness: [u64; CLASSES as usize],
}

#[derive(Debug, Clone, Copy, Default)]
struct Usage {
    series: u64,
    /// ms that the series don't cover, all together.
    uncovered: u64,
}

/// By name, or by `name=value`.
type Usages = HashMap<String, Usage, RandomState>;

/// Read a block of `duration` ms, as its meta says. Lists have `limit` entries at most.
pub fn analyze(block: &Block, duration: u64, limit: usize) -> Result<Analysis, Damage> {
    let mut found = Analysis::default();
    let (names, pairs) = read_series(block, duration, &mut found)?;
    let blocks = |usage: &Usage| match duration {
        0 => 0,
        duration => (usage.uncovered as f64 / duration as f64) as u64,
    };
    found.pairs = pairs.len() as u64;
    found.churning_names = top(limit, names.iter().map(|(name, usage)| (blocks(usage), name.as_str())));
    found.churning_pairs = top(limit, pairs.iter().map(|(pair, usage)| (blocks(usage), pair.as_str())));
    found.common_pairs = top(limit, pairs.iter().map(|(pair, usage)| (usage.series, pair.as_str())));

    let index = block.index();
    found.label_names = index.names().count() as u64;
    let lengths = |name| index.values(name).map(|value| value.len() as u64).sum();
    found.longest_values = top(limit, index.names().map(|name| (lengths(name), name)));
    let counts = |name| index.values(name).count() as u64;
    found.most_values = top(limit, index.names().map(|name| (counts(name), name)));
    let metrics: Vec<(u64, &str)> = index
        .lists(METRIC_NAME)
        .map(|(name, list)| Ok((list?.len() as u64, name)))
        .collect::<Result<_, Damage>>()?;
    found.largest_metrics = top(limit, metrics.into_iter());
    Ok(found)
}

/// How names and pairs are used; `found` learns of labels and chunks.
fn read_series(block: &Block, duration: u64, found: &mut Analysis) -> Result<(Usages, Usages), Damage> {
    let (mut names, mut pairs) = (Usages::default(), Usages::default());
    let (mut packed, mut metas, mut pair) = (Vec::new(), Vec::<ChunkMeta>::new(), String::new());
    let all = block.index().all()?;
    for reference in (0..all.len()).filter_map(|n| all.get(n)) {
        block.index().series(reference, &mut packed, &mut metas)?;
        let ends = metas.first().zip(metas.last());
        let covered = ends.map_or(0, |(first, last)| last.maxt.wrapping_sub(first.mint));
        let uncovered = duration.wrapping_sub(covered as u64);
        for (name, value) in Labels::trusted(&packed).iter() {
            pair.clear();
            pair.extend([name, "=", value]);
            for usage in [
                names.entry_ref(name).or_default(),
                pairs.entry_ref(pair.as_str()).or_default(),
            ] {
                usage.series += 1;
                usage.uncovered = usage.uncovered.wrapping_add(uncovered);
            }
            found.entries += 1;
        }
        metas.iter().try_for_each(|meta| count_chunk(block, meta, found))?;
    }
    Ok((names, pairs))
}

fn count_chunk(block: &Block, meta: &ChunkMeta, found: &mut Analysis) -> Result<(), Damage> {
    let chunk = block.chunks().chunk(meta)?;
    found.chunks += 1;
    let samples = chunk::count(chunk.encoding, &chunk.data).map_or(0, u64::from);
    let class = (samples.min(FULL_CHUNK) * CLASSES).div_ceil(FULL_CHUNK);
    // A chunk without samples is in no class; no writer makes one.
    if let Some(count) = class
        .checked_sub(1)
        .and_then(|class| found.fullness.get_mut(class as usize))
    {
        *count += 1;
    }
    Ok(())
}

/// The `limit` largest.
fn top<'a>(limit: usize, entries: impl Iterator<Item = (u64, &'a str)>) -> Vec<Ranked> {
    let mut entries: Vec<_> = entries.collect();
    entries.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    entries.truncate(limit);
    entries
        .into_iter()
        .map(|(figure, name)| (figure, name.to_owned()))
        .collect()
}
