"""Structured logs on standard error, with nothing secret in them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import select
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

__all__ = ["hide_in_access_logs", "set_up_logs"]

_SECRET_WORDS = re.compile(r"(?i)(token|secret|authorization|cookie|password|ticket|code=)")
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_OURS = re.compile(r"hw[kst]_[A-Za-z0-9_-]{8,}")
"""Worker keys, shares and tickets."""
_IN_QUERY = re.compile(r"(?i)([?&](?:token|access_token|ticket|code|sid)=)[^&\s\"']+")
_HIDDEN = "[hidden]"
_encode = msgspec.json.Encoder().encode
_ACCESS_LOGS = (
    "uvicorn.access",
    "uvicorn.error",
    "hypercorn.access",
    "hypercorn.error",
    "granian.access",
    "_granian",
)
_MOMENT_MS = 100
_GATHER_SECONDS = 0.01
_MOST_GATHERED = 100
_TOGETHER = 1000
"""Characters that are written at once at most, unless a line has more: never beyond 4096 bytes of UTF-8."""
_MISSED = "nobody read the log; %d lines were left out"


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what looks like a token or stands under a secret's name."""
    for key, value in event.items():
        event[key] = _hidden(key, value)
    return event


def _once(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # The fields of the audit stand beside it, too.
    event.pop("audited", None)
    return event


def _hidden(key: str, value: Any) -> Any:
    if key not in {"event", "code"} and _SECRET_WORDS.search(key):
        return _HIDDEN
    if isinstance(value, str):
        return _IN_QUERY.sub(rf"\1{_HIDDEN}", _OURS.sub(_HIDDEN, _JWT.sub(_HIDDEN, value)))
    if isinstance(value, dict):
        return {inner: _hidden(str(inner), held) for inner, held in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_hidden("", held) for held in value]
    return value


class _Hiding(logging.Filter):
    """Hides what looks like a token in the lines of somebody else's logger."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            # Kept apart, since formatters of access lines take them one by one.
            record.args = tuple(_hidden("", part) for part in record.args)
        elif record.args:
            record.msg, record.args = record.getMessage(), None
        record.msg = _hidden("", record.msg)
        return True


def hide_in_access_logs() -> None:
    """Hide tokens in what the servers that others run us in write of each request. Idempotent."""
    for name in _ACCESS_LOGS:
        logger = logging.getLogger(name)
        if not any(isinstance(known, _Hiding) for known in logger.filters):
            logger.addFilter(_Hiding())


class PromptHandler(logging.StreamHandler[Any]):
    """Writes lines, and waits for nobody: when whoever reads them has stopped, they are counted instead.

    A pipe that is full would hold the whole server up at the next line. One that can be written to at all takes 4096
    bytes at once (pipe(7), PIPE_BUF), which is more than a line has unless it tells of an error.

    Lines of the audit are gathered for a hundredth of a second and written several at once: each connection has three of
    them, and asking and writing cost more than all that is said.
    """

    _missed = 0

    def __init__(self) -> None:
        """Write to standard error."""
        super().__init__()
        self._gathered: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, or count it; one of the audit may wait a little for others, and goes out before all that follows."""
        self._gathered.append(record)
        if not hasattr(record, "audited") or len(self._gathered) >= _MOST_GATHERED:
            self._release()
        elif len(self._gathered) == 1:
            try:
                asyncio.get_running_loop().call_later(_GATHER_SECONDS, self.flush)
            except RuntimeError:
                # No loop, so nobody waits for it.
                self._release()

    def flush(self) -> None:
        """Write what was gathered."""
        with self.lock or contextlib.nullcontext():
            self._release()

    def _release(self) -> None:
        gathered, self._gathered = self._gathered, []
        text, lines = "", 0
        for record in gathered:
            try:
                line = self.format(record) + self.terminator
            except Exception:  # noqa: BLE001 - as of any handler: what cannot be said ends nothing
                self.handleError(record)
                continue
            if lines and len(text) + len(line) > _TOGETHER:
                self._write(text, lines)
                text, lines = "", 0
            text += line
            lines += 1
        if lines:
            self._write(text, lines)

    def _write(self, text: str, lines: int) -> None:
        # A reader that is only slow is given a moment, once.
        if not self._writable(0 if self._missed else _MOMENT_MS):
            self._missed += lines
            return
        if self._missed:
            missed, self._missed = self._missed, 0
            record = logging.LogRecord("headway.server", logging.WARNING, "", 0, _MISSED, (missed,), None)
            text = self.format(record) + self.terminator + text
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):
            self._missed += lines

    def _writable(self, milliseconds: int) -> bool:
        try:
            waiting = select.poll()
            waiting.register(self.stream.fileno(), select.POLLOUT)
            return bool(waiting.poll(milliseconds))
        except (AttributeError, OSError, ValueError):
            # Not a file of the system, or on a system without this: it is written to as ever.
            return True


class PromptFormatter(structlog.stdlib.ProcessorFormatter):
    """Writes lines of the audit as JSON at once: each connection has three of them, and the pipeline takes its time."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        said = getattr(record, "audited", None)
        if said is None:
            return super().format(record)
        line = _encode(
            {
                "event": record.msg,
                "logger": record.name,
                "level": "info",
                **said,
                "timestamp": datetime.fromtimestamp(record.created, UTC),
            }
        ).decode()
        # A name may have been made of a token.
        return _JWT.sub(_HIDDEN, line) if "eyJ" in line else line


def set_up_logs(level: str, form: str) -> None:
    """Send all logs of this process through one pipeline.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        form: `console`, `json`, or `auto`: console on a terminal.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        _once,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    # The traceback becomes text first, so that what it quotes is hidden too; no renderer shows local variables.
    last: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        hide_secrets,
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if console
        else structlog.processors.JSONRenderer(),
    ]
    # No line of ours says which thread it comes from, and finding that out takes most of the time that a record takes.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = PromptHandler()
    formatter = structlog.stdlib.ProcessorFormatter if console else PromptFormatter
    handler.setFormatter(formatter(foreign_pre_chain=shared, processors=last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    # Uvicorn and Alembic narrate their own lives; ours is enough.
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Its access line holds the query string, and with it what old clients put there.
    logging.getLogger("uvicorn.access").disabled = True
