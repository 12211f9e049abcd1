"""Reports of this very process: from the worker's delivery thread into the hub, without a network.

The delivery thread waits for the loop and the loop never waits for the delivery thread, so neither can hold the other
for ever: what is left is flushed from a thread of its own, while the loop runs on.
"""

from __future__ import annotations

import asyncio
import threading

from headway.errors import Draining
from headway.hub.hub import Hub
from headway.model.grant import Ability, Grant
from headway.model.report import Batch, BatchAnswer
from headway.server.login import LOCAL_USER
from headway.worker import delivery

__all__ = ["LocalSink"]

_ANSWER_SECONDS = 30.0
_BATCH_SECONDS = 5.0


class LocalSink:
    """Takes batches from the delivery thread. Of several in one process, the one that was opened last gets them."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._grant = Grant(LOCAL_USER, can=frozenset(Ability))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._batches: set[asyncio.Task[object]] = set()

    def open(self) -> None:
        """Take what this process reports from now on."""
        self._loop = asyncio.get_running_loop()
        with _order:
            _open.append(self)
            delivery.deliver_to(self)

    async def close(self, seconds: float) -> None:
        """Take what was reported until now, for at most so many seconds, and no more. Idempotent."""
        if self._loop is None:
            return
        if _open[-1:] == [self]:
            await asyncio.to_thread(delivery.flush, seconds)
        with _order:
            _open.remove(self)
            delivery.deliver_to(_open[-1] if _open else None)
        self._loop = None
        if self._batches:
            await asyncio.wait(self._batches, timeout=_BATCH_SECONDS)

    def __call__(self, batch: Batch, /) -> BatchAnswer:
        """Hand a batch to the loop, and wait for the answer.

        Raises:
            Draining: there is no loop that would take it.
            HeadwayError: it was refused.
        """
        loop = self._loop
        if loop is None or not loop.is_running():
            raise Draining
        coming = asyncio.run_coroutine_threadsafe(self._take(batch), loop)
        try:
            return coming.result(_ANSWER_SECONDS)
        except TimeoutError:
            coming.cancel()
            raise

    async def _take(self, batch: Batch) -> BatchAnswer:
        if self._loop is None:
            raise Draining
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine that runs is one's
        self._batches.add(task)
        task.add_done_callback(self._batches.discard)
        return await self._hub.ingest(self._grant, batch)


_open: list[LocalSink] = []
_order = threading.Lock()
