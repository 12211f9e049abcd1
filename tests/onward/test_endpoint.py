"""Endpoints: what can be one, and what it gets."""

from __future__ import annotations

import msgspec
import pytest

from headway.errors import InvalidField
from headway.onward.endpoint import Endpoint, Event, check_events, check_patterns, check_url

GOOD = {
    "https://example.com/hook?a=b": ("https", "example.com", 443),
    "HTTPS://EXAMPLE.com": ("https", "example.com", 443),
    "http://127.0.0.1:8080/": ("http", "127.0.0.1", 8080),
    "https://[2606:4700::1]:444/x": ("https", "2606:4700::1", 444),
}
BAD = [
    "", "example.com", "ftp://example.com", "file:///etc/passwd", "gopher://127.0.0.1:6379/_x", "https://",
    "https:///path", "javascript:alert(1)", "https://user@example.com", "https://example.com@127.0.0.1/",
    "https://a:b@example.com", "https://example.com/#part", "https://example.com:99999/", "https://[::1",
    "https://example.com/a b", "https://example.com/\r\nHost: other", "https://example.com\\@127.0.0.1/", "https://exa\0mple.com",
    "https://example.com/" + "x" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("url", GOOD)
def test_a_url_says_where_it_leads(url: str) -> None:
    assert check_url(url) == GOOD[url]


@pytest.mark.parametrize("url", BAD)
def test_what_cannot_be_an_endpoint_is_refused(url: str) -> None:
    with pytest.raises(InvalidField) as refused:
        check_url(url)
    assert refused.value.details["field"] == "url"


def test_it_wants_what_it_asked_for() -> None:
    everything = Endpoint("a", "https://a.example", "whsec_")
    some = Endpoint("b", "https://b.example", "whsec_", (Event.FAILED,), ("user:*", "project:p"))
    off = msgspec.structs.replace(everything, active=False)
    assert all(everything.wants(event, "public") for event in Event)
    assert some.wants(Event.FAILED, "user:ada")
    assert some.wants(Event.FAILED, "project:p")
    assert not some.wants(Event.SUCCEEDED, "user:ada")
    assert not some.wants(Event.FAILED, "project:q")
    assert not off.wants(Event.FAILED, "public")


def test_events_and_patterns_have_to_be_some() -> None:
    assert check_events(["task.failed", "task.failed"]) == (Event.FAILED,)
    with pytest.raises(InvalidField, match=r"task\.succeeded, task\.failed"):
        check_events(["task.started"])
    assert check_patterns(["*", "user:ada"]) == ("*", "user:ada")
    for patterns in ([], ["user:*/"], ["*"] * 51, [7]):
        with pytest.raises(InvalidField):
            check_patterns(patterns)


def test_an_old_secret_signs_for_as_long_as_it_may() -> None:
    endpoint = Endpoint("a", "https://a.example", "new", old_secret="old", old_until=1000)
    assert endpoint.secrets(999) == ("new", "old")
    assert endpoint.secrets(1000) == ("new",)


def test_it_is_kept_as_it_is() -> None:
    endpoint = Endpoint(
        "a", "https://a.example", "s", (Event.FAILED,), ("user:ada",), False, "Title", "root", 7
    )
    document = endpoint.document()
    assert (document.kind, document.id, document.owner) == ("webhook", "a", "root")
    assert msgspec.json.decode(document.data, type=Endpoint) == endpoint
