"""All kinds of sinks, and one way to try each: what is done to one is done to all."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge.clock import Clock
from bridge.forward import Pace
from tests.forward.fake_influx import FakeInflux
from tests.forward.fake_receiver import FakeReceiver
from tests.forward.remote_rig import V2, RemoteRig
from tests.forward.rig import FAST, Rig, rig_of

__all__ = ["KINDS", "Kind"]


@dataclass(frozen=True)
class Kind:
    """One kind: its rig, the fake that it sends to, and the settings that make it one of its kind."""

    rig: type[Rig]
    version: int
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_remote(self) -> bool:
        """True for remote write."""
        return self.rig is RemoteRig

    @property
    def timeout(self) -> str:
        """What this kind calls the time that a request may take."""
        return "remote_timeout" if self.is_remote else "timeout"

    def fake(self) -> Any:
        """A sink that is well."""
        return FakeReceiver() if self.is_remote else FakeInflux(version=self.version)  # type: ignore[arg-type]

    def running(
        self, folder: Path, fake: Any, *, pace: Pace | None = FAST, clock: Clock | None = None, **settings: Any
    ) -> AbstractAsyncContextManager[Rig]:
        """A rig that sends to `fake`; `timeout` stands for what the kind calls so."""
        if "timeout" in settings:
            settings[self.timeout] = settings.pop("timeout")
        return rig_of(self.rig, folder, fake, pace, clock, **dict(self.settings) | settings)


KINDS = {
    "influxdb v1": Kind(Rig, 1, {"gzip": "false"}),
    "influxdb v2": Kind(Rig, 2, {"gzip": "false"}),
    "influxdb v3": Kind(Rig, 3, {"gzip": "false"}),
    "remote write 1.0": Kind(RemoteRig, 1, {"protobuf_message": "prometheus.WriteRequest"}),
    "remote write 2.0": Kind(RemoteRig, 2, {"protobuf_message": V2}),
}
