//! Bytes that somebody else keeps: a mapped file, a chunk that is shared between readers.

use std::ops::Range;
use std::sync::Arc;

/// Whatever keeps the bytes where they are while it lives.
pub type Keeper = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// A part of a [`Keeper`]'s bytes. Cheap to clone; the bytes stay as long as one clone does.
#[derive(Clone)]
pub struct Blob {
    keeper: Keeper,
    start: usize,
    end: usize,
}

impl Blob {
    /// All bytes of `keeper`.
    pub fn new(keeper: Keeper) -> Self {
        let end = (*keeper).as_ref().len();
        Self { keeper, start: 0, end }
    }

    /// The bytes in `range`, counted from the start of this blob; `None` when it does not reach that far.
    pub fn slice(&self, range: Range<usize>) -> Option<Self> {
        self.get(range.clone())?;
        Some(Self {
            keeper: self.keeper.clone(),
            start: self.start + range.start,
            end: self.start + range.end,
        })
    }
}

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(Arc::new(bytes))
    }
}

impl From<Box<[u8]>> for Blob {
    fn from(bytes: Box<[u8]>) -> Self {
        Self::new(Arc::new(bytes))
    }
}

impl std::ops::Deref for Blob {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let bytes: &[u8] = (*self.keeper).as_ref();
        bytes.get(self.start..self.end).unwrap_or_default()
    }
}

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blob({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_counts_from_its_parent_and_never_reaches_beyond_it() {
        let blob = Blob::from(b"abcdef".to_vec());
        let inner = blob.slice(1..5).unwrap_or_else(|| Vec::new().into());
        assert_eq!(&*inner, b"bcde");
        assert_eq!(inner.slice(1..3).as_deref(), Some(&b"cd"[..]));
        assert!(inner.slice(2..5).is_none());
    }
}
