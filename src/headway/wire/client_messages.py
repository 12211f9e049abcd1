"""What clients say in `headway.v1` (`spec/wire.md` §3), and how it is read.

It knows the shape of each message, and nothing of who may send it, when, or over which transport.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw

from headway.errors import BadMessage, HeadwayError, InvalidField, UnknownType
from headway.model.channel import check_channel
from headway.model.cursor import CURSOR_CHARS, MAX_REV, Cursor
from headway.model.ids import check_id

__all__ = [
    "MAX_READ",
    "TOKEN_CHARS",
    "Archive",
    "Auth",
    "Cancel",
    "ClientMessage",
    "Filter",
    "Pause",
    "Ping",
    "Read",
    "Ref",
    "Resume",
    "Subscribe",
    "SubscriptionId",
    "Unread",
    "Unsubscribe",
    "decode_client",
]
TOKEN_CHARS = 8192
MAX_READ = 500
"""How many notifications one `read`, `unread` or `archive` may name."""

SubscriptionId = Annotated[str, Meta(min_length=1, max_length=32)] | Annotated[int, Meta(ge=0, le=2**31 - 1)]
# Beyond 2**53 - 1 a browser would read back another number than it sent.
Ref = Annotated[str, Meta(max_length=32)] | Annotated[int, Meta(ge=-MAX_REV, le=MAX_REV)]
_Label = Annotated[str, Meta(max_length=64)]
_Hz = Annotated[float, Meta(ge=0.1, le=20)]
_Notifications = Annotated[tuple[str, ...], Meta(max_length=MAX_READ)]
_LogOffset = Annotated[int, Meta(ge=-1, le=MAX_REV)]


class Auth(msgspec.Struct, frozen=True, gc=False, tag="auth"):
    """Who I am; the first message, and again to renew. Its repr hides the token."""

    token: Annotated[str, Meta(max_length=TOKEN_CHARS)]

    def __repr__(self) -> str:
        return "Auth(token=…)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("token", "…")]


class Filter(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Which tasks of a channel to follow; all that is given must match."""

    kind: _Label | None = None
    tag: _Label | None = None
    parent: _Label | None = None


class Subscribe(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag="subscribe"):
    """Follow a channel or one task.

    Attributes:
        id: the client's name for the subscription.
        channel, task: exactly one of them is set.
        cursor: where the client stands; None (also for anything that was no cursor) asks for a snapshot.
        filter: None when every record passes.
        max_hz: the most batches a second, 0.1 to 20.
        log: the offset from which log lines are wanted, -1 for new ones only; None for no log.
    """

    id: SubscriptionId
    channel: str | None = None
    task: str | None = None
    cursor: Cursor | None = None
    filter: Filter | None = None
    max_hz: _Hz | None = None
    log: _LogOffset | None = None


class _Subscribe(msgspec.Struct, gc=False, tag="subscribe"):
    """`subscribe` as it arrives: its cursor may be any JSON at all."""

    id: SubscriptionId
    channel: str | None = None
    task: str | None = None
    cursor: Raw = Raw()
    filter: Filter | None = None
    max_hz: _Hz | None = None
    log: _LogOffset | None = None


class Unsubscribe(msgspec.Struct, frozen=True, gc=False, tag="unsubscribe"):
    """Stop following."""

    id: SubscriptionId


class Cancel(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag="cancel"):
    """Ask a task to end."""

    task: str
    ref: Ref | None = None


class Pause(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag="pause"):
    """Ask a task to hold."""

    task: str
    ref: Ref | None = None


class Resume(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag="resume"):
    """Ask a task to go on."""

    task: str
    ref: Ref | None = None


class Read(msgspec.Struct, frozen=True, omit_defaults=True, tag="read"):
    """Mark notifications of my own channel as read: these ids, or `"all"`."""

    notifications: _Notifications | Literal["all"]
    ref: Ref | None = None


class Unread(msgspec.Struct, frozen=True, omit_defaults=True, tag="unread"):
    """Mark these notifications as unread again, archived ones too."""

    notifications: _Notifications
    ref: Ref | None = None


class Archive(msgspec.Struct, frozen=True, omit_defaults=True, tag="archive"):
    """Archive notifications of my own channel: these ids, or `"all"`."""

    notifications: _Notifications | Literal["all"]
    ref: Ref | None = None


class Ping(msgspec.Struct, frozen=True, gc=False, tag="ping"):
    """Answered by `pong`."""


class _Envelope(msgspec.Struct, gc=False):
    """What of a refused message tells its sender which one it was."""

    id: Raw = Raw()
    ref: Raw = Raw()


ClientMessage = Auth | Subscribe | Unsubscribe | Cancel | Pause | Resume | Read | Unread | Archive | Ping

_decode = msgspec.json.Decoder(
    Auth | _Subscribe | Unsubscribe | Cancel | Pause | Resume | Read | Unread | Archive | Ping
).decode
_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_text = msgspec.json.Decoder(Annotated[str, Meta(max_length=CURSOR_CHARS)]).decode
_decode_id = msgspec.json.Decoder(SubscriptionId).decode
_decode_ref = msgspec.json.Decoder(Ref).decode

_MISSING = re.compile(r"Object missing required field `(\w+)`")


def decode_client(data: bytes) -> ClientMessage:
    """Read a client's message.

    Args:
        data: one JSON object, UTF-8.

    Raises:
        BadMessage: it is not JSON, no object, has no type, or is nested too deeply to read.
        UnknownType: its type is not one of `spec/wire.md` §3.
        InvalidField: a field is missing, has the wrong type or is out of bounds; `details` has the `field`, and the
            message's `id` and `ref` when they are good.
    """
    refusal: HeadwayError
    try:
        message = _decode(data)
        if type(message) is Ping or type(message) is Auth:
            return message
        return _checked(message)
    except InvalidField as invalid:
        refusal = invalid
    except msgspec.ValidationError as invalid:
        refusal = _explain(str(invalid))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        refusal = BadMessage()
    if isinstance(refusal, InvalidField):
        origin = _origin(data)
        if origin is None:
            refusal = BadMessage()
        else:
            refusal.details.update(origin)
    # Raised out here, and afresh, so that it carries no context: a UnicodeDecodeError holds the token it choked on.
    raise refusal.with_traceback(None)


def _checked(
    message: _Subscribe | Unsubscribe | Cancel | Pause | Resume | Read | Unread | Archive,
) -> ClientMessage:
    if type(message) is _Subscribe:
        return _subscribe(message)
    if isinstance(message, Cancel | Pause | Resume):
        check_id(message.task, "task")
    elif isinstance(message, Read | Unread | Archive) and message.notifications != "all":
        for notification in message.notifications:
            check_id(notification, "notifications")
    return message  # type: ignore[return-value]


def _subscribe(message: _Subscribe) -> Subscribe:
    if message.task is None:
        if message.channel is None:
            raise InvalidField("subscribe needs a channel or a task", field="channel")
        check_channel(message.channel)
        if message.log is not None:
            raise InvalidField(
                "Only the log of one task can be followed; subscribe to it by task", field="log"
            )
    else:
        if message.channel is not None:
            raise InvalidField("subscribe takes a channel or a task, not both", field="channel")
        check_id(message.task, "task")
        if message.filter is not None:
            raise InvalidField("A filter narrows a channel; one task needs none", field="filter")
    wanted = message.filter
    return Subscribe(
        message.id,
        message.channel,
        message.task,
        Cursor.parse(_lenient(_decode_text, message.cursor)),
        None if wanted == Filter() else wanted,
        message.max_hz,
        message.log,
    )


def _lenient(decode: Any, raw: Raw) -> Any:
    """What `raw` holds, or None when it is absent or of another type."""
    if not raw:
        return None
    try:
        return decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _origin(data: bytes) -> dict[str, str | int] | None:
    """The good ones of a refused message's `id` and `ref`; None when what follows the bad field is not even JSON."""
    try:
        envelope = _decode_envelope(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    found = {"id": _lenient(_decode_id, envelope.id), "ref": _lenient(_decode_ref, envelope.ref)}
    return {name: value for name, value in found.items() if value is not None}


def _explain(text: str) -> HeadwayError:
    # msgspec says where it stopped only in its text, and last, so a value that it repeats cannot pretend to be the place.
    what, found, place = text.rpartition(" - at `$")
    field = place.strip(".`").partition("[")[0] if found else ""
    if not field:
        missing = _MISSING.match(text)
        if missing is None or missing[1] == "type":
            return BadMessage()
        return InvalidField(f"{missing[1]} is missing", field=missing[1])
    if field == "type":
        return UnknownType() if what.startswith("Invalid value") else BadMessage()
    if field == "notifications":
        # msgspec would repeat the whole value.
        what = f'a list of at most {MAX_READ} ids, or "all"'
    return InvalidField(f"{field}: {what[:1].lower()}{what[1:]}", field=field)
