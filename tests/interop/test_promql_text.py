"""A real Prometheus reads our queries as we do: it lays them out as we do, parentheses, modifiers and all. One of our
version takes them apart as we do too, and refuses what is none with the same words.
"""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from bridge.promql import ParseError, prettify, to_json
from tests.interop import dashboards
from tests.interop.dialect import Dialect, dialect_of
from tests.interop.peers import Prometheus
from tests.promql.broken import broken

pytestmark = pytest.mark.interop

GENERATED = 1500
BROKEN = 3000
LARGE = re.compile(r"[0-9.]+e\+[0-9]+")


def test_dashboards_and_generated_expressions_are_laid_out_alike(peer: Callable[[str], Path], tmp_path: Path) -> None:
    dialect = dialect_of(peer("prometheus"))
    texts = dashboards.queries()
    assert len(texts) > 500
    texts += dialect.generated(Random(242), GENERATED, 6)
    with Prometheus(peer("prometheus"), tmp_path, tmp_path / "data", features=dialect.features) as prometheus:
        for text in texts:
            theirs = prometheus.api("format_query", query=text)
            # 2.42 prints large numbers with an exponent, 3.14 no longer does.
            theirs = theirs if dialect.is_same else LARGE.sub(lambda match: f"{Decimal(match[0]):f}", theirs)
            assert prettify(dialect.parsed(text)) == theirs, text


def test_texts_are_read_and_refused_alike(peer: Callable[[str], Path], tmp_path: Path) -> None:
    dialect = dialect_of(peer("prometheus"))
    if not dialect.is_same:
        pytest.skip("an older Prometheus has other words for mistakes")
    random = Random(314)
    texts = [broken(random, text) for text in dialect.generated(random, BROKEN, 4)]
    with Prometheus(peer("prometheus"), tmp_path, tmp_path / "data", features=dialect.features) as prometheus:
        for text in texts:
            _, body = prometheus.get(f"/api/v1/parse_query?{urllib.parse.urlencode({'query': text})}")
            answer = json.loads(body)
            theirs = answer.get("data", answer.get("error", "").removeprefix('invalid parameter "query": '))
            assert read(dialect, text) == theirs or ("offset" in text and "NaN" in text), text


def read(dialect: Dialect, text: str) -> object:
    """What we make of a text: objects, or what is wrong with it."""
    try:
        return to_json(dialect.parsed(text))
    except ParseError as error:
        return str(error)
