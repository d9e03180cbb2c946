"""`/features`: what can be asked for, under the names that Prometheus has for it."""

from collections.abc import Callable, Collection

from bridge.api.endpoint import Call
from bridge.api.envelope import Reply
from bridge.config import Settings
from bridge.promql import AGGREGATIONS, SIGNATURES, EngineOptions

__all__ = ["Features"]

Table = dict[str, bool]

BINARY = ("!=", "%", "*", "+", "-", "/", "<", "</", "<=", "==", ">", ">/", ">=", "^", "and", "atan2", "or", "unless")
MATCHING = ("!~", "=~", "@")
WORDS = (
    "at_modifier",
    "bool",
    "by",
    "group_left",
    "group_right",
    "ignoring",
    "negative_offset",
    "offset",
    "on",
    "per_query_lookback_delta",
    "subqueries",
    "without",
)


class Features:
    """What the endpoint does. `options` are those of the engine in force, `paths` what is answered below `/api/v1`."""

    def __init__(
        self, settings: Callable[[], Settings], options: Callable[[], EngineOptions], paths: Collection[str]
    ) -> None:
        self._settings = settings
        self._options = options
        self._paths = paths

    async def __call__(self, _call: Call) -> Reply:
        """By kind and name."""
        options = self._options()
        return Reply.of(
            {
                "api": self._api(),
                "prometheus": {"agent_mode": False, "server_mode": True},
                "promql": promql(options) | {"per_step_stats": self._settings().promql.per_step_stats},
                "promql_functions": functions(options),
                "promql_operators": operators(options),
                "tsdb": {"exemplar_storage": True, "isolation": True, "native_histograms": True, "st_storage": False},
            }
        )

    def _api(self) -> Table:
        web = self._settings().web
        return {
            "admin": web.enable_admin_api,
            "label_values_match": True,
            "lifecycle": web.enable_lifecycle,
            "otlp_write_receiver": "/api/v1/otlp/v1/metrics" in self._paths,
            "query_stats": True,
            "query_warnings": True,
            "remote_write_receiver": "/api/v1/write" in self._paths,
            "search": False,
            "time_range_labels": True,
            "time_range_series": True,
        }


def promql(options: EngineOptions) -> Table:
    """Modifiers and the like."""
    parser = options.parser
    return dict.fromkeys(WORDS, True) | {
        "anchored": parser.extended_range_selectors,
        "delayed_name_removal": options.delayed_name_removal,
        "duration_expr": parser.duration_expressions,
        "fill": parser.fill_modifiers,
        "fill_left": parser.fill_modifiers,
        "fill_right": parser.fill_modifiers,
        "smoothed": parser.extended_range_selectors,
        "type_and_unit_labels": options.type_and_unit_labels,
    }


def functions(options: EngineOptions) -> Table:
    """Those that may be called."""
    may = options.parser.experimental_functions
    return {name: may or not signature.experimental for name, signature in sorted(SIGNATURES.items())}


def operators(options: EngineOptions) -> Table:
    """Operators, aggregations among them."""
    may = options.parser.experimental_functions
    found = dict.fromkeys((*BINARY, *MATCHING), True)
    return found | {name: may or not aggregation.experimental for name, aggregation in sorted(AGGREGATIONS.items())}
