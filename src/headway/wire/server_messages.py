"""What the server says in `headway.v1` (`spec/wire.md` §4): one builder for each message, each giving bytes.

Messages that hold records are spliced from JSON that was encoded before, so that a record is encoded once however
many follow it. It knows nothing of records, of who gets a message, or over which transport.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from headway.errors import HeadwayError

__all__ = [
    "PROTOCOL",
    "change",
    "encode_id",
    "error",
    "expiring",
    "goodbye",
    "heartbeat",
    "log",
    "ok",
    "pong",
    "removed",
    "snapshot",
    "welcome",
]

PROTOCOL = "headway.v1"
"""The WebSocket subprotocol, and the `protocol` of `welcome`."""

_encode = msgspec.json.Encoder().encode


def encode_id(subscription: str | int) -> bytes:
    """A subscription's id as the JSON that `change`, `removed`, `snapshot` and `log` take."""
    return _encode(subscription)


def welcome(
    *,
    server: str,
    user: str,
    can: Iterable[str],
    channels: Sequence[str],
    heartbeat: float,
    now: int,
    expires_at: int | None = None,
) -> bytes:
    """The token is good.

    Args:
        server: the server's version.
        can: the token's abilities; sent in alphabetical order.
        channels: names and patterns of what the token opens, the user's own first.
        heartbeat: seconds.
        now, expires_at: Unix milliseconds (a grant counts in seconds).
    """
    message: dict[str, Any] = {
        "type": "welcome",
        "protocol": PROTOCOL,
        "server": server,
        "user": user,
        "can": sorted(can),
        "channels": channels,
        "heartbeat": heartbeat,
        "now": now,
    }
    if expires_at is not None:
        message["expires_at"] = expires_at
    return _encode(message)


def ok(ref: str | int | None, task_json: bytes | None = None) -> bytes:
    """A command was carried out; `task_json` is the encoded record now."""
    head = b'{"type":"ok"' if ref is None else b'{"type":"ok","ref":' + _encode(ref)
    return head + b"}" if task_json is None else head + b',"task":' + task_json + b"}"


def error(err: HeadwayError, id: str | int | None = None, ref: str | int | None = None) -> bytes:  # noqa: A002 - the wire's own word
    """What went wrong; `id` or `ref` say with which subscription or command (those in `err.details` when left out)."""
    details = dict(err.details)
    found_id, found_ref = details.pop("id", None), details.pop("ref", None)
    message: dict[str, Any] = {
        "type": "error",
        "code": err.code,
        "message": err.message,
        "retryable": err.retryable,
    }
    for name, given, found in (("id", id, found_id), ("ref", ref, found_ref)):
        value = found if given is None else given
        if value is not None:
            message[name] = value
    return _encode(message | details)


def heartbeat(now: int) -> bytes:
    """The connection lives. `now` is Unix milliseconds."""
    return b'{"type":"heartbeat","now":%d}' % now


def pong(now: int) -> bytes:
    """The answer to `ping`. `now` is Unix milliseconds."""
    return b'{"type":"pong","now":%d}' % now


def expiring(seconds: float) -> bytes:
    """The token ends in so many seconds."""
    return b'{"type":"expiring","in":' + _encode(seconds) + b"}"


def goodbye(reason: str, reconnect_in: float) -> bytes:
    """The connection is about to end; the client is to wait `reconnect_in` seconds before the next."""
    return _encode({"type": "goodbye", "reason": reason, "reconnect_in": reconnect_in})


# What follows is spliced. Cursors and record ids need no escaping: `Cursor` and `check_id` allow no character that does.


def change(id_json: bytes, cursor: str, key: bytes, record_json: bytes, unread: int | None = None) -> bytes:
    """One record changed.

    Args:
        id_json: the subscription's id, from `encode_id`.
        key: `b"task"` or `b"notification"`.
        record_json: the encoded record.
        unread: how many notifications of the channel are unread now; left out for None.
    """
    return b'{"type":"change","id":%b,"cursor":"%b","%b":%b%b}' % (
        id_json,
        cursor.encode(),
        key,
        record_json,
        b"" if unread is None else b',"unread":%d' % unread,
    )


def removed(id_json: bytes, cursor: str, record_id: str, unread: int | None = None) -> bytes:
    """One record is gone. `unread` is that of `change`."""
    return b'{"type":"change","id":%b,"cursor":"%b","removed":"%b"%b}' % (
        id_json,
        cursor.encode(),
        record_id.encode(),
        b"" if unread is None else b',"unread":%d' % unread,
    )


def snapshot(
    id_json: bytes,
    cursor: str,
    reset: bool,
    tasks: Sequence[bytes],
    notifications: Sequence[bytes],
    removed: Sequence[str],
    more: bool = False,
    unread: int | None = None,
) -> bytes:
    """The answer to `subscribe`, or one part of it.

    Args:
        id_json: the subscription's id, from `encode_id`.
        reset: the client is to forget what it holds.
        tasks, notifications: encoded records, ascending by revision.
        removed: ids of records that are gone.
        more: another `snapshot` follows.
        unread: how many notifications of the channel are unread now; left out for None.
    """
    return (
        b'{"type":"snapshot","id":%b,"cursor":"%b","reset":%b,"tasks":[%b],"notifications":[%b],"removed":[%b]%b%b}'
        % (
            id_json,
            cursor.encode(),
            b"true" if reset else b"false",
            b",".join(tasks),
            b",".join(notifications),
            ('"' + '","'.join(removed) + '"').encode() if removed else b"",
            b"" if unread is None else b',"unread":%d' % unread,
            b',"more":true' if more else b"",
        )
    )


def log(
    id_json: bytes,
    task: str,
    offset: int,
    next: int,  # noqa: A002 - the wire's own word
    trimmed: int,
    entries: Sequence[bytes],
) -> bytes:
    """Log lines.

    Args:
        id_json: the subscription's id, from `encode_id`.
        offset: of the first entry.
        next: where to resume.
        trimmed: how many lines were asked for and are gone; 0 is left out.
        entries: encoded `{at, level, text}`, with consecutive offsets.
    """
    return b'{"type":"log","id":%b,"task":"%b","offset":%d,"next":%d%b,"entries":[%b]}' % (
        id_json,
        task.encode(),
        offset,
        next,
        b',"trimmed":%d' % trimmed if trimmed else b"",
        b",".join(entries),
    )
