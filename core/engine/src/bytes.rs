//! Varints and fixed-width integers as Prometheus and protobuf write them, with every length checked before use.

/// The input ended, or a length pointed past its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truncated;

impl std::fmt::Display for Truncated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("unexpected end of input")
    }
}

impl std::error::Error for Truncated {}

/// A cursor over borrowed bytes; every read either succeeds whole or leaves an error.
#[derive(Debug, Clone, Copy)]
pub struct Decoder<'a> {
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// A decoder over all of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// True when nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Number of bytes left.
    pub fn len(&self) -> usize {
        self.rest.len()
    }

    /// The next `n` bytes.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], Truncated> {
        let (head, tail) = self.rest.split_at_checked(n).ok_or(Truncated)?;
        self.rest = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Truncated> {
        let (head, tail) = self.rest.split_first_chunk::<N>().ok_or(Truncated)?;
        self.rest = tail;
        Ok(*head)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, Truncated> {
        self.array::<1>().map(|[b]| b)
    }

    /// Big-endian u16.
    pub fn u16_be(&mut self) -> Result<u16, Truncated> {
        self.array().map(u16::from_be_bytes)
    }

    /// Big-endian u32.
    pub fn u32_be(&mut self) -> Result<u32, Truncated> {
        self.array().map(u32::from_be_bytes)
    }

    /// Big-endian u64.
    pub fn u64_be(&mut self) -> Result<u64, Truncated> {
        self.array().map(u64::from_be_bytes)
    }

    /// Little-endian u32 (protobuf fixed32).
    pub fn u32_le(&mut self) -> Result<u32, Truncated> {
        self.array().map(u32::from_le_bytes)
    }

    /// Little-endian u64 (protobuf fixed64, double).
    pub fn u64_le(&mut self) -> Result<u64, Truncated> {
        self.array().map(u64::from_le_bytes)
    }

    /// IEEE double, big-endian, as Prometheus' records have it.
    pub fn f64_be(&mut self) -> Result<f64, Truncated> {
        self.u64_be().map(f64::from_bits)
    }

    /// LEB128, at most ten bytes; an over-long one counts as truncated.
    #[inline]
    pub fn uvarint(&mut self) -> Result<u64, Truncated> {
        match self.rest.split_first() {
            Some((byte, rest)) if *byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_uvarint(),
        }
    }

    fn long_uvarint(&mut self) -> Result<u64, Truncated> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            if shift == 63 && byte > 1 {
                return Err(Truncated);
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Truncated)
    }

    /// Zigzag LEB128 (Go's `binary.Varint`, protobuf's sint64).
    pub fn varint(&mut self) -> Result<i64, Truncated> {
        self.uvarint().map(unzigzag)
    }

    /// A uvarint length followed by that many bytes.
    #[inline]
    pub fn prefixed(&mut self) -> Result<&'a [u8], Truncated> {
        let n = self.uvarint()?;
        self.take(usize::try_from(n).map_err(|_| Truncated)?)
    }
}

/// Undo the zigzag mapping.
pub fn unzigzag(v: u64) -> i64 {
    ((v >> 1) as i64) ^ -((v & 1) as i64)
}

/// Map small magnitudes of either sign to small unsigned numbers.
pub fn zigzag(v: i64) -> u64 {
    ((v << 1) ^ (v >> 63)) as u64
}

/// Append LEB128.
pub fn put_uvarint(out: &mut Vec<u8>, mut v: u64) {
    while v >= 0x80 {
        out.push((v as u8) | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

/// How many bytes [`put_uvarint`] appends.
pub fn uvarint_len(v: u64) -> usize {
    (64 - (v | 1).leading_zeros()).div_ceil(7) as usize
}

/// Append zigzag LEB128.
pub fn put_varint(out: &mut Vec<u8>, v: i64) {
    put_uvarint(out, zigzag(v));
}

/// Append a uvarint length and the bytes.
pub fn put_prefixed(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uvarint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn varints_round_trip(v in any::<i64>(), u in any::<u64>()) {
            let mut out = Vec::new();
            put_varint(&mut out, v);
            let before = out.len();
            put_uvarint(&mut out, u);
            prop_assert_eq!(uvarint_len(u), out.len() - before);
            let mut d = Decoder::new(&out);
            prop_assert_eq!(d.varint(), Ok(v));
            prop_assert_eq!(d.uvarint(), Ok(u));
            prop_assert!(d.is_empty());
        }

        #[test]
        fn any_bytes_decode_or_fail_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut d = Decoder::new(&bytes);
            while d.prefixed().is_ok() && !d.is_empty() {}
            prop_assert!(d.len() <= bytes.len());
        }
    }

    #[test]
    fn overlong_varint_is_refused() {
        assert_eq!(Decoder::new(&[0xff; 11]).uvarint(), Err(Truncated));
    }
}
