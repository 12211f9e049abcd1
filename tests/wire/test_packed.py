"""MessagePack: the vectors, and that nothing is lost or made up on the way there and back."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import BadMessage
from headway.wire.native import decode_client
from headway.wire.packed import pack, unpack

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "spec/vectors/msgpack.json").read_text(encoding="utf-8")
)

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


def cases(part: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in VECTORS[part]])


@cases("server")
def test_what_the_server_says(case: dict[str, Any]) -> None:
    assert pack(case["message"].encode()).hex() == case["hex"]


@cases("client")
def test_what_clients_say(case: dict[str, Any]) -> None:
    unpacked = unpack(bytes.fromhex(case["hex"]))
    assert json.loads(unpacked) == json.loads(case["message"])
    assert decode_client(unpacked) == decode_client(case["message"].encode())


@cases("refused")
def test_what_is_no_message(case: dict[str, Any]) -> None:
    with pytest.raises(BadMessage):
        decode_client(unpack(bytes.fromhex(case["hex"])))


@given(plain)
def test_packed_means_the_same(value: Any) -> None:
    assert msgspec.msgpack.decode(pack(json.dumps(value).encode())) == _as_read(value)


@given(plain)
def test_unpacked_means_the_same(value: Any) -> None:
    value = _as_read(value)
    unpacked = unpack(msgspec.msgpack.encode(value))
    assert json.loads(unpacked) == value


@given(st.binary(max_size=200))
def test_whatever_comes_is_json_or_nothing(data: bytes) -> None:
    unpacked = unpack(data)
    if unpacked:
        json.loads(unpacked)


def test_a_number_that_no_float_holds() -> None:
    packed = pack(b'{"n":1%b,"m":-1%b}' % (b"0" * 400, b"0" * 400))
    assert msgspec.msgpack.decode(packed) == {"n": math.inf, "m": -math.inf}


def _as_read(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_read(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_read(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**64:
        return float(value)
    return value
