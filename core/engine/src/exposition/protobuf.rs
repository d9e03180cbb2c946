//! Delimited `io.prometheus.client.MetricFamily` messages.

use crate::family::{Family, Text};
use crate::wire::protobuf::encode_delimited;

use super::Escaping;

/// A whole family with its length in front.
pub fn family(family: &Family, escaping: Escaping, out: &mut Vec<u8>) {
    if escaping == Escaping::AllowUtf8 {
        encode_delimited(family, out);
        return;
    }
    let mut escaped = family.clone();
    escaped.name = Text::from(escaping.metric_name(&family.name));
    for label in escaped.metrics.iter_mut().flat_map(|m| &mut m.labels) {
        label.name = Text::from(escaping.label_name(&label.name));
    }
    encode_delimited(&escaped, out);
}
