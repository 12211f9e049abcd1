"""How often users and addresses may come and ask, over all their connections together.

Every kind of asking has a rate; who was quiet may do ten seconds' worth at once. Addresses of trusted proxies are not
limited: behind one of them, or on this machine, may be everybody.
"""

from __future__ import annotations

from math import ceil

import msgspec

from headway.errors import ConnectingTooOften, RateLimited
from headway.model.grant import ANONYMOUS
from headway.transports.addresses import Proxies, block_of

__all__ = ["Buckets", "Limits", "Rates"]

_BURST_SECONDS = 10.0
_REMEMBERED = 20_000


class Limits(msgspec.Struct, frozen=True):
    """Each in a second, over all connections of a user or an address; 0 for any number.

    Attributes:
        connects_per_user, connects_per_address: connections that are opened, streams among them.
        requests_per_user, requests_per_address: REST requests and polls.
        batches_per_user: batches of reports; these are no requests of the user.
        messages_per_user: on connections.
    """

    connects_per_user: float = 0.0
    connects_per_address: float = 0.0
    requests_per_user: float = 0.0
    requests_per_address: float = 0.0
    batches_per_user: float = 0.0
    messages_per_user: float = 0.0


class Buckets:
    """What each key may still do: a token bucket for those that did something lately."""

    __slots__ = ("_left", "_most", "burst", "rate")

    def __init__(self, rate: float, most: int = _REMEMBERED) -> None:
        """All of them are full.

        Args:
            rate: a second; 0 for any.
            most: keys that are remembered; the one that was quiet longest is forgotten first.
        """
        self.rate = rate
        self.burst = max(1.0, rate * _BURST_SECONDS)
        self._most = most
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str, now: float) -> float:
        """Do it once; 0 when that was allowed, else the seconds until it is.

        Args:
            now: monotonic seconds.
        """
        if not self.rate:
            return 0.0
        # Put back at the end, so that the first is the one that was quiet longest.
        left, at = self._left.pop(key, (self.burst, now))
        left = min(self.burst, left + max(0.0, now - at) * self.rate)
        allowed = left >= 1
        self._left[key] = (left - 1 if allowed else left, now)
        if len(self._left) > self._most:
            del self._left[next(iter(self._left))]
        return 0.0 if allowed else (1 - left) / self.rate

    def __len__(self) -> int:
        return len(self._left)


class Rates:
    """The buckets of a server. Each call takes from one, or raises the error that says when to come again."""

    def __init__(self, limits: Limits | None = None, proxies: Proxies | None = None) -> None:
        limits = limits or Limits()
        self.proxies = proxies or Proxies()
        self._connects_by_user = Buckets(limits.connects_per_user)
        self._connects_by_address = Buckets(limits.connects_per_address)
        self._requests_by_user = Buckets(limits.requests_per_user)
        self._requests_by_address = Buckets(limits.requests_per_address)
        self._batches_by_user = Buckets(limits.batches_per_user)
        self._messages_by_user = Buckets(limits.messages_per_user)

    def exempt(self, address: str) -> bool:
        """Whether what comes from this address is not limited."""
        return not address or address in self.proxies

    def arrive(self, address: str, now: float) -> None:
        """A connection that lasts is asked for from this address.

        Raises:
            ConnectingTooOften: it has to wait.
        """
        if not self.exempt(address):
            wait = self._connects_by_address.take(block_of(address), now)
            if wait:
                raise ConnectingTooOften(retry_after=ceil(wait))

    def enter(self, user: str, address: str, now: float) -> None:
        """It is this user's.

        Raises:
            ConnectingTooOften: they have to wait.
        """
        if not self.exempt(address):
            wait = self._connects_by_user.take(_payer(user, address), now)
            if wait:
                raise ConnectingTooOften(retry_after=ceil(wait))

    def knock(self, address: str, now: float) -> None:
        """A request comes from this address; nothing was read of it yet.

        Raises:
            RateLimited: it has to wait.
        """
        if not self.exempt(address):
            _hold(self._requests_by_address.take(block_of(address), now))

    def ask(self, user: str, address: str, now: float, *, reports: bool = False) -> None:
        """It is this user's.

        Args:
            reports: it is a batch of reports.

        Raises:
            RateLimited: they have to wait.
        """
        if not self.exempt(address):
            buckets = self._batches_by_user if reports else self._requests_by_user
            _hold(buckets.take(_payer(user, address), now))

    def say(self, user: str, address: str, now: float) -> None:
        """A message of this user came over a connection.

        Raises:
            RateLimited: they say too much, over all their connections.
        """
        if not self.exempt(address):
            _hold(self._messages_by_user.take(_payer(user, address), now))


def _payer(user: str, address: str) -> str:
    """Whose share is used up; of those who are nobody, the place's that they come from. No user's name begins so."""
    return f"@ {block_of(address)}" if user == ANONYMOUS else user


def _hold(wait: float) -> None:
    if wait:
        raise RateLimited(
            f"Too many requests in a short time; try again in {ceil(wait)} s", retry_after=ceil(wait)
        )
