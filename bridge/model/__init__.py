"""The small vocabulary that every floor above shares: units of time and size, and series selectors."""

from bridge.model.escaping import unescape_name
from bridge.model.selector import Matcher, parse_selector
from bridge.model.units import format_duration, format_size, parse_duration, parse_size, parse_time

__all__ = [
    "Matcher",
    "format_duration",
    "format_size",
    "parse_duration",
    "parse_selector",
    "parse_size",
    "parse_time",
    "unescape_name",
]
