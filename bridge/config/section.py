"""What all sections of the configuration share."""

from pydantic import BaseModel, ConfigDict, model_validator

__all__ = ["Section"]


class Section(BaseModel):
    """Unknown fields are refused, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_means_default(cls, value: object) -> object:
        """`push:` with nothing after it, as one writes while everything in it is commented out."""
        if value is None:
            return {}
        if isinstance(value, dict):
            known = {field.alias or name for name, field in cls.model_fields.items()}
            return {key: child for key, child in value.items() if child is not None or key not in known}
        return value
