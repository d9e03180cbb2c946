"""PromQL as of Prometheus 3.14: from text to checked expressions, and to their values over series and time.

What needs numpy is imported when it is first asked for. It takes 19 MB and a good part of a second, which a bridge that
nobody queries need not have.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from bridge.promql.ast import Expr
from bridge.promql.errors import ParseError
from bridge.promql.failures import QueryFailed, QueryTimeout, TooManySamples, TooManySeries
from bridge.promql.limits import Limits
from bridge.promql.numbers import format_float
from bridge.promql.options import EngineOptions, ParserOptions
from bridge.promql.parser import parse_expr, parse_selector
from bridge.promql.patterns import matches_empty
from bridge.promql.pretty import prettify
from bridge.promql.printer import format_expr
from bridge.promql.signatures import AGGREGATIONS, SIGNATURES
from bridge.promql.translate import to_json
from bridge.promql.walk import matchers_of

if TYPE_CHECKING:
    from bridge.promql.engine import Engine
    from bridge.promql.evaluation import Read, Select
    from bridge.promql.result import Result

__all__ = [
    "AGGREGATIONS",
    "SIGNATURES",
    "Engine",
    "EngineOptions",
    "Expr",
    "Limits",
    "ParseError",
    "ParserOptions",
    "QueryFailed",
    "QueryTimeout",
    "Read",
    "Result",
    "Select",
    "TooManySamples",
    "TooManySeries",
    "format_expr",
    "format_float",
    "matchers_of",
    "matches_empty",
    "parse_expr",
    "parse_selector",
    "prettify",
    "to_json",
]

LATER = {"Engine": "engine", "Read": "evaluation", "Select": "evaluation", "Result": "result"}


def __getattr__(name: str) -> object:
    """Import it now."""
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{LATER[name]}"), name)
