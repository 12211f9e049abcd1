"""A way to a server on which everything can go wrong: a small TCP proxy that runs in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal, NamedTuple, Self, TypeVar

__all__ = ["End", "Fault", "Kind", "Network", "Way"]

Kind = Literal["cut", "reset", "half", "stall", "delay"]

T = TypeVar("T")

# To linger for no time at all: what waits is thrown away, and the other side gets a reset instead of an end.
_NO_LINGER = struct.pack("ii", 1, 0)


class Fault(NamedTuple):
    """One thing that befalls a connection.

    Attributes:
        kind: `cut` ends both sides; `reset` does so with a reset; `half` ends one direction only, as if that side had
            said all it wanted to say; `stall` lets nothing pass for `seconds`, and tells nobody; `delay` brings everything
            so many seconds late.
        after: so many bytes pass before it strikes, since the one before.
        towards: whose bytes are counted, and whose direction `half` ends: those that go to the client or to the server.
        since: bytes are counted when the client has said these in one piece; until then nothing befalls it.
    """

    kind: Kind
    after: int = 0
    towards: Literal["client", "server"] = "client"
    seconds: float = float("inf")
    since: bytes = b""


class Network:
    """Carries TCP to a port of this machine.

    Attributes:
        url: of the same server, by this way.
        port: ours.
        fate: asked what befalls the next connection, one after the other.
        struck: how often each kind of fault has struck.
        away: it was taken away.
        carrying: set while there is a connection.
    """

    def __init__(self, port: int, fate: Callable[[], Sequence[Fault]] = tuple) -> None:
        self.fate = fate
        self.struck: Counter[Kind] = Counter()
        self.ways: set[Way] = set()
        self.ends: set[End] = set()
        self.carrying = threading.Event()
        self.to = ("127.0.0.1", port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listener: socket.socket | None = None
        self._letting_in: set[asyncio.Task[Any]] = set()
        self.away = False
        self.port = 0
        self.restore()
        self.url = f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Take it away: open connections end, and new ones are refused."""
        self._run(self._cut())

    def restore(self) -> None:
        """Bring it back, at the same address."""
        self._run(self._listen())

    def close(self) -> None:
        """Take it away for good."""
        if self._thread.is_alive():
            self._run(self._finish())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def way(self) -> Way:
        """What carries the next connection."""
        return Way(self, self.fate())

    @property
    def waiting(self) -> list[Way]:
        """The ways on which the client has said something that the server has not answered."""
        return [way for way in self.ways.copy() if way.asked]

    async def _listen(self) -> None:
        self.away = False
        # Not asyncio's server: closed while it lets somebody in, it loses that socket.
        listener = self._listener = socket.create_server(("127.0.0.1", self.port), backlog=1000)
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        self._loop.add_reader(listener, self._let_in, listener)

    def _let_in(self, listener: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            near, _ = listener.accept()
            letting_in = self._loop.create_task(
                self._loop.connect_accepted_socket(lambda: self.way().near, near)
            )
            self._letting_in.add(letting_in)
            letting_in.add_done_callback(self._letting_in.discard)

    async def _cut(self) -> None:
        # Who was let in and has not got a way yet must not get one any more.
        self.away = True
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        for way in tuple(self.ways):
            way.end()
        # Sockets are closed in the loop's next turn.
        await asyncio.sleep(0)

    async def _finish(self) -> None:
        await self._cut()
        # What was let in or connects has no end yet that could be closed; and what is closed is so a turn later.
        while (others := asyncio.all_tasks() - {asyncio.current_task()}) or self.ends:
            for end in tuple(self.ends):
                end.end(reset=True)
            await (asyncio.wait(others) if others else asyncio.sleep(0))

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


class Way:
    """One connection: its two ends, and what befalls it.

    Attributes:
        asked: the client had the last word.
    """

    def __init__(self, network: Network, faults: Sequence[Fault] = ()) -> None:
        self.network = network
        self.faults = list(faults)
        self.near = End(self, "client")
        self.far = End(self, "server")
        self.asked = False
        self._passed = 0
        self._late = 0.0
        self._loop = asyncio.get_running_loop()
        self._connecting: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """A client has come."""
        if self.network.away:
            self.end(reset=True)
            return
        self.network.ways.add(self)
        self.network.carrying.set()
        self.near.hold()
        self._connecting = self._loop.create_task(self._connect())

    def take(self, data: bytes, towards: End) -> None:
        """Bytes have come that are for that end."""
        fault = self.faults[0] if self.faults else None
        if fault is not None and fault.since:
            if towards is self.far and fault.since in data:
                self.faults[0] = fault._replace(since=b"")
            fault = None
        if fault is None or fault.towards != towards.side:
            self.give(data, towards)
            return
        before = fault.after - self._passed
        self._passed += len(data)
        if before >= len(data):
            self.give(data, towards)
            return
        self.faults.pop(0)
        self._passed = 0
        self.network.struck[fault.kind] += 1
        self.give(data[:before], towards)
        self._strike(fault, data[before:], towards)

    def give(self, data: bytes, towards: End) -> None:
        """Pass bytes on."""
        if not data:
            return
        self.asked = towards is self.far
        if self._late:
            self._loop.call_later(self._late, towards.write, data)
        else:
            towards.write(data)

    def finish(self, towards: End) -> None:
        """One side has said all it wanted to say."""
        if self._late:
            self._loop.call_later(self._late, towards.finish)
        else:
            towards.finish()

    def end(self, *, reset: bool = False) -> None:
        """Both ends end."""
        self.network.ways.discard(self)
        if not self.network.ways:
            self.network.carrying.clear()
        for end in (self.near, self.far):
            end.end(reset=reset)

    async def _connect(self) -> None:
        try:
            await self._loop.create_connection(lambda: self.far, *self.network.to)
        except OSError:
            self.end()
        else:
            self.near.go_on()

    def _strike(self, fault: Fault, rest: bytes, towards: End) -> None:
        if fault.kind == "delay":
            self._late = fault.seconds
            self.give(rest, towards)
        elif fault.kind == "half":
            towards.finish()
        elif fault.kind == "stall":
            for end in (self.near, self.far):
                end.hold()
            if fault.seconds != float("inf"):
                self._loop.call_later(fault.seconds, self._go_on, rest, towards)
        else:
            self.end(reset=fault.kind == "reset")

    def _go_on(self, rest: bytes, towards: End) -> None:
        self.give(rest, towards)
        for end in (self.near, self.far):
            end.go_on()


class End(asyncio.Protocol):
    """One end of a way."""

    def __init__(self, way: Way, side: Literal["client", "server"]) -> None:
        self.way = way
        self.side = side
        self._transport: asyncio.Transport | None = None
        self._finished = False
        self._ended: bool | None = None

    @property
    def other(self) -> End:
        return self.way.far if self is self.way.near else self.way.near

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.way.network.ends.add(self)
        if self._ended is not None:
            self.end(reset=self._ended)
        elif self.side == "client":
            self.way.begin()

    def data_received(self, data: bytes) -> None:
        # A half that has ended stays so, whatever else its sender has to say.
        if not self.other._finished:
            self.way.take(data, self.other)

    def eof_received(self) -> bool:
        self.way.finish(self.other)
        return not self._finished

    def connection_lost(self, exc: Exception | None) -> None:
        self.way.network.ends.discard(self)
        self.way.end(reset=exc is not None)

    def pause_writing(self) -> None:
        self.other.hold()

    def resume_writing(self) -> None:
        self.other.go_on()

    def write(self, data: bytes) -> None:
        if self._transport is not None and not self._finished and not self._transport.is_closing():
            self._transport.write(data)

    def finish(self) -> None:
        """Nothing more comes to this end."""
        self._finished = True
        if self._transport is not None and not self._transport.is_closing():
            with contextlib.suppress(OSError):
                self._transport.write_eof()

    def hold(self) -> None:
        """Read nothing from this end."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def go_on(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def end(self, *, reset: bool) -> None:
        self._ended = reset
        if self._transport is None:
            return
        if not reset:
            self._transport.close()
            return
        with contextlib.suppress(OSError):
            self._transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER
            )
        self._transport.abort()
