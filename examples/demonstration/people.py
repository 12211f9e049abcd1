"""The two people that each example is tried with."""

from __future__ import annotations

from headway.server.app import Headway

__all__ = ["DEMO_USERS", "login_links"]

DEMO_USERS = ("demo-1", "demo-2")
_SECONDS = 7 * 86_400.0


def login_links(headway: Headway, url: str) -> dict[str, str]:
    """A link for each that opens the page as this person.

    The token is in the fragment, which browsers send to nobody; the page takes it out of the address at once.
    """
    return {user: f"{url}/#token={headway.token(user, ttl=_SECONDS)}" for user in DEMO_USERS}
