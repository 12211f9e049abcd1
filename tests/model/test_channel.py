"""Channel names and patterns. (More names are in `spec/vectors/native.json`.)"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import InvalidField
from headway.model.channel import NAME_BYTES, allows, check_channel, check_pattern, is_channel, user_channel


def test_names() -> None:
    assert check_channel("project:a.b@c") == "project:a.b@c"
    assert user_channel("ada@example.org") == "user:ada@example.org"
    assert is_channel("user:" + "a" * (NAME_BYTES - 5))


@pytest.mark.parametrize(
    "name", ["", "user:", "user:a/b", "user:*", "user:\ud800", "user:a\n", "user:" + "a" * 196, None, 5]
)
def test_no_names(name: str) -> None:
    assert not is_channel(name)
    with pytest.raises(InvalidField) as caught:
        check_channel(name)
    assert caught.value.details == {"field": "channel"}


@pytest.mark.parametrize("user", ["", "*", "a:b", "../b", "ä", " a"])
def test_a_user_that_cannot_stand_in_a_name(user: str) -> None:
    with pytest.raises(InvalidField):
        user_channel(user)


@pytest.mark.parametrize("pattern", ["*", "public", "user:*", "project:*", "user:ada"])
def test_patterns(pattern: str) -> None:
    assert check_pattern(pattern) == pattern


@pytest.mark.parametrize(
    "pattern", ["", "**", "team:*", "user:a*", "user:**", "public:*", ":*", "user", None, 5, "user:*\n"]
)
def test_no_patterns(pattern: object) -> None:
    with pytest.raises(InvalidField) as caught:
        check_pattern(pattern)
    assert caught.value.details == {"field": "channels"}


@pytest.mark.parametrize(
    ("pattern", "channel", "covered"),
    [
        ("*", "project:1", True),
        ("user:*", "user:ada", True),
        ("user:*", "project:1", False),
        ("user:*", "public", False),
        ("user:ada", "user:ada", True),
        ("user:ada", "user:adam", False),
        ("user:ada", "user:Ada", False),
        ("public", "public", True),
    ],
)
def test_allows(pattern: str, channel: str, covered: bool) -> None:
    assert allows(pattern, channel) is covered


@given(st.text(max_size=30).map("user:".__add__) | st.text(max_size=30))
def test_a_name_can_stand_in_a_path_a_key_and_a_log_line(name: str) -> None:
    if is_channel(name):
        assert name.isascii()
        assert name.isprintable()
        assert not set(name) & set("/\\*?#%{}[]\"' \0")
