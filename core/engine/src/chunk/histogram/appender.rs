//! Writing histogram chunks: which samples one takes, and how it grows buckets that came later.

use std::borrow::Cow;

use super::fit::{check_counters, Layouts};
use super::kind::{buckets, counts, Kind, Number, Parts};
use super::layout::Layout;
use super::row::Row;
use super::samples::Samples;
use super::{header_bits, HEADER_SIZE};
use crate::chunk::bits::BitBuffer;
use crate::histogram::spans::widen;
use crate::histogram::{Histogram, ResetHint, Span, CUSTOM_BUCKETS};

/// Why a sample does not fit into a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// A counter began anew.
    Reset,
    /// A chunk of gauges takes no counters, nor the other way round.
    Gauge,
    /// After a stale marker only stale markers follow.
    Stale,
    /// Another schema or zero threshold.
    Layout,
}

/// The sample begins another chunk, whose header says this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut(pub ResetHint);

/// Appends samples to a chunk. Times must ascend and histograms must be sound; whoever appends sees to it.
#[derive(Debug, Clone)]
pub struct Appender<K: Kind> {
    stream: BitBuffer,
    layout: Layout,
    row: Row<K>,
    header: ResetHint,
    samples: u16,
}

impl<K: Kind> Appender<K> {
    /// A chunk of one sample, which must be of this kind.
    pub fn new(t: i64, first: &Histogram, header: ResetHint) -> Self {
        let parts = if first.is_stale() {
            Parts::default()
        } else {
            K::parts(&first.counts)
        };
        let layout = Layout::of(first);
        let mut stream = BitBuffer::after(&[0, 1, header_bits(header)]);
        layout.put(&mut stream);
        let row = Row::put_first(t, first.sum, &parts, &mut stream);
        Self {
            stream,
            layout,
            row,
            header,
            samples: 1,
        }
    }

    /// The header of the chunk that `first` begins because this one is full.
    pub fn header_after(&self, first: &Histogram) -> ResetHint {
        match told(first) {
            ResetHint::Unknown if K::is_of(&first.counts) => K::header_continued(self.check_counter(first).err()),
            told => told,
        }
    }

    /// Append a sample, or say how the next chunk has to begin with it.
    pub fn append(&mut self, t: i64, histogram: &Histogram) -> Result<(), Cut> {
        if self.samples == u16::MAX || !K::is_of(&histogram.counts) {
            return Err(Cut(self.header_after(histogram)));
        }
        let layouts = if histogram.hint == ResetHint::Gauge {
            let checked = self.check_gauge(histogram);
            checked.map_err(|_| Cut(ResetHint::Gauge))?
        } else {
            let checked = self.check_counter(histogram);
            checked.map_err(|misfit| Cut(K::header_after(misfit)))?
        };
        let mut histogram = Cow::Borrowed(histogram);
        if let Some(Layouts { sample, chunk }) = layouts {
            if let Some((positive, negative)) = sample {
                histogram = Cow::Owned(widened::<K>(&histogram, positive, negative));
            }
            if let Some((positive, negative)) = chunk {
                self.recode(positive, negative);
            }
        }
        self.push(t, &histogram);
        Ok(())
    }

    fn push(&mut self, t: i64, histogram: &Histogram) {
        if histogram.is_stale() {
            self.row.put_stale(t, &mut self.stream);
        } else {
            self.row
                .put(t, histogram.sum, &K::parts(&histogram.counts), &mut self.stream);
        }
        self.samples = self.samples.saturating_add(1);
        let [high, low] = self.samples.to_be_bytes();
        if let Some(header) = self.stream.bytes.first_chunk_mut::<HEADER_SIZE>() {
            *header = [high, low, header_bits(self.header)];
        }
    }

    /// What has to grow for a counter histogram: `None` when it has the chunk's buckets, or none.
    fn check_counter(&self, histogram: &Histogram) -> Result<Option<Layouts>, Misfit> {
        if self.header == ResetHint::Gauge {
            return Err(Misfit::Gauge);
        }
        if histogram.hint == ResetHint::Reset {
            return Err(Misfit::Reset);
        }
        if histogram.is_stale() {
            return Ok(None);
        }
        if self.row.is_stale() {
            return Err(Misfit::Stale);
        }
        let parts = K::parts(&histogram.counts);
        let (count, zero) = self.row.totals();
        if K::is_reset(count, parts.count) {
            return Err(Misfit::Reset);
        }
        self.check_shape(histogram)?;
        if K::is_reset(zero, parts.zero) {
            return Err(Misfit::Reset);
        }
        let positive = (histogram.positive.as_slice(), parts.positive.iter().copied());
        let negative = (histogram.negative.as_slice(), parts.negative.iter().copied());
        check_counters::<K>((&self.layout.positive, self.row.positive()), positive)?;
        check_counters::<K>((&self.layout.negative, self.row.negative()), negative)?;
        Ok(Layouts::of_counter(&self.layout, histogram))
    }

    fn check_gauge(&self, histogram: &Histogram) -> Result<Option<Layouts>, Misfit> {
        if self.header != ResetHint::Gauge {
            return Err(Misfit::Gauge);
        }
        if histogram.is_stale() {
            return Ok(None);
        }
        if self.row.is_stale() {
            return Err(Misfit::Stale);
        }
        self.check_shape(histogram)?;
        Ok(Layouts::of_gauge(&self.layout, histogram))
    }

    /// Other bounds count as a reset of the buckets between them.
    fn check_shape(&self, histogram: &Histogram) -> Result<(), Misfit> {
        if histogram.schema != self.layout.schema || histogram.zero_threshold != self.layout.zero_threshold {
            return Err(Misfit::Layout);
        }
        if histogram.schema == CUSTOM_BUCKETS && histogram.custom != self.layout.custom {
            return Err(Misfit::Reset);
        }
        Ok(())
    }

    /// Write the chunk again with buckets that have come since.
    fn recode(&mut self, positive: Vec<Span>, negative: Vec<Span>) {
        let Ok(samples) = Samples::<K>::new(&self.stream.bytes) else {
            return;
        };
        let mut fresh: Option<Self> = None;
        for (t, histogram) in samples.flatten() {
            let histogram = widened::<K>(&histogram, positive.clone(), negative.clone());
            match &mut fresh {
                None => fresh = Some(Self::new(t, &histogram, self.header)),
                Some(fresh) => fresh.push(t, &histogram),
            }
        }
        if let Some(fresh) = fresh {
            *self = fresh;
        }
    }

    /// The last sample.
    pub fn last(&self) -> (i64, Histogram) {
        let hint = match self.header {
            ResetHint::Gauge => ResetHint::Gauge,
            _ if self.samples > 1 => ResetHint::NotReset,
            _ => ResetHint::Unknown,
        };
        (self.row.t(), self.row.histogram(&self.layout, hint))
    }

    /// Time of the last sample, ms.
    pub fn last_time(&self) -> i64 {
        self.row.t()
    }

    /// Bytes that it takes on the heap: the stream, and what is known of the last sample.
    pub fn heap(&self) -> usize {
        self.stream.bytes.capacity() + self.layout.heap() + self.row.heap()
    }

    /// Samples so far.
    pub fn samples(&self) -> u16 {
        self.samples
    }

    /// The chunk as it stands.
    pub fn bytes(&self) -> &[u8] {
        &self.stream.bytes
    }

    /// The chunk, no longer to be appended to.
    pub fn into_bytes(self) -> Box<[u8]> {
        self.stream.bytes.into_boxed_slice()
    }
}

/// The header of a chunk that `first` begins when nothing is known of the sample before.
pub fn told(first: &Histogram) -> ResetHint {
    match first.hint {
        ResetHint::Gauge | ResetHint::Reset => first.hint,
        ResetHint::Unknown | ResetHint::NotReset => ResetHint::Unknown,
    }
}

/// The histogram with the buckets of these spans, which has all of its own; the others are empty.
fn widened<K: Kind>(histogram: &Histogram, positive: Vec<Span>, negative: Vec<Span>) -> Histogram {
    let parts = K::parts(&histogram.counts);
    let widen = |stored: &[Number<K>], spans: &[Span], wider: &[Span]| {
        let counts: Vec<_> = counts::<K>(stored.iter().copied()).collect();
        buckets::<K>(widen(&counts, spans, wider).into_iter()).collect()
    };
    Histogram {
        counts: K::counts(
            parts.count,
            parts.zero,
            widen(parts.positive, &histogram.positive, &positive),
            widen(parts.negative, &histogram.negative, &negative),
        ),
        positive,
        negative,
        hint: histogram.hint,
        schema: histogram.schema,
        zero_threshold: histogram.zero_threshold,
        sum: histogram.sum,
        custom: histogram.custom.clone(),
    }
}
