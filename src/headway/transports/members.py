"""How many connections one user may have at once, and which of them goes when there are more."""

from __future__ import annotations

from headway.errors import TooManyConnections
from headway.ports.link import Link

__all__ = ["Members"]


class Members:
    """Who is connected, by user and in order of arrival. Keeps nothing at all while there is no ceiling."""

    def __init__(self, ceiling: int = 0, *, close_oldest: bool = False) -> None:
        """Nobody is connected.

        Args:
            ceiling: connections of one user; 0 for any number.
            close_oldest: make room for who comes, instead of refusing it.
        """
        self._ceiling = ceiling
        self._close_oldest = close_oldest
        self._links: dict[str, dict[Link, None]] = {}

    def join(self, user: str, link: Link) -> None:
        """One more connection of this user.

        Raises:
            TooManyConnections: it is one too many.
        """
        if not self._ceiling:
            return
        links = self._links.get(user, {})
        if len(links) >= self._ceiling:
            error = TooManyConnections(limit=self._ceiling)
            if not self._close_oldest:
                raise error
            oldest = next(iter(links))
            # It leaves by itself when it ends, but one that is cut off already would stand in the way.
            self.leave(user, oldest)
            oldest.end(error)
        self._links.setdefault(user, {})[link] = None

    def leave(self, user: str, link: Link) -> None:
        """It has gone. Idempotent."""
        links = self._links.get(user)
        if links is not None:
            links.pop(link, None)
            if not links:
                del self._links[user]
