"""Requests in the shape in which other senders make them: headers and encodings as in their sources."""

from __future__ import annotations

from pathlib import Path

import pytest
import snappy
import zstandard

from tests.remote_write.writing import Series, now_ms, v1, writer

pytestmark = pytest.mark.anyio

# VictoriaMetrics, app/vmagent/remotewrite/client.go: zstd first, and snappy once that is answered with 415 or 400.
VMAGENT = {"User-Agent": "vmagent", "Content-Type": "application/x-protobuf"}
VMAGENT_ZSTD = {**VMAGENT, "Content-Encoding": "zstd", "X-VictoriaMetrics-Remote-Write-Version": "1"}
VMAGENT_SNAPPY = {**VMAGENT, "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}
# Telegraf, plugins/outputs/http with data_format = "prometheusremotewrite"; headers as its README has them.
TELEGRAF = {
    "User-Agent": "Telegraf/1.31.0 Go/1.22.4",
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
# Grafana Alloy and the OpenTelemetry collector's exporter.
COLLECTOR = {**TELEGRAF, "User-Agent": "otelcol-contrib/0.110.0 (linux/amd64)"}


async def test_vmagent_is_told_to_send_snappy(tmp_path: Path) -> None:
    now = now_ms()
    async with writer(tmp_path) as edge:
        labels = [("__name__", "up"), ("instance", "host:9100"), ("job", "node")]
        block = snappy.uncompress(v1(Series(labels, [(now, 1.0), (now + 15_000, 1.0)])))
        assert (await edge.post(zstandard.compress(block), VMAGENT_ZSTD)).status == 415
        assert (await edge.post(snappy.compress(block), VMAGENT_SNAPPY)).status == 204
        assert len(edge.lines) == 2
        async with edge.session.get("/?get_vm_proto_version=1") as answer:
            assert answer.status == 405, "old vmagents ask so, and take anything but 200 for a no"


@pytest.mark.parametrize("headers", [TELEGRAF, COLLECTOR], ids=["telegraf", "collector"])
async def test_others_send_snappy(tmp_path: Path, headers: dict[str, str]) -> None:
    now = now_ms()
    async with writer(tmp_path) as edge:
        labels = [("__name__", "cpu_usage_idle"), ("cpu", "cpu0"), ("host", "h")]
        body = v1(Series(labels, [(now, 99.5)]), Series([*labels[:2], ("host", "i")], [(now, 98.0)]))
        assert (await edge.post(body, headers)).status == 204
        assert (await edge.post(body, headers)).status == 204, "Telegraf sends its whole buffer again after an error"
        assert edge.lines == [
            f'{{__name__="cpu_usage_idle", cpu="cpu0", host="h"}} 99.5 {now}',
            f'{{__name__="cpu_usage_idle", cpu="cpu0", host="i"}} 98 {now}',
        ]
