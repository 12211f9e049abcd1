"""The two people that each example is tried with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from headway.server.app import Headway

__all__ = ["DEMO_PEOPLE", "Person", "login_links"]

_SECONDS = 7 * 86_400.0


class Person(NamedTuple):
    """Who somebody is for Headway.

    Attributes:
        user: as in the token; a number in digits where a contract knows its users by numbers.
        channels: beyond the user's own.
    """

    user: str
    channels: tuple[str, ...] = ()


DEMO_PEOPLE: Mapping[str, Person] = {"demo-1": Person("demo-1"), "demo-2": Person("demo-2")}


def login_links(headway: Headway, url: str, people: Mapping[str, Person]) -> dict[str, str]:
    """A link for each that opens the page as this person.

    The token is in the fragment, which browsers send to nobody; the page takes it out of the address at once.
    """
    return {
        name: f"{url}/#token={headway.token(person.user, channels=person.channels, ttl=_SECONDS)}"
        for name, person in people.items()
    }
