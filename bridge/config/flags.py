"""Settings as flags."""

from bridge.config.models import Settings

__all__ = ["flags"]


def flags(settings: Settings) -> dict[str, str]:
    """Settings as `section.name: value`, secrets hidden, as Pushgateway shows its flags."""
    made: dict[str, str] = {}

    def walk(prefix: str, value: object) -> None:
        if isinstance(value, dict):
            for name, child in value.items():
                walk(f"{prefix}.{name}" if prefix else str(name), child)
        elif isinstance(value, (list, tuple)):
            for i, child in enumerate(value):
                walk(f"{prefix}.{i}", child)
        elif value is not None:
            made[prefix] = str(value)

    walk("", settings.model_dump(by_alias=True))
    return made
