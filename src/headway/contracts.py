"""What a contract of your own is made of: everything that `docs/how-to/write-a-dialect.md` uses, in one place."""

from __future__ import annotations

from headway.dialects.translation import (
    Event,
    Translation,
    facts_of,
    iso,
    iso_or_none,
    percent_of,
    tasks_of,
)
from headway.hub.wanted import Only, Wanted
from headway.model.cursor import Cursor
from headway.model.grant import Ability, Grant
from headway.model.notification import Notification
from headway.model.task import UNFINISHED, Task, TaskState
from headway.ports.link import Version
from headway.ports.store import TaskQuery
from headway.transports.asgi import sized
from headway.transports.contracts.codec import MessageCodec, SocketIoCodec, encode, socketio_codecs
from headway.transports.contracts.contract import Contract, Request, Route, route
from headway.transports.contracts.resuming import Resuming
from headway.transports.contracts.socket import ContractSocket, converse
from headway.transports.contracts.socketio import SocketIoContract, Speaking
from headway.transports.contracts.stream import EventWords, stream
from headway.transports.members import Members
from headway.transports.service import Service
from headway.transports.socketio.client import Client
from headway.transports.socketio.vocabulary import Vocabulary
from headway.wire.socketio import Recovery
from headway.wire.socketio_json import JSON_PARSER

__all__ = [
    "JSON_PARSER",
    "UNFINISHED",
    "Ability",
    "Client",
    "Contract",
    "ContractSocket",
    "Cursor",
    "Event",
    "EventWords",
    "Grant",
    "Members",
    "MessageCodec",
    "Notification",
    "Only",
    "Recovery",
    "Request",
    "Resuming",
    "Route",
    "Service",
    "SocketIoCodec",
    "SocketIoContract",
    "Speaking",
    "Task",
    "TaskQuery",
    "TaskState",
    "Translation",
    "Version",
    "Vocabulary",
    "Wanted",
    "converse",
    "encode",
    "facts_of",
    "iso",
    "iso_or_none",
    "percent_of",
    "route",
    "sized",
    "socketio_codecs",
    "stream",
    "tasks_of",
]
