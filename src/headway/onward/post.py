"""Posting to an address that somebody typed: within time, without redirects, and never to a machine it may not reach.

A name is resolved once for each attempt, every address it has is checked, and the connection goes to one of those. So
a name that means something else a moment later changes nothing. Proxies of the environment are not used: they would
resolve names by themselves.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import msgspec

from headway.onward.reach import AddressRefused, Reach

if TYPE_CHECKING:
    import aiohttp
    from aiohttp.abc import AbstractResolver, ResolveResult

__all__ = ["Outcome", "Poster"]

_NAMES_AT_ONCE = 4
_CHECK_SECONDS = 2.0


class Outcome(msgspec.Struct, frozen=True):
    """What came of an attempt.

    Attributes:
        status: of the answer, when there was one.
        error: in words, for whoever operates the receiver; None when it took the message.
        duration: milliseconds.
        asked: seconds that the receiver wants us to wait.
    """

    status: int | None
    error: str | None
    duration: int
    asked: float | None = None


class Poster:
    """Posts JSON. Of an answer only the status counts; its body is not read."""

    def __init__(self, networks: tuple[str, ...], timeout: float, agent: str) -> None:
        """Connect to nothing yet.

        Args:
            networks: of one's own that may be reached, by plain http too.
            timeout: seconds for an attempt, from the name to the answer's head.
            agent: the `User-Agent`.
        """
        self._timeout = timeout
        self._agent = agent
        self._reaches = {"https": Reach(networks), "http": Reach(networks, public=False)}
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        # Of its own: a name server that does not answer must not hold up what else the process does in threads.
        self._threads = ThreadPoolExecutor(_NAMES_AT_ONCE, thread_name_prefix="headway-names")

    async def close(self) -> None:
        """Let go of everything. Idempotent."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def check(self, scheme: str, host: str, port: int) -> None:
        """Say now what an attempt would be refused for. A name that does not resolve yet is nobody's fault.

        Raises:
            AddressRefused: the name has an address that may not be reached.
        """
        try:
            async with asyncio.timeout(min(_CHECK_SECONDS, self._timeout)):
                await _Resolver(self._reaches[scheme], self._threads).resolve(host, port, socket.AF_UNSPEC)
        except AddressRefused:
            raise
        except (OSError, TimeoutError, UnicodeError):
            return

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        """Post once. Never raises for what the other side does."""
        began = time.monotonic()
        status, asked = None, None
        try:
            session = await self._session(url.partition(":")[0].lower())
            async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                status = answer.status
                asked = _asked(answer.headers.get("Retry-After", ""))
                error = _complaint(status)
        except Exception as failure:  # noqa: BLE001 - whatever a stranger's server does ends here
            error = self._said(failure)
        return Outcome(status, error, round((time.monotonic() - began) * 1000), asked)

    async def _session(self, scheme: str) -> aiohttp.ClientSession:
        if scheme not in self._sessions:
            # A tenth of what a server needs to start, for what many never do; not in the loop, which goes on meanwhile.
            await asyncio.get_running_loop().run_in_executor(self._threads, import_module, "aiohttp")
        session = self._sessions.get(scheme)
        if session is None:
            import aiohttp

            reach = self._reaches[scheme]
            session = self._sessions[scheme] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=cast("AbstractResolver", _Resolver(reach, self._threads)),
                    socket_factory=_Sockets(reach),
                    use_dns_cache=False,
                    force_close=True,
                    limit=0,
                ),
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                headers={"User-Agent": self._agent, "Content-Type": "application/json"},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return session

    def _said(self, failure: Exception) -> str:
        import aiohttp

        if isinstance(failure, TimeoutError):
            return f"no answer within {self._timeout:g} s"
        cause = failure.os_error if isinstance(failure, aiohttp.ClientConnectorError) else failure
        if isinstance(cause, AddressRefused):
            return f"refused: {cause}"
        if isinstance(failure, aiohttp.ClientConnectorDNSError):
            return "its name does not resolve"
        if isinstance(failure, aiohttp.ClientSSLError | ssl.SSLError):
            reason = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or "it failed"
            return f"TLS: {reason}"
        if isinstance(failure, aiohttp.ClientConnectorError):
            number = getattr(cause, "errno", None)
            return f"could not connect ({os.strerror(number) if number else 'no address answers'})"
        if isinstance(failure, aiohttp.ServerDisconnectedError):
            return "it closed the connection without an answer"
        # Not its text: that may quote the address, and addresses may hold secrets.
        return f"the request failed ({type(failure).__name__})"


class _Resolver:
    """Asks the system, and refuses a name that has any address out of reach. It is a resolver of aiohttp's."""

    def __init__(self, reach: Reach, threads: ThreadPoolExecutor) -> None:
        self._reach = reach
        self._threads = threads

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
        )
        results: list[ResolveResult] = []
        for kind, _, proto, _, address in found:
            text = str(address[0])
            self._reach.check(text)
            results.append(
                {
                    "hostname": host,
                    "host": text,
                    "port": port,
                    "family": kind,
                    "proto": proto,
                    "flags": socket.AI_NUMERICHOST,
                }
            )
        return results

    async def close(self) -> None:
        """Nothing is held."""


class _Sockets:
    """Makes the socket for one address: the last thing before a connection, and so the place where nothing gets past."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def __call__(self, address: Any) -> socket.socket:
        family, kind, proto, _, where = address
        self._reach.check(str(where[0]))
        return socket.socket(family, kind, proto)


def _complaint(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"answered {status}; redirects are not followed, so set the URL to where it leads"
    return f"answered {status}"


def _asked(text: str) -> float | None:
    """`Retry-After`, seconds or a date (RFC 9110 §10.2.3); None when there is none that makes sense."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        return max(0.0, moment.timestamp() - time.time())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
