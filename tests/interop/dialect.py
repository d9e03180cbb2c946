"""What can be asked of a Prometheus of some version, and where it may answer otherwise than we do."""

from __future__ import annotations

import itertools
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bridge.promql import ParseError, ParserOptions, parse_expr
from bridge.promql.ast import Expr
from tests.interop.accepted import ALWAYS, Accepted
from tests.interop.older import OLDER
from tests.interop.vocabulary import NEW, OLD
from tests.promql.generate import Generator, Vocabulary

__all__ = ["Dialect", "dialect_of"]

SAME = (3, 14)
"""The version that we are to equal."""
FEATURES = (
    *("promql-experimental-functions", "promql-duration-expr", "promql-extended-range-selectors"),
    *("promql-binop-fill-modifiers",),
)


@dataclass(frozen=True)
class Dialect:
    """The language of a Prometheus.

    Attributes:
        is_same: it is the version that we equal: words of errors and annotations are compared too.
        words: what expressions may say.
        features: flags that it is started with; `settings` are ours.
        accepted: where answers may differ.
    """

    is_same: bool
    words: Vocabulary
    features: Sequence[str]
    settings: str
    accepted: Sequence[Accepted]

    def generated(self, random: Random, count: int, depth: int = 5) -> list[str]:
        """Expressions that both know, of fewer levels than `depth`."""
        texts = (Generator(random, self.words, random.randrange(2, depth)).expression() for _ in itertools.count())
        return list(itertools.islice(filter(self.reads, texts), count))

    def reads(self, text: str) -> bool:
        """Not all that is generated can be read: an operator behind `offset (1m + 1m)` goes on with the duration."""
        try:
            self.parsed(text)
        except ParseError:
            return False
        return True

    def parsed(self, query: str) -> Expr:
        """The expression that a query is."""
        return parse_expr(query, ParserOptions.everything())

    def reason(self, expr: Expr, what: str) -> str:
        """Why answers may differ in this; "" when they may not."""
        found = (accepted for accepted in self.accepted if accepted.what.match(what) and accepted.where(expr))
        return next((accepted.why for accepted in found), "")


def dialect_of(program: Path) -> Dialect:
    """That of an installed Prometheus."""
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    version = re.search(r"version (\d+)\.(\d+)", told.stdout + told.stderr)
    assert version is not None, told
    if (int(version[1]), int(version[2])) >= SAME:
        return Dialect(True, NEW, FEATURES, "promql: {experimental: true}\n", ALWAYS)
    return Dialect(False, OLD, (), "", [*ALWAYS, *OLDER])
