"""Relabelling rules, under the names and with the errors that Prometheus has for them."""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from bridge.config.section import Section
from bridge.config.types import Count, Kind
from bridge.native import RelabelRule

__all__ = ["RelabelConfig"]

Action = Annotated[
    str,
    AfterValidator(str.lower),
    Kind(
        "`replace`, `keep`, `drop`, `keepequal`, `dropequal`, `hashmod`, `labelmap`, `labeldrop`, `labelkeep`, "
        "`lowercase`, `uppercase`"
    ),
]


class RelabelConfig(Section):
    """One rule of a list of rules, which are applied in their order."""

    source_labels: tuple[str, ...] = Field((), description="Labels whose values, joined, are the rule's source.")
    separator: str = Field(";", description="What joins them.")
    regex: str = Field("(.*)", description="RE2 pattern for the source, or for names; anchored at both ends.")
    modulus: Count = Field(0, description="`hashmod`: the number of parts.")
    target_label: str = Field("", description="The label that is set, or compared with.")
    replacement: str = Field("$1", description="What it is set to; `$1` and `${name}` stand for groups of the pattern.")
    action: Action = Field("replace", description="What the rule does.")

    @model_validator(mode="after")
    def _is_a_rule(self) -> "RelabelConfig":
        self.rule()
        return self

    def rule(self) -> RelabelRule:
        """The same for the core. Raises ValueError."""
        return RelabelRule(
            action=self.action,
            source_labels=self.source_labels,
            separator=self.separator,
            regex=self.regex,
            modulus=self.modulus,
            target_label=self.target_label,
            replacement=self.replacement,
        )
