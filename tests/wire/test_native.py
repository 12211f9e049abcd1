"""The vectors of the native protocol, which the TypeScript client runs too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headway import errors
from headway.errors import HeadwayError
from headway.model.channel import is_channel
from headway.model.cursor import Cursor
from headway.wire import client_messages, native, server_messages
from headway.wire.native import Subscribe, decode_client, encode_id

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "spec/vectors/native.json").read_text(encoding="utf-8")
)


def cases(part: str, name: str = "name") -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "case", [pytest.param(case, id=repr(case[name])[:60]) for case in VECTORS[part]]
    )


def fields(message: native.ClientMessage) -> Any:
    plain = msgspec.to_builtins(message)
    if isinstance(message, Subscribe) and message.cursor is not None:
        plain["cursor"] = str(message.cursor)
    return {name: value for name, value in plain.items() if value is not None}


def understood(text: str) -> Any:
    try:
        return fields(decode_client(text.encode()))
    except HeadwayError as refusal:
        echoed = {key: value for key, value in refusal.details.items() if key in ("field", "id", "ref")}
        return {"error": refusal.code, **echoed}


def same(found: Any, expected: Any) -> bool:
    """Equal in value and in JSON type: to Python 1, 1.0 and True are one."""
    if isinstance(expected, bool) or isinstance(found, bool) or isinstance(expected, str):
        return found is expected or (found == expected and type(found) is type(expected))
    if isinstance(expected, dict):
        return (
            isinstance(found, dict)
            and found.keys() == expected.keys()
            and all(same(found[key], expected[key]) for key in expected)
        )
    if isinstance(expected, list):
        return isinstance(found, list | tuple) and list(found) == expected
    return bool(found == expected)


@cases("client")
def test_client_message(case: dict[str, Any]) -> None:
    found = understood(case["message"])
    assert same(found, case["expect"]), found


@cases("client")
def test_canonical_message_is_its_own_expectation(case: dict[str, Any]) -> None:
    if "canonical" in case:
        assert json.loads(case["message"]) == case["expect"]


def made(build: dict[str, Any]) -> bytes:
    arguments = dict(build)
    builder: Callable[..., bytes] = getattr(native, arguments.pop("type"))
    if builder is native.error:
        kinds = [value for value in vars(errors).values() if isinstance(value, type)]
        kind = next(kind for kind in kinds if getattr(kind, "code", None) == arguments["code"])
        error = kind(arguments.get("message"), **arguments.get("details", {}))
        return native.error(error, id=arguments.get("id"), ref=arguments.get("ref"))
    if builder is native.ok:
        task = arguments.get("task")
        return native.ok(arguments["ref"], None if task is None else task.encode())
    if "cursor" in arguments or builder is native.log:
        arguments["id"] = encode_id(arguments["id"])
        for part in ("tasks", "notifications", "entries"):
            if part in arguments:
                arguments[part] = [record.encode() for record in arguments[part]]
        if builder is native.change:
            arguments["record"] = arguments["record"].encode()
            arguments["key"] = arguments["key"].encode()
        return builder(*arguments.values())
    return builder(**arguments)


@cases("server")
def test_server_message(case: dict[str, Any]) -> None:
    assert made(case["build"]).decode() == case["message"]
    assert isinstance(json.loads(case["message"]), dict)


@cases("cursor", "text")
def test_cursor(case: dict[str, Any]) -> None:
    cursor = Cursor.parse(case["text"])
    assert (cursor or (None, None)) == (case["epoch"], case["rev"])
    assert cursor is None or str(cursor) == case["text"]


@cases("channel")
def test_channel(case: dict[str, Any]) -> None:
    assert is_channel(case["name"]) is case["ok"]


def test_every_message_has_a_vector() -> None:
    said = {case["expect"].get("type") for case in VECTORS["client"]}
    assert said >= {"auth", "subscribe", "unsubscribe", "cancel", "pause", "resume", "read", "ping"}
    built = {case["build"]["type"] for case in VECTORS["server"]}
    assert built == set(server_messages.__all__) - {"PROTOCOL", "encode_id"}


def test_native_is_both_halves() -> None:
    assert set(native.__all__) == {*client_messages.__all__, *server_messages.__all__}
