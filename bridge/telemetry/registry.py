"""The registry of own metrics: made once by the app and passed to whoever counts; there is no global one."""

import platform

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from bridge import __version__

__all__ = ["new_registry"]


def new_registry() -> CollectorRegistry:
    """An empty registry but for what describes the process: `process_*`, `python_*`, `pushbridge_build_info`."""
    disable_created_metrics()  # type: ignore[no-untyped-call]  # they would double the page, and the process' start time says the same
    registry = CollectorRegistry(auto_describe=True)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    build = Gauge(
        "pushbridge_build_info",
        "Always 1; the labels say what is running.",
        ("version", "python"),
        registry=registry,
    )
    build.labels(__version__, platform.python_version()).set(1)
    return registry
