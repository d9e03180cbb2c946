"""PromQL as of Prometheus 3.14: from text to checked expressions, and to their values over series and time."""

from bridge.promql.errors import ParseError
from bridge.promql.options import ParserOptions
from bridge.promql.parser import parse_expr, parse_selector

__all__ = ["ParseError", "ParserOptions", "parse_expr", "parse_selector"]
