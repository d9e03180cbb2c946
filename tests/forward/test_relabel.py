"""Rules through the door that Python has to them; what each action does is tested in the core."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config import RelabelConfig
from bridge.native import RelabelRule, relabel


def test_rules_in_order() -> None:
    rules = [
        RelabelConfig(source_labels=("a",), target_label="b", regex="(.)(.*)", replacement="${2}-$1").rule(),
        RelabelConfig(regex="a", action="labeldrop").rule(),
    ]
    assert relabel({"a": "xyz", "c": "1"}, rules) == {"b": "yz-x", "c": "1"}
    assert (
        relabel({"a": "xyz"}, [*rules, RelabelConfig(source_labels=("b",), regex="yz.*", action="drop").rule()]) is None
    )


def test_what_is_no_rule() -> None:
    with pytest.raises(ValueError, match="hashmod requires non-zero modulus"):
        RelabelRule(action="hashmod", target_label="x")


@given(st.text(max_size=20), st.integers(1, 1 << 63))
def test_hashmod_is_what_md5_says(text: str, modulus: int) -> None:
    rule = RelabelRule(action="hashmod", source_labels=["a"], modulus=modulus, target_label="h")
    digest = hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
    assert relabel({"a": text}, [rule]) == ({"a": text} if text else {}) | {
        "h": str(int.from_bytes(digest[8:], "big") % modulus)
    }
