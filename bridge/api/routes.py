"""Prometheus' HTTP API as a table: what is asked for under which path."""

from collections.abc import Mapping

from starlette.types import ASGIApp

from bridge.api.browse import Browse
from bridge.api.endpoint import Endpoint, Work
from bridge.api.facts import Facts
from bridge.api.notes import Metadata
from bridge.api.unconfigured import unconfigured
from bridge.edge import Gate

__all__ = ["api_routes"]

API = "/api/v1"


def api_routes(browse: Browse, metadata: Metadata, facts: Facts, gate: Gate) -> Mapping[str, ASGIApp]:
    """The endpoints by path, without the route prefix. `{name}` stands for one component of a path."""
    forms: dict[str, Work] = {
        "/series": browse.series,
        "/labels": browse.labels,
    }
    plain: dict[str, Work] = {
        "/label/{name}/values": browse.values,
        "/metadata": metadata,
        "/status/config": facts.config,
        "/status/flags": facts.flags,
        "/status/runtimeinfo": facts.runtimeinfo,
        "/status/buildinfo": facts.buildinfo,
        **unconfigured(),
    }
    return {
        **{API + path: Endpoint(work, gate) for path, work in forms.items()},
        **{API + path: Endpoint(work, gate, post=False) for path, work in plain.items()},
    }
