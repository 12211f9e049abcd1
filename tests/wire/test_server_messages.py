"""Spliced messages are the JSON that an encoder would have written."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headway.errors import IllegalTransition
from headway.wire import server_messages as build

ids = st.integers(0, 2**31 - 1) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=32)
record_ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True)
cursors = st.from_regex(r"[A-Za-z0-9_-]{1,40}\.(0|[1-9][0-9]{0,14})", fullmatch=True)
records = st.dictionaries(st.text(max_size=3), st.text() | st.integers() | st.none(), max_size=3)


def dense(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


@given(ids, cursors, st.sampled_from(["task", "notification"]), records)
def test_change(name: str | int, cursor: str, key: str, record: dict[str, Any]) -> None:
    record = json.loads(dense(record))
    message = build.change(build.encode_id(name), cursor, key.encode(), dense(record))
    assert list(json.loads(message).items()) == [
        ("type", "change"),
        ("id", name),
        ("cursor", cursor),
        (key, record),
    ]


@given(ids, cursors, record_ids)
def test_removed(name: str | int, cursor: str, record: str) -> None:
    message = json.loads(build.removed(build.encode_id(name), cursor, record))
    assert list(message.items()) == [
        ("type", "change"),
        ("id", name),
        ("cursor", cursor),
        ("removed", record),
    ]


@given(
    ids,
    cursors,
    st.booleans(),
    st.lists(st.integers()),
    st.lists(st.integers()),
    st.lists(record_ids),
    st.booleans(),
    st.none() | st.integers(0, 10**6),
)
def test_snapshot(
    name: str | int,
    cursor: str,
    reset: bool,
    tasks: list[int],
    notes: list[int],
    gone: list[str],
    more: bool,
    unread: int | None,
) -> None:
    message = build.snapshot(
        build.encode_id(name),
        cursor,
        reset,
        [b"%d" % n for n in tasks],
        [b"%d" % n for n in notes],
        gone,
        more,
        unread,
    )
    expected: dict[str, Any] = {
        "type": "snapshot",
        "id": name,
        "cursor": cursor,
        "reset": reset,
        "tasks": tasks,
    }
    expected |= {"notifications": notes, "removed": gone}
    expected |= ({} if unread is None else {"unread": unread}) | ({"more": True} if more else {})
    assert list(json.loads(message).items()) == list(expected.items())


@given(ids, record_ids, st.integers(0), st.integers(0), st.integers(0), st.lists(st.integers()))
def test_log(
    name: str | int, task: str, offset: int, following: int, trimmed: int, entries: list[int]
) -> None:
    message = build.log(build.encode_id(name), task, offset, following, trimmed, [b"%d" % n for n in entries])
    expected: dict[str, Any] = {"type": "log", "id": name, "task": task, "offset": offset, "next": following}
    expected |= ({"trimmed": trimmed} if trimmed else {}) | {"entries": entries}
    assert list(json.loads(message).items()) == list(expected.items())


def test_error_is_the_rest_body_with_a_type() -> None:
    error = IllegalTransition("No.", state="failed", wanted="paused")
    assert json.loads(build.error(error, ref="r")) == {"type": "error", "ref": "r", **error.body()}


def test_error_prefers_the_id_that_it_is_given() -> None:
    error = IllegalTransition("No.", id="mine", ref=1)
    message = json.loads(build.error(error, id="yours"))
    assert (message["id"], message["ref"]) == ("yours", 1)
    assert error.details == {"id": "mine", "ref": 1}
