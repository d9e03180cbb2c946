//! Why inputs cannot be made one block.

use crate::block::Refusal;
use crate::merge::Broken;

/// Why inputs cannot be made one block.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failed {
    /// One cannot be read.
    Input(Broken),
    /// A chunk of this series does not decode.
    Chunk(String),
    /// A limit of the format.
    Refused(Refusal),
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Input(Broken { place, cause }) => write!(f, "input {place}: {cause}"),
            Self::Chunk(labels) => write!(f, "a chunk of series {labels} does not decode"),
            Self::Refused(refusal) => refusal.fmt(f),
        }
    }
}

impl std::error::Error for Failed {}

impl From<Broken> for Failed {
    fn from(broken: Broken) -> Self {
        Self::Input(broken)
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
