//! Histograms as the query API shows them.

use super::{Bucket, FloatHistogram};
use crate::float::push_value;

impl FloatHistogram {
    /// Append `{"count":"9","sum":"5.5","buckets":[[0,"1","2","9"]]}`: ascending, without empty buckets, each with which of its
    /// bounds belong to it (0 the upper one, 1 the lower one, 2 neither, 3 both).
    pub fn push_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"count\":");
        push_quoted(out, self.count);
        out.extend_from_slice(b",\"sum\":");
        push_quoted(out, self.sum);
        let mut separator: &[u8] = b",\"buckets\":[";
        let mut has_buckets = false;
        for bucket in self.buckets().filter(|bucket| bucket.count != 0.0) {
            out.extend_from_slice(separator);
            push_bucket(out, &bucket);
            (separator, has_buckets) = (b",", true);
        }
        out.extend_from_slice(if has_buckets { b"]}" } else { b"}" });
    }
}

fn push_bucket(out: &mut Vec<u8>, bucket: &Bucket) {
    out.extend_from_slice(match (bucket.has_lower, bucket.has_upper) {
        (false, true) => b"[0",
        (true, false) => b"[1",
        (false, false) => b"[2",
        (true, true) => b"[3",
    });
    for number in [bucket.lower, bucket.upper, bucket.count] {
        out.push(b',');
        push_quoted(out, number);
    }
    out.push(b']');
}

fn push_quoted(out: &mut Vec<u8>, number: f64) {
    out.push(b'"');
    push_value(out, number);
    out.push(b'"');
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::parse_literal;

    #[test]
    fn buckets_are_rows_of_rule_bounds_and_count() {
        for (literal, json) in [
            ("{{}}", r#"{"count":"0","sum":"0"}"#),
            (
                "{{count:1e7 sum:-2.5 z_bucket:2 z_bucket_w:0.25 buckets:[0 4] n_offset:-1 n_buckets:[3 5]}}",
                r#"{"count":"10000000","sum":"-2.5","buckets":[[1,"-1","-0.5","5"],[1,"-0.5","-0.25","3"],[3,"-0.25","0.25","2"],[0,"1","2","4"]]}"#,
            ),
            (
                "{{schema:-53 count:4 sum:NaN custom_values:[1] buckets:[1 3]}}",
                r#"{"count":"4","sum":"NaN","buckets":[[3,"-Inf","1","1"],[0,"1","+Inf","3"]]}"#,
            ),
        ] {
            let mut out = Vec::new();
            parse_literal(literal).unwrap().0.push_json(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), json);
        }
    }
}
