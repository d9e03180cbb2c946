"""Which parts of the language may be used."""

from dataclasses import dataclass

__all__ = ["ParserOptions"]


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
