//! How a group changed, as bytes: the event in the log beside a push's samples, and a row of the groups' projection.
//!
//! A change is *resolved*: it says what the group is afterwards, not what was asked for, so applying it needs no check and
//! gives the same group whenever and however often it is applied.
//!
//! ```text
//! version u8 = 1 | flags u8: 1 deleted, 2 families replaced, else merged | key: n uv, (len uv, name, len uv, value)*
//! | pushed_ms sv | failed_ms sv | ttl_ms sv | n uv, (stamp_ms sv, len uv, MetricFamily)*
//! ```

use std::ops::Range;
use std::sync::Arc;

use crate::bytes::{put_prefixed, put_uvarint, put_varint, Decoder, Truncated};
use crate::family::{Family, Text};
use crate::wire::protobuf;

use super::group::{Group, GroupKey, Stored};

const VERSION: u8 = 1;
const DELETED: u8 = 1;
const REPLACED: u8 = 2;

/// A resolved change of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which group.
    pub key: GroupKey,
    /// The group is gone; nothing else counts then.
    pub deleted: bool,
    /// The families are all that there are; otherwise those not named stay.
    pub replaced: bool,
    /// Last successful push, ms.
    pub pushed_ms: i64,
    /// Last refused push, ms.
    pub failed_ms: i64,
    /// Time to live, ms; 0 = for ever.
    pub ttl_ms: i64,
    /// (time of the push that brought it, encoded `MetricFamily`).
    pub families: Vec<(i64, Vec<u8>)>,
}

/// Bytes that are not a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeError {
    /// They end too early.
    Truncated,
    /// Written by a newer version.
    Version(u8),
    /// A label is not UTF-8.
    NotUtf8,
    /// A family cannot be decoded.
    Family(String),
}

impl std::fmt::Display for ChangeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Truncated => f.write_str("group change is cut off"),
            Self::Version(v) => write!(f, "group change has version {v}, this program knows {VERSION}"),
            Self::NotUtf8 => f.write_str("grouping label is not UTF-8"),
            Self::Family(why) => write!(f, "family in a group change: {why}"),
        }
    }
}

impl std::error::Error for ChangeError {}

impl From<Truncated> for ChangeError {
    fn from(_: Truncated) -> Self {
        Self::Truncated
    }
}

impl Change {
    /// The deletion of a group.
    pub fn deletion(key: GroupKey) -> Self {
        Self {
            key,
            deleted: true,
            replaced: true,
            pushed_ms: 0,
            failed_ms: 0,
            ttl_ms: 0,
            families: Vec::new(),
        }
    }

    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let times = [self.pushed_ms, self.failed_ms, self.ttl_ms];
        let flags = (u8::from(self.deleted) * DELETED) | (u8::from(self.replaced) * REPLACED);
        let mut writer = ChangeWriter::new(flags, &self.key, times, self.families.len());
        for (stamp_ms, family) in &self.families {
            writer.encoded(*stamp_ms, family);
        }
        writer.finish()
    }

    /// From bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, ChangeError> {
        let mut d = Decoder::new(bytes);
        let version = d.u8()?;
        if version != VERSION {
            return Err(ChangeError::Version(version));
        }
        let flags = d.u8()?;
        let key = decode_key(&mut d)?;
        let (pushed_ms, failed_ms, ttl_ms) = (d.varint()?, d.varint()?, d.varint()?);
        let mut families = Vec::new();
        for _ in 0..d.uvarint()? {
            let stamp_ms = d.varint()?;
            families.push((stamp_ms, d.prefixed()?.to_vec()));
        }
        let deleted = flags & DELETED != 0;
        Ok(Self {
            key,
            deleted,
            replaced: flags & REPLACED != 0,
            pushed_ms,
            failed_ms,
            ttl_ms,
            families,
        })
    }
}

/// The change that makes a group what `state` is, with `families` as what is new.
pub fn encode_state(key: &GroupKey, state: &Group, replaced: bool, families: &[Arc<Stored>]) -> Vec<u8> {
    let mut writer = ChangeWriter::to_state(key, state, replaced, families.len());
    for stored in families {
        writer.encoded(stored.stamp_ms, &stored.proto);
    }
    writer.finish()
}

/// Writes a change family by family.
pub struct ChangeWriter {
    out: Vec<u8>,
    family: Vec<u8>,
}

impl ChangeWriter {
    fn new(flags: u8, key: &GroupKey, times: [i64; 3], families: usize) -> Self {
        let mut out = Vec::with_capacity(128 + families * 128);
        out.extend_from_slice(&[VERSION, flags]);
        put_key(key, &mut out);
        for time in times {
            put_varint(&mut out, time);
        }
        put_uvarint(&mut out, families as u64);
        Self {
            out,
            family: Vec::new(),
        }
    }

    /// A change to `state`, of which so many families follow.
    pub fn to_state(key: &GroupKey, state: &Group, replaced: bool, families: usize) -> Self {
        let times = [state.pushed_ms, state.failed_ms, state.ttl_ms];
        Self::new(u8::from(replaced) * REPLACED, key, times, families)
    }

    /// Append an encoded family.
    fn encoded(&mut self, stamp_ms: i64, proto: &[u8]) {
        put_varint(&mut self.out, stamp_ms);
        put_prefixed(&mut self.out, proto);
    }

    /// Append a family; where its encoding is in what [`Self::finish`] gives.
    pub fn family(&mut self, stamp_ms: i64, family: &Family) -> Range<usize> {
        let mut proto = std::mem::take(&mut self.family);
        proto.clear();
        protobuf::encode_family(family, &mut proto);
        self.encoded(stamp_ms, &proto);
        self.family = proto;
        self.out.len() - self.family.len()..self.out.len()
    }

    /// The bytes.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }
}

impl GroupKey {
    /// The key's bytes alone: what the projection's rows are found by.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_key(self, &mut out);
        out
    }
}

fn put_key(key: &GroupKey, out: &mut Vec<u8>) {
    put_uvarint(out, key.labels().len() as u64);
    for label in key.labels() {
        put_prefixed(out, label.name.as_bytes());
        put_prefixed(out, label.value.as_bytes());
    }
}

fn decode_key(d: &mut Decoder<'_>) -> Result<GroupKey, ChangeError> {
    let mut pairs = Vec::new();
    for _ in 0..d.uvarint()? {
        let name = Text::from_utf8(d.prefixed()?).map_err(|_| ChangeError::NotUtf8)?;
        let value = Text::from_utf8(d.prefixed()?).map_err(|_| ChangeError::NotUtf8)?;
        pairs.push((name, value));
    }
    Ok(GroupKey::new(pairs))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn change() -> impl Strategy<Value = Change> {
        let pair = (".{1,6}", ".{0,6}").prop_map(|(n, v)| (Text::from(n), Text::from(v)));
        let family = (any::<i64>(), proptest::collection::vec(any::<u8>(), 0..20));
        (
            proptest::collection::vec(pair, 0..4),
            any::<(bool, bool, i64, i64, i64)>(),
            proptest::collection::vec(family, 0..4),
        )
            .prop_map(
                |(pairs, (deleted, replaced, pushed_ms, failed_ms, ttl_ms), families)| Change {
                    key: GroupKey::new(pairs),
                    deleted,
                    replaced,
                    pushed_ms,
                    failed_ms,
                    ttl_ms,
                    families,
                },
            )
    }

    proptest! {
        #[test]
        fn round_trips(change in change()) {
            prop_assert_eq!(Change::decode(&change.encode()).unwrap(), change);
        }

        #[test]
        fn cut_anywhere_is_an_error(change in change(), at in any::<proptest::sample::Index>()) {
            let bytes = change.encode();
            prop_assert!(Change::decode(&bytes[..at.index(bytes.len())]).is_err());
        }

        #[test]
        fn any_byte_flipped_never_panics(change in change(), at in any::<proptest::sample::Index>(), bit in 0u8..8) {
            let mut bytes = change.encode();
            let i = at.index(bytes.len());
            bytes[i] ^= 1 << bit;
            let _ = Change::decode(&bytes);
        }
    }
}
