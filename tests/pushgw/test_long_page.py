"""A page of many pieces is one page."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Callable, Iterable, Iterator

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from tests.bridge_process import BridgeProcess

GROUPS, FAMILIES = 200, 40
PIECE = 256 << 10


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    body = "".join(f"# TYPE metric_{n} gauge\nmetric_{n}{{shard='a'}} {n}\n".replace("'", '"') for n in range(FAMILIES))
    body += "# TYPE large gauge\n" + "".join(f'large{{n="{n}"}} {n}\n' for n in range(40))
    with BridgeProcess(tmp_path_factory.mktemp("long")) as process:
        for n in range(GROUPS):
            assert process.request("PUT", f"/metrics/job/job{n}", body).status == 200
        yield process


FORMATS: dict[str, Callable[[str], Iterable[Metric]]] = {
    "text/plain": parse_text,
    "application/openmetrics-text": parse_openmetrics,
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_every_series_is_there_once_in_one_family(bridge: BridgeProcess, form: str, encoding: str) -> None:
    answer = bridge.request("GET", "/metrics", headers={"Accept": form, "Accept-Encoding": encoding})
    assert answer.status == 200
    body = gzip.decompress(answer.body) if encoding == "gzip" else answer.body
    assert len(body) > 2 * PIECE
    # The parser makes a family of each run of samples: one that is torn would come twice.
    families = list(FORMATS[form](body.decode()))
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    found = {family.name: family.samples for family in families}
    for n in range(FAMILIES):
        assert [sample.value for sample in found[f"metric_{n}"]] == [n] * GROUPS
    large = [(sample.labels["job"], sample.labels["n"]) for sample in found["large"]]
    assert sorted(large) == sorted(itertools.product((f"job{n}" for n in range(GROUPS)), map(str, range(40))))


def test_names_that_are_asked_for_alone_come_alone(bridge: BridgeProcess) -> None:
    body = bridge.request("GET", "/metrics?name[]=large&name[]=metric_7").text
    assert {family.name for family in parse_text(body)} == {"large", "metric_7"}
