"""What generated expressions may say: everything to a Prometheus of our version; to an older one what 2.42 has of
functions, and no newer grammar."""

from __future__ import annotations

from bridge.promql.signatures import AGGREGATIONS, SIGNATURES
from tests.promql.generate import Vocabulary

__all__ = ["NEW", "OLD"]

NEWER_FUNCTIONS = {
    *("double_exponential_smoothing", "first_over_time", "histogram_avg", "histogram_quantiles", "histogram_stddev"),
    *("histogram_stdvar", "info", "mad_over_time", "max_of", "min_of", "range", "sort_by_label", "sort_by_label_desc"),
    *("start", "end", "start_timestamp", "step", "ts_of_first_over_time", "ts_of_last_over_time"),
    *("ts_of_max_over_time", "ts_of_min_over_time"),
}
NEWER_AGGREGATIONS = {"limitk", "limit_ratio"}

OLD = Vocabulary(
    metrics=(
        *("node_cpu_seconds_total", "node_load1", "node_filesystem_avail_bytes", "up", "http_requests_total"),
        *("sparse_gauge", "sparse_counter", "odd_values", "kube_pod_info", "jvm_memory_used_bytes"),
    ),
    buckets=("http_request_duration_seconds_bucket", "apiserver_request_duration_seconds_bucket"),
    labels={
        "instance": ("a:9100", "b:9100", "a:1", "b:1"),
        "job": ("node", "api", "odd", "shop"),
        "mode": ("idle", "user", "system"),
        "code": ("200", "404", "503"),
        "le": ("0.1", "1", "+Inf"),
    },
    functions=tuple(signature for name, signature in SIGNATURES.items() if name not in NEWER_FUNCTIONS),
    aggregations=tuple(name for name in AGGREGATIONS if name not in NEWER_AGGREGATIONS),
    durations_are_numbers=False,
    extended=False,
)

NEW = Vocabulary(
    metrics=(
        *("alive", "jobs_total", "odd", "mixed", "sizes", "float_sizes", "gauge_sizes", "own_sizes", "target_info"),
        *("build_info", "my.metric", "größe in °C", "nothing", "node_load1", "sparse_counter"),
    ),
    buckets=("took_bucket", "http_request_duration_seconds_bucket"),
    labels={
        "job": ("a", "b"),
        "host": ("x", "y"),
        "instance": ("i", "j", "a:9100"),
        "os": ("linux",),
        "le": ("1", "+Inf"),
        "label.x": ("v",),
    },
)
