"""Which parts of the language may be used."""

from dataclasses import dataclass

__all__ = ["EngineOptions", "ParserOptions"]


@dataclass(frozen=True, slots=True)
class ParserOptions:
    """The features that Prometheus 3.14 keeps behind flags; the defaults are its own.

    Attributes:
        experimental_functions: `info`, `limitk` and the others that `signatures` calls experimental.
        duration_expressions: arithmetic in ranges, steps and offsets.
        extended_range_selectors: `anchored` and `smoothed`.
        fill_modifiers: `fill`, `fill_left` and `fill_right` of binary operators.
    """

    experimental_functions: bool = False
    duration_expressions: bool = True
    extended_range_selectors: bool = False
    fill_modifiers: bool = False

    @classmethod
    def everything(cls) -> "ParserOptions":
        """All features on."""
        return cls(
            experimental_functions=True,
            duration_expressions=True,
            extended_range_selectors=True,
            fill_modifiers=True,
        )


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How expressions are evaluated; the defaults are Prometheus'.

    Attributes:
        parser: what may be written.
        lookback: ms for which a sample counts as the latest one, unless a query says otherwise.
        subquery_step: ms between the steps of a subquery that names none: Prometheus' evaluation interval.
        delayed_name_removal: a metric's name goes in the end of a query only, so that it can still be joined by.
        type_and_unit_labels: `__type__` tells counters, instead of the ends of names.
        start_timestamps: `rate`, `increase`, `irate` and `resets` heed when counters began.
        block_steps: how many steps are evaluated at a time, in tests; 0: as many as are good.
    """

    parser: ParserOptions = ParserOptions()
    lookback: int = 300_000
    subquery_step: int = 60_000
    delayed_name_removal: bool = False
    type_and_unit_labels: bool = False
    start_timestamps: bool = False
    block_steps: int = 0

    @classmethod
    def everything(cls) -> "EngineOptions":
        """All features on, as Prometheus' own tests have them."""
        return cls(ParserOptions.everything(), delayed_name_removal=True, start_timestamps=True)
