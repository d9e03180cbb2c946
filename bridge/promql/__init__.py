"""PromQL as of Prometheus 3.14: from text to checked expressions, and to their values over series and time."""

from bridge.promql.errors import ParseError
from bridge.promql.options import ParserOptions
from bridge.promql.parser import parse_expr, parse_selector
from bridge.promql.pretty import prettify
from bridge.promql.printer import format_expr
from bridge.promql.translate import to_json

__all__ = ["ParseError", "ParserOptions", "format_expr", "parse_expr", "parse_selector", "prettify", "to_json"]
