"""Who may do what: `check` against a table written by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import Forbidden, NotFound
from headway.hub.access import Action, check, covers, patterns
from headway.model.grant import Ability, Grant

READ, CANCEL, PUBLISH, ADMIN = Ability
ABILITIES = [READ, CANCEL, PUBLISH, ADMIN]

# What a grant that covers a record may do with it, by each of its abilities.
ALLOWS: dict[Ability, set[Action]] = {
    READ: {Action.READ},
    CANCEL: {Action.CONTROL},
    PUBLISH: {Action.PUBLISH, Action.CONTROL},
    ADMIN: {Action.READ, Action.CONTROL, Action.PUBLISH, Action.ADMINISTER},
}

# (patterns, tasks, channel, task): whether it is covered, and whether writing to it was granted by name.
COVERAGE: list[tuple[tuple[str, ...], tuple[str, ...], str, str | None, bool, bool]] = [
    ((), (), "user:ada", None, True, True),
    ((), (), "user:ada", "t", True, True),
    ((), (), "user:adam", None, False, False),
    ((), (), "user:adam", "t", False, False),
    ((), (), "project:p", "t", False, False),
    (("project:p",), (), "project:p", None, True, True),
    (("project:p",), (), "project:p2", "t", False, False),
    (("project:*",), (), "project:p2", "t", True, True),
    (("project:*",), (), "user:bob", "t", False, False),
    (("*",), (), "user:bob", None, True, True),
    ((), ("t",), "user:bob", "t", True, True),
    ((), ("t",), "user:bob", "T", False, False),
    ((), ("t",), "user:bob", None, False, False),
    ((), (), "public", None, True, False),
    ((), (), "public", "t", True, False),
    (("project:*",), (), "public", "t", True, False),
    (("public",), (), "public", "t", True, True),
    (("*",), (), "public", None, True, True),
]


def outcome(grant: Grant, action: Action, channel: str, task: str | None) -> str:
    try:
        check(grant, action, channel, task)
    except NotFound:
        return "not found"
    except Forbidden:
        return "forbidden"
    return "allowed"


@given(
    st.sets(st.sampled_from(ABILITIES)).map(frozenset),
    st.sampled_from(COVERAGE),
    st.sampled_from(list(Action)),
)
def test_the_table(
    can: frozenset[Ability],
    case: tuple[tuple[str, ...], tuple[str, ...], str, str | None, bool, bool],
    action: Action,
) -> None:
    channels, tasks, channel, task, covered, by_name = case
    grant = Grant("ada", channels, tasks, can)
    if ADMIN in can:
        expected = "allowed"
    elif not covered:
        # Whoever names a task may not learn that it exists; a channel's name is no secret.
        expected = "forbidden" if task is None else "not found"
    elif not any(action in ALLOWS[ability] for ability in can) or (action is not Action.READ and not by_name):
        expected = "forbidden"
    else:
        expected = "allowed"
    assert outcome(grant, action, channel, task) == expected
    assert covers(grant, channel, task) == (covered or ADMIN in can)


def test_the_refusal_names_what_is_needed() -> None:
    with pytest.raises(Forbidden) as caught:
        check(Grant("ada", can=frozenset()), Action.CONTROL, "user:ada")
    assert caught.value.details["needs"] == "cancel or publish"


def test_an_administrator_lists_everything_and_others_what_they_cover() -> None:
    assert patterns(Grant("root", can=frozenset((ADMIN,)))) is None
    assert patterns(Grant("ada", ("project:*",))) == ("user:ada", "public", "project:*")
