"""What a sink shows on /metrics, and that the identity can be checked there."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from bridge.forward import ForwardMetrics
from tests.edge.serving import until
from tests.forward import faults
from tests.forward.fake_influx import FakeInflux
from tests.forward.rig import rig

pytestmark = pytest.mark.anyio


async def test_the_identity_holds_on_the_metrics_alone(tmp_path: Path) -> None:
    fake = FakeInflux(version=2, conflicting=lambda line: "bad" if line.startswith("m,n=7 ") else None)
    async with rig(tmp_path, fake) as r:
        fake.faults.append(faults.answers(503))
        await r.push(20, value=lambda n: float("nan") if n == 3 else float(n))
        await r.drained()
        fake.always = faults.answers(401)
        await r.push(20)
        await until(lambda: r.sink.status().state == "held")

        registry = CollectorRegistry()
        ForwardMetrics(registry).add(r.sink)

        def value(name: str, **labels: str) -> float:
            found = registry.get_sample_value(f"pushbridge_sink_{name}", {"sink": "main", **labels})
            assert found is not None, name
            return found

        counted = {
            "sent_total": value("sent_total"),
            "unrepresentable_total": value("unrepresentable_total", reason="nan"),
            "expired_total": value("expired_total"),
            "dead_lettered_total": value("dead_lettered_total"),
            "pending": value("pending"),
        }
        assert counted == {
            "sent_total": 18,
            "unrepresentable_total": 1,
            "expired_total": 0,
            "dead_lettered_total": 1,
            "pending": 20,
        }
        assert sum(counted.values()) == r.registry.get_sample_value("pushbridge_head_samples_accepted")
        assert value("identity_ok") == 1
        assert (value("state", state="held"), value("state", state="up")) == (1, 0)
        assert value("dead_letters", state="waiting") == 1
        assert value("lag_seconds") > 1_000_000, "the test's samples are from 1970"
        fake.always = None
        await r.drained()
        assert value("lag_seconds") == 0


async def test_requests_are_counted_by_what_their_answers_meant(tmp_path: Path) -> None:
    async with rig(tmp_path) as r:
        r.fake.faults.extend([faults.answers(503), faults.answers(401)])
        await r.push(5)
        await r.check()

        def requests(kind: str) -> float | None:
            labels = {"sink": "main", "class": kind}
            return r.sink_registry.get_sample_value("pushbridge_sink_requests_total", labels)

        assert [requests(kind) for kind in ("retry", "hold", "ok", "poison")] == [1, 1, 1, None]
        seconds = r.sink_registry.get_sample_value("pushbridge_sink_request_seconds_count", {"sink": "main"})
        assert seconds == 3
