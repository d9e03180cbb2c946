"""`/format_query` and `/parse_query`: expressions laid out, and taken apart."""

from collections.abc import Callable

from anyio import to_thread

from bridge.api.endpoint import Call
from bridge.api.envelope import Reply
from bridge.api.parameters import expression, invalid
from bridge.errors import BadInput
from bridge.promql import Expr, ParserOptions, parse_expr, prettify, to_json

__all__ = ["Expressions"]

Options = Callable[[], ParserOptions]


class Expressions:
    """What the endpoints do. `options` say which parts of the language may be used."""

    def __init__(self, options: Options) -> None:
        self._options = options

    async def format(self, call: Call) -> Reply:
        """`query` on as many lines as it needs."""
        return await self._answer(call, lambda expr: Reply.of(prettify(expr)))

    async def parse(self, call: Call) -> Reply:
        """`query` as a tree."""
        return await self._answer(call, lambda expr: Reply.of(to_json(expr)))

    async def _answer(self, call: Call, tell: Callable[[Expr], Reply]) -> Reply:
        options, text = self._options(), expression(call)
        try:
            return await to_thread.run_sync(lambda: tell(parse_expr(text, options)))
        except BadInput as error:
            raise invalid("query", error) from None
