"""Who may do what: `check` against a table written by hand."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.buses.memory import MemoryBus
from headway.errors import Forbidden, HeadwayError, IllegalTransition, NotFound
from headway.hub.access import Action, check, covers, patterns
from headway.hub.hub import Hub
from headway.hub.wanted import Wanted
from headway.model import report as r
from headway.model.grant import Ability, Grant
from headway.model.notification import NotificationStatus
from headway.model.task import Telling
from headway.ports.store import NotificationQuery, TaskQuery
from tests.hub.world import ADMIN as EVERYBODY
from tests.hub.world import SlowStore, TestLink, instant, unix_ms

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


# What the hub does for whom: each actor and each object with the answer to reading, to controlling and to publishing.
# "+" is done, "-" is forbidden, "." is as if there were no such thing.
ACTORS: dict[str, Grant] = {
    "owner": Grant("ada", can=frozenset((READ, CANCEL, PUBLISH))),
    "owner's page": Grant("ada"),
    "owner's display": Grant("ada", can=frozenset((READ,))),
    "owner's worker": Grant("ada", can=frozenset((PUBLISH,))),
    "member": Grant("bob", channels=("project:p",), can=frozenset((READ, CANCEL, PUBLISH))),
    "member of another": Grant(
        "bob", channels=("project:P", "project:pp"), can=frozenset((READ, CANCEL, PUBLISH))
    ),
    "guest of one task": Grant("bob", tasks=("adas",), can=frozenset((READ,))),
    "namesake": Grant("Ada", can=frozenset((READ, CANCEL, PUBLISH))),
    "crier": Grant("bob", channels=("public",), can=frozenset((READ, CANCEL, PUBLISH))),
    "administrator": Grant("root", can=frozenset((ADMIN,))),
    "nobody": Grant("bob", can=frozenset()),
    "share of one task": Grant("share-1", tasks=("adas",), can=frozenset((READ,)), narrow=True),
    "share of a channel": Grant("share-2", channels=("user:ada",), can=frozenset((READ,)), narrow=True),
}
OBJECTS = {"adas": "user:ada", "projects": "project:p", "publics": "public", "none": ""}
TABLE = {
    # actor: (adas, projects, publics, none), each (read, control, publish)
    "owner": ("+++", "...", "+--", "..."),
    "owner's page": ("++-", "...", "+--", "..."),
    "owner's display": ("+--", "...", "+--", "..."),
    "owner's worker": ("-++", "...", "---", "..."),
    "member": ("...", "+++", "+--", "..."),
    "member of another": ("...", "...", "+--", "..."),
    "guest of one task": ("+--", "...", "+--", "..."),
    "namesake": ("...", "...", "+--", "..."),
    "crier": ("...", "...", "+++", "..."),
    "administrator": ("+++", "+++", "+++", "..."),
    "nobody": ("...", "...", "---", "..."),
    "share of one task": ("+--", "...", "...", "..."),
    "share of a channel": ("+--", "...", "...", "..."),
}


async def answer(doing: Awaitable[object]) -> str:
    try:
        await doing
    except NotFound:
        return "."
    except Forbidden:
        return "-"
    except IllegalTransition:
        # Let in, and then told about the state.
        return "+"
    return "+"


async def follow(hub: Hub, grant: Grant, wanted: Wanted) -> None:
    refused: list[HeadwayError] = []
    follower = hub.follower(TestLink(), grant)
    follower.subscribe(wanted, refused.append)
    await follower.opened()
    follower.leave()
    if refused:
        raise refused[0]


@instant
async def test_the_hub_answers_everybody_as_the_table_says() -> None:
    hub = Hub(SlowStore(), MemoryBus(), clock=unix_ms)
    await hub.start()
    for task, channel in OBJECTS.items():
        if channel:
            await hub.report(EVERYBODY, r.Create(task=task, title="T", channel=channel, start=True))
            await hub.report(EVERYBODY, r.Notify(id=f"note-{task}", title="T", channel=channel))
    for actor, grant in ACTORS.items():
        for task, cells in zip(OBJECTS, TABLE[actor], strict=True):
            read, control, publish = tuple(cells)
            channel = OBJECTS[task]
            reading = [hub.task(grant, task), follow(hub, grant, Wanted(1, b"1", task=task))]
            logs = [
                hub.log(grant, task, 0, 10),
                follow(hub, grant, Wanted(1, b"1", task=task, log=0)),
            ]
            controlling = [hub.report(grant, make(task=task)) for make in (r.Pause, r.Resume)]
            publishing: list[Awaitable[object]] = [
                hub.report(grant, r.TickReport(task=task, message="m")),
                hub.report(grant, r.Beat(task=task)),
                hub.report(grant, r.Log(task=task, lines=(r.LogLine("l"),))),
                hub.report(grant, r.Result(task=task, result=1)),
                hub.remove(grant, task),
            ]
            for expected, doings in ((read, reading), (control, controlling), (publish, publishing)):
                for doing in doings:
                    assert await answer(doing) == expected, (actor, task, doing)
            for doing in logs:
                # Who is narrow sees no log of anything; following one says so without looking for the task.
                assert await answer(doing) in ({"-", read} - {"+"} if grant.narrow else {read}), (actor, task)
            if channel and task not in grant.tasks:
                # A channel that is named may be said to be forbidden: names are no secret, what is in them is.
                openly = publish.replace(".", "-")
                made = r.Notify(id=f"n-{task}", title="T", channel=channel)
                assert await answer(hub.report(grant, made)) == openly, (actor, channel)
                created = r.Create(task=f"c-{task}", title="T", channel=channel)
                assert await answer(hub.report(grant, created)) == openly, (actor, channel)
                wanted = Wanted(1, b"1", channel=channel)
                assert await answer(follow(hub, grant, wanted)) == read.replace(".", "-"), (actor, channel)
                inbox = [
                    hub.inbox.page(grant, NotificationQuery(channel)),
                    hub.inbox.unread(grant, channel),
                    hub.inbox.one(grant, f"note-{task}"),
                ]
                expected = "-" if grant.narrow else read.replace(".", "-")
                for doing in inbox[:2]:
                    assert await answer(doing) == expected, (actor, channel)
                assert await answer(inbox[2]) == (read if not grant.narrow or read == "." else "-")
            may_list = (READ in grant.can or ADMIN in grant.can) and not grant.narrow
            listed = await hub.tasks(grant, TaskQuery(channels=None)) if may_list else None
            if listed is not None and channel:
                assert (task in {found.id for found in listed.tasks}) is (read == "+"), (actor, task)
        if grant.narrow:
            # Nothing is its own: it has no list, no inbox, and nothing to mark or to submit to.
            own = grant.own_channel
            for doing in (
                hub.tasks(grant, TaskQuery(channels=None)),
                hub.file(grant, None, NotificationStatus.READ),
                hub.file(grant, ["note-adas"], NotificationStatus.READ),
                hub.inbox.page(grant, NotificationQuery(own)),
                hub.report(grant, r.Create(task="own", title="T")),
                hub.standing(grant, [own]),
                hub.tellings.ask(grant, grant.tasks[0] if grant.tasks else "adas", Telling.ALWAYS),
                follow(hub, grant, Wanted(1, b"1", channel=own)),
            ):
                assert await answer(doing) == "-", (actor, doing)
    await hub.stop()
