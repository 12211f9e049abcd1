"""The native door in both its forms: following channels, tasks and logs, and what may be asked on the way."""

from __future__ import annotations

import time
from typing import Any

import pytest

from headway.model.grant import Ability
from tests.clients import View, logged_in
from tests.servers import Server

pytestmark = pytest.mark.slow

TASK = {"type": "create", "title": "a task"}


async def test_a_channel_is_a_snapshot_and_then_changes(door: Server, user: str) -> None:
    token = door.token(user)
    door.report(token, {**TASK, "task": f"{user}-1"}, {"type": "notify", "id": f"{user}-n", "title": "hello"})
    async with logged_in(door, token) as client:
        view = View("all")
        first = await client.follow(view, channel=f"user:{user}")
        assert (first["reset"], first["removed"]) == (True, [])
        assert [task["id"] for task in first["tasks"]] == [f"{user}-1"]
        assert [(n["id"], n["status"]) for n in first["notifications"]] == [(f"{user}-n", "unread")]
        door.report(token, {"type": "progress", "task": f"{user}-1", "done": 3, "total": 4})
        change = view.take(await client.hear())
        assert change["task"] == door.ask("GET", f"/api/tasks/{user}-1", token)
        assert change["task"]["progress"]["percent"] == 75
        door.report(token, {"type": "succeed", "task": f"{user}-1", "result": {"rows": 4}})
        assert view.take(await client.hear())["task"]["state"] == "succeeded"
        door.ask("DELETE", f"/api/tasks/{user}-1", token)
        assert view.take(await client.hear())["removed"] == f"{user}-1"
        assert list(view.records) == [f"{user}-n"]


async def test_one_task_is_followed_by_itself(door: Server, user: str) -> None:
    token = door.token(user)
    door.report(token, {**TASK, "task": f"{user}-1"}, {**TASK, "task": f"{user}-2"})
    async with logged_in(door, token) as client:
        view = View()
        first = await client.follow(view, task=f"{user}-1")
        assert [task["id"] for task in first["tasks"]] == [f"{user}-1"]
        door.report(token, {"type": "start", "task": f"{user}-2"}, {"type": "start", "task": f"{user}-1"})
        change = view.take(await client.hear())
        assert (change["task"]["id"], change["task"]["state"]) == (f"{user}-1", "running")
        door.report(token, {"type": "cancel", "task": f"{user}-1"})
        assert view.take(await client.hear())["task"]["state"] == "cancelled"
        door.ask("DELETE", f"/api/tasks/{user}-1", token)
        assert view.take(await client.hear())["removed"] == f"{user}-1"


async def test_what_a_token_does_not_cover(door: Server, user: str) -> None:
    foreign = door.token("stranger")
    door.report(foreign, {**TASK, "task": f"{user}-foreign"})
    async with logged_in(door, door.token(user)) as client:
        for channel in ("user:stranger", "project:secret"):
            error = await client.answer("subscribe", id="s", channel=channel)
            assert (error["type"], error["code"], error["id"]) == ("error", 105, "s")
        # Whether a foreign task exists is nobody's business: the answers are alike.
        foreign_task = await client.answer("subscribe", id="s", task=f"{user}-foreign")
        no_task = await client.answer("subscribe", id="s", task=f"{user}-nowhere")
        assert foreign_task.pop("task") == f"{user}-foreign"
        assert no_task.pop("task") == f"{user}-nowhere"
        assert foreign_task == no_task
        assert no_task["code"] == 104
        # What was refused is not followed.
        assert (await client.answer("unsubscribe", id="s"))["code"] == 110
        door.report(foreign, {"type": "start", "task": f"{user}-foreign"})
        assert (await client.answer("ping"))["type"] == "pong"


async def test_a_token_for_one_task_opens_no_more(door: Server, user: str) -> None:
    door.report(door.token("owner"), {**TASK, "task": f"{user}-shared"}, {**TASK, "task": f"{user}-other"})
    async with logged_in(door, door.token(user, tasks=[f"{user}-shared"])) as client:
        first = await client.follow(View(), task=f"{user}-shared")
        assert [task["id"] for task in first["tasks"]] == [f"{user}-shared"]
        assert (await client.answer("subscribe", id=2, task=f"{user}-other"))["code"] == 104
        assert (await client.answer("subscribe", id=3, channel="user:owner"))["code"] == 105


async def test_a_token_that_may_not_read_follows_nothing(door: Server, user: str) -> None:
    async with logged_in(door, door.token(user, Ability.PUBLISH)) as client:
        assert (await client.answer("subscribe", id=1, channel=f"user:{user}"))["code"] == 105


async def test_a_cursor_gives_what_changed_since(door: Server, user: str) -> None:
    token = door.token(user)
    door.report(token, *({**TASK, "task": f"{user}-{number}", "start": True} for number in range(5)))
    view, one = View(), View("one")
    async with logged_in(door, token) as client:
        await client.follow(view, channel=f"user:{user}")
        await client.follow(one, task=f"{user}-1")
    door.report(token, *({"type": "progress", "task": f"{user}-3", "done": done} for done in range(50)))
    door.report(
        token, {"type": "fail", "task": f"{user}-0", "error": "no"}, {"type": "cancel", "task": f"{user}-4"}
    )
    door.ask("DELETE", f"/api/tasks/{user}-4", token)
    async with logged_in(door, token) as client:
        answer = await client.follow(view, channel=f"user:{user}")
        assert not answer["reset"]
        assert [(task["id"], task["state"]) for task in answer["tasks"]] == [
            (f"{user}-3", "running"),
            (f"{user}-0", "failed"),
        ]
        assert answer["removed"] == [f"{user}-4"]
        unchanged = await client.follow(one, task=f"{user}-1")
        assert (unchanged["reset"], unchanged["tasks"]) == (False, [])
        # And nothing more than that when nothing has changed.
        again = await client.follow(view, channel=f"user:{user}")
        assert (again["reset"], again["tasks"], again["removed"]) == (False, [], [])
    page = door.ask("GET", f"/api/tasks?channel=user:{user}", token)
    assert view.records == {task["id"]: task for task in page["tasks"]}


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "nonsense",
        "other.5",
        ".",
        7,
        None,
        {"a": 1},
        ["x"],
        "x" * 500,
        "EPOCH.-1",
        "EPOCH.9007199254740991",
        True,
    ],
)
async def test_a_cursor_that_is_none_gives_everything(door: Server, user: str, cursor: Any) -> None:
    token = door.token(user)
    door.report(token, {**TASK, "task": f"{user}-1"})
    async with logged_in(door, token) as client:
        view = View()
        await client.follow(view, channel=f"user:{user}")
        if isinstance(cursor, str):
            assert view.cursor is not None
            cursor = cursor.replace("EPOCH", view.cursor.partition(".")[0])
        for where in ({"channel": f"user:{user}"}, {"task": f"{user}-1"}):
            answer = await client.answer("subscribe", id=2, cursor=cursor, **where)
            assert (answer["type"], answer["reset"]) == ("snapshot", True)
            assert [task["id"] for task in answer["tasks"]] == [f"{user}-1"]


async def test_an_id_that_is_used_again_replaces_its_subscription(door: Server, user: str) -> None:
    token = door.token(user)
    door.report(token, {**TASK, "task": f"{user}-1"}, {**TASK, "task": f"{user}-2"})
    async with logged_in(door, token) as client:
        await client.follow(View(), task=f"{user}-1")
        view = View()
        await client.follow(view, task=f"{user}-2")
        door.report(token, {"type": "start", "task": f"{user}-1"})
        door.report(token, {"type": "start", "task": f"{user}-2"})
        assert view.take(await client.hear())["task"]["id"] == f"{user}-2"
        # The number 1 and the text "1" are two names.
        await client.follow(View("1"), task=f"{user}-1")
        await client.say("unsubscribe", id=1)
        door.report(token, {"type": "cancel", "task": f"{user}-2"}, {"type": "cancel", "task": f"{user}-1"})
        assert (await client.hear())["id"] == "1"


async def test_unsubscribing(door: Server, user: str) -> None:
    token = door.token(user)
    async with logged_in(door, token) as client:
        await client.follow(View(), channel=f"user:{user}")
        await client.say("unsubscribe", id=1)
        door.report(token, {**TASK, "task": f"{user}-1"})
        assert (await client.answer("ping"))["type"] == "pong"
        error = await client.answer("unsubscribe", id=1)
        assert (error["code"], error["id"], error["retryable"]) == (110, 1, False)


async def test_a_filter_lets_matching_tasks_pass(door: Server, user: str) -> None:
    token = door.token(user)
    channel = f"user:{user}"
    async with logged_in(door, token) as client:
        views = {name: View(name) for name in ("kind", "tag", "parent", "both", "none")}
        await client.follow(views["kind"], channel=channel, filter={"kind": "audio"})
        await client.follow(views["tag"], channel=channel, filter={"tag": "night"})
        await client.follow(views["parent"], channel=channel, filter={"parent": f"{user}-p"})
        await client.follow(views["both"], channel=channel, filter={"kind": "audio", "tag": "night"})
        await client.follow(views["none"], channel=channel, filter={})
        door.report(
            token,
            {**TASK, "task": f"{user}-p"},
            {**TASK, "task": f"{user}-k", "kind": "audio"},
            {**TASK, "task": f"{user}-t", "tags": ["day", "night"]},
            {**TASK, "task": f"{user}-c", "parent": f"{user}-p"},
            {**TASK, "task": f"{user}-b", "kind": "audio", "tags": ["night"]},
            {"type": "notify", "id": f"{user}-n", "title": "for those without a filter"},
        )
        while len(views["none"].records) < 6 or len(views["both"].records) < 1 or not views["parent"].records:
            message = await client.hear()
            views[message["id"]].take(message)
        assert (await client.answer("ping"))["type"] == "pong"
    seen = {
        name: {record.removeprefix(f"{user}-") for record in view.records} for name, view in views.items()
    }
    assert seen == {
        "kind": {"k", "b"},
        "tag": {"t", "b"},
        "parent": {"c"},
        "both": {"b"},
        "none": {"p", "k", "t", "c", "b", "n"},
    }


async def test_a_filtered_view_hears_of_removals(door: Server, user: str) -> None:
    token = door.token(user)
    door.report(token, {**TASK, "task": f"{user}-1", "kind": "x"}, {"type": "succeed", "task": f"{user}-1"})
    async with logged_in(door, token) as client:
        view = View()
        await client.follow(view, channel=f"user:{user}", filter={"kind": "x"})
        door.ask("DELETE", f"/api/tasks/{user}-1", token)
        view.take(await client.hear())
        assert view.records == {}


async def test_max_hz_bounds_the_batches(door: Server, user: str) -> None:
    token = door.token(user)
    door.report(token, {**TASK, "task": f"{user}-1", "start": True})
    async with logged_in(door, token) as client:
        slow, fast = View("slow"), View("fast")
        await client.follow(slow, channel=f"user:{user}", max_hz=2)
        await client.follow(fast, channel=f"user:{user}")
        began = time.monotonic()
        done = 0
        while time.monotonic() - began < 1.2:
            done += 1
            door.report(token, {"type": "progress", "task": f"{user}-1", "done": done})
        door.report(token, {"type": "succeed", "task": f"{user}-1"})
        while {view.records[f"{user}-1"]["state"] for view in (slow, fast)} != {"succeeded"}:
            message = await client.hear("change")
            (slow if message["id"] == "slow" else fast).take(message)
        seconds = time.monotonic() - began
    # One at once, then one each half second; the twenty a second of the other are as many as fit.
    assert 2 <= slow.changes <= seconds * 2 + 2
    assert slow.changes < fast.changes <= seconds * 20 + 2


@pytest.mark.parametrize("max_hz", [0, 21, -1, "10"])
async def test_a_pace_out_of_bounds_is_refused(door: Server, user: str, max_hz: Any) -> None:
    async with logged_in(door, door.token(user)) as client:
        error = await client.answer("subscribe", id=1, channel=f"user:{user}", max_hz=max_hz)
        assert (error["code"], error["field"], error["id"]) == (102, "max_hz", 1)


def log(task: str, first: int, count: int) -> dict[str, Any]:
    return {
        "type": "log",
        "task": task,
        "source": "worker",
        "seq": first,
        "lines": [{"text": f"line {number}", "level": "warning"} for number in range(first, first + count)],
    }


async def test_a_log_is_followed_from_an_offset(door: Server, user: str) -> None:
    token, task = door.token(user), f"{user}-1"
    door.report(token, {**TASK, "task": task}, log(task, 0, 10))
    async with logged_in(door, token) as client:
        await client.say("subscribe", id=1, task=task, log=7)
        assert (await client.hear())["type"] == "snapshot"
        message = await client.hear()
        assert (message["type"], message["offset"], message["next"]) == ("log", 7, 10)
        assert [entry["text"] for entry in message["entries"]] == ["line 7", "line 8", "line 9"]
        assert {entry["level"] for entry in message["entries"]} == {"warning"}
        # The same report again adds nothing; one that overlaps adds what is new.
        door.report(token, log(task, 0, 10), log(task, 9, 3))
        message = await client.hear("log")
        assert (message["offset"], message["next"]) == (10, 12)
        assert [entry["text"] for entry in message["entries"]] == ["line 10", "line 11"]


async def test_a_log_is_followed_from_its_end(door: Server, user: str) -> None:
    token, task = door.token(user), f"{user}-1"
    door.report(token, {**TASK, "task": task}, log(task, 0, 5))
    async with logged_in(door, token) as client:
        await client.say("subscribe", id=1, task=task, log=-1)
        assert (await client.hear())["type"] == "snapshot"
        assert (await client.answer("ping"))["type"] == "pong"
        door.report(token, log(task, 5, 1))
        message = await client.hear("log")
        assert (message["offset"], [entry["text"] for entry in message["entries"]]) == (5, ["line 5"])
        assert "trimmed" not in message


async def test_a_log_beyond_what_is_in_memory_is_read_from_the_store(door: Server, user: str) -> None:
    token, task = door.token(user), f"{user}-1"
    door.report(token, {**TASK, "task": task}, *(log(task, first, 500) for first in range(0, 5000, 500)))
    async with logged_in(door, token) as client:
        await client.say("subscribe", id=1, task=task, log=0)
        assert (await client.hear())["type"] == "snapshot"
        heard: list[str] = []
        while len(heard) < 5000:
            message = await client.hear("log")
            assert (message["offset"], message.get("trimmed", 0)) == (len(heard), 0)
            heard += [entry["text"] for entry in message["entries"]]
            assert message["next"] == len(heard)
        door.report(token, log(task, 5000, 1))
        assert (await client.hear("log"))["offset"] == 5000
    assert heard == [f"line {number}" for number in range(5000)]


async def test_commands_are_carried_out_and_answered(door: Server, user: str) -> None:
    token, task = door.token(user), f"{user}-1"
    door.report(token, {**TASK, "task": task, "start": True})
    async with logged_in(door, door.token(user, Ability.READ, Ability.CANCEL)) as client:
        for command, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
            answer = await client.answer(command, task=task, ref=command)
            assert (answer["type"], answer["ref"], answer["task"]["state"]) == ("ok", command, state)
            assert answer["task"] == door.ask("GET", f"/api/tasks/{task}", token)
        refused = await client.answer("pause", task=task, ref=7)
        assert (refused["code"], refused["ref"]) == (106, 7)
        assert (refused["state"], refused["wanted"]) == ("cancelled", "paused")
        assert (await client.answer("cancel", task=task))["type"] == "ok"


async def test_commands_need_the_ability_and_the_task(door: Server, user: str) -> None:
    task = f"{user}-1"
    door.report(door.token(user), {**TASK, "task": task, "start": True})
    async with logged_in(door, door.token(user, Ability.READ)) as client:
        refused = await client.answer("cancel", task=task, ref=1)
        assert (refused["type"], refused["code"], refused["ref"]) == ("error", 105, 1)
        assert (await client.answer("cancel", task=f"{user}-nowhere", ref=2))["code"] == 104
    async with logged_in(door, door.token("stranger")) as client:
        assert (await client.answer("cancel", task=task, ref=3))["code"] == 104
    assert door.ask("GET", f"/api/tasks/{task}", door.token(user))["state"] == "running"


async def test_notifications_are_read(door: Server, user: str) -> None:
    token = door.token(user)
    foreign = door.ask("POST", "/api/notifications", door.token("stranger"), {"title": "not yours"})["id"]
    door.report(token, *({"type": "notify", "id": f"{user}-{n}", "title": "hello"} for n in range(3)))
    async with logged_in(door, door.token(user, Ability.READ)) as client:
        view = View()
        await client.follow(view, channel=f"user:{user}")
        await client.say("read", notifications=[f"{user}-0", f"{user}-nowhere", foreign], ref="r")
        heard = {message["type"]: message for message in [await client.hear() for _ in range(2)]}
        assert heard["ok"]["ref"] == "r"
        assert view.take(heard["change"])["notification"]["status"] == "read"
        await client.say("read", notifications="all")
        for _ in range(2):
            view.take(await client.hear("change"))
    assert {record["status"] for record in view.records.values()} == {"read"}
    async with logged_in(door, door.token("stranger")) as client:
        await client.follow(view := View(), channel="user:stranger")
    assert view.records[foreign]["status"] == "unread"
