"""What goes over the wire, case by case as Prometheus' compliance suite for senders names them (`remotewrite/sender`).

The suite's cases of behaviour (retries, back-off, responses, fall-back) are in test_sender_behaviour.py.
"""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.forward.fake_receiver import Row
from tests.forward.sender_traffic import LONG, STALE, Traffic, same, traffic

V1, V2 = "prometheus.WriteRequest", "io.prometheus.write.v2.Request"


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traffic]:
    """By remote write 2.0."""
    with traffic(tmp_path_factory.mktemp("v2"), V2) as found:
        yield found


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traffic]:
    """By remote write 1.0."""
    with traffic(tmp_path_factory.mktemp("v1"), V1) as found:
        yield found


def headers(of: Traffic, name: str) -> set[str]:
    return {write.headers.get(name, "") for write in of.receiver.writes}


def messages(of: Traffic) -> list[Any]:
    return [write.message for write in of.receiver.writes]


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


def names(of: Traffic) -> set[str]:
    return {name for labels in of.label_sets for name, _ in labels}


def values(of: Traffic, name: str) -> set[str]:
    return {value for labels in of.label_sets for key, value in labels if key == name}


def in_order(rows: list[Row]) -> bool:
    newest: dict[Any, int] = {}
    for row in rows:
        if row.t < newest.get(row.labels, row.t):
            return False
        newest[row.labels] = row.t
    return True


def symbols_pay(of: Traffic) -> bool:
    return all(len(message.symbols) < 10 + 3 * len(message.timeseries) for message in messages(of))


def told(of: Traffic, name: str, kind: int) -> bool:
    found = of.metadata(name)
    return found is not None and found[0] == kind


def bounds_of(histogram: Any) -> int:
    return sum(span.length for span in [*histogram.positive_spans, *histogram.negative_spans])


SECOND: dict[str, Callable[[Traffic], object]] = {
    "protocol/content_type_protobuf": lambda t: all(
        h.startswith("application/x-protobuf") for h in headers(t, "content-type")
    ),
    "protocol/content_type_with_proto_param": lambda t: (
        headers(t, "content-type") == {f"application/x-protobuf;proto={V2}"}
    ),
    "protocol/content_encoding_snappy": lambda t: headers(t, "content-encoding") == {"snappy"},
    "protocol/version_header_value": lambda t: headers(t, "x-prometheus-remote-write-version") == {"2.0.0"},
    "protocol/user_agent_present": lambda t: all(h.startswith("pushbridge/") for h in headers(t, "user-agent")),
    "protocol/protobuf_parseable": lambda t: all(message.symbols for message in messages(t)),
    "symbols/empty_string_at_index_zero": lambda t: all(message.symbols[0] == "" for message in messages(t)),
    "symbols/string_deduplication": lambda t: all(len(set(m.symbols)) == len(m.symbols) for m in messages(t)),
    "symbols/labels_refs_valid_indices": lambda t: all(
        ref < len(m.symbols) for m in messages(t) for series in m.timeseries for ref in series.labels_refs
    ),
    "symbols/labels_refs_even_length": lambda t: all(
        len(series.labels_refs) % 2 == 0 for m in messages(t) for series in m.timeseries
    ),
    "symbols/efficiency": symbols_pay,
    "samples/float_encoding": lambda t: t.value("value", **{"is": "float"}) == 3.141592653589793,
    "samples/integer_encoding": lambda t: t.value("value", **{"is": "integer"}) == 42,
    "samples/zero_encoding": lambda t: t.value("value", **{"is": "zero"}) == 0,
    "samples/negative_encoding": lambda t: t.value("value", **{"is": "negative"}) == -7,
    "samples/positive_infinity_encoding": lambda t: t.value("value", **{"is": "+inf"}) == float("inf"),
    "samples/negative_infinity_encoding": lambda t: t.value("value", **{"is": "-inf"}) == float("-inf"),
    "samples/nan_encoding": lambda t: same(t.value("value", **{"is": "nan"}), float("nan")),
    "samples/large_float_values": lambda t: t.value("value", **{"is": "large"}) == 1.7976931348623157e308,
    "samples/small_float_values": lambda t: t.value("value", **{"is": "small"}) == 5e-324,
    "samples/scientific_notation": lambda t: t.value("value", **{"is": "scientific"}) == 1.5e-7,
    "samples/precision_preservation": lambda t: t.value("value", **{"is": "precise"}) == 0.1 + 0.2,
    "samples/timestamp_recent": lambda t: all(abs(row.t - time.time() * 1000) < 300_000 for row in t.rows),
    "samples/multiple_samples_same_series": lambda t: len(t.series("job:rule:sum")) == 2,
    "samples/job_instance_labels_present": lambda t: {"job", "instance"} <= names(t),
    "samples/ordering": lambda t: in_order(t.rows),
    "timestamps/ordering_within_series": lambda t: all(a.t < b.t for a, b in pairwise(t.series("job:rule:sum"))),
    "timestamps/start_timestamp_zero_handling": lambda t: all(
        sample.start_timestamp == 0 for m in messages(t) for series in m.timeseries for sample in series.samples
    ),
    "timestamps/start_timestamp_before_sample_timestamp": lambda t: all(
        s.start_timestamp <= s.timestamp for m in messages(t) for series in m.timeseries for s in series.samples
    ),
    "labels/lexicographic_ordering": lambda t: all(list(labels) == sorted(labels) for labels in t.label_sets),
    "labels/metric_name_label_present": lambda t: all(dict(labels).get("__name__") for labels in t.label_sets),
    "labels/metric_name_format_valid": lambda t: all(
        re.fullmatch("[a-zA-Z_:][a-zA-Z0-9_:]*", name) for name in values(t, "__name__")
    ),
    "labels/label_name_format_valid": lambda t: all(re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name) for name in names(t)),
    "labels/no_duplicate_label_names": lambda t: all(len(dict(labels)) == len(labels) for labels in t.label_sets),
    "labels/label_names_not_empty": lambda t: all(names(t)),
    "labels/label_values_may_be_empty": lambda t: "empty" not in names(t),
    "labels/reserved_label_prefix": lambda t: {n for n in names(t) if n.startswith("__")} == {"__name__"},
    "labels/unicode_in_label_values": lambda t: "żółć→🚀" in values(t, "utf8"),
    "labels/special_chars_in_label_values": lambda t: 'a"b\\c\nd,e=f{g}' in values(t, "special"),
    "labels/very_long_label_names": lambda t: f"a_{'n' * 1000}" in names(t),
    "labels/very_long_label_values": lambda t: LONG in values(t, "long"),
    "labels/many_labels_per_series": lambda t: max(map(len, t.label_sets)) >= 40,
    "metadata/metadata_type_counter": lambda t: told(t, "requests_total", 1),
    "metadata/metadata_type_gauge": lambda t: told(t, "temperature", 2),
    "metadata/metadata_type_histogram": lambda t: told(t, "size_bucket", 3),
    "metadata/metadata_type_summary": lambda t: told(t, "latency_sum", 5),
    "metadata/metadata_help_text": lambda t: t.metadata("requests_total") == (1, "Requests.", ""),
    "metadata/metadata_help_with_newlines": lambda t: (
        "\nin two lines" in (t.metadata("temperature") or ("", "", ""))[1]
    ),
    "metadata/metadata_help_with_special_chars": lambda t: (
        '"quotes" and \\ back' in (t.metadata("temperature") or ("", "", ""))[1]
    ),
    "metadata/metadata_empty_help_allowed": lambda t: t.metadata("quiet") == (2, "", ""),
    "metadata/metadata_consistent_across_series": lambda t: (
        len(
            {
                m
                for w in t.receiver.writes
                for labels, m in w.metadata.items()
                if dict(labels)["__name__"] == "requests_total"
            }
        )
        == 1
    ),
    "histograms/native_histogram_structure": lambda t: all(
        len(h.positive_deltas) + len(h.negative_deltas) == bounds_of(h) for h in t.histograms
    ),
    "histograms/histogram_count_present": lambda t: t.histograms and t.histograms[0].count_int > 0,
    "histograms/histogram_sum_present": lambda t: t.histograms[0].sum != 0,
    "histograms/histogram_positive_buckets": lambda t: t.histograms[0].positive_spans,
    "histograms/histogram_negative_buckets": lambda t: t.histograms[0].negative_spans,
    "histograms/histogram_zero_bucket": lambda t: t.histograms[0].zero_threshold > 0,
    "histograms/histogram_schema": lambda t: -4 <= t.histograms[0].schema <= 8,
    "histograms/histogram_timestamp": lambda t: all(
        abs(h.timestamp - time.time() * 1000) < 300_000 for h in t.histograms
    ),
    "histograms/histogram_no_mixed_with_samples": lambda t: (
        not any(series.samples and series.histograms for m in messages(t) for series in m.timeseries)
    ),
    "histograms/stale_marker": lambda t: bits(t.histograms[-1].sum) == bits(STALE),
    "exemplars/exemplar_with_trace_id": lambda t: any(("trace_id", "abc") in own for _, own, _, _ in t.exemplars),
    "exemplars/exemplar_with_span_id": lambda t: any(("span_id", "def") in own for _, own, _, _ in t.exemplars),
    "exemplars/exemplar_value_valid": lambda t: {value for _, _, value, _ in t.exemplars} >= {0.5, 1.5},
    "exemplars/exemplar_timestamp_valid": lambda t: {at for *_, at in t.exemplars} == {1_700_000_000_000},
    "exemplars/exemplar_custom_labels": lambda t: any(own == (("user", "me"),) for _, own, _, _ in t.exemplars),
    "exemplars/exemplar_on_histogram": lambda t: (
        {dict(series)["__name__"] for series, *_ in t.exemplars} == {"traced_bucket"}
    ),
    "batching/multiple_series_per_request": lambda t: max(len(m.timeseries) for m in messages(t)) > 100,
    "batching/batch_size_reasonable": lambda t: max(len(write.rows) for write in t.receiver.writes) <= 2000,
    "batching/high_cardinality": lambda t: len(t.series("many")) == 2 * 3000,
    "combined/samples_with_metadata": lambda t: any(w.metadata and w.rows for w in t.receiver.writes),
    "combined/samples_with_exemplars": lambda t: any(w.exemplars and w.rows for w in t.receiver.writes),
    "combined/complete_metric_family": lambda t: all(t.series(f"size_{part}") for part in ("bucket", "sum", "count")),
    "edge_cases/huge_label_values": lambda t: LONG in values(t, "long"),
    "edge_cases/very_long_metric_name": lambda t: f"m{'n' * 1000}" in values(t, "__name__"),
    "edge_cases/metric_name_with_colons": lambda t: "job:rule:sum" in values(t, "__name__"),
    "edge_cases/stale_marker": lambda t: bits(t.series("traced_count")[-1].value) == bits(STALE),
    "edge_cases/mixed_sample_and_histogram_families": lambda t: t.histograms and t.series("many"),
    "error_handling/no_complaints": lambda t: "level=error" not in t.log and "level=warning" not in t.log,
}

FIRST: dict[str, Callable[[Traffic], object]] = {
    "rw1_compat/rw1_version_header": lambda t: headers(t, "x-prometheus-remote-write-version") == {"0.1.0"},
    "rw1_compat/rw1_content_type": lambda t: headers(t, "content-type") == {"application/x-protobuf"},
    "rw1_compat/rw1_samples_encoding": lambda t: t.value("value", **{"is": "precise"}) == 0.1 + 0.2,
    "rw1_compat/rw1_labels_encoding": lambda t: all(list(labels) == sorted(labels) for labels in t.label_sets),
    "rw1_compat/rw1_no_start_timestamp": lambda t: all(write.version == 1 for write in t.receiver.writes),
    "rw1_compat/rw1_symbol_table_not_used": lambda t: all(m.timeseries[0].labels for m in messages(t)),
    "rw1_compat/ordering": lambda t: in_order(t.rows),
    "rw1_compat/exemplars": lambda t: {at for *_, at in t.exemplars} == {1_700_000_000_000},
    "rw1_compat/histograms": lambda t: t.histograms and t.histograms[0].count_int > 0,
}


@pytest.mark.parametrize("case", SECOND)
def test_remote_write_2(second: Traffic, case: str) -> None:
    assert SECOND[case](second)


@pytest.mark.parametrize("case", FIRST)
def test_remote_write_1(first: Traffic, case: str) -> None:
    assert FIRST[case](first)


def test_both_say_the_same(first: Traffic, second: Traffic) -> None:
    def rows(of: Traffic) -> set[Any]:
        skipped = {"push_time_seconds", "push_failure_time_seconds"}
        kept = (row for row in of.rows if dict(row.labels)["__name__"] not in skipped and isinstance(row.value, float))
        return {(row.labels, row.bits) for row in kept}

    assert rows(first) == rows(second)


def test_metadata_of_remote_write_1(first: Traffic) -> None:
    found = {one.metric_family_name: one for message in first.receiver.metadata for one in message}
    assert (found["requests_total"].type, found["requests_total"].help) == (1, "Requests.")
    assert found["temperature"].type == 2
