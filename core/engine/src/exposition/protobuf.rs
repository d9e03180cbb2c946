//! Delimited `io.prometheus.client.MetricFamily`.

use crate::exposition::Escaping;
use crate::family::Family;
use crate::wire::protobuf::{delimited, put_family};

/// One family, its length before it.
pub fn family(family: &Family, escaping: Escaping, out: &mut Vec<u8>) {
    delimited(out, |out| put_family(family, escaping, out));
}
