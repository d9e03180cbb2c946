//! Records of types, units and helps.
//!
//! ```text
//! ref uv, type(1), n uv, (name, value)*        names that are known: UNIT, HELP
//! ```

use std::sync::Arc;

use super::record::Malformed;
use super::SeriesRef;
use crate::bytes::{put_prefixed, put_uvarint, Decoder};
use crate::family::Text;
use crate::metadata::{kind_number, kind_of_number, Metadata};

const UNIT: &[u8] = b"UNIT";
const HELP: &[u8] = b"HELP";

/// The metadata of a series in the log.
pub type MetadataRow = (SeriesRef, Arc<Metadata>);

/// Append one row.
pub fn encode_metadata(reference: SeriesRef, metadata: &Metadata, out: &mut Vec<u8>) {
    put_uvarint(out, reference.0);
    out.push(kind_number(metadata.kind));
    put_uvarint(out, 2);
    for (name, value) in [(UNIT, &metadata.unit), (HELP, &metadata.help)] {
        put_prefixed(out, name);
        put_prefixed(out, value.as_bytes());
    }
}

/// Append the rows of a metadata record's body to `rows`; fields with other names are skipped.
pub fn decode_metadata(body: &[u8], rows: &mut Vec<MetadataRow>) -> Result<(), Malformed> {
    let mut decoder = Decoder::new(body);
    while !decoder.is_empty() {
        let reference = SeriesRef(decoder.uvarint()?);
        let mut metadata = Metadata {
            kind: kind_of_number(decoder.u8()?.into()),
            unit: Text::default(),
            help: Text::default(),
        };
        for _ in 0..decoder.uvarint()? {
            let (name, value) = (decoder.prefixed()?, decoder.prefixed()?);
            match name {
                UNIT => metadata.unit = text(value)?,
                HELP => metadata.help = text(value)?,
                _ => {}
            }
        }
        rows.push((reference, metadata.into()));
    }
    Ok(())
}

fn text(bytes: &[u8]) -> Result<Text, Malformed> {
    Text::from_utf8(bytes).map_err(|_| Malformed::Content)
}
