"""`headway demo`: a server and a worker on real files, as two processes that can lose each other."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from headway.cli.children import KeptServer, end, python
from headway.cli.duplicates.corpus import FILES
from headway.cli.flags import CONFIG_HELP
from headway.cli.secret import tokens_for
from headway.errors import ConfigurationError, MissingExtra
from headway.model.grant import Ability
from headway.server.login import LOCAL_USER
from headway.server.settings import Settings, load_settings

__all__ = ["demo"]

_INTERRUPTED = 130
_TOKEN_SECONDS = 7 * 86_400


class _Plan(msgspec.Struct, frozen=True):
    settings: Settings
    config: Path | None
    path: Path | None
    files: int
    once: bool


def demo(
    path: Annotated[
        Path | None, Parameter(help="Folder of text files; installed Python sources when left out.")
    ] = None,
    /,
    *,
    files: Annotated[int, Parameter(help="Compare no more files than this.")] = FILES,
    once: Annotated[bool, Parameter(help="End when the job is done.", negative=())] = False,
    port: Annotated[
        int | None, Parameter(help="Port to listen on; 0 lets the system choose.", show_default=False)
    ] = None,
    data: Annotated[
        Path | None, Parameter(help="Folder for database and report [.headway].", show_default=False)
    ] = None,
    config: Annotated[Path | None, Parameter(help=CONFIG_HELP, show_default=False)] = None,
) -> int:
    """Find duplicates among real files, to see progress live.

    Starts a server and, as a process of its own, a worker that looks for exact and near duplicates. Kill the server in
    the middle: the worker goes on, the server comes back, and the bar is where it should be.
    """
    if find_spec("datasketch") is None:
        raise MissingExtra(
            'The demo needs datasketch, which is not installed here: pip install "headway[server]"'
        )
    if path is not None and not path.is_dir():
        raise ConfigurationError(f"{path} is not a folder")
    if files < 1:
        raise ConfigurationError("--files is a number from 1")
    settings = load_settings(config, data=data, port=port)
    return asyncio.run(_run(_Plan(settings, config, path, files, once)))


async def _run(plan: _Plan) -> int:
    stopped = asyncio.Event()
    # Windows has neither these handlers nor SIGHUP; there Ctrl-C ends the loop.
    with contextlib.suppress(NotImplementedError, KeyError):
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            asyncio.get_running_loop().add_signal_handler(signal.Signals[name], stopped.set)
    server = KeptServer(plan.settings.data, plan.settings.port, plan.config, _say)
    try:
        await server.start()
        return await _watch_over(server, await _worker(plan, server.url), stopped, plan)
    finally:
        await server.stop()


async def _watch_over(
    server: KeptServer, worker: asyncio.subprocess.Process, stopped: asyncio.Event, plan: _Plan
) -> int:
    _say("Watch it in another terminal: headway watch --wait")
    _say(f"Kill the server, and see that nothing is lost: kill -9 {server.pid}")
    again = f"headway serve --port {server.url.rpartition(':')[2]} --data {plan.settings.data}"
    stop = asyncio.create_task(stopped.wait())
    job = asyncio.create_task(worker.wait())
    kept = asyncio.create_task(server.keep())
    try:
        await asyncio.wait((stop, job, kept), return_when=asyncio.FIRST_COMPLETED)
        if kept.done() and not job.done() and not stop.done():
            if kept.result() > 0:
                return kept.result()
            _say(f"The server has ended and the job goes on. Start it again and the bar does too: {again}")
            await asyncio.wait((stop, job), return_when=asyncio.FIRST_COMPLETED)
        if not job.done():
            return _INTERRUPTED
        if not plan.once and not stop.done() and not kept.done():
            _say("The job has ended and the server stays until Ctrl-C")
            await asyncio.wait((stop, kept), return_when=asyncio.FIRST_COMPLETED)
        return job.result()
    finally:
        # The worker says goodbye first, while there is somebody to hear it.
        await end(worker, signal.SIGINT)
        await server.stop()
        stop.cancel()
        await asyncio.gather(stop, job, kept, return_exceptions=True)


async def _worker(plan: _Plan, url: str) -> asyncio.subprocess.Process:
    # The server has made its secret by now, if it was not given one.
    token = tokens_for(plan.settings).make(LOCAL_USER, can=frozenset(Ability), ttl=_TOKEN_SECONDS)
    path = () if plan.path is None else (str(plan.path),)
    return await python(
        "headway.cli.duplicates", "--files", str(plan.files), "--reports", str(plan.settings.data / "reports"), *path,
        HEADWAY_URL=url, HEADWAY_TOKEN=token,
    )  # fmt: skip


def _say(text: str) -> None:
    print(text, flush=True)
