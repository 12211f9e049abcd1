"""What the vectors cannot say: secrecy, hostile input, and that nothing but the declared errors comes out."""

from __future__ import annotations

import contextlib
import io
import json
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.pretty import pretty_repr

from headway.errors import BadMessage, HeadwayError, InvalidField, UnknownType
from headway.wire.client_messages import Auth, Subscribe, decode_client

SECRET = "eyJ-very-secret-token"

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
types = st.sampled_from(
    ["auth", "subscribe", "unsubscribe", "cancel", "pause", "resume", "read", "ping", "x"]
)
names = ["id", "channel", "task", "cursor", "filter", "max_hz", "log", "ref", "notifications", "token"]


def test_a_token_is_in_no_repr() -> None:
    message = decode_client(json.dumps({"type": "auth", "token": SECRET}).encode())
    assert message == Auth(SECRET)
    for shown in (repr(message), str(message), f"{message}", pretty_repr(message), repr([message])):
        assert SECRET not in shown


@pytest.mark.parametrize(
    "data",
    [
        json.dumps({"type": "auth", "token": SECRET * 500}).encode(),
        json.dumps({"type": "auth", "token": [SECRET]}).encode(),
        b'{"type":"auth","token":"' + SECRET.encode() + b'\xff"}',
        b'{"type":"auth","token":"' + SECRET.encode(),
        json.dumps({"type": "read", "notifications": SECRET}).encode(),
        json.dumps({"type": SECRET}).encode(),
    ],
)
def test_a_token_is_in_no_error(data: bytes) -> None:
    with pytest.raises(HeadwayError) as caught:
        decode_client(data)
    error: BaseException = caught.value
    assert error.__context__ is None
    assert error.__cause__ is None
    written = io.StringIO()
    traceback.print_exception(error, file=written)
    assert SECRET not in written.getvalue() + repr(error) + repr(caught.value.body())


def test_an_error_tells_which_message_it_means() -> None:
    with pytest.raises(InvalidField) as caught:
        decode_client(b'{"type":"cancel","task":5,"ref":"r1","id":[]}')
    assert caught.value.details == {"field": "task", "ref": "r1"}


@pytest.mark.parametrize("field", ["cursor", "unknown", "filter", "id"])
def test_nesting_without_end_is_a_bad_message(field: str) -> None:
    deep = b"[" * 30_000 + b"]" * 30_000
    with pytest.raises((BadMessage, InvalidField)):
        decode_client(b'{"type":"subscribe","channel":"public","id":1,"%b":%b}' % (field.encode(), deep))


@pytest.mark.parametrize(
    "place", [" - at `$.", "` - at `$.id", " - at `$", "Object missing required field `"]
)
def test_a_type_that_imitates_an_error_text_is_only_unknown(place: str) -> None:
    for kind in (place, place + "a" * 60_000, place * 5000):
        with pytest.raises(UnknownType):
            decode_client(json.dumps({"type": kind}).encode())


def test_an_error_does_not_repeat_a_long_value() -> None:
    with pytest.raises(InvalidField) as caught:
        decode_client(json.dumps({"type": "read", "notifications": "x" * 60_000}).encode())
    assert len(caught.value.message) < 200


@given(st.binary(max_size=200))
def test_any_bytes_are_understood_or_refused(data: bytes) -> None:
    with contextlib.suppress(BadMessage, UnknownType, InvalidField):
        decode_client(data)


@given(types, st.dictionaries(st.sampled_from(names), values))
def test_any_object_is_understood_or_refused(kind: str, rest: dict[str, Any]) -> None:
    with contextlib.suppress(InvalidField, UnknownType):
        message = decode_client(json.dumps({"type": kind, **rest}).encode())
        assert type(message).__name__.lower() == kind


@given(values)
def test_no_cursor_is_an_error(cursor: object) -> None:
    text = json.dumps({"type": "subscribe", "id": 1, "channel": "public", "cursor": cursor})
    message = decode_client(text.encode())
    assert isinstance(message, Subscribe)
    assert message.cursor is None or str(message.cursor) == cursor
