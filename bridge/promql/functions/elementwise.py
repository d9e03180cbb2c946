"""Functions of each float by itself. Histograms are nothing to them."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from bridge.promql.frame import Floats, Frame, Scalar
from bridge.promql.functions.function import Function, Invocation

__all__ = ["ELEMENTWISE"]

LARGE = 709.78
"""`exp` of more is infinite, half of it not yet."""

Map: TypeAlias = Callable[[Floats], Floats]


def elementwise(of: Map) -> Function:
    """`of` each float."""

    def call(_: Invocation, vector: Frame) -> Frame:
        floats = vector.floats()
        return replace(floats, values=of(floats.values))

    return Function(call)


def sinh(values: Floats) -> Floats:
    """As Go has it: infinite where half of `exp` would be."""
    return np.where(np.abs(values) > LARGE, np.copysign(np.exp(np.abs(values)), values), np.sinh(values))


def cosh(values: Floats) -> Floats:
    """Likewise."""
    return np.where(np.abs(values) > LARGE, np.exp(np.abs(values)), np.cosh(values))


def rounded(_: Invocation, vector: Frame, to: Scalar | None = None) -> Frame:
    """Half goes up. The inverse is used, as it loses less."""
    floats = vector.floats()
    inverse = 1.0 / (np.ones(vector.steps.count) if to is None else to.values)
    return replace(floats, values=np.floor(floats.values * inverse + 0.5) / inverse)


def clamp(_: Invocation, vector: Frame, least: Scalar, most: Scalar) -> Frame:
    """Nothing at steps where no number is at least the one and at most the other."""
    return clamped(vector, least.values, most.values)


def clamp_min(_: Invocation, vector: Frame, least: Scalar) -> Frame:
    """At least."""
    return clamped(vector, least.values, np.full(vector.steps.count, np.inf))


def clamp_max(_: Invocation, vector: Frame, most: Scalar) -> Frame:
    """At most."""
    return clamped(vector, np.full(vector.steps.count, -np.inf), most.values)


def larger(one: Floats, other: Floats) -> Floats:
    """The larger ones, as Go sees it: nothing is larger than infinity, not even what is no number."""
    return np.where((one == np.inf) | (other == np.inf), np.inf, np.maximum(one, other))


def smaller(one: Floats, other: Floats) -> Floats:
    """The smaller ones, likewise."""
    return np.where((one == -np.inf) | (other == -np.inf), -np.inf, np.minimum(one, other))


def clamped(vector: Frame, least: Floats, most: Floats) -> Frame:
    """Between two numbers at each step."""
    floats = vector.floats()
    bounded = replace(floats, values=larger(least, smaller(most, floats.values)))
    contradicting = most < least
    if not contradicting.any():
        return bounded
    return bounded.where(np.broadcast_to(~contradicting, bounded.shape))


ELEMENTWISE = {
    "abs": elementwise(np.abs),
    "acos": elementwise(np.arccos),
    "acosh": elementwise(np.arccosh),
    "asin": elementwise(np.arcsin),
    "asinh": elementwise(np.arcsinh),
    "atan": elementwise(np.arctan),
    "atanh": elementwise(np.arctanh),
    "ceil": elementwise(np.ceil),
    "clamp": Function(clamp),
    "clamp_max": Function(clamp_max),
    "clamp_min": Function(clamp_min),
    "cos": elementwise(np.cos),
    "cosh": elementwise(cosh),
    "deg": elementwise(lambda v: v * 180 / np.pi),
    "exp": elementwise(np.exp),
    "floor": elementwise(np.floor),
    "ln": elementwise(np.log),
    "log10": elementwise(np.log10),
    "log2": elementwise(np.log2),
    "rad": elementwise(lambda v: v * np.pi / 180),
    "round": Function(rounded),
    "sgn": elementwise(np.sign),
    "sin": elementwise(np.sin),
    "sinh": elementwise(sinh),
    "sqrt": elementwise(np.sqrt),
    "tan": elementwise(np.tan),
    "tanh": elementwise(np.tanh),
}
