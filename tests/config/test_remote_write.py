"""`remote_write` as people bring it from prometheus.yml, and what it refuses in Prometheus' words."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import RemoteWriteSink, load
from bridge.errors import ConfigError

WHOLE = """
global:
  external_labels: {dc: one}
remote_write:
  - url: https://h/api/v1/push?tenant=a
    name: long-term
    remote_timeout: 10s
    headers: {X-Scope-OrgID: me}
    protobuf_message: io.prometheus.write.v2.Request
    send_exemplars: true
    send_native_histograms: true
    write_relabel_configs:
      - {source_labels: [__name__, job], regex: 'go_.*;node', action: Drop}
      - {regex: pod_uid, action: labeldrop}
    queue_config: {capacity: 2500, max_shards: 200, min_shards: 2, max_samples_per_send: 500, batch_send_deadline: 5s,
                   min_backoff: 30ms, max_backoff: 100ms, retry_on_http_429: true, sample_age_limit: 1h}
    metadata_config: {send: false, send_interval: 5m, max_samples_per_send: 500}
    basic_auth: {username: u, password: p}
    tls_config: {insecure_skip_verify: true, server_name: other, min_version: TLS12}
    proxy_url: http://proxy:3128
    follow_redirects: false
    enable_http2: false
    round_robin_dns: true
  - url: http://127.0.0.1:9090/api/v1/write
"""


def read(path: Path, text: str) -> tuple[RemoteWriteSink, ...]:
    file = path / "bridge.yml"
    file.write_text(text)
    found = load(file).sinks
    return tuple(sink for sink in found if isinstance(sink, RemoteWriteSink))


def test_a_section_of_a_prometheus_is_taken_as_it_is(tmp_path: Path) -> None:
    first, second = read(tmp_path, WHOLE)
    assert (first.name, first.version, first.queue_config.max_shards) == ("long-term", 2, 200)
    assert first.external_labels == second.external_labels == {"dc": "one"}
    assert [rule.action for rule in first.write_relabel_configs] == ["drop", "labeldrop"]
    assert (second.version, second.remote_timeout.seconds, second.send_exemplars) == (1, 30.0, False)
    assert second.name.startswith("remote-")
    assert second == read(tmp_path, WHOLE)[1], "the name without one stays the same"


def test_other_external_labels_make_another_sink(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE)[1] != read(tmp_path, WHOLE.replace("dc: one", "dc: two"))[1]


REFUSED = {
    "headers: {Authorization: x}": "authorization header must be changed via the basic_auth",
    "headers: {content-type: x}": "content-type is a reserved header. It must not be changed",
    "protobuf_message: prometheus.Other": "protobuf_message",
    "basic_auth: {username: u}, authorization: {credentials: c}": "at most one of basic_auth, oauth2 & authorization",
    "basic_auth: {username: u, password: p, password_file: secret}": "at most one of password & password_file",
    "authorization: {type: Basic, credentials: c}": 'authorization type cannot be set to "basic"',
    "queue_config: {min_shards: 9, max_shards: 3}": "min_shards is greater than max_shards",
    "write_relabel_configs: [{action: hashmod, target_label: a}]": "hashmod requires non-zero modulus",
    "write_relabel_configs: [{action: replace}]": "replace action requires 'target_label' value",
    "write_relabel_configs: [{action: fly}]": 'unknown relabel action "fly"',
    "write_relabel_configs: [{regex: '(', action: labeldrop}]": "missing closing )",
    "write_relabel_config: []": 'did you mean "write_relabel_configs"?',
    "name: 'a/b'": "expected letters, digits",
}


@pytest.mark.parametrize(("setting", "problem"), REFUSED.items())
def test_what_is_refused(tmp_path: Path, setting: str, problem: str) -> None:
    (tmp_path / "secret").write_text("x")
    with pytest.raises(ConfigError) as refusal:
        read(tmp_path, f"remote_write: [{{url: http://h/w, {setting}}}]")
    assert problem in str(refusal.value)


def test_urls(tmp_path: Path) -> None:
    for url in ("ftp://h", "h:9090", "http://u:p@h/w"):
        with pytest.raises(ConfigError):
            read(tmp_path, f"remote_write: [{{url: '{url}'}}]")


def test_names_differ_among_all_sinks(tmp_path: Path) -> None:
    text = "influxdb: [{name: a, url: http://h, db: d}]\nremote_write: [{name: a, url: http://h/w}]"
    with pytest.raises(ConfigError, match="each sink needs a name of its own: a"):
        read(tmp_path, text)
