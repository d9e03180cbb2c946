"""What Prometheus answers about scraping, rules and alerting where none of it is configured: nothing there.

As long as the bridge neither scrapes nor evaluates rules, that is the truth about it, and clients that ask for
everything, as Grafana does, are content.
"""

from collections.abc import Mapping

from bridge.api.endpoint import Call, Work
from bridge.api.envelope import Reply
from bridge.api.parameters import INTEGER, invalid
from bridge.api.selectors import selectors
from bridge.errors import BadInput

__all__ = ["unconfigured"]

TYPES = {"", "alert", "record"}


def unconfigured() -> Mapping[str, Work]:
    """What the endpoints do, by their path below `/api/v1`. All are for GET."""
    return {
        "/targets": _targets,
        "/targets/metadata": _targets_metadata,
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


async def _targets_metadata(call: Call) -> Reply:
    given = call.first("limit")
    if given and not INTEGER.fullmatch(given):
        raise BadInput("limit must be a number")
    try:
        selectors([target] if (target := call.first("match_target")) else [])
    except BadInput as error:
        raise invalid("match_target", error) from None
    return Reply.of([])


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
    most, token = call.first("group_limit"), call.first("group_next_token")
    if token and not most:
        raise invalid("group_next_token", "group_limit needs to be present in order to paginate over the groups")
    if most and not INTEGER.fullmatch(most):
        parsing = f'strconv.ParseInt: parsing "{most}": invalid syntax'
        raise invalid("group_limit", f"group_limit needs to be a valid number: {parsing}")
    if most and int(most[:19]) <= 0:
        raise invalid("group_limit", "group_limit needs to be greater than 0")
    if token:
        raise invalid("group_next_token", f"invalid group_next_token '{token}'. were rule groups changed?")
    return Reply.of({"groups": []})
