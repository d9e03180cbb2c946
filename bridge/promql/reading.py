"""Which samples an expression needs, so that they are read at once, and those of one moment."""

from collections.abc import Iterable, Iterator

from bridge.promql.ast import Call, Expr, MatrixSelector, StepInvariant, SubqueryExpr, VectorSelector, children
from bridge.promql.evaluation import Read
from bridge.promql.frame import Steps
from bridge.promql.functions import FUNCTIONS
from bridge.promql.selection import bounds_of, read_of
from bridge.promql.subquery import inner_steps

__all__ = ["reads", "shared"]


def reads(node: Expr, steps: Steps, lookback: int, subquery_step: int) -> Iterator[Read]:
    """What all selectors of an expression need, except those that depend on what others find."""
    match node:
        case VectorSelector():
            yield read_of(node, steps, 0, lookback)
        case MatrixSelector():
            yield read_of(node.selector, steps, node.range, lookback)
        case SubqueryExpr():
            inside = inner_steps(*bounds_of(node, steps), node, subquery_step)
            if inside is not None:
                yield from reads(node.expr, inside, lookback, subquery_step)
        case StepInvariant():
            yield from reads(node.expr, steps.first(), lookback, subquery_step)
        case Call():
            for place, arg in enumerate(node.args):
                if place not in FUNCTIONS[node.function.name].reads_itself:
                    yield from reads(arg, steps, lookback, subquery_step)
        case _:
            for child in children(node):
                yield from reads(child, steps, lookback, subquery_step)


def shared(wanted: Iterable[Read]) -> list[Read]:
    """The same samples, those of one selector read at once where their times meet."""
    found: list[Read] = []
    for read in sorted(dict.fromkeys(wanted), key=lambda read: (read.matchers, read.mint)):
        last = found[-1] if found else None
        if last is not None and last.matchers == read.matchers and read.mint <= last.maxt + 1:
            found[-1] = Read(read.matchers, last.mint, max(last.maxt, read.maxt))
        else:
            found.append(read)
    return found
