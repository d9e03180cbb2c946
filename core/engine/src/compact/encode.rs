//! Samples, as chunks cut where the head would cut them.

use crate::chunk::{BadChunk, Chunk, Sequence};
use crate::sample::{Sample, Value};

/// Encode samples in order of time. They may come from a file: what no chunk can hold is refused like one that does not
/// decode.
pub fn encode(samples: impl Iterator<Item = Result<Sample, BadChunk>>) -> Result<Vec<Chunk>, BadChunk> {
    let mut chunks = Vec::new();
    let mut sequence = Sequence::default();
    let mut last = None;
    for sample in samples {
        let (t, value) = sample?;
        let is_sound = match &value {
            Value::Float(_) => true,
            Value::Histogram(histogram) => histogram.is_sound(),
        };
        if !is_sound || last.is_some_and(|last| t <= last) {
            return Err(BadChunk);
        }
        last = Some(t);
        chunks.extend(sequence.append(t, &value));
    }
    chunks.extend(sequence.finish());
    Ok(chunks)
}
