"""What a request on a one-way door asks to follow: in the query of a GET, or as JSON in a POST."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs

import msgspec

from headway.errors import HeadwayError, InvalidField, TooLarge
from headway.hub.wanted import Wanted
from headway.transports.asgi import Receive, Scope
from headway.transports.wanted import wanted_by
from headway.wire.native import Subscribe, decode_client

__all__ = ["Asked", "read_request"]

_MAX_BODY = 65_536
_MAX_QUERY = 16_384


class Asked(msgspec.Struct):
    """A request on a one-way door.

    Attributes:
        wants: what to follow.
        until_done: end when the tasks that are followed have finished.
        again: the client comes by itself, since its stream has ended.
        wait: seconds that a poll may take.
    """

    wants: list[Wanted]
    until_done: bool = False
    again: bool = False
    wait: float = 0.0

    @property
    def until(self) -> tuple[str, ...]:
        """The tasks whose end is waited for; none when something is followed that has no end."""
        tasks = tuple(wanted.task for wanted in self.wants if wanted.task is not None)
        return tasks if self.until_done and len(tasks) == len(self.wants) else ()


class _Body(msgspec.Struct):
    subscriptions: Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1, max_length=200)]


async def read_request(scope: Scope, receive: Receive, last_event_id: str) -> Asked:
    """Read what is asked for.

    Args:
        last_event_id: what the browser says that it got last; it counts for more than the URL's cursor.

    Raises:
        InvalidField, BadMessage, TooLarge: it cannot be read, or asks for nothing.
    """
    raw = scope.get("query_string", b"")
    if len(raw) > _MAX_QUERY:
        raise TooLarge
    query = {name: values[-1] for name, values in parse_qs(raw.decode("latin-1")).items()}
    if scope["method"] == "POST":
        subscriptions = _from_body(await _body(receive))
    else:
        subscriptions = _from_query(query, parse_qs(raw.decode("latin-1")), last_event_id)
    return Asked(
        [wanted_by(subscription) for subscription in subscriptions],
        until_done=query.get("until") == "done",
        again=bool(last_event_id),
        wait=_number(query.get("wait", "25"), "wait", 0, 60),
    )


def _from_query(query: dict[str, str], lists: dict[str, list[str]], last_event_id: str) -> list[Subscribe]:
    """`?channel=a&channel=b&task=c`: each is a subscription, named by its place from 1 on."""
    wanted = [("channel", name) for name in lists.get("channel", [])]
    wanted += [("task", name) for name in lists.get("task", [])]
    if not wanted:
        raise InvalidField("Say what to follow: ?channel=<name> or ?task=<id>", field="channel")
    only = {name: query[name] for name in ("kind", "tag", "parent") if name in query}
    subscriptions = []
    for place, (kind, name) in enumerate(wanted, 1):
        fields: dict[str, object] = {"type": "subscribe", "id": place, kind: name}
        # One cursor can only mean one subscription; with several each begins with a snapshot. A browser that comes again
        # asks for the same URL and says how far it came since.
        if len(wanted) == 1 and (cursor := last_event_id or query.get("cursor")):
            fields["cursor"] = cursor
        if kind == "channel" and only:
            fields["filter"] = only
        if kind == "task" and "log" in query:
            fields["log"] = int(_number(query["log"], "log", -1, 2**53 - 1))
        if "max_hz" in query:
            fields["max_hz"] = _number(query["max_hz"], "max_hz", 0.1, 20)
        subscriptions.append(_subscribe(msgspec.json.encode(fields)))
    return subscriptions


def _from_body(body: bytes) -> list[Subscribe]:
    try:
        raws = msgspec.json.decode(body, type=_Body).subscriptions
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise InvalidField(
            'Send {"subscriptions": [{"id": 1, "channel": "…", "cursor": "…"}, …]}', field="subscriptions"
        ) from None
    return [_subscribe(b'{"type":"subscribe",' + bytes(raw).strip()[1:]) for raw in raws]


def _subscribe(message: bytes) -> Subscribe:
    asked = decode_client(message)
    if not isinstance(asked, Subscribe):
        raise InvalidField("Only subscriptions can be asked for here", field="subscriptions")
    return asked


async def _body(receive: Receive) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HeadwayError("The client has gone")
        body += message.get("body", b"")
        if len(body) > _MAX_BODY:
            raise TooLarge
        if not message.get("more_body"):
            return body


def _number(text: str, field: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise InvalidField(f"{field} is a number from {low} to {high}", field=field)
    return value
