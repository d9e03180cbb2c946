//! What a client asks for.

use snap::raw::{decompress_len, Decoder};

use crate::wire::message::{each_varint, text, Field, Fields, Malformed};

/// `ReadRequest.ResponseType`: samples, all in one message.
pub const SAMPLES: i32 = 0;
/// `ReadRequest.ResponseType`: chunks as they are stored, a frame at a time.
pub const STREAMED_XOR_CHUNKS: i32 = 1;

/// A `ReadRequest`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// Each is answered apart.
    pub queries: Vec<Query>,
    /// Response types in the order in which the client likes them.
    pub accepted: Vec<i32>,
}

/// A `Query`, without its hints: they would only let it answer less.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// First time, ms, included.
    pub mint: i64,
    /// Last time, ms, included.
    pub maxt: i64,
    /// (label name, one of `=` `!=` `=~` `!~`, value).
    pub matchers: Vec<(String, &'static str, String)>,
}

/// Why a body is no request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadRequest {
    /// Not a snappy block.
    Snappy,
    /// A block of more than this many bytes.
    TooLong(usize),
    /// Not a message.
    Malformed,
    /// A matcher of a type that there is not.
    MatcherType(u64),
}

impl std::fmt::Display for BadRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Snappy => f.write_str("snappy: corrupt input"),
            Self::TooLong(limit) => write!(f, "snappy: decoded length exceeds limit {limit}"),
            Self::Malformed => Malformed.fmt(f),
            Self::MatcherType(kind) => write!(f, "invalid matcher type {kind}"),
        }
    }
}

impl std::error::Error for BadRequest {}

impl From<Malformed> for BadRequest {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl Request {
    /// Read a snappy block that holds at most `limit` bytes.
    pub fn read(body: &[u8], limit: usize) -> Result<Self, BadRequest> {
        let length = decompress_len(body).map_err(|_| BadRequest::Snappy)?;
        if length > limit {
            return Err(BadRequest::TooLong(limit));
        }
        let message = Decoder::new().decompress_vec(body).map_err(|_| BadRequest::Snappy)?;
        let mut request = Self::default();
        for field in Fields::new(&message) {
            match field? {
                (1, Field::Bytes(query)) => request.queries.push(Query::read(query)?),
                (2, field) => each_varint(field, |kind| request.accepted.push(kind as i32))?,
                _ => {}
            }
        }
        Ok(request)
    }
}

impl Query {
    fn read(message: &[u8]) -> Result<Self, BadRequest> {
        let mut query = Self::default();
        for field in Fields::new(message) {
            match field? {
                (1, Field::Varint(t)) => query.mint = t as i64,
                (2, Field::Varint(t)) => query.maxt = t as i64,
                (3, Field::Bytes(matcher)) => query.matchers.push(read_matcher(matcher)?),
                _ => {}
            }
        }
        Ok(query)
    }
}

fn read_matcher(message: &[u8]) -> Result<(String, &'static str, String), BadRequest> {
    let (mut kind, mut name, mut value) = (0, "", "");
    for field in Fields::new(message) {
        match field? {
            (1, Field::Varint(number)) => kind = number,
            (2, Field::Bytes(bytes)) => name = text(bytes)?,
            (3, Field::Bytes(bytes)) => value = text(bytes)?,
            _ => {}
        }
    }
    let operator = match kind {
        0 => "=",
        1 => "!=",
        2 => "=~",
        3 => "!~",
        other => return Err(BadRequest::MatcherType(other)),
    };
    Ok((name.into(), operator, value.into()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::wire::message::{put_bytes, put_message, put_number};
    use proptest::prelude::*;

    fn block(message: &[u8]) -> Vec<u8> {
        snap::raw::Encoder::new().compress_vec(message).unwrap()
    }

    fn example() -> Vec<u8> {
        let mut out = Vec::new();
        put_message(&mut out, 1, |out| {
            put_number(out, 1, -5i64 as u64);
            put_number(out, 2, 7);
            put_message(out, 3, |out| {
                put_number(out, 1, 2);
                put_bytes(out, 2, b"job");
                put_bytes(out, 3, b"a|b");
            });
        });
        put_message(&mut out, 2, |out| out.extend([1, 0]));
        out
    }

    #[test]
    fn a_request_is_read() {
        let request = Request::read(&block(&example()), 1000).unwrap();
        let query = Query {
            mint: -5,
            maxt: 7,
            matchers: vec![("job".into(), "=~", "a|b".into())],
        };
        assert_eq!(request.queries, [query]);
        assert_eq!(request.accepted, [STREAMED_XOR_CHUNKS, SAMPLES]);
    }

    #[test]
    fn the_length_is_looked_at_before_anything_is_decompressed() {
        assert_eq!(
            Request::read(&[0xff, 0xff, 0xff, 0x7f], 1000),
            Err(BadRequest::TooLong(1000))
        );
        assert_eq!(Request::read(b"", 1000), Err(BadRequest::Snappy));
        assert_eq!(Request::read(&block(&[0xff; 9]), 1000), Err(BadRequest::Malformed));
    }

    proptest! {
        #[test]
        fn damaged_requests_are_read_or_refused(at in any::<prop::sample::Index>(), flip in 1u8.., cut in any::<bool>()) {
            let mut message = example();
            let at = at.index(message.len());
            if cut {
                message.truncate(at);
            } else if let Some(byte) = message.get_mut(at) {
                *byte ^= flip;
            }
            let _ = Request::read(&block(&message), 1000);
            let _ = Request::read(&message, 1000);
        }
    }
}
