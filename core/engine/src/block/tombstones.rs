//! Deletions: intervals of time in which the samples of a series are gone, until a compaction leaves them out.
//!
//! ```text
//! magic u32 | version u8 | stones: series ref uv, mint sv, maxt sv.. | crc32c(stones) u32
//! ```

use std::collections::BTreeMap;

use super::{Damage, File, Reason, CRC_SIZE};
use crate::bytes::{put_uvarint, put_varint, Decoder, Truncated};

const MAGIC: u32 = 0x0130_BA30;
const VERSION: u8 = 1;
const HEADER: usize = 5;

/// Times in ms, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    /// First time in it.
    pub mint: i64,
    /// Last time in it.
    pub maxt: i64,
}

impl Interval {
    /// What it has in common with another; `None` when that is nothing.
    pub fn clamp(self, to: Self) -> Option<Self> {
        let common = Self {
            mint: self.mint.max(to.mint),
            maxt: self.maxt.min(to.maxt),
        };
        (common.mint <= common.maxt).then_some(common)
    }

    /// True when the other lies in it.
    pub fn contains(self, other: Self) -> bool {
        self.mint <= other.mint && other.maxt <= self.maxt
    }
}

/// Intervals in ascending order, with times between any two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intervals(Vec<Interval>);

impl Intervals {
    /// Add an interval, made one with those that it meets or touches. One that ends before it begins adds nothing.
    pub fn add(&mut self, new: Interval) {
        if new.maxt < new.mint {
            return;
        }
        // Those before end too early to touch the new one; those from `end` on begin too late.
        let start = self.0.partition_point(|old| old.maxt.saturating_add(1) < new.mint);
        let end = self
            .0
            .partition_point(|old| old.mint <= new.maxt.saturating_add(1))
            .max(start);
        let met = self.0.get(start..end).unwrap_or_default();
        let whole = Interval {
            mint: met.first().map_or(new.mint, |old| old.mint.min(new.mint)),
            maxt: met.last().map_or(new.maxt, |old| old.maxt.max(new.maxt)),
        };
        self.0.splice(start..end, [whole]);
    }

    /// Take one time out again.
    pub fn spare(&mut self, time: i64) {
        let place = self.0.partition_point(|interval| interval.maxt < time);
        let Some(&Interval { mint, maxt }) = self.0.get(place).filter(|interval| interval.mint <= time) else {
            return;
        };
        let before = time.checked_sub(1).map(|maxt| Interval { mint, maxt });
        let after = time.checked_add(1).map(|mint| Interval { mint, maxt });
        let rest = [before, after].into_iter().flatten();
        self.0.splice(place..=place, rest.filter(|rest| rest.mint <= rest.maxt));
    }

    /// The intervals, ascending.
    pub fn as_slice(&self) -> &[Interval] {
        &self.0
    }

    /// True when a sample at this time is deleted.
    pub fn contains(&self, time: i64) -> bool {
        self.covers(Interval { mint: time, maxt: time })
    }

    /// True when all of `range` is deleted.
    pub fn covers(&self, range: Interval) -> bool {
        let place = self.0.partition_point(|interval| interval.maxt < range.mint);
        self.0.get(place).is_some_and(|interval| interval.contains(range))
    }

    /// True when some time of `range` is deleted.
    pub fn touches(&self, range: Interval) -> bool {
        let place = self.0.partition_point(|interval| interval.maxt < range.mint);
        self.0.get(place).is_some_and(|interval| interval.mint <= range.maxt)
    }
}

/// The deletions of a block, by reference of the series.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tombstones {
    series: BTreeMap<u64, Intervals>,
}

impl Tombstones {
    /// Read the file. A block without one has none.
    pub fn read(file: &[u8]) -> Result<Self, Damage> {
        let damage = |offset: usize, length: usize, reason| Damage {
            file: File::Tombstones,
            offset: offset as u64,
            length: length as u64,
            reason,
        };
        let truncated = damage(0, file.len(), Reason::Truncated);
        let (content, crc) = file.split_last_chunk::<CRC_SIZE>().ok_or(truncated)?;
        let mut rest = Decoder::new(content);
        if rest.u32_be().map_err(|Truncated| truncated)? != MAGIC {
            return Err(damage(0, 4, Reason::Magic));
        }
        match rest.u8().map_err(|Truncated| truncated)? {
            VERSION => {}
            version => return Err(damage(4, 1, Reason::Version(version))),
        }
        if crc32c::crc32c(rest.rest()) != u32::from_be_bytes(*crc) {
            return Err(damage(HEADER, file.len() - HEADER, Reason::Checksum));
        }
        let mut stones = Self::default();
        while !rest.is_empty() {
            let at = content.len() - rest.len();
            let stone = take_stone(&mut rest);
            let (reference, interval) =
                stone.map_err(|Truncated| damage(at, content.len() - at, Reason::Undecodable))?;
            stones.add(reference, interval);
        }
        Ok(stones)
    }

    /// The file, series by series.
    pub fn write(&self) -> Vec<u8> {
        let mut out = MAGIC.to_be_bytes().to_vec();
        out.push(VERSION);
        for (reference, intervals) in &self.series {
            for interval in intervals.as_slice() {
                put_uvarint(&mut out, *reference);
                put_varint(&mut out, interval.mint);
                put_varint(&mut out, interval.maxt);
            }
        }
        let crc = crc32c::crc32c(out.get(HEADER..).unwrap_or_default());
        out.extend_from_slice(&crc.to_be_bytes());
        out
    }

    /// Delete an interval of a series.
    pub fn add(&mut self, reference: u64, interval: Interval) {
        if interval.mint <= interval.maxt {
            self.series.entry(reference).or_default().add(interval);
        }
    }

    /// Delete all that `other` deletes.
    pub fn merge(&mut self, other: &Self) {
        for (reference, interval) in other.iter() {
            self.add(reference, interval);
        }
    }

    /// What is deleted of a series; `None` when nothing is.
    pub fn of(&self, reference: u64) -> Option<&Intervals> {
        self.series.get(&reference)
    }

    /// All stones, by series and time.
    pub fn iter(&self) -> impl Iterator<Item = (u64, Interval)> + '_ {
        let stones = |(reference, intervals): (&u64, &Intervals)| {
            let reference = *reference;
            intervals
                .0
                .clone()
                .into_iter()
                .map(move |interval| (reference, interval))
        };
        self.series.iter().flat_map(stones)
    }

    /// How many stones there are: `numTombstones` of `meta.json`.
    pub fn count(&self) -> usize {
        self.series.values().map(|intervals| intervals.0.len()).sum()
    }
}

fn take_stone(rest: &mut Decoder<'_>) -> Result<(u64, Interval), Truncated> {
    let reference = rest.uvarint()?;
    let (mint, maxt) = (rest.varint()?, rest.varint()?);
    Ok((reference, Interval { mint, maxt }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn intervals() -> impl Strategy<Value = Vec<(u64, i64, i64)>> {
        proptest::collection::vec((0u64..3, -20i64..20, -3i64..10), 0..30)
    }

    fn stones(adds: &[(u64, i64, i64)]) -> Tombstones {
        let mut stones = Tombstones::default();
        for (reference, mint, length) in adds {
            stones.add(
                *reference,
                Interval {
                    mint: *mint,
                    maxt: mint + length,
                },
            );
        }
        stones
    }

    proptest! {
        #[test]
        fn a_time_is_deleted_when_some_interval_had_it(adds in intervals()) {
            let stones = stones(&adds);
            for reference in 0..3 {
                let of = stones.of(reference).cloned().unwrap_or_default();
                for t in -25..35 {
                    let wanted = adds.iter().any(|(r, mint, length)| *r == reference && (*mint..=mint + length).contains(&t));
                    prop_assert_eq!(of.contains(t), wanted);
                    prop_assert_eq!(of.touches(Interval { mint: t, maxt: t }), wanted);
                }
                let apart = of.as_slice().windows(2).all(|two| matches!(two, [a, b] if a.maxt + 1 < b.mint));
                prop_assert!(apart, "{:?}", of);
            }
        }

        #[test]
        fn the_file_comes_back(adds in intervals()) {
            let stones = stones(&adds);
            let file = stones.write();
            prop_assert_eq!(Tombstones::read(&file).unwrap(), stones.clone());
            prop_assert_eq!(stones.iter().count(), stones.count());
            let mut merged = Tombstones::default();
            merged.merge(&stones);
            prop_assert_eq!(merged, stones);
        }

        #[test]
        fn damage_is_told(adds in intervals(), place in any::<prop::sample::Index>(), bit in 0u8..8) {
            let file = stones(&adds).write();
            let mut flipped = file.clone();
            *flipped.get_mut(place.index(file.len())).unwrap() ^= 1 << bit;
            prop_assert!(Tombstones::read(&flipped).is_err());
            prop_assert!(Tombstones::read(file.get(..place.index(file.len())).unwrap()).is_err());
        }
    }

    #[test]
    fn no_stones_are_nine_bytes_and_the_ends_of_time_do_not_overflow() {
        assert_eq!(Tombstones::default().write(), [0x01, 0x30, 0xBA, 0x30, 1, 0, 0, 0, 0]);
        let mut all = Intervals::default();
        all.add(Interval {
            mint: i64::MIN,
            maxt: 0,
        });
        all.add(Interval {
            mint: 5,
            maxt: i64::MAX,
        });
        assert!(!all.contains(1));
        all.add(Interval { mint: 1, maxt: 4 });
        assert_eq!(
            all.as_slice(),
            [Interval {
                mint: i64::MIN,
                maxt: i64::MAX
            }]
        );
        all.add(Interval {
            mint: i64::MIN,
            maxt: i64::MAX,
        });
        assert_eq!(all.as_slice().len(), 1);
    }
}
