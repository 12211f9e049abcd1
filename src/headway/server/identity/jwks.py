"""The keys behind a URL: fetched when needed, kept while the other side cannot be reached, never asked for in a storm."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from urllib.parse import urlsplit

from headway.errors import ConfigurationError
from headway.server.identity.keys import VerifyingKey, jwks_keys

__all__ = ["KeyUrl"]

_log = logging.getLogger("headway.tokens")

_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))
_MAX_BYTES = 262_144
_SECONDS = 5.0
"""For one fetch, from name to last byte."""


class KeyUrl:
    """A JSON Web Key Set at a URL.

    Attributes:
        keys: those that were found last.
        changed: called when there are others than before.

    Keys are fetched anew every so often, and when a token names one that is not
    among them; but not more often than the cool-down allows, and by one request at a time, whoever waits for it.
    """

    def __init__(self, url: str, *, refresh: float = 300.0, cooldown: float = 30.0) -> None:
        """Nothing is fetched yet.

        Args:
            refresh: seconds after which keys are fetched anew.
            cooldown: seconds that must be between two fetches.

        Raises:
            ConfigurationError: a URL that is neither https nor of this machine.
        """
        parts = urlsplit(url)
        local = parts.hostname in _LOOPBACK
        if (
            not parts.hostname
            or parts.scheme not in ("https", "http")
            or (parts.scheme == "http" and not local)
        ):
            raise ConfigurationError("jwks_url must begin with https:// (http:// only on this machine)")
        if parts.username or parts.password:
            raise ConfigurationError("jwks_url must not have a password in it")
        self.keys: list[VerifyingKey] = []
        self._host = parts.hostname
        self._url = url
        self._refresh = refresh
        self._cooldown = cooldown
        self.changed: Callable[[], object] | None = None
        self._known: bytes = b""
        self._fetching: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._asked_at = float("-inf")

    @property
    def may_ask(self) -> bool:
        """Whether fetching now could give other keys: it has been long enough, or a fetch is under way."""
        return self._fetching is not None or self._now() - self._asked_at >= self._cooldown

    async def fetch(self) -> None:
        """Fetch the keys, unless that was done just now. What goes wrong is logged, and the keys stay as they are."""
        if self._fetching is None:
            if not self.may_ask:
                return
            self._asked_at = self._now()
            self._fetching = asyncio.create_task(self._fetch())
        # Whoever gives up waiting leaves it to the others.
        await asyncio.shield(self._fetching)

    def open(self) -> None:
        """Begin to keep the keys fresh."""
        self._keeping = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """Stop. Idempotent."""
        tasks = [task for task in (self._keeping, self._fetching) if task is not None]
        self._keeping = self._fetching = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self) -> None:
        while True:
            await self.fetch()
            await asyncio.sleep(self._refresh if self.keys else min(self._refresh, self._cooldown))

    async def _fetch(self) -> None:
        try:
            data = await asyncio.wait_for(self._read(), _SECONDS)
            if data == self._known:
                return
            self.keys = jwks_keys(data, secrets=False)
            self._known = data
            _log.info("keys fetched", extra={"host": self._host, "keys": len(self.keys)})
            if self.changed is not None:
                self.changed()
        except Exception as error:  # noqa: BLE001 - whatever the other side does, the keys that we have stay
            reason = str(error) if type(error) is ValueError else type(error).__name__
            _log.warning(
                "keys could not be fetched from %s (%s)%s",
                self._host,
                reason,
                "; those known so far stay" if self.keys else "",
            )
        finally:
            self._fetching = None

    async def _read(self) -> bytes:
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True, auto_decompress=False) as session,
            session.get(
                self._url,
                # A redirect could lead to where we would not have asked.
                allow_redirects=False,
                headers={
                    "Accept": "application/jwk-set+json, application/json",
                    "Accept-Encoding": "identity",
                },
            ) as response,
        ):
            if response.status != 200:
                raise ValueError(f"HTTP {response.status}")
            try:
                await response.content.readexactly(_MAX_BYTES + 1)
            except asyncio.IncompleteReadError as whole:
                return whole.partial
            raise ValueError(f"more than {_MAX_BYTES} bytes")

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
