//! The file `held`: which samples of a block are virtual. Ours; Prometheus and Thanos pass over it.
//!
//! A pushed value stands until the next one, so at each hold tick its series is re-sampled. In a block these samples are real
//! ones to every reader of Prometheus' format; this file says which of them nobody has pushed.
//!
//! ```text
//! magic u32 | version u8 | ticks uv, t sv, (t - last t) uv.. | series uv, series.. | crc32c of all before u32
//! series: ordinal - last ordinal uv | exceptions uv, tick number - last tick number uv..
//! ```
//!
//! Ordinals count the series of the index; the first of them, and the first exception of a series, are told as they are.
//! A sample of a held series at a tick is virtual unless the tick is among its exceptions.

use super::{Damage, File, Reason, Refusal, CRC_SIZE};
use crate::blob::Blob;
use crate::bytes::{put_uvarint, put_varint, Decoder, Truncated};

/// "HELD", with the high bit of each byte.
const MAGIC: u32 = 0xC8C5_CCC4;
const VERSION: u8 = 1;

/// Builds the file while series are added in order.
#[derive(Debug)]
pub(super) struct HeldWriter {
    ticks: Vec<i64>,
    entries: Vec<u8>,
    series: u64,
    last: u32,
}

/// A series' entry, before it is known that the series is taken.
pub(super) struct Entry {
    ordinal: u32,
    bytes: Vec<u8>,
}

impl HeldWriter {
    pub(super) fn new(ticks: &[i64]) -> Result<Self, Refusal> {
        if !ticks.is_sorted_by(|a, b| a < b) {
            return Err(Refusal::Ticks);
        }
        Ok(Self {
            ticks: ticks.to_vec(),
            entries: Vec::new(),
            series: 0,
            last: 0,
        })
    }

    /// The entry of the series with this ordinal, which has real samples at the ticks `exceptions`.
    pub(super) fn entry(&self, ordinal: u32, exceptions: &[i64]) -> Result<Entry, Refusal> {
        let mut bytes = Vec::new();
        put_uvarint(&mut bytes, (ordinal - self.last).into());
        put_uvarint(&mut bytes, exceptions.len() as u64);
        let mut last = None;
        for time in exceptions {
            let tick = self.ticks.binary_search(time).map_err(|_| Refusal::Exceptions)?;
            if last.is_some_and(|last| tick <= last) {
                return Err(Refusal::Exceptions);
            }
            put_uvarint(&mut bytes, (tick - last.unwrap_or(0)) as u64);
            last = Some(tick);
        }
        Ok(Entry { ordinal, bytes })
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.entries.extend_from_slice(&entry.bytes);
        self.series += 1;
        self.last = entry.ordinal;
    }

    /// The file; `None` when nothing is held.
    pub(super) fn finish(self) -> Option<Vec<u8>> {
        if self.series == 0 {
            return None;
        }
        let mut out = MAGIC.to_be_bytes().to_vec();
        out.push(VERSION);
        put_uvarint(&mut out, self.ticks.len() as u64);
        let mut last: Option<i64> = None;
        for tick in self.ticks {
            match last {
                None => put_varint(&mut out, tick),
                Some(last) => put_uvarint(&mut out, tick.wrapping_sub(last) as u64),
            }
            last = Some(tick);
        }
        put_uvarint(&mut out, self.series);
        out.extend_from_slice(&self.entries);
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_be_bytes());
        Some(out)
    }
}

/// The file `held` of a block, read.
#[derive(Debug, Default)]
pub struct Held {
    blob: Option<Blob>,
    ticks: Vec<i64>,
    /// (ordinal of the series, where its exceptions begin in the file), ascending.
    series: Vec<(u32, u32)>,
}

/// Which samples of one held series are virtual.
#[derive(Debug, Clone)]
pub struct HeldSeries<'a> {
    ticks: &'a [i64],
    exceptions: Vec<i64>,
}

impl HeldSeries<'_> {
    /// True for a sample that nobody pushed.
    pub fn is_virtual(&self, time: i64) -> bool {
        self.ticks.binary_search(&time).is_ok() && self.exceptions.binary_search(&time).is_err()
    }

    /// The ticks at which the series has a real sample, ascending.
    pub fn exceptions(&self) -> &[i64] {
        &self.exceptions
    }
}

impl Held {
    /// Read the file.
    pub fn open(blob: Blob) -> Result<Self, Damage> {
        let damage = |offset: usize, length: usize, reason| Damage {
            file: File::Held,
            offset: offset as u64,
            length: length as u64,
            reason,
        };
        let whole = blob.len();
        let (content, crc) = blob
            .split_last_chunk::<CRC_SIZE>()
            .ok_or(damage(0, whole, Reason::Truncated))?;
        let mut file = Decoder::new(content);
        if file.u32_be() != Ok(MAGIC) {
            return Err(damage(0, whole, Reason::Magic));
        }
        match file.u8() {
            Ok(VERSION) => {}
            Ok(version) => return Err(damage(4, 1, Reason::Version(version))),
            Err(Truncated) => return Err(damage(0, whole, Reason::Truncated)),
        }
        if crc32c::crc32c(content) != u32::from_be_bytes(*crc) {
            return Err(damage(0, whole, Reason::Checksum));
        }
        let undecodable = |rest: usize| damage(content.len() - rest, rest, Reason::Undecodable);
        let ticks = take_ticks(&mut file).map_err(|Truncated| undecodable(file.len()))?;
        let series = take_series(&mut file, content.len(), ticks.len()).map_err(|Truncated| undecodable(file.len()))?;
        if !file.is_empty() {
            return Err(undecodable(file.len()));
        }
        Ok(Self {
            blob: Some(blob),
            ticks,
            series,
        })
    }

    /// The ticks whose samples are in the block, ascending, ms.
    pub fn ticks(&self) -> &[i64] {
        &self.ticks
    }

    /// Ordinals of the held series, ascending.
    pub fn ordinals(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.series.iter().map(|(ordinal, _)| *ordinal)
    }

    /// What is virtual in the series with this ordinal; `None` when it is not held.
    pub fn series(&self, ordinal: u32) -> Option<HeldSeries<'_>> {
        let found = self.series.binary_search_by_key(&ordinal, |(ordinal, _)| *ordinal);
        self.nth(found.ok()?)
    }

    /// What is virtual in the n-th held series.
    pub(super) fn nth(&self, n: usize) -> Option<HeldSeries<'_>> {
        let (_, start) = self.series.get(n)?;
        let mut entry = Decoder::new(self.blob.as_deref()?.get(*start as usize..)?);
        let mut exceptions = Vec::new();
        let mut tick = 0u64;
        for _ in 0..entry.uvarint().ok()? {
            tick = tick.checked_add(entry.uvarint().ok()?)?;
            exceptions.push(*self.ticks.get(usize::try_from(tick).ok()?)?);
        }
        Some(HeldSeries {
            ticks: &self.ticks,
            exceptions,
        })
    }
}

fn take_ticks(file: &mut Decoder<'_>) -> Result<Vec<i64>, Truncated> {
    let mut ticks: Vec<i64> = Vec::new();
    for _ in 0..file.uvarint()? {
        let tick = match ticks.last() {
            None => file.varint()?,
            Some(last) => last
                .checked_add_unsigned(file.uvarint()?)
                .filter(|t| t > last)
                .ok_or(Truncated)?,
        };
        ticks.push(tick);
    }
    Ok(ticks)
}

/// Entries of the series; their exceptions are checked here and decoded when they are asked for.
fn take_series(file: &mut Decoder<'_>, content: usize, ticks: usize) -> Result<Vec<(u32, u32)>, Truncated> {
    let mut series: Vec<(u32, u32)> = Vec::new();
    for _ in 0..file.uvarint()? {
        let ordinal = next_number(file, series.last().map(|(ordinal, _)| (*ordinal).into()))?;
        let start = u32::try_from(content - file.len()).map_err(|_| Truncated)?;
        let mut last = None;
        for _ in 0..file.uvarint()? {
            last = Some(next_number(file, last)?);
        }
        if last.is_some_and(|last| last >= ticks as u64) {
            return Err(Truncated);
        }
        series.push((u32::try_from(ordinal).map_err(|_| Truncated)?, start));
    }
    Ok(series)
}

/// The next of some ascending numbers.
fn next_number(file: &mut Decoder<'_>, last: Option<u64>) -> Result<u64, Truncated> {
    let number = file.uvarint()?;
    match last {
        None => Ok(number),
        Some(last) => last.checked_add(number).filter(|n| *n > last).ok_or(Truncated),
    }
}
