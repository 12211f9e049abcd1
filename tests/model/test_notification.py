"""Notifications: bounds, and links that lead nowhere dangerous."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import InvalidField
from headway.model.notification import (
    Notification,
    NotificationStatus,
    Severity,
    check_link,
    check_notification,
)


def make(**fields: Any) -> Notification:
    known: dict[str, Any] = {
        "id": "n1",
        "channel": "user:ada",
        "rev": 1,
        "title": "T",
        "created_at": 1,
        "updated_at": 1,
    }
    return Notification(**{"status": NotificationStatus.UNREAD, **known, **fields})


def test_a_full_one_passes_and_reads_back_as_it_was() -> None:
    notification = make(
        title="Größe 🚀", content="c" * 4000, kind="k" * 200, severity=Severity.ERROR, link="https://example.org/?a=1#b",
        source="s", task="t1", data={"a": [1, None]},
    )  # fmt: skip
    checked = check_notification(notification)
    assert checked == notification
    assert msgspec.json.decode(msgspec.json.encode(checked), type=Notification) == notification


def test_defaults_are_left_out() -> None:
    assert set(msgspec.to_builtins(check_notification(make()))) == {
        "id", "channel", "rev", "title", "status", "created_at", "updated_at",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "a b"), ("channel", "user:"), ("title", ""), ("title", " \n"), ("title", "x" * 301), ("title", "a\0"),
        ("title", "\ud800"), ("content", "x" * 4001), ("content", "\udfff"), ("kind", "x" * 201), ("kind", "\0"),
        ("source", "x" * 201), ("link", "ftp://a"), ("task", "a/b"), ("data", {"a": "x" * 4000}),
        ("data", {"a": object()}), ("data", {"\ud800": 1}),
    ],
)  # fmt: skip
def test_out_of_bounds(field: str, value: object) -> None:
    with pytest.raises(InvalidField) as caught:
        check_notification(make(**{field: value}))
    assert caught.value.details == {"field": field}


def test_data_is_what_a_reader_will_get() -> None:
    data = {"a": (1, float("nan"))}
    checked = check_notification(make(data=data))
    assert checked.data == {"a": [1, None]}


@pytest.mark.parametrize(
    "link", ["/", "/reports/1?a=b#c", "http://a", "HTTPS://example.org/ä", "/ä", "/a//b"]
)
def test_links(link: str) -> None:
    assert check_link(link) == link


@pytest.mark.parametrize(
    "link",
    [
        "", "a", "javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)", "data:text/html,x",
        "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/\n/evil.example", " //evil.example",
        "http:evil", "http:/evil", "https://a b", "https://a\r\nb", "https://a\x7f", "vbscript:x", "file:///etc/passwd",
        "/" + "a" * 2000, "/\ud800", "\u0000https://a",
    ],
)  # fmt: skip
def test_no_links(link: str) -> None:
    with pytest.raises(InvalidField) as caught:
        check_link(link)
    assert caught.value.details == {"field": "link"}


@given(st.text("/\\\t\n\r abc:.@\0", max_size=12))
def test_a_relative_link_stays_on_the_site(link: str) -> None:
    try:
        check_link(link)
    except InvalidField:
        return
    # What browsers do before they read a link: drop white space at its ends, tabs and line breaks, and turn \ into /.
    seen = (
        link.strip("".join(map(chr, range(33)))).translate({9: None, 10: None, 13: None}).replace("\\", "/")
    )
    assert seen.startswith("/")
    assert not seen.startswith("//")
