//! The messages of Prometheus' remote read: `ReadRequest` in, `ReadResponse` and `ChunkedReadResponse` out
//! (`prometheus/prometheus`, `prompb/remote.proto` and `prompb/types.proto`).

mod chunked;
mod request;
mod sampled;

pub use chunked::put_frame;
pub use request::{BadRequest, Query, Request, SAMPLES, STREAMED_XOR_CHUNKS};
pub use sampled::{compress, heads, put_series, TooLarge};

use crate::labels::Labels;
use crate::wire::message::{put_bytes, put_message};

/// Labels that the answer has beside those of the series, by name: `external_labels`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct External(Vec<(String, String)>);

impl External {
    /// Those of `labels` that have a value.
    pub fn new(mut labels: Vec<(String, String)>) -> Self {
        labels.retain(|(_, value)| !value.is_empty());
        labels.sort_unstable();
        Self(labels)
    }

    /// Append `Label` fields with `number`: those of the series, and the external ones that it has not got itself, by name.
    fn put_labels(&self, out: &mut Vec<u8>, number: u32, labels: Labels<'_>) {
        let mut others = self.0.iter().peekable();
        for (name, value) in labels.iter() {
            while let Some((name, value)) = others.next_if(|(other, _)| other.as_str() < name) {
                put_label(out, number, name, value);
            }
            others.next_if(|(other, _)| other == name);
            put_label(out, number, name, value);
        }
        others.for_each(|(name, value)| put_label(out, number, name, value));
    }
}

fn put_label(out: &mut Vec<u8>, number: u32, name: &str, value: &str) {
    put_message(out, number, |out| {
        put_bytes(out, 1, name.as_bytes());
        put_bytes(out, 2, value.as_bytes());
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::labels::pack;
    use crate::wire::message::{text, Field, Fields};

    #[test]
    fn external_labels_stand_among_the_others_and_never_replace_one() {
        let pairs = |list: &[(&str, &str)]| list.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
        let external = External::new(pairs(&[("zone", "z"), ("a", "1"), ("job", "theirs"), ("empty", "")]));
        let (mut packed, mut out) = (Vec::new(), Vec::new());
        pack(&mut [("__name__", "m"), ("job", "own"), ("path", "/")], &mut packed).unwrap();
        external.put_labels(&mut out, 1, Labels::trusted(&packed));
        let string = |field| match field {
            Ok((_, Field::Bytes(bytes))) => text(bytes).unwrap(),
            other => unreachable!("{other:?}"),
        };
        let found: Vec<Vec<&str>> = Fields::new(&out)
            .map(|label| match label {
                Ok((1, Field::Bytes(label))) => Fields::new(label).map(string).collect(),
                other => unreachable!("{other:?}"),
            })
            .collect();
        assert_eq!(
            found,
            [
                ["__name__", "m"],
                ["a", "1"],
                ["job", "own"],
                ["path", "/"],
                ["zone", "z"]
            ]
        );
    }
}
