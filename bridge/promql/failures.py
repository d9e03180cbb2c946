"""Why a query that is well written has no result.

BridgeError
└── QueryFailed          422  what it asks for makes no sense with these data
    ├── TooManySamples   422  it would take more than it may
    ├── TooManySeries    422  likewise
    ├── ResultTooLong    422  likewise
    ├── QueryTimeout     503
    └── QueryCanceled    499  nobody waits for it any more
"""

from bridge.errors import BridgeError

__all__ = ["QueryCanceled", "QueryFailed", "QueryTimeout", "ResultTooLong", "TooManySamples", "TooManySeries"]

WHERE = "expression evaluation"


class QueryFailed(BridgeError):
    """The evaluation met an error; the text is Prometheus' own.

    Attributes:
        rank: how many operators are evaluated before the one that met it; -1 where that is not known.
    """

    status = 422
    rank = -1


class TooManySamples(QueryFailed):
    """The query needs more samples at once than it may."""

    def __init__(self) -> None:
        super().__init__("query processing would load too many samples into memory in query execution")


class TooManySeries(QueryFailed):
    """Its selectors find more series than they may, all together."""

    def __init__(self) -> None:
        super().__init__("query processing would load too many series into memory in query execution")


class ResultTooLong(QueryFailed):
    """What it gives takes more bytes than it may."""

    def __init__(self, limit: object) -> None:
        super().__init__(f"the result takes more than {limit}")


class QueryTimeout(QueryFailed):
    """The query took longer than it may."""

    status = 503

    def __init__(self) -> None:
        super().__init__(f"query timed out in {WHERE}")


class QueryCanceled(QueryFailed):
    """The client has gone."""

    status = 499

    def __init__(self) -> None:
        super().__init__(f"query was canceled in {WHERE}")
