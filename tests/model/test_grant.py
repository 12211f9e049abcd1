"""What a token covers: its own channel, the public one, its patterns and its single tasks; nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.model.channel import is_channel
from headway.model.grant import Ability, Grant

names = st.sampled_from(["public", "user:ada", "user:adam", "user:bob", "project:1", "project:12"])


def test_a_grant_can_read_and_cancel_unless_it_says_otherwise() -> None:
    assert Grant("ada").can == {Ability.READ, Ability.CANCEL}
    assert Grant("ada").own_channel == "user:ada"


@pytest.mark.parametrize(
    ("grant", "channel", "task", "covered"),
    [
        (Grant("ada"), "user:ada", None, True),
        (Grant("ada"), "public", None, True),
        (Grant("ada"), "user:adam", None, False),
        (Grant("ada"), "user:Ada", None, False),
        (Grant("ada"), "project:1", "t1", False),
        (Grant("ada", channels=("project:1",)), "project:1", None, True),
        (Grant("ada", channels=("project:1",)), "project:12", None, False),
        (Grant("ada", channels=("project:*",)), "user:bob", None, False),
        (Grant("ada", channels=("*",)), "user:bob", None, True),
        (Grant("ada", tasks=("t1",)), "user:bob", "t1", True),
        (Grant("ada", tasks=("t1",)), "user:bob", "t11", False),
        (Grant("ada", tasks=("t11",)), "user:bob", "t1", False),
        (Grant("ada", tasks=("t1",)), "user:bob", None, False),
        (Grant("ada", tasks=("t1",)), "user:bob", "T1", False),
        (Grant("*"), "user:bob", None, False),
        (Grant(""), "user:bob", None, False),
    ],
)
def test_covers(grant: Grant, channel: str, task: str | None, covered: bool) -> None:
    assert grant.covers(channel, task) is covered


@given(st.text(max_size=6), names)
def test_a_user_by_whatever_name_covers_no_one_elses_channel(user: str, channel: str) -> None:
    assert is_channel(channel)
    assert Grant(user).covers(channel) is (channel in ("public", f"user:{user}"))


@given(st.lists(names), names, st.none() | st.sampled_from(["t1", "t2"]))
def test_more_rights_never_cover_less(channels: list[str], channel: str, task: str | None) -> None:
    if Grant("ada").covers(channel, task):
        assert Grant("ada", channels=tuple(channels)).covers(channel, task)
