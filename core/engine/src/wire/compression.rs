//! Request bodies: gzip and framed snappy, inflated up to a limit.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use snap::read::FrameDecoder;

/// Why a body could not be inflated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InflateError {
    /// More than this many bytes come out; reading stopped there.
    TooLong(usize),
    /// Not what it claims to be, or cut short, in Go's words where Go has some.
    Corrupt(String),
}

impl std::fmt::Display for InflateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLong(limit) => write!(f, "more than {limit} bytes after decompression"),
            Self::Corrupt(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for InflateError {}

/// All members of a gzip body.
pub fn gunzip(data: &[u8], limit: usize) -> Result<Vec<u8>, InflateError> {
    if data.is_empty() {
        return Err(InflateError::Corrupt("EOF".into()));
    }
    inflate(MultiGzDecoder::new(data), data.len(), limit, |error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "unexpected EOF".into(),
        std::io::ErrorKind::InvalidInput if error.to_string().contains("header") => "gzip: invalid header".into(),
        std::io::ErrorKind::InvalidInput => "gzip: invalid checksum".into(),
        _ => format!("gzip: {error}"),
    })
}

/// A body in snappy's stream format (not the bare block of remote write).
pub fn unsnappy_framed(data: &[u8], limit: usize) -> Result<Vec<u8>, InflateError> {
    inflate(FrameDecoder::new(data), data.len(), limit, |error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "unexpected EOF".into(),
        _ => format!("snappy: corrupt input ({error})"),
    })
}

/// Reads one byte more than allowed at most, so that a bomb takes no more memory than an honest body.
fn inflate(
    reader: impl Read,
    compressed: usize,
    limit: usize,
    describe: impl Fn(&std::io::Error) -> String,
) -> Result<Vec<u8>, InflateError> {
    let mut out = Vec::with_capacity(compressed.saturating_mul(4).min(limit));
    let taken = reader.take((limit as u64).saturating_add(1)).read_to_end(&mut out);
    taken.map_err(|error| InflateError::Corrupt(describe(&error)))?;
    if out.len() > limit {
        return Err(InflateError::TooLong(limit));
    }
    Ok(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use flate2::write::GzEncoder;
    use flate2::Compression;
    use proptest::prelude::*;
    use std::io::Write;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn snappy(data: &[u8]) -> Vec<u8> {
        let mut encoder = snap::write::FrameEncoder::new(Vec::new());
        encoder.write_all(data).unwrap();
        encoder.into_inner().unwrap()
    }

    proptest! {
        #[test]
        fn round_trips(data in proptest::collection::vec(any::<u8>(), 0..5000)) {
            prop_assert_eq!(&gunzip(&gzip(&data), 5000).unwrap(), &data);
            prop_assert_eq!(&unsnappy_framed(&snappy(&data), 5000).unwrap(), &data);
        }

        #[test]
        fn damage_is_an_error_or_a_limit(data in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = gunzip(&data, 1000);
            let _ = unsnappy_framed(&data, 1000);
        }
    }

    #[test]
    fn members_follow_one_another() {
        let both = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(gunzip(&both, 100).unwrap(), b"one two");
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = vec![0u8; 1 << 20];
        assert_eq!(gunzip(&gzip(&bomb), 1000), Err(InflateError::TooLong(1000)));
        assert_eq!(unsnappy_framed(&snappy(&bomb), 1000), Err(InflateError::TooLong(1000)));
        assert_eq!(gunzip(&gzip(&bomb), 1 << 20).unwrap().len(), 1 << 20);
    }

    #[test]
    fn says_what_go_says() {
        let good = gzip(b"some text");
        let corrupt = |data: &[u8]| match gunzip(data, 100) {
            Err(InflateError::Corrupt(why)) => why,
            other => format!("{other:?}"),
        };
        assert_eq!(corrupt(b""), "EOF");
        assert_eq!(corrupt(b"plain text, no gzip"), "gzip: invalid header");
        assert_eq!(corrupt(&good[..good.len() - 3]), "unexpected EOF");
        let mut wrong = good.clone();
        let at = wrong.len() - 6;
        wrong[at] ^= 1;
        assert_eq!(corrupt(&wrong), "gzip: invalid checksum");
    }
}
