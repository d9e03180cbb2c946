"""Prometheus' remote messages (prompb/remote.proto, prompb/types.proto, prompb/io/prometheus/write/v2/types.proto), as
protobuf's own library reads and writes them: the oracle for ours. The descriptors are made from a table, so nothing
generated has to be kept."""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

__all__ = ["ChunkedReadResponse", "ReadRequest", "ReadResponse", "WriteRequest", "WriteRequest2"]

Messages = dict[str, list[tuple[str, int, str]]]
"""By message: name, number, type of each field; "*" before the type for repeated ones, "?" for those that exclude each
other."""

MESSAGES: Messages = {
    "Label": [("name", 1, "string"), ("value", 2, "string")],
    "LabelMatcher": [("type", 1, "int32"), ("name", 2, "string"), ("value", 3, "string")],
    "Sample": [("value", 1, "double"), ("timestamp", 2, "int64")],
    "BucketSpan": [("offset", 1, "sint32"), ("length", 2, "uint32")],
    "Histogram": [
        ("count_int", 1, "?uint64"),
        ("count_float", 2, "?double"),
        ("sum", 3, "double"),
        ("schema", 4, "sint32"),
        ("zero_threshold", 5, "double"),
        ("zero_count_int", 6, "uint64"),
        ("zero_count_float", 7, "double"),
        ("negative_spans", 8, "*BucketSpan"),
        ("negative_deltas", 9, "*sint64"),
        ("negative_counts", 10, "*double"),
        ("positive_spans", 11, "*BucketSpan"),
        ("positive_deltas", 12, "*sint64"),
        ("positive_counts", 13, "*double"),
        ("reset_hint", 14, "int32"),
        ("timestamp", 15, "int64"),
        ("custom_values", 16, "*double"),
    ],
    "Exemplar": [("labels", 1, "*Label"), ("value", 2, "double"), ("timestamp", 3, "int64")],
    "TimeSeries": [
        ("labels", 1, "*Label"),
        ("samples", 2, "*Sample"),
        ("exemplars", 3, "*Exemplar"),
        ("histograms", 4, "*Histogram"),
    ],
    "MetricMetadata": [
        ("type", 1, "int32"),
        ("metric_family_name", 2, "string"),
        ("help", 4, "string"),
        ("unit", 5, "string"),
    ],
    "WriteRequest": [("timeseries", 1, "*TimeSeries"), ("metadata", 3, "*MetricMetadata")],
    "ReadHints": [("step_ms", 1, "int64"), ("func", 2, "string")],
    "Query": [
        ("start_timestamp_ms", 1, "int64"),
        ("end_timestamp_ms", 2, "int64"),
        ("matchers", 3, "*LabelMatcher"),
        ("hints", 4, "ReadHints"),
    ],
    "ReadRequest": [("queries", 1, "*Query"), ("accepted_response_types", 2, "*int32")],
    "QueryResult": [("timeseries", 1, "*TimeSeries")],
    "ReadResponse": [("results", 1, "*QueryResult")],
    "Chunk": [("min_time_ms", 1, "int64"), ("max_time_ms", 2, "int64"), ("type", 3, "int32"), ("data", 4, "bytes")],
    "ChunkedSeries": [("labels", 1, "*Label"), ("chunks", 2, "*Chunk")],
    "ChunkedReadResponse": [("chunked_series", 1, "*ChunkedSeries"), ("query_index", 2, "int64")],
}


MESSAGES_2: Messages = {
    "Sample": [("value", 1, "double"), ("timestamp", 2, "int64"), ("start_timestamp", 3, "int64")],
    "BucketSpan": MESSAGES["BucketSpan"],
    "Histogram": [*MESSAGES["Histogram"], ("start_timestamp", 17, "int64")],
    "Exemplar": [("labels_refs", 1, "*uint32"), ("value", 2, "double"), ("timestamp", 3, "int64")],
    "Metadata": [("type", 1, "int32"), ("help_ref", 3, "uint32"), ("unit_ref", 4, "uint32")],
    "TimeSeries": [
        ("labels_refs", 1, "*uint32"),
        ("samples", 2, "*Sample"),
        ("histograms", 3, "*Histogram"),
        ("exemplars", 4, "*Exemplar"),
        ("metadata", 5, "Metadata"),
        ("created_timestamp", 6, "int64"),  # of the past; senders set it still
    ],
    "Request": [("symbols", 4, "*string"), ("timeseries", 5, "*TimeSeries")],
}


def _pool(package: str, messages: Messages) -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    field_type = descriptor_pb2.FieldDescriptorProto
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            one = message.field.add(name=field, number=number)
            one.label = field_type.LABEL_REPEATED if kind.startswith("*") else field_type.LABEL_OPTIONAL
            if kind.startswith("?"):
                one.proto3_optional = True
                one.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{field}")
            plain = kind.lstrip("*?")
            if plain in messages:
                one.type, one.type_name = field_type.TYPE_MESSAGE, f".{package}.{plain}"
            else:
                one.type = field_type.Type.Value(f"TYPE_{plain.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


POOL = _pool("prometheus", MESSAGES)
POOL_2 = _pool("io.prometheus.write.v2", MESSAGES_2)


def _class(pool: descriptor_pool.DescriptorPool, name: str) -> Any:
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


ReadRequest = _class(POOL, "prometheus.ReadRequest")
ReadResponse = _class(POOL, "prometheus.ReadResponse")
ChunkedReadResponse = _class(POOL, "prometheus.ChunkedReadResponse")
WriteRequest = _class(POOL, "prometheus.WriteRequest")
WriteRequest2 = _class(POOL_2, "io.prometheus.write.v2.Request")
