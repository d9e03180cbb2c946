"""Prometheus' remote messages (prompb/remote.proto, prompb/types.proto), as protobuf's own library reads and writes
them: the oracle for ours. The descriptors are made from a table, so nothing generated has to be kept."""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

__all__ = ["ChunkedReadResponse", "ReadRequest", "ReadResponse"]

# name, number, type; "*" before the type for repeated fields.
MESSAGES: dict[str, list[tuple[str, int, str]]] = {
    "Label": [("name", 1, "string"), ("value", 2, "string")],
    "LabelMatcher": [("type", 1, "int32"), ("name", 2, "string"), ("value", 3, "string")],
    "Sample": [("value", 1, "double"), ("timestamp", 2, "int64")],
    "BucketSpan": [("offset", 1, "sint32"), ("length", 2, "uint32")],
    "Histogram": [
        ("count_int", 1, "uint64"),
        ("count_float", 2, "double"),
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
    "TimeSeries": [("labels", 1, "*Label"), ("samples", 2, "*Sample"), ("histograms", 4, "*Histogram")],
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


def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="remote.proto", package="prometheus", syntax="proto3")
    field_type = descriptor_pb2.FieldDescriptorProto
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            one = message.field.add(name=field, number=number)
            one.label = field_type.LABEL_REPEATED if kind.startswith("*") else field_type.LABEL_OPTIONAL
            plain = kind.removeprefix("*")
            if plain in MESSAGES:
                one.type, one.type_name = field_type.TYPE_MESSAGE, f".prometheus.{plain}"
            else:
                one.type = field_type.Type.Value(f"TYPE_{plain.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


POOL = _pool()


def _class(name: str) -> Any:
    return message_factory.GetMessageClass(POOL.FindMessageTypeByName(f"prometheus.{name}"))


ReadRequest = _class("ReadRequest")
ReadResponse = _class("ReadResponse")
ChunkedReadResponse = _class("ChunkedReadResponse")
