"""Prometheus' HTTP API as a table: what is asked for under which path."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp

from bridge.api.browse import Browse
from bridge.api.endpoint import Endpoint, Work
from bridge.api.exemplars import Exemplars
from bridge.api.expressions import Expressions
from bridge.api.facts import Facts
from bridge.api.features import Features
from bridge.api.notes import Metadata
from bridge.api.query import Queries
from bridge.api.unconfigured import unconfigured
from bridge.edge import Gate

__all__ = ["Works", "api_routes"]

API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Works:
    """What the endpoints do."""

    queries: Queries
    expressions: Expressions
    exemplars: Exemplars
    browse: Browse
    metadata: Metadata
    facts: Facts
    features: Features


def api_routes(works: Works, gate: Gate) -> Mapping[str, ASGIApp]:
    """The endpoints by path, without the route prefix. `{name}` stands for one component of a path."""
    forms: dict[str, Work] = {
        "/query": works.queries.instant,
        "/query_range": works.queries.range,
        "/query_exemplars": works.exemplars,
        "/format_query": works.expressions.format,
        "/parse_query": works.expressions.parse,
        "/series": works.browse.series,
        "/labels": works.browse.labels,
    }
    plain: dict[str, Work] = {
        "/label/{name}/values": works.browse.values,
        "/metadata": works.metadata,
        "/features": works.features,
        "/status/config": works.facts.config,
        "/status/flags": works.facts.flags,
        "/status/runtimeinfo": works.facts.runtimeinfo,
        "/status/buildinfo": works.facts.buildinfo,
        **unconfigured(),
    }
    return {
        **{API + path: Endpoint(work, gate) for path, work in forms.items()},
        **{API + path: Endpoint(work, gate, post=False) for path, work in plain.items()},
    }
