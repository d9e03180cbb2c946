"""The functions and aggregations of PromQL 3.14: what they take and what they give."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["AGGREGATIONS", "SIGNATURES", "Aggregation", "Signature", "ValueType", "documented"]

ValueType: TypeAlias = Literal["scalar", "vector", "matrix", "string"]


@dataclass(frozen=True, slots=True)
class Signature:
    """A function from outside.

    Attributes:
        args: the types of the arguments.
        variadic: 0 when each argument is due; n when the last may be left out, or be followed by n - 1 more of its
            type; -1 when any number more may follow.
        experimental: behind `ParserOptions.experimental_functions`.
    """

    name: str
    args: tuple[ValueType, ...]
    returns: ValueType = "vector"
    variadic: int = 0
    experimental: bool = False


@dataclass(frozen=True, slots=True)
class Aggregation:
    """An aggregation operator; `param` is the type of what comes before the vector, if anything does."""

    param: ValueType | None = None
    experimental: bool = False


def documented(kind: ValueType) -> str:
    """The type's name in the documentation and in errors."""
    return {"vector": "instant vector", "matrix": "range vector"}.get(kind, kind)


V: ValueType = "vector"
M: ValueType = "matrix"
S: ValueType = "scalar"
T: ValueType = "string"

OF_VECTOR = """
    abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor histogram_avg histogram_count
    histogram_stddev histogram_stdvar histogram_sum ln log10 log2 rad sgn sin sinh sort sort_desc sqrt tan tanh
    timestamp
"""
OF_VECTOR_OR_NOW = "day_of_month day_of_week day_of_year days_in_month hour minute month year"
OF_MATRIX = """
    absent_over_time avg_over_time changes count_over_time delta deriv first_over_time idelta increase irate
    last_over_time max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time
    sum_over_time
"""
OF_MATRIX_EXPERIMENTAL = """
    mad_over_time ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time
"""

SIGNATURES: dict[str, Signature] = {
    signature.name: signature
    for signature in (
        *(Signature(name, (V,)) for name in OF_VECTOR.split()),
        *(Signature(name, (V,), variadic=1) for name in OF_VECTOR_OR_NOW.split()),
        *(Signature(name, (M,)) for name in OF_MATRIX.split()),
        *(Signature(name, (M,), experimental=True) for name in OF_MATRIX_EXPERIMENTAL.split()),
        *(Signature(name, (), returns=S) for name in ("pi", "time")),
        *(Signature(name, (), returns=S, experimental=True) for name in ("start", "end", "range", "step")),
        *(Signature(name, (S, S), returns=S, experimental=True) for name in ("max_of", "min_of")),
        *(Signature(name, (V, T), variadic=-1, experimental=True) for name in ("sort_by_label", "sort_by_label_desc")),
        Signature("clamp", (V, S, S)),
        Signature("clamp_max", (V, S)),
        Signature("clamp_min", (V, S)),
        Signature("double_exponential_smoothing", (M, S, S), experimental=True),
        Signature("histogram_fraction", (S, S, V)),
        Signature("histogram_quantile", (S, V)),
        Signature("histogram_quantiles", (V, T, S, S), variadic=9, experimental=True),
        Signature("info", (V, V), variadic=1, experimental=True),
        Signature("label_join", (V, T, T, T), variadic=-1),
        Signature("label_replace", (V, T, T, T, T)),
        Signature("predict_linear", (M, S)),
        Signature("quantile_over_time", (S, M)),
        Signature("round", (V, S), variadic=1),
        Signature("scalar", (V,), returns=S),
        Signature("start_timestamp", (V,), experimental=True),
        Signature("vector", (S,)),
    )
}

AGGREGATIONS: dict[str, Aggregation] = {
    **{name: Aggregation() for name in ("avg", "count", "group", "max", "min", "stddev", "stdvar", "sum")},
    **{name: Aggregation(param="scalar") for name in ("bottomk", "quantile", "topk")},
    **{name: Aggregation(param="scalar", experimental=True) for name in ("limit_ratio", "limitk")},
    "count_values": Aggregation(param="string"),
}
