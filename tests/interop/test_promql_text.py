"""A real Prometheus reads our queries as we do: it lays them out as we do, parentheses, modifiers and all."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from bridge.promql import parse_expr, prettify
from tests.interop import dashboards
from tests.interop.peers import Prometheus
from tests.interop.vocabulary import OLD
from tests.promql.generate import Generator

pytestmark = pytest.mark.interop

GENERATED = 1500
LARGE = re.compile(r"[0-9.]+e\+[0-9]+")


def test_dashboards_and_generated_expressions_are_laid_out_alike(peer: Callable[[str], Path], tmp_path: Path) -> None:
    random = Random(242)
    texts = dashboards.queries()
    assert len(texts) > 500
    texts += [Generator(random, OLD, random.randrange(2, 6)).expression() for _ in range(GENERATED)]
    with Prometheus(peer("prometheus"), tmp_path, tmp_path / "data") as prometheus:
        for text in texts:
            theirs = prometheus.api("format_query", query=text)
            # 2.42 prints large numbers with an exponent, 3.14 no longer does.
            theirs = LARGE.sub(lambda match: f"{Decimal(match[0]):f}", theirs)
            assert prettify(parse_expr(text)) == theirs, text
