"""Native histograms as the core hands them to queries."""

import json

import pytest

from bridge.native import FloatHistogram, parse_histogram_literal, parse_histogram_sequence

LITERAL = "{{schema:1 count:9 sum:5.5 z_bucket:2 z_bucket_w:0.25 counter_reset_hint:gauge offset:1 buckets:[3 0 4]}}"


def test_a_literal_is_read_and_written() -> None:
    histogram, tells_hint = parse_histogram_literal(LITERAL)
    assert histogram.literal() == LITERAL
    assert tells_hint
    assert (histogram.schema, histogram.count, histogram.sum, histogram.reset_hint) == (1, 9, 5.5, "gauge")
    assert (histogram.zero_count, histogram.zero_threshold) == (2, 0.25)
    assert histogram.positive == [(1, 3), (2, 0), (3, 4)]
    assert histogram.negative == []
    assert not parse_histogram_literal("{{}}")[1]


def test_a_bad_literal_is_refused_with_its_place() -> None:
    with pytest.raises(ValueError, match="expected a number at byte 8"):
        parse_histogram_literal("{{count:x}}")


def test_a_sequence_grows_to_its_limit() -> None:
    grown, _ = parse_histogram_sequence("{{count:1}}+{{count:2}}x2", limit=100)
    assert [histogram.count for histogram in grown] == [1, 3, 5]
    with pytest.raises(ValueError, match="more than 100 samples"):
        parse_histogram_sequence("{{}}x100", limit=100)


def test_a_histogram_is_stored_and_read_back() -> None:
    histogram, _ = parse_histogram_literal(LITERAL)
    assert FloatHistogram.from_stored(histogram.stored()).same(histogram)
    assert histogram.stored().positive_spans == [(1, 3)]


def test_classic_buckets_become_custom_ones() -> None:
    native = FloatHistogram.from_classic([(2.5, 5), (float("inf"), 9), (1, 2)], None, 7.0)
    assert native.literal() == "{{schema:-53 count:9 sum:7 custom_values:[1 2.5] buckets:[2 3 4]}}"
    assert native.custom_bounds == [1, 2.5]
    with pytest.raises(ValueError, match="count is not cumulative: 1 < 2"):
        FloatHistogram.from_classic([(1, 2), (2, 1)], None, 0.0)


def test_it_is_shown_as_prometheus_shows_it() -> None:
    histogram, _ = parse_histogram_literal("{{count:9 sum:5.5 z_bucket:2 z_bucket_w:0.25 buckets:[3 0 4]}}")
    assert str(histogram) == "{count:9, sum:5.5, [-0.25,0.25]:2, (0.5,1]:3, (2,4]:4}"
    assert json.loads(histogram.json()) == {
        "count": "9",
        "sum": "5.5",
        "buckets": [[3, "-0.25", "0.25", "2"], [0, "0.5", "1", "3"], [0, "2", "4", "4"]],
    }


def test_hints_can_be_changed_and_empty_buckets_dropped() -> None:
    histogram, _ = parse_histogram_literal("{{counter_reset_hint:reset buckets:[0 1 0]}}")
    assert histogram.with_reset_hint("unknown").literal() == "{{offset:1 buckets:[1]}}"
    assert histogram.compacted().positive == [(1, 1)]
    assert not histogram.same(histogram.compacted())
    with pytest.raises(ValueError, match="no such hint"):
        histogram.with_reset_hint("perhaps")
