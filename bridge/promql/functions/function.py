"""What a function is to the evaluator."""

from collections.abc import Callable
from dataclasses import dataclass

from bridge.promql.ast import Call, Expr, Span, SubqueryExpr
from bridge.promql.evaluation import Evaluation
from bridge.promql.frame import Steps, Value

__all__ = ["Function", "Invocation"]


@dataclass(frozen=True, slots=True)
class Invocation:
    """A call of a function in a query."""

    evaluation: Evaluation
    node: Call
    steps: Steps

    @property
    def args(self) -> tuple[Expr, ...]:
        """The arguments as they are written."""
        return self.node.args

    @property
    def pos(self) -> Span:
        """Where the first argument stands: what annotations point at. A subquery has no place any more once it is
        evaluated: Prometheus says 1:1 then."""
        first = self.node.args[0]
        return (0, 0) if isinstance(first, SubqueryExpr) else first.pos


@dataclass(frozen=True, slots=True)
class Function:
    """A function of PromQL.

    Attributes:
        call: (the call, the values of the arguments) -> the value.
        keeps_name: the values are still the metric's own.
        varies: the time of the step decides, even where arguments are the same at each step.
        steady_of_selectors: but of a selector's own samples it gives the same where the selector does.
        takes_nodes: the arguments are given as they are written; the function evaluates them.
        reads_itself: the numbers of arguments that tell what to read, and are not read for their own sake.
        gathers: of many series it makes few.
        edges: ranges of which kind it takes beside plain ones: `anchored`, `smoothed`.
    """

    call: Callable[..., Value]
    keeps_name: bool = False
    varies: bool = False
    steady_of_selectors: bool = False
    takes_nodes: bool = False
    reads_itself: frozenset[int] = frozenset()
    gathers: bool = False
    edges: frozenset[str] = frozenset()
