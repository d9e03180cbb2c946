//! Samples on their way to a receiver: those of a series stand together, oldest first.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use ahash::RandomState;
use hashbrown::HashTable;

use crate::labels::Labels;
use crate::metadata::Metadata;
use crate::sample::Value;

/// Bytes of a sample in a message, about: value, time, tags and lengths.
const SAMPLE_BYTES: usize = 24;
/// Bytes of a bucket, about.
const BUCKET_BYTES: usize = 4;

/// An exemplar, which goes with a sample of its series.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    /// Time, ms.
    pub t: i64,
    /// The observed value.
    pub value: f64,
    /// Its own labels, packed.
    pub labels: Box<[u8]>,
}

/// One sample.
#[derive(Debug, Clone)]
pub struct Item {
    /// Number of its series in the table.
    pub series: u32,
    /// Time, ms.
    pub t: i64,
    /// What the series has then.
    pub value: Value,
    /// Exemplars that go with it, by their numbers in the table.
    pub exemplars: Range<u32>,
}

impl Item {
    /// The series, and whether it is a histogram.
    fn run(&self) -> (u32, bool) {
        (self.series, matches!(self.value, Value::Histogram(_)))
    }
}

/// Samples that are not sent, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unsendable {
    /// Series that the sink's filters or rules leave out.
    pub filtered: u64,
    /// Native histograms, when the sink is not sent any.
    pub native_histogram: u64,
    /// Histograms with custom buckets, which remote write 1.0 cannot carry.
    pub custom_buckets: u64,
    /// Older than the sink wants them.
    pub too_old: u64,
    /// The log names a series whose record is lost: nobody knows its labels any more.
    pub unknown_series: u64,
}

impl Unsendable {
    /// The counts under the names by which metrics and cursors know them.
    pub fn by_reason(&self) -> [(&'static str, u64); 5] {
        [
            ("filtered", self.filtered),
            ("native_histogram", self.native_histogram),
            ("custom_buckets", self.custom_buckets),
            ("sample_age_limit", self.too_old),
            ("unknown_series", self.unknown_series),
        ]
    }
}

#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) labels: Arc<[u8]>,
    pub(super) hash: u64,
    pub(super) metadata: Option<Arc<Metadata>>,
}

/// Series and exemplars, which all parts of a whole share.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    pub(super) series: Vec<Series>,
    pub(super) exemplars: Vec<Exemplar>,
    /// (hash, number) of each series.
    by_labels: HashTable<(u64, u32)>,
}

impl Table {
    /// Nothing, with room for so many series.
    pub(super) fn with_capacity(series: usize) -> Self {
        Self {
            series: Vec::with_capacity(series),
            exemplars: Vec::new(),
            by_labels: HashTable::with_capacity(series),
        }
    }

    /// The number of the series with `labels`, added when it is not there yet.
    pub(super) fn intern(&mut self, labels: Arc<[u8]>, seed: &RandomState) -> u32 {
        let hash = seed.hash_one(&*labels);
        let is_of = |n: u32| {
            self.series
                .get(n as usize)
                .is_some_and(|series| series.labels == labels)
        };
        if let Some(&(_, n)) = self.by_labels.find(hash, |&(h, n)| h == hash && is_of(n)) {
            return n;
        }
        let n = self.series.len() as u32;
        self.series.push(Series {
            labels,
            hash,
            metadata: None,
        });
        self.by_labels.insert_unique(hash, (hash, n), |&(h, _)| h);
        n
    }
}

/// Samples, addressable one by one.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    table: Arc<Table>,
    /// Those of the whole and all of its parts.
    items: Arc<Vec<Item>>,
    /// Which of them are its own.
    own: Range<usize>,
    /// Bytes, once that was asked for.
    size: OnceLock<usize>,
    /// Samples that were left out.
    pub unsendable: Unsendable,
}

impl Samples {
    pub(super) fn new(table: Table, items: Vec<Item>, unsendable: Unsendable) -> Self {
        Self {
            table: Arc::new(table),
            own: 0..items.len(),
            items: Arc::new(items),
            size: OnceLock::new(),
            unsendable,
        }
    }

    /// All of them.
    pub fn items(&self) -> &[Item] {
        self.items.get(self.own.clone()).unwrap_or_default()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.own.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.own.len()
    }

    /// The newest time, ms.
    pub fn newest(&self) -> Option<i64> {
        self.items().iter().map(|item| item.t).max()
    }

    pub(super) fn series_of(&self, item: &Item) -> Option<&Series> {
        self.table.series.get(item.series as usize)
    }

    /// The labels of an item's series.
    pub fn labels(&self, item: &Item) -> Labels<'_> {
        self.series_of(item)
            .map(|series| Labels::trusted(&series.labels))
            .unwrap_or_default()
    }

    /// The exemplars that go with an item.
    pub fn exemplars(&self, item: &Item) -> &[Exemplar] {
        let range = item.exemplars.start as usize..item.exemplars.end as usize;
        self.table.exemplars.get(range).unwrap_or_default()
    }

    /// Runs of one series each.
    pub(super) fn runs(&self) -> impl Iterator<Item = &[Item]> {
        self.items().chunk_by(|a, b| a.series == b.series)
    }

    /// Runs of one series that are all floats, or all histograms. A message has a series for each: receivers take the floats of a
    /// series before its histograms, whatever their times.
    pub(super) fn messages(&self) -> impl Iterator<Item = &[Item]> {
        self.items().chunk_by(|a, b| a.run() == b.run())
    }

    /// Bytes that each item adds to a message, about, when the message begins with item `from`: a series' labels count with its
    /// first item, and again where floats give way to histograms.
    fn costs(&self, from: usize) -> impl Iterator<Item = usize> + '_ {
        let mut before = None;
        let items = self.items().get(from..).unwrap_or_default().iter();
        items.map(move |item| {
            let is_first = before.replace(item.run()) != Some(item.run());
            let labels = if is_first {
                2 * self.labels(item).packed().len()
            } else {
                0
            };
            labels + self.cost(item)
        })
    }

    /// Bytes of an item beside its labels, about.
    fn cost(&self, item: &Item) -> usize {
        let value = match &item.value {
            Value::Float(_) => 0,
            Value::Histogram(histogram) => 64 + BUCKET_BYTES * (histogram.heap() / size_of::<u64>()),
        };
        let exemplars = self.exemplars(item).iter();
        SAMPLE_BYTES + value + exemplars.map(|one| SAMPLE_BYTES + one.labels.len()).sum::<usize>()
    }

    /// Bytes of a message with all of them before compression, about.
    pub fn size(&self) -> usize {
        *self.size.get_or_init(|| self.costs(0).sum())
    }

    /// How many items from `from` on fit `max_items` and `max_bytes`; at least one while any is left.
    pub fn fit(&self, from: usize, max_items: usize, max_bytes: usize) -> usize {
        if from == 0 && self.len() <= max_items && self.size() <= max_bytes {
            return self.len();
        }
        let mut bytes = 0;
        let fits = self.costs(from).take(max_items).take_while(|cost| {
            bytes += cost;
            bytes <= max_bytes
        });
        let left = usize::from(from < self.len());
        fits.count().max(left)
    }

    fn part(&self, items: Vec<Item>) -> Self {
        let own = 0..items.len();
        self.of(&Arc::new(items), own)
    }

    fn of(&self, items: &Arc<Vec<Item>>, own: Range<usize>) -> Self {
        Self {
            table: self.table.clone(),
            items: items.clone(),
            own,
            size: OnceLock::new(),
            unsendable: Unsendable::default(),
        }
    }

    /// Items `range`, as far as there are any. What was unsendable stays with the whole.
    pub fn slice(&self, range: Range<usize>) -> Self {
        let end = range.end.min(self.len());
        let first = self.own.start;
        self.of(&self.items, first + range.start.min(end)..first + end)
    }

    /// (items that are `wanted`, all others), order kept.
    pub fn split(&self, wanted: impl Fn(&Item) -> bool) -> (Self, Self) {
        let (found, others) = self.items().iter().cloned().partition(wanted);
        (self.part(found), self.part(others))
    }

    /// The same items in `n` parts, all of a series in one part, and in the same one whenever `n` is the same.
    pub fn shards(&self, n: usize) -> Vec<Self> {
        let count = n.max(1);
        let hash = |item: &Item| self.series_of(item).map_or(0, |series| series.hash);
        let part = |run: &[Item]| run.first().map_or(0, |item| (hash(item) % count as u64) as usize);
        let mut parts: Vec<Vec<&[Item]>> = vec![Vec::new(); count];
        for run in self.runs() {
            if let Some(own) = parts.get_mut(part(run)) {
                own.push(run);
            }
        }
        let mut items = Vec::with_capacity(self.len());
        let mut ends = Vec::with_capacity(count);
        for own in parts {
            own.into_iter().for_each(|run| items.extend_from_slice(run));
            ends.push(items.len());
        }
        let items = Arc::new(items);
        let mut begin = 0;
        let mut next = |end: usize| {
            let own = begin..end;
            begin = own.end;
            self.of(&items, own)
        };
        ends.into_iter().map(&mut next).collect()
    }

    /// (the newest item of each series, all older ones), order kept.
    pub fn split_newest(&self) -> (Self, Self) {
        let (mut newest, mut older) = (Vec::new(), Vec::new());
        for run in self.runs() {
            if let Some((last, before)) = run.split_last() {
                newest.push(last.clone());
                older.extend_from_slice(before);
            }
        }
        (self.part(newest), self.part(older))
    }

    /// Items of several parts, whatever wholes they are of; those of a series come to stand together. What was unsendable stays
    /// with the wholes.
    pub fn concat<'a>(parts: impl Iterator<Item = &'a Self>) -> Self {
        let mut table = Table::default();
        let mut items = Vec::new();
        let seed = RandomState::with_seeds(1, 2, 3, 4); // only equal label sets meet here, which were told apart before
        for part in parts {
            for item in part.items() {
                let Some(series) = part.series_of(item) else { continue };
                let number = table.intern(series.labels.clone(), &seed);
                if let Some(own) = table.series.get_mut(number as usize) {
                    own.hash = series.hash;
                    own.metadata.clone_from(&series.metadata);
                }
                let first = table.exemplars.len() as u32;
                table.exemplars.extend_from_slice(part.exemplars(item));
                let exemplars = first..table.exemplars.len() as u32;
                items.push(Item {
                    series: number,
                    exemplars,
                    ..item.clone()
                });
            }
        }
        items.sort_by_key(|item| item.series); // stable: the order within a series is that of the parts
        Self::new(table, items, Unsendable::default())
    }
}

impl Samples {
    /// Let each exemplar go with the first sample of its series that is not older than it, else with the newest one. Where its
    /// series has no sample here it is left out: receivers refuse series without any.
    pub(super) fn attach(&mut self, mut exemplars: Vec<(u32, Exemplar)>) {
        if exemplars.is_empty() {
            return;
        }
        let (Some(table), Some(items)) = (Arc::get_mut(&mut self.table), Arc::get_mut(&mut self.items)) else {
            return;
        };
        exemplars.sort_by_key(|(series, exemplar)| (*series, exemplar.t));
        let mut exemplars = exemplars.into_iter().peekable();
        for run in items.chunk_by_mut(|a, b| a.series == b.series) {
            let count = run.len();
            for (place, item) in run.iter_mut().enumerate() {
                let first = table.exemplars.len() as u32;
                while exemplars.next_if(|(series, _)| *series < item.series).is_some() {}
                let is_last = place + 1 == count;
                let goes =
                    |(series, exemplar): &(u32, Exemplar)| *series == item.series && (exemplar.t <= item.t || is_last);
                while let Some((_, exemplar)) = exemplars.next_if(goes) {
                    table.exemplars.push(exemplar);
                }
                item.exemplars = first..table.exemplars.len() as u32;
            }
        }
    }
}
