"""Where the server is: configured, in the environment, or running for development on this machine.

A development server leaves a note, `server.json`, with its URL and token; it is read again at each attempt to connect,
since the server may start later than the job and on another port. It must not know how anything is sent.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import msgspec

from headway.errors import ConfigurationError
from headway.worker.sink import check_url

__all__ = [
    "Runtime",
    "Settings",
    "Target",
    "find",
    "read_runtime",
    "remove_runtime",
    "runtime_dir",
    "write_runtime",
]

_MOST_BYTES = 64 * 1024


class Runtime(msgspec.Struct, frozen=True):
    """The note of a development server.

    Attributes:
        data: the absolute path of its database or data folder.
    """

    url: str
    token: str
    pid: int
    data: str = ""


class Target(msgspec.Struct, frozen=True):
    """A server to deliver to.

    Attributes:
        found: `configured`, `environment` or `runtime`.
    """

    url: str
    token: str | None
    found: str


class Settings(msgspec.Struct):
    """What `headway.configure` has set."""

    url: str | None = None
    token: str | None = None
    spool: str | None = None
    enabled: bool = True

    @property
    def spool_folder(self) -> str | None:
        """The spool's folder: configured, or `HEADWAY_SPOOL`."""
        return self.spool or os.environ.get("HEADWAY_SPOOL") or None


def find(settings: Settings) -> Target | None:
    """The server to deliver to right now, or None.

    Raises:
        ConfigurationError: `HEADWAY_URL` is not a URL.
    """
    token = settings.token or os.environ.get("HEADWAY_TOKEN") or None
    if settings.url:
        return Target(settings.url, token, "configured")
    if url := os.environ.get("HEADWAY_URL"):
        return Target(check_url(url), token, "environment")
    runtime = read_runtime()
    # Another process may have got the port of a server that was killed, and must not be sent its token.
    if runtime is None or not _is_alive(runtime.pid):
        return None
    try:
        return Target(check_url(runtime.url), settings.token or runtime.token, "runtime")
    except ConfigurationError:
        return None


def runtime_dir() -> Path:
    """Where development servers leave their note: `$HEADWAY_RUNTIME_DIR`, `$XDG_STATE_HOME/headway` or `~/.local/state/headway`."""
    if folder := os.environ.get("HEADWAY_RUNTIME_DIR"):
        return Path(folder)
    if state := os.environ.get("XDG_STATE_HOME"):
        return Path(state) / "headway"
    return Path.home() / ".local" / "state" / "headway"


def write_runtime(url: str, token: str, pid: int, data: str) -> Path:
    """Leave the note of a development server, readable by its user alone.

    Args:
        url: where it listens.
        token: lets its user's jobs publish.
        pid: its process.
        data: the absolute path of its data.

    Returns:
        the file.

    Raises:
        OSError: it cannot be written.
    """
    folder = runtime_dir()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # mkstemp makes the file with mode 0600, so there is no moment at which others can read it.
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".server-", suffix=".json")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(Runtime(url, token, pid, data)))
        path = folder / "server.json"
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def remove_runtime(pid: int) -> bool:
    """Take the note away when it is that process's; whether it was."""
    runtime = read_runtime()
    if runtime is None or runtime.pid != pid:
        return False
    (runtime_dir() / "server.json").unlink(missing_ok=True)
    return True


def read_runtime() -> Runtime | None:
    """The note of a development server; None when there is none that belongs to this user alone."""
    try:
        path = runtime_dir() / "server.json"
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except (OSError, RuntimeError):
        return None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return None
        if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o077):
            return None
        return msgspec.json.decode(os.read(handle, _MOST_BYTES), type=Runtime)
    except (OSError, msgspec.MsgspecError):
        return None
    finally:
        os.close(handle)


def _is_alive(pid: int) -> bool:
    if os.name == "nt" or pid <= 0:
        return pid > 0  # there, signal 0 would end the process
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
