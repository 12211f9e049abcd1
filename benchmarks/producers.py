"""Workers that report over HTTP as fast as they are told, each a share of the tasks, one batch at a time.

    python -m benchmarks.producers HOST PORT TOKEN WORKERS TASKS HZ

Creates the tasks, prints `ready`, then answers `flood SECONDS` with a line of JSON: how many `updates` were accepted. Each
worker sends an update of all its tasks so often, one batch after the other; the time at which it does stands in the message.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time

import msgspec
import uvloop

_PATIENCE = 0.25
"""Seconds: what is later than that is left out."""
_REQUEST = (
    "POST /api/ingest HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {token}\r\n"
    "Content-Type: application/json\r\nContent-Length: "
)


class Worker:
    """One keep-alive connection and the tasks that it reports on."""

    def __init__(self, address: tuple[str, int], token: str, names: list[str]) -> None:
        self._address = address
        self._head = _REQUEST.format(host=address[0], port=address[1], token=token).encode()
        self._names = names
        self.accepted = 0

    async def connect(self) -> None:
        """Connect, and create the tasks."""
        self._reader, self._writer = await asyncio.open_connection(*self._address)
        creates = [
            {"type": "create", "task": name, "title": name, "total": 10**9, "start": True}
            for name in self._names
        ]
        await self._post(creates)

    async def report(self, hz: float, seconds: float, phase: float) -> None:
        """Report so often for so long."""
        loop = asyncio.get_running_loop()
        began = loop.time() + phase / hz
        base = int(time.time() * 1000) % 10**8
        for index in itertools.count():
            wait = began + index / hz - loop.time()
            if wait < -_PATIENCE:
                continue
            await asyncio.sleep(max(0.0, wait))
            if loop.time() - began >= seconds:
                return
            message = f"@{time.time_ns()}@"
            ticks = [
                {"type": "progress", "task": name, "done": base + index, "message": message}
                for name in self._names
            ]
            self.accepted += await self._post(ticks)

    async def _post(self, reports: list[dict[str, object]]) -> int:
        body = msgspec.json.encode({"reports": reports})
        self._writer.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
        head = await self._reader.readuntil(b"\r\n\r\n")
        _, _, rest = head.lower().partition(b"content-length:")
        answer = json.loads(await self._reader.readexactly(int(rest.split(b"\r\n", 1)[0])))
        if not head.startswith(b"HTTP/1.1 200") or answer["rejected"]:
            raise RuntimeError(f"{head[:40]!r} {answer['rejected'][:1]}")
        return int(answer["accepted"])


async def main(host: str, port: str, token: str, workers: str, tasks: str, hz: str) -> None:
    """Serve the harness."""
    count, each = int(workers), int(tasks) // int(workers)
    names = [f"01FLOOD{number}" for number in range(count * each)]
    crew = [
        Worker((host, int(port)), token, names[index * each : (index + 1) * each]) for index in range(count)
    ]
    for worker in crew:
        await worker.connect()
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        seconds = float(line.split()[1])
        before = sum(worker.accepted for worker in crew)
        # Not in step with each other, as workers are not.
        await asyncio.gather(
            *(worker.report(float(hz), seconds, index / count) for index, worker in enumerate(crew))
        )
        print(json.dumps({"updates": sum(worker.accepted for worker in crew) - before}), flush=True)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
