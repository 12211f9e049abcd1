"""`notifications` as its clients have it: raw WebSockets, streams and REST, over a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3

from headway.model.grant import Ability, Grant
from headway.model.report import Batch, Create, Succeed
from headway.server.app import Headway
from headway.server.settings import load_settings
from tests.servers import FORMS, PATIENCE, SECRET, Server, serving
from tests.transports.contracts.clients import Call, get, raw

INBOX = "/api/ws/notifications"


@pytest.fixture(scope="module", params=FORMS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("notifications"), request.param, dialect="notifications") as server:
        yield server


def notify(server: Server, token: str, title: str, **fields: Any) -> str:
    answer = server.ask("POST", "/api/notifications", token, {"title": title, **fields})
    return str(answer["id"])


class Stream:
    """Server-Sent Events, one at a time."""

    def __init__(self, server: Server, path: str, last: str = "") -> None:
        headers = {"Last-Event-ID": last} if last else {}
        self.answer = urllib3.request(
            "GET",
            server.origin + path,
            headers=headers,
            preload_content=False,
            retries=False,
            timeout=PATIENCE,
        )
        self._lines = self._read()

    def _read(self) -> Iterator[str]:
        left = ""
        for chunk in self.answer.stream(1024, decode_content=True):
            left += chunk.decode()
            *lines, left = left.split("\n")
            yield from lines

    def event(self) -> dict[str, str] | None:
        """The next event with a name; None at the end."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "event" in fields:
                return fields
            else:
                fields = {}
        return None


class TestInbox:
    async def test_a_notification_comes_once_to_each_socket_and_its_reading_is_no_event(
        self, server: Server
    ) -> None:
        token = server.token("i1")
        notify(server, token, "Before")
        async with raw(server, f"{INBOX}?token={token}") as one, raw(server, f"{INBOX}?token={token}") as two:
            for client in (one, two):
                greeting = await client.until("connected")
                assert (greeting["data"]["user_id"], bool(greeting["data"]["timestamp"])) == ("i1", True)
            await one.say("whatever")
            which = notify(server, token, "Ready", content="42", kind="analysis", link="/r/1", source="jobs")
            for client in (one, two):
                message = await client.until("notification")
                assert message == {
                    "type": "notification",
                    "data": {
                        "id": which,
                        "title": "Ready",
                        "type": "analysis",
                        "content": "42",
                        "link": "/r/1",
                        "source": "jobs",
                        "created_at": message["data"]["created_at"],
                        "status": "unread",
                    },
                }
            assert get(server, f"/api/notifications/{which}/read", token, "POST")[0] == 200
            last = notify(server, token, "Last")
            for client in (one, two):
                await client.until(lambda name, data: name == "notification" and data["data"]["id"] == last)
                assert [note["data"]["title"] for note in client.all("notification")] == ["Ready", "Last"]

    async def test_a_bad_token_can_be_read_about(self, server: Server) -> None:
        for query in ("", "?token=no.such.token", f"?token={server.token('i2', ttl=-10)}"):
            async with raw(server, INBOX + query) as client:
                assert (await client.until("error"))["data"]["message"]
                assert await client.until("closed") == 1008

    async def test_one_socket_too_many_is_told_why(self, server: Server) -> None:
        path = f"{INBOX}?token={server.token('i3')}"
        async with raw(server, path) as one, raw(server, path) as two, raw(server, path) as three:
            for client in (one, two, three):
                await client.until("connected")
            async with raw(server, path) as four:
                assert (await four.until("error"))["data"]["message"]
                assert await four.until("closed") == 1008
        async with raw(server, path) as again:
            await again.until("connected")

    async def test_the_oldest_makes_room_when_that_is_set(
        self, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        with serving(
            tmp_path_factory.mktemp("oldest"),
            "fast",
            dialect="notifications",
            ws_max_connections_per_user=1,
            connections_beyond="close-oldest",
        ) as server:
            path = f"{INBOX}?token={server.token('i4')}"
            async with raw(server, path) as old:
                await old.until("connected")
                async with raw(server, path) as new:
                    await new.until("connected")
                    await old.until("error")
                    assert await old.until("closed") == 1008
                    notify(server, server.token("i4"), "Here")
                    await new.until("notification")

    async def test_it_beats(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        folder = tmp_path_factory.mktemp("beats")
        with serving(folder, "fast", dialect="notifications", ws_heartbeat_interval=0.1) as server:
            async with raw(server, f"{INBOX}?token={server.token('i5')}") as client:
                assert (await client.until("heartbeat"))["data"]["timestamp"]
            stream = Stream(server, f"/api/notifications/stream?token={server.token('i5')}")
            assert any(line == ": heartbeat" for line in stream._lines)
            stream.answer.close()


class TestTask:
    async def test_from_where_it_stands_to_its_end(self, server: Server) -> None:
        token = server.token("t1")
        server.report(token, {"type": "create", "task": "run", "title": "Run", "total": 4, "start": True})
        server.report(token, {"type": "progress", "task": "run", "done": 1, "message": "one"})
        async with raw(server, f"/api/ws/tasks/run?token={token}") as client:
            assert (await client.until("connected"))["data"]["task_id"] == "run"
            state = await client.until("progress")
            data = dict(state["data"])
            assert data.pop("timestamp")
            assert data == {"task_id": "run", "message": "one", "step": 1, "total_steps": 4, "progress": 25.0}
            server.report(token, {"type": "succeed", "task": "run", "result": {"chart": "a.png"}})
            end = await client.until("completed")
            assert (end["data"]["progress"], end["data"]["result"]) == (100.0, {"chart": "a.png"})
            assert await client.until("closed") == 1000
        async with raw(server, f"/api/ws/tasks/run?token={token}") as late:
            assert await late.until("closed") == 1000
            assert late.names == ["connected", "completed", "closed"]

    async def test_a_failure(self, server: Server) -> None:
        token = server.token("t2")
        server.report(token, {"type": "create", "task": "bad", "title": "Bad", "start": True})
        async with raw(server, f"/api/ws/tasks/bad?token={token}") as client:
            await client.until("progress")
            server.report(token, {"type": "fail", "task": "bad", "error": "no data"})
            assert (await client.until("error"))["data"]["error"] == "no data"
            assert await client.until("closed") == 1000

    async def test_another_users_task_is_not_there(self, server: Server) -> None:
        server.report(server.token("t3"), {"type": "create", "task": "private", "title": "Private"})
        said = []
        for task in ("private", "nothing"):
            async with raw(server, f"/api/ws/tasks/{task}?token={server.token('t4')}") as client:
                data = (await client.until("error"))["data"]
                assert (data["task_id"], data["error"], bool(data["timestamp"])) == (
                    task,
                    data["message"],
                    True,
                )
                said.append(data["message"].replace(task, "X"))
                assert await client.until("closed") == 1008
                assert client.names == ["error", "closed"]
        assert said[0] == said[1]


ADA = Grant("ada", can=frozenset((Ability.PUBLISH, Ability.READ)))
DOORS = [("websocket", "/api/ws/tasks/"), ("http", "/api/stream/tasks/")]


@asynccontextmanager
async def embedded(folder: Path, **settings: Any) -> AsyncIterator[Headway]:
    """A server within this process."""
    hw = Headway(load_settings(None, data=folder, secret=SECRET, dialect="notifications", **settings))
    async with hw.lifespan():
        yield hw


def following(hw: Headway, kind: str, path: str, task: str) -> Call:
    token = hw.tokens.make(ADA.user, can=(Ability.READ,))
    return Call(hw, kind, f"{path}{task}?token={token}")


@pytest.mark.parametrize(("kind", "path"), DOORS)
async def test_of_who_followed_to_the_end_nothing_is_kept(tmp_path: Path, kind: str, path: str) -> None:
    async with embedded(tmp_path) as hw:
        await hw.hub.report(ADA, Create(task="run", title="Run", start=True))
        await hw.hub.report(ADA, Succeed(task="run"))
        channel = hw.hub.records.channels[ADA.own_channel]
        assert "completed" in await following(hw, kind, path, "run").run()
        assert hw.hub.stats(ADA)["subscriptions"] == 0
        assert channel.task_feeds == {}
        # One that ends while it is followed, in a channel in which others go on.
        await hw.hub.report(ADA, Create(task="next", title="Next", start=True))
        call = following(hw, kind, path, "next")
        running = asyncio.create_task(call.run())
        await call.until("progress")
        assert set(channel.task_feeds) == {"next"}
        await hw.hub.ingest(ADA, Batch([Succeed(task="next"), Create(task="other", title="Other")]))
        assert "completed" in await running
        assert hw.hub.stats(ADA)["subscriptions"] == 0
        assert channel.task_feeds == {}


@pytest.mark.parametrize(("kind", "path"), DOORS)
async def test_the_end_comes_also_while_the_last_state_is_on_its_way(
    tmp_path: Path, kind: str, path: str
) -> None:
    async with embedded(tmp_path) as hw:
        await hw.hub.report(ADA, Create(task="run", title="Run", start=True))
        call = following(hw, kind, path, "run")
        running = asyncio.create_task(call.run())
        await call.until("progress")
        call.reads.clear()
        await hw.hub.report(ADA, Succeed(task="run"))
        async with asyncio.timeout(PATIENCE):
            while hw.hub.stats(ADA)["subscriptions"]:
                await asyncio.sleep(0)
        call.reads.set()
        assert "completed" in await running
        end = {"type": "websocket.close", "code": 1000} if kind == "websocket" else {"more_body": False}
        assert end.items() <= call.said[-1].items()


@pytest.mark.parametrize(("kind", "path"), DOORS)
async def test_the_end_of_a_lifetime_is_no_failure_of_the_task(tmp_path: Path, kind: str, path: str) -> None:
    async with embedded(tmp_path, max_lifetime=0.1) as hw:
        await hw.hub.report(ADA, Create(task="run", title="Run", start=True))
        call = following(hw, kind, path, "run")
        said = await call.run()
        assert "progress" in said
        assert "error" not in said
        # A socket is closed so that its client comes again, which a stream's does by itself.
        end = {"type": "websocket.close", "code": 1001} if kind == "websocket" else {"more_body": False}
        assert end.items() <= call.said[-1].items()


class TestStreams:
    def test_notifications_resume_from_the_last_event(self, server: Server) -> None:
        token = server.token("s1")
        stream = Stream(server, f"/api/notifications/stream?token={token}")
        assert stream.answer.headers["Content-Type"].startswith("text/event-stream")
        assert stream.answer.headers["X-Accel-Buffering"] == "no"
        first = notify(server, token, "First")
        event = stream.event()
        assert event is not None
        assert event["event"] == "notification"
        assert first in event["data"]
        stream.answer.close()
        missed = [notify(server, token, f"Missed {n}") for n in range(3)]
        again = Stream(server, f"/api/notifications/stream?token={token}", event["id"])
        seen = [again.event() for _ in missed]
        assert [which in str(found) for which, found in zip(missed, seen, strict=True)] == [True, True, True]
        again.answer.close()

    def test_who_goes_before_anything_came_misses_nothing(self, server: Server) -> None:
        token = server.token("s4")
        path = f"/api/notifications/stream?token={token}"
        stream = Stream(server, path)
        last = next(line.removeprefix("id: ") for line in stream._lines if line.startswith("id: "))
        stream.answer.close()
        which = notify(server, token, "Meanwhile")
        again = Stream(server, path, last)
        event = again.event()
        assert event is not None
        assert json.loads(event["data"])["id"] == which
        again.answer.close()

    def test_a_task_ends_its_stream(self, server: Server) -> None:
        token = server.token("s2")
        server.report(token, {"type": "create", "task": "streamed", "title": "S", "start": True})
        stream = Stream(server, f"/api/stream/tasks/streamed?token={token}")
        first = stream.event()
        assert first is not None
        assert first["event"] == "progress"
        server.report(token, {"type": "succeed", "task": "streamed"})
        end = stream.event()
        assert end is not None
        assert end["event"] == "completed"
        assert stream.event() is None
        # Who comes late gets the end, and a browser that knows it already is told not to come again.
        late = Stream(server, f"/api/stream/tasks/streamed?token={token}", first["id"])
        assert [late.event(), late.event()] == [end, None]
        known = Stream(server, f"/api/stream/tasks/streamed?token={token}", end["id"])
        assert (known.answer.status, known.event()) == (204, None)

    def test_refusals_are_answers(self, server: Server) -> None:
        status, body = get(server, "/api/notifications/stream")
        assert (status, body["success"]) == (401, False)
        status, body = get(server, f"/api/stream/tasks/nothing?token={server.token('s3')}")
        assert (status, body["success"]) == (404, False)


class TestRest:
    def test_pages_counts_and_reading(self, server: Server) -> None:
        token = server.token("r1")
        made = [notify(server, token, f"N{n}", kind="alert" if n % 2 else "analysis") for n in range(5)]
        status, body = get(server, "/api/notifications?page=2&page_size=2", token)
        assert (status, body["success"], bool(body["timestamp"]), body["message"]) == (200, True, True, "ok")
        data = body["data"]
        assert ([item["id"] for item in data["items"]], data["total"]) == (made[::-1][2:4], 5)
        assert (data["page"], data["page_size"]) == (2, 2)
        assert get(server, "/api/notifications/unread_count", token)[1]["data"] == {"count": 5}
        for _ in range(2):
            assert get(server, f"/api/notifications/{made[0]}/read", token, "POST")[0] == 200
        assert get(server, "/api/notifications/unread_count", token)[1]["data"] == {"count": 4}
        read = get(server, "/api/notifications?status=read", token)[1]["data"]
        assert [(item["id"], item["status"]) for item in read["items"]] == [(made[0], "read")]
        alerts = get(server, "/api/notifications?type=alert", token)[1]["data"]
        assert {item["type"] for item in alerts["items"]} == {"alert"}
        # What has a kind that the contract does not know, or none, is listed as what it is shown as.
        rest = [notify(server, token, "Odd", kind="weather"), notify(server, token, "Plain")]
        found = get(server, "/api/notifications?type=system", token)[1]["data"]
        assert [(item["id"], item["type"]) for item in found["items"]] == [
            (one, "system") for one in rest[::-1]
        ]
        assert found["total"] == 2
        for one in rest:
            get(server, f"/api/notifications/{one}/read", token, "POST")
        assert get(server, "/api/notifications/read_all", token, "POST")[1]["data"] == {"updated": 4}
        assert get(server, "/api/notifications/unread_count", token)[1]["data"] == {"count": 0}

    def test_what_is_wrong_is_said(self, server: Server) -> None:
        token = server.token("r2")
        for query in (
            "status=new",
            "type=x",
            "page=0",
            "page_size=101",
            "page_size=x",
            "page=1e3",
            "page=" + "1" * 5000,
        ):
            status, body = get(server, f"/api/notifications?{query}", token)
            assert (status, body["success"], bool(body["message"])) == (400, False, True), query
        other = notify(server, server.token("r3"), "Private")
        assert get(server, f"/api/notifications/{other}/read", token, "POST")[0] == 404
        assert get(server, "/api/notifications")[0] == 401

    async def test_only_an_administrator_sees_who_is_connected(self, server: Server) -> None:
        token = server.token("r4")
        async with raw(server, f"{INBOX}?token={token}") as client:
            await client.until("connected")
            assert get(server, "/api/ws/stats", token)[0] == 403
            admin = server.token("root", Ability.ADMIN, Ability.READ)
            data = get(server, "/api/ws/stats", admin)[1]["data"]
            assert data["users"]["r4"] == 1
            assert data["total_connections"] >= data["total_users"] >= 1
