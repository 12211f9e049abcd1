"""Checks of what is outside: the port, a server that answers, and the clock."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec
import urllib3

from headway.cli.checks.finding import Finding, fail, ok, warn
from headway.errors import ConfigurationError
from headway.server.settings import Settings
from headway.worker import discovery

__all__ = ["Answer", "ask", "check_clock", "check_port", "check_server"]

_SECONDS = 3.0
_DRIFT = 5.0
_EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound to


class Answer(msgspec.Struct, frozen=True):
    """A Headway that answered.

    Attributes:
        ahead: seconds by which its clock is ahead of ours, to about a second; None when it does not say.
    """

    url: str
    ahead: float | None


def ask(url: str) -> Answer | None:
    """The Headway at an address; None when there is none."""
    before = time.time()
    try:
        answer = urllib3.request("GET", f"{url}/healthz", timeout=_SECONDS, retries=False)
        healthy = answer.status == 200 and answer.json() == {"status": "ok"}
    except (urllib3.exceptions.HTTPError, ValueError):
        return None
    if not healthy:
        return None
    try:
        # The header counts whole seconds: half of one is the best guess at what it left out.
        said = parsedate_to_datetime(answer.headers["Date"]).timestamp() + 0.5
    except (KeyError, ValueError):
        return Answer(url, None)
    return Answer(url, said - (before + time.time()) / 2)


def check_port(settings: Settings) -> tuple[Finding, Answer | None]:
    """The port is free, or a Headway has it; that one too."""
    what = "port"
    host, port = settings.host, settings.port
    if port == 0:
        return ok(what, "the system chooses one"), None
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        near = _EVERYWHERE.get(host, host)
        answer = ask(f"http://[{near}]:{port}" if ":" in near else f"http://{near}:{port}")
        if answer is not None:
            return ok(what, f"a Headway answers at {answer.url}"), answer
        return fail(what, f"{host}:{port} cannot be had ({error.strerror}); choose another with --port"), None
    return ok(what, f"{host}:{port} is free"), None


def check_server() -> tuple[Finding | None, Answer | None]:
    """The server that jobs of this user report to answers; nothing is said when there is none to be found."""
    what = "server"
    try:
        target = discovery.find(discovery.Settings())
    except ConfigurationError as error:
        return fail(what, f"HEADWAY_URL is not used: {error.message}"), None
    if target is None:
        return None, None
    answer = ask(target.url.rstrip("/"))
    if answer is not None:
        return ok(what, f"{target.url} answers, and jobs here report to it ({target.found})"), answer
    if target.found == "environment":
        return fail(
            what, f"no Headway answers at {target.url}; start it, or set HEADWAY_URL to another"
        ), None
    return warn(what, f"no Headway answers at {target.url}, though its process lives; see what it logs"), None


def check_clock(server: Answer | None) -> Finding:
    """The clock is of this age, and agrees with the server's."""
    what = "clock"
    now = datetime.now(UTC)
    if now < _EARLIEST:
        return fail(
            what, f"it says {now:%Y-%m-%d %H:%M}, which is past; tokens and times will be wrong: set it"
        )
    if server is None or server.ahead is None:
        return ok(what, f"{now:%Y-%m-%d %H:%M} UTC; no server to compare it with")
    if abs(server.ahead) > _DRIFT:
        way = "behind" if server.ahead > 0 else "ahead of"
        return warn(
            what, f"{abs(server.ahead):.0f} s {way} that of {server.url}; let both follow a time server"
        )
    return ok(what, f"{now:%Y-%m-%d %H:%M} UTC, as at {server.url}")
