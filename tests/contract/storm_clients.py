"""A client for each door that a storm befalls: it is cut again and again, comes back with its cursor, and checks all it sees."""

from __future__ import annotations

import itertools
import json
import queue
import random
import subprocess
import threading
from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import closing
from typing import Any

import msgspec
import urllib3
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.clients import Message, View
from tests.conformance.stock import NEW, installed, node
from tests.network import Fault, Kind, Network

__all__ = ["CLIENTS", "FINAL", "Watcher"]

FINAL = {"succeeded", "failed", "cancelled"}
_SILENCE = 3.0
"""Seconds without a word after which a connection counts as lost; while tasks tick there is always something to say."""
_BREAKS = (OSError, EOFError, WebSocketException, urllib3.exceptions.HTTPError)


class Watcher(ABC):
    """Follows one channel by one door, through a network of its own that breaks at random.

    Attributes:
        view: what it holds.
        ends: the end of each attempt of each task, as often as it was told.
        connections: how often it came.
        calm: nothing befalls new connections any more.
        over: another one has failed, so it is to stop as well.
    """

    def __init__(self, port: int, channel: str, token: str, chance: random.Random) -> None:
        self.network = Network(port, self._fate)
        self.channel = channel
        self.token = token
        self.view = View()
        self.ends: list[tuple[str, int, str]] = []
        self.connections = 0
        self.calm = False
        self.over = False
        self._chance = chance
        self._percents: dict[tuple[str, int], float] = {}
        self._known: dict[str, Message] = {}
        self._pause = threading.Event()

    @property
    def cuts(self) -> int:
        """How often its connection was broken by the network."""
        return sum(self.network.struck[kind] for kind in ("cut", "reset", "half"))

    def run(self, complete: threading.Event, expected: set[str]) -> None:
        """Watch until the tasks have all ended and this client knows it."""
        while not self._is_complete(complete, expected):
            self.connections += 1
            try:
                with closing(self.listen()) as messages:
                    for message in messages:
                        if message["type"] in {"snapshot", "change"}:
                            self.view.take(message)
                            self._check(message)
                        if self._is_complete(complete, expected):
                            break
            except _BREAKS:
                # A server that is away must not make us spin.
                self._pause.wait(self._chance.uniform(0, 0.05))

    def close(self) -> None:
        self.network.close()

    @abstractmethod
    def listen(self) -> Generator[Message]:
        """Connect, go on where the view is, and give what is said until the connection breaks."""

    def _fate(self) -> list[Fault]:
        if self.calm:
            return []
        chance = self._chance
        end: Kind = chance.choice(("cut", "reset", "half"))
        # Now and then in the middle of the request, which is longer than that.
        if chance.random() < 0.1:
            return [Fault(end, chance.randint(0, 200), "server")]
        # In the middle of the handshake, or anywhere later.
        faults = [Fault(end, chance.choice((chance.randint(0, 500), chance.randint(0, 20_000))))]
        if chance.random() < 0.3:
            kind: Kind = chance.choice(("delay", "stall"))
            faults.insert(0, Fault(kind, chance.randint(0, 10_000), seconds=chance.uniform(0.01, 0.3)))
        return faults

    def _is_complete(self, complete: threading.Event, expected: set[str]) -> bool:
        records = self.view.records
        return self.over or (
            complete.is_set()
            and records.keys() == expected
            and all(record["state"] in FINAL for record in records.values())
        )

    def _check(self, message: Message) -> None:
        """What has changed since the message before: each end counts, no bar goes back."""
        for record in message.get("tasks", [message.get("task")]):
            task, attempt, state = record["id"], record["attempt"], record["state"]
            before = self._known.get(task)
            self._known[task] = record
            assert before is None or attempt >= before["attempt"]
            percent = record["progress"]["percent"] or 0.0
            assert percent >= self._percents.get((task, attempt), 0.0)
            self._percents[task, attempt] = percent
            if state in FINAL and (
                before is None or (before["attempt"], before["state"]) != (attempt, state)
            ):
                self.ends.append((task, attempt, state))


class Sockets(Watcher):
    """The native WebSocket."""

    protocol = Subprotocol("headway.v1")

    def encode(self, message: Message) -> str | bytes:
        return json.dumps(message)

    def decode(self, data: str | bytes) -> Any:
        return json.loads(data)

    def listen(self) -> Generator[Message]:
        with connect(
            f"ws://127.0.0.1:{self.network.port}/ws",
            subprotocols=[self.protocol],
            proxy=None,
            compression=None,
            ping_interval=None,
            open_timeout=_SILENCE,
            close_timeout=0.1,
        ) as socket:
            socket.send(self.encode({"type": "auth", "token": self.token}))
            cursor = {"cursor": self.view.cursor} if self.view.cursor else {}
            socket.send(self.encode({"type": "subscribe", "id": 1, "channel": self.channel, **cursor}))
            while True:
                yield self.decode(socket.recv(_SILENCE))


class PackedSockets(Sockets):
    """MessagePack on the native WebSocket."""

    protocol = Subprotocol("headway.v1.msgpack")

    def encode(self, message: Message) -> str | bytes:
        return msgspec.msgpack.encode(message)

    def decode(self, data: str | bytes) -> Any:
        assert isinstance(data, bytes)
        return msgspec.msgpack.decode(data)


class Events(Watcher):
    """Server-Sent Events."""

    def listen(self) -> Generator[Message]:
        headers = {"Authorization": f"Bearer {self.token}"}
        if self.view.cursor:
            headers["Last-Event-ID"] = self.view.cursor
        with urllib3.PoolManager(retries=False, timeout=_SILENCE) as pool:
            response = pool.request(
                "GET",
                f"{self.network.url}/events?channel={self.channel}",
                headers=headers,
                preload_content=False,
            )
            with closing(response):
                if response.status != 200:
                    raise OSError(response.status)
                held = b""
                for data in response.stream(65_536):
                    *blocks, held = (held + data).split(b"\n\n")
                    for block in blocks:
                        for line in block.split(b"\n"):
                            if line.startswith(b"data: "):
                                yield json.loads(line[6:])


class Polls(Watcher):
    """Long-poll."""

    def listen(self) -> Generator[Message]:
        with urllib3.PoolManager(retries=False, timeout=_SILENCE) as pool:
            # A request each, on a connection that is kept.
            while True:
                cursor = {"cursor": self.view.cursor} if self.view.cursor else {}
                response = pool.request(
                    "GET",
                    f"{self.network.url}/poll",
                    fields={"channel": self.channel, "wait": "1", **cursor},
                    headers={"Authorization": f"Bearer {self.token}"},
                )
                # Headers that end in the middle are taken for whole ones.
                if response.status != 200 or not response.data:
                    raise OSError(response.status)
                yield from response.json()["messages"]


class StockClients(Watcher):
    """The stock client of Socket.IO, in Node: it comes back by itself, and goes on with what it followed.

    Attributes:
        recovered: how often it needed to say nothing to go on where it was.
    """

    def __init__(self, port: int, channel: str, token: str, chance: random.Random) -> None:
        super().__init__(port, channel, token, chance)
        self.recovered = 0
        self._names = itertools.count(1)

    def listen(self) -> Generator[Message]:
        options = {"auth": {"token": self.token}, "timeout": _SILENCE * 1000}
        command = [node(), str(installed() / "client.mjs"), NEW, self.network.url, json.dumps(options)]
        heard: queue.SimpleQueue[str] = queue.SimpleQueue()
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        ) as process:
            reader = threading.Thread(target=_read, args=(process, heard))
            reader.start()
            try:
                yield from self._follow(process, heard)
            finally:
                process.kill()
                reader.join()

    def _follow(self, process: subprocess.Popen[str], heard: queue.SimpleQueue[str]) -> Generator[Message]:
        assert process.stdin is not None
        confirmed = False
        while True:
            try:
                said = json.loads(heard.get(timeout=_SILENCE))
            except queue.Empty:
                yield {"type": "silence"}
                continue
            self.connections += said["what"] == "connect"
            if said["what"] == "connect" and not (said["recovered"] and confirmed):
                # Under a new name: what became of the one before is not known.
                confirmed = False
                self.view.id = next(self._names)
                cursor = {"cursor": self.view.cursor} if self.view.cursor else {}
                subscribe = {"id": self.view.id, "channel": self.channel, **cursor}
                command = {"do": "emit", "event": "subscribe", "args": [subscribe], "ack": True}
                process.stdin.write(json.dumps(command) + "\n")
            elif said["what"] == "connect":
                self.recovered += 1
            elif said["what"] == "connect_error" and said["data"] is not None:
                # It would not come again by itself.
                raise AssertionError(said)
            elif said["what"] == "ack":
                confirmed = confirmed or said["args"][0]["id"] == self.view.id
            elif said["what"] == "event" and said["args"][0].get("id") == self.view.id:
                yield {"type": said["event"], **said["args"][0]}


def _read(process: subprocess.Popen[str], heard: queue.SimpleQueue[str]) -> None:
    for line in process.stdout or ():
        heard.put(line)


CLIENTS: dict[str, type[Watcher]] = {
    "websocket": Sockets,
    "msgpack": PackedSockets,
    "events": Events,
    "poll": Polls,
    "socket.io": StockClients,
}
"""By door."""
