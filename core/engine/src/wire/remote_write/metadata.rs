//! What series and families are: type, unit and help.

use std::sync::Arc;

use hashbrown::HashMap;

use super::request::{BadReference, Part, Request};
use super::schema::{v1, v2};
use crate::batch::{Batch, FamilyMetadata};
use crate::family::Text;
use crate::metadata::{kind_of_number, Metadata};
use crate::wire::message::{Field, Fields, Malformed};

/// Type, help and unit as a request of 2.0 writes them.
type Written = (u64, u32, u32);

/// What series of a request of 2.0 are; many are the same.
#[derive(Default)]
pub(super) struct Described(HashMap<Written, Arc<Metadata>, ahash::RandomState>);

impl Described {
    /// Put what `series` is into the batch, where the series has begun.
    pub(super) fn note(
        &mut self,
        request: &Request<'_>,
        series: &[u8],
        batch: &mut Batch,
    ) -> Result<Result<(), BadReference>, Malformed> {
        for part in request.parts(series) {
            let Part::Metadata(message) = part? else { continue };
            match self.metadata(request, written(message)?) {
                Ok(metadata) if metadata.is_empty() => {}
                Ok(metadata) => batch.push_metadata(metadata),
                Err(bad) => return Ok(Err(bad)),
            }
        }
        Ok(Ok(()))
    }

    fn metadata(&mut self, request: &Request<'_>, written: Written) -> Result<Arc<Metadata>, BadReference> {
        if let Some(known) = self.0.get(&written) {
            return Ok(known.clone());
        }
        let (kind, help, unit) = written;
        let text = |name: &str, reference: u32| match request.symbol(reference) {
            Some(symbol) => Ok(Text::from_utf8_lossy(symbol)),
            None => Err(BadReference(format!(
                "metadata {name} {reference} outside of symbols table (size {})",
                request.symbols.len()
            ))),
        };
        let metadata = Arc::new(Metadata {
            kind: kind_of_number(kind),
            unit: text("unit_ref", unit)?,
            help: text("help_ref", help)?,
        });
        self.0.insert(written, metadata.clone());
        Ok(metadata)
    }
}

fn written(message: &[u8]) -> Result<Written, Malformed> {
    let (mut kind, mut help, mut unit) = (0, 0, 0);
    for field in Fields::new(message) {
        match field? {
            (v2::metadata::KIND, Field::Varint(v)) => kind = v,
            (v2::metadata::HELP, Field::Varint(v)) => help = v as u32,
            (v2::metadata::UNIT, Field::Varint(v)) => unit = v as u32,
            _ => {}
        }
    }
    Ok((kind, help, unit))
}

/// What a message of 1.0 tells of a family; None without a name, or when it tells nothing.
pub(super) fn family(message: &[u8]) -> Result<Option<FamilyMetadata>, Malformed> {
    let (mut name, mut kind) = (Text::default(), 0);
    let (mut help, mut unit) = (Text::default(), Text::default());
    for field in Fields::new(message) {
        match field? {
            (v1::metadata::KIND, Field::Varint(v)) => kind = v,
            (v1::metadata::FAMILY, Field::Bytes(text)) => name = Text::from_utf8_lossy(text),
            (v1::metadata::HELP, Field::Bytes(text)) => help = Text::from_utf8_lossy(text),
            (v1::metadata::UNIT, Field::Bytes(text)) => unit = Text::from_utf8_lossy(text),
            _ => {}
        }
    }
    let kind = kind_of_number(kind);
    let metadata = Arc::new(Metadata { kind, unit, help });
    let tells = !name.is_empty() && !metadata.is_empty();
    Ok(tells.then_some(FamilyMetadata { name, metadata }))
}
