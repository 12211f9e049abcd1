"""Starting an example: Headway, and beside it on the same port the application with what does its work."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from examples.demonstration.children import end, over, start
from examples.demonstration.people import DEMO_PEOPLE, Person, login_links
from headway.errors import HeadwayError
from headway.server.app import Headway
from headway.server.logs import set_up_logs
from headway.server.run import bind, run
from headway.server.settings import Settings, load_settings

__all__ = ["BASE", "ROOT", "Place", "Stage", "announce", "launch", "read_settings", "worker"]

ROOT = Path(__file__).parents[2]
BASE = "/headway"
"""Where Headway's own dashboard, REST and sockets are."""
_AGAIN_SECONDS = 1.0


class Place(NamedTuple):
    """What an application needs to know about where it runs.

    Attributes:
        headway: the address of Headway's own REST and sockets.
        token: for the application itself and its workers; it may do everything.
        data: the folder for its files.
    """

    headway: str
    token: str
    data: Path

    @property
    def variables(self) -> dict[str, str]:
        """By these a worker finds its server and its files."""
        return {"HEADWAY_URL": self.headway, "HEADWAY_TOKEN": self.token, "EXAMPLE_DATA": str(self.data)}


Stage = Callable[[Place], AbstractContextManager[Any]]
"""Starts what does the work, gives the ASGI application that has every path which is not Headway's, and ends both."""


def launch(
    name: str,
    port: int,
    stage: Stage,
    *,
    people: Mapping[str, Person] = DEMO_PEOPLE,
    **settings: Any,
) -> int:
    """Run an example until Ctrl-C or SIGTERM.

    Args:
        port: unless another is given on the command line.
        people: who can log in.
        settings: of Headway, where they differ from the defaults.

    Returns:
        the exit code.
    """
    try:
        _run(name, read_settings(name, port, **settings), stage, people)
    except HeadwayError as error:
        print(error.message, file=sys.stderr)
        return 1
    return 0


def read_settings(name: str, port: int, **settings: Any) -> Settings:
    """Headway's settings from the command line of an example; see `launch`.

    Raises:
        ConfigurationError: one of them is wrong.
    """
    parser = argparse.ArgumentParser(prog=f"python -m examples.{name}")
    parser.add_argument("--port", type=int, default=port, help=f"port to listen on [{port}]; 0 chooses one")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(f".headway-{name}"),
        help=f"folder for all its files [.headway-{name}]",
    )
    options = parser.parse_args()
    # While no server listens to it, and where a server raises it again when it has drained: what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    return load_settings(
        port=options.port, data=options.data, base_path=BASE, log_level="warning", **settings
    )


def announce(name: str, url: str, headway: Headway, people: Mapping[str, Person]) -> None:
    """Say that it is ready, and how each of the people gets in."""
    print(f"{name} is ready on {url}")
    for user, link in login_links(headway, url, people).items():
        print(f"{user}: {link}")
    sys.stdout.flush()


@contextmanager
def worker(module: str, *arguments: str, **variables: str) -> Iterator[None]:
    """A module of Python as a process that ends with the block, and is started again when it ends before."""
    stop = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def keep() -> None:
        while not stop.is_set():
            process = start(
                [sys.executable, "-m", module, *arguments],
                cwd=ROOT,
                env=os.environ | variables,
                # Ctrl-C is for us, and it is told when we are done.
                start_new_session=True,
            )
            running[:] = [process]
            code = over(process)
            if not stop.wait(_AGAIN_SECONDS):
                print(f"{module} ended (exit code {code}) and is started again", file=sys.stderr)

    keeper = threading.Thread(target=keep, name=f"keeper of {module}", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        for process in running:
            end(process)
        keeper.join(_AGAIN_SECONDS)


def _run(name: str, settings: Settings, stage: Stage, people: Mapping[str, Person]) -> None:
    set_up_logs(settings.log_level, settings.log_format)
    listener = bind(settings)
    # Known before it runs, since application and workers are told.
    url = "http://{}:{}".format(*listener.getsockname()[:2])

    try:
        beside = _Beside()
        headway = Headway(settings, beside=beside)
        with stage(Place(url + BASE, headway.local_token(), settings.data.resolve())) as application:
            beside.application = application
            run(headway, listener, lambda headway, _: announce(name, url, headway, people))
    finally:
        listener.close()


class _Beside:
    """The application, which needs a token that only its server can make."""

    application: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.application(scope, receive, send)
