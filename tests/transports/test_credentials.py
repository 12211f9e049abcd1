"""Whether a request's host is one at which nobody else can have a page."""

from __future__ import annotations

import pytest

from headway.transports.credentials import LOOPBACK_ORIGINS, known_host

ORIGINS = frozenset((LOOPBACK_ORIGINS, "https://jobs.example", "http://other.example:8080"))


@pytest.mark.parametrize(
    "host",
    ["", "localhost:8400", "LOCALHOST", "app.localhost:1", "127.0.0.1:8400", "[::1]:8400", "192.0.2.7", "headway:8400", "host.docker.internal:8400", "box.home.arpa",
     "jobs.example", "Jobs.Example:443", "other.example"],
)  # fmt: skip
def test_an_address_a_name_without_a_dot_and_what_is_allowed_are_known(host: str) -> None:
    assert known_host(host, ORIGINS)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8400", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example#localhost",
     "jobs.example.evil.example", "xjobs.example", "a.b:x", "[::1", "[evil.example]", "localhost@evil.example", "internal.evil.example", "1.1"],
)  # fmt: skip
def test_any_other_name_may_be_that_of_somebody_else(host: str) -> None:
    assert not known_host(host, ORIGINS)
