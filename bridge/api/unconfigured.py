"""What Prometheus answers about scraping, rules and alerting where none of it is configured: nothing there.

As long as the bridge neither scrapes nor evaluates rules, that is the truth about it, and clients that ask for
everything, as Grafana does, are content.
"""

from collections.abc import Mapping

from bridge.api.endpoint import Call, Work
from bridge.api.envelope import Reply
from bridge.api.parameters import invalid
from bridge.api.selectors import selectors
from bridge.errors import BadInput

__all__ = ["unconfigured"]

TYPES = {"", "alert", "record"}


def unconfigured() -> Mapping[str, Work]:
    """What the endpoints do, by their path below `/api/v1`. All are for GET."""
    return {
        "/targets": _targets,
        "/targets/metadata": _constantly([]),
        "/targets/relabel_steps": _unknown_pool,
        "/scrape_pools": _constantly({"scrapePools": []}),
        "/scrape_pools/config": _unknown_pool,
        "/alertmanagers": _constantly({"activeAlertmanagers": [], "droppedAlertmanagers": []}),
        "/alerts": _constantly({"alerts": []}),
        "/rules": _rules,
        "/notifications": _constantly([]),
    }


def _constantly(value: object) -> Work:
    reply = Reply.of(value)

    async def answer(_call: Call) -> Reply:
        return reply

    return answer


async def _targets(call: Call) -> Reply:
    state = call.first("state").lower()
    counts: Mapping[str, int] | None = {} if state in {"", "any", "dropped"} else None
    return Reply.of({"activeTargets": [], "droppedTargets": [], "droppedTargetCounts": counts})


async def _unknown_pool(call: Call) -> Reply:
    pool = call.first("scrapePool")
    if not pool:
        raise BadInput("no scrapePool parameter provided")
    raise BadInput(f'error retrieving scrape config: scrape pool "{pool}" not found')


async def _rules(call: Call) -> Reply:
    selectors(call.all("match[]"))
    kind = call.first("type").lower()
    if kind not in TYPES:
        raise invalid("type", f'not supported value "{kind}"')
    return Reply.of({"groups": []})
