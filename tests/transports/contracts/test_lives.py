"""What holds for the clients of every contract: late ones, uninvited ones, forgers, those whose token ends, those that stop
to read, several devices, other users, and a server that dies."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from headway.model.grant import Ability
from tests.servers import FORMS, PATIENCE, Server, running_server, serving
from tests.transports.contracts.clients import raw, speaking
from tests.transports.contracts.ways import DIALECTS, WAYS, Job, RawWay, Way, deaf

USERS = count(1000)


@pytest.fixture(scope="module", params=FORMS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(
        tmp_path_factory.mktemp("lives"), request.param, dialect=DIALECTS, expiry_grace=0.2
    ) as server:
        yield server


every_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
# By the studio's contract one asks for nothing: one is told of all that is one's own.
every_way_to_ask = pytest.mark.parametrize(
    "way", [way for way in WAYS if way.name != "studio"], ids=lambda way: way.name
)


def start(server: Server, user: str | None = None, **fields: Any) -> Job:
    """A job that runs; its user has nothing else unless one is named."""
    user = user or str(next(USERS))
    body = {"title": "Job", "kind": "audio", "total": 100, "start": True, **fields}
    made = server.ask("POST", "/api/tasks", server.token(user), body)
    return Job(user, made["id"], made["number"])


def progress(server: Server, job: Job, done: float) -> None:
    server.report(server.token(job.user), {"type": "progress", "task": job.id, "done": done})


def succeed(server: Server, job: Job) -> None:
    server.report(server.token(job.user), {"type": "succeed", "task": job.id, "result": {"audioUrl": "/a"}})


@every_way
async def test_every_device_of_a_user_is_told_each_change_once_and_no_other_user(
    server: Server, way: Way
) -> None:
    job, theirs = start(server), start(server)
    token = server.token(job.user, Ability.READ)
    async with (
        way.follow(server, token, job) as phone,
        way.follow(server, token, job) as laptop,
        way.follow(server, server.token(theirs.user, Ability.READ), theirs) as stranger,
    ):
        for done in (25, 50.5, 75):
            progress(server, job, done)
            shown = int(done) if way.name in {"voice", "user-tasks"} else done
            for device in (phone, laptop):
                await way.until(device, job, shown)
        succeed(server, job)
        for device in (phone, laptop):
            await way.until(device, job, "done")
        succeed(server, theirs)
        await way.until(stranger, theirs, "done")
        for device in (phone, laptop):
            news = way.news(device, job)
            assert news[-1] == "done"
            percents = [what for what in news[:-1] if what]
            assert percents == sorted(set(percents))
            assert news.count("done") == 1
        assert way.news(stranger, job) == []
        assert job.id not in str(stranger.events)


@every_way
async def test_who_comes_late_is_told_how_it_stands(server: Server, way: Way) -> None:
    job = start(server)
    token = server.token(job.user, Ability.READ)
    progress(server, job, 40)
    async with way.follow(server, token, job) as late:
        if way.name == "voice":
            await way.until(late, job, 40)
        assert way.stands(late, job) == ("there" if way.name == "studio" else 40)
    succeed(server, job)
    async with way.follow(server, token, job) as later:
        if way.name in {"studio", "voice"}:
            # Their lists have what goes on, and they join nothing.
            assert way.stands(later, job) is None
        elif way.name == "dedup":
            await way.until(later, job, "done")
        else:
            assert way.stands(later, job) == "done"
        if way.name == "notifications":
            assert await later.until("closed") == 1000
            assert later.names == ["connected", "completed", "closed"]


async def refused(server: Server, way: Way, token: str, job: Job) -> str:
    """How somebody else is told that this is none of their business."""
    if way.name == "dedup":
        async with speaking(server, token) as client:
            await client.say("join_task", {"task_id": job.number})
            return str((await client.until("error"))["message"]).replace(str(job.number), "N")
    if way.name == "voice":
        async with speaking(server, token, path="/voice/socket.io/") as client:
            await client.until("authenticated")
            await client.say("subscribe:project", job.id)
            return str((await client.until("error"))["message"]).replace(job.id, "N")
    assert isinstance(way, RawWay)
    url = way.path(token, job)
    async with raw(server, url) as client:
        name = "authentication_failed" if way.name == "user-tasks" else "error"
        said = await client.until(name)
        assert await client.until("closed") == 1008
        assert client.names == [name, "closed"]
        return str((said if way.name == "user-tasks" else said["data"])["message"]).replace(job.id, "N")


@every_way_to_ask
async def test_what_is_another_s_is_refused_as_what_does_not_exist(server: Server, way: Way) -> None:
    job = start(server)
    if way.name == "voice":
        body = {"title": "Job", "channel": "project:theirs"}
        server.ask("POST", "/api/tasks", server.token(job.user, channels=["project:theirs"]), body)
        job = job._replace(id="theirs")
    token = server.token(str(next(USERS)), Ability.READ)
    nothing = Job("999999", "nothing-there", 9_999_999)
    assert await refused(server, way, token, job) == await refused(server, way, token, nothing)


@every_way
async def test_nobody_can_forge(server: Server, way: Way) -> None:
    job = start(server)
    token = server.token(job.user)
    async with way.follow(server, token, job) as forger, way.follow(server, token, job) as other:
        progress(server, job, 5)
        await way.until(forger, job, 5)
        await way.until(other, job, 5)
        before = len(other.events)
        names = {"id": job.number, "task_id": job.number, "jobId": job.id}
        for name, data in way.forged:
            await way.say(forger, name, {field: names.get(field, value) for field, value in data.items()})
        progress(server, job, 10)
        await way.until(other, job, 10)
        await way.until(forger, job, 10)
        assert len(other.events) == before + 1
        assert "forged" not in str(other.events)
        task = server.ask("GET", f"/api/tasks/{job.id}", token)
        assert (task["state"], task["progress"]["done"]) == ("running", 10)


@every_way
async def test_a_token_that_ends_ends_the_delivery_and_the_next_one_goes_on(server: Server, way: Way) -> None:
    job = start(server)
    async with way.follow(server, server.token(job.user, Ability.READ, ttl=1.5), job) as client:
        progress(server, job, 10)
        await way.until(client, job, 10)
        code = await client.until("closed")
        last_words = "authentication_failed" if way.name == "user-tasks" else "error"
        assert client.names[-2:] == [last_words, "closed"]
        assert code == (1008 if way.name in {"user-tasks", "notifications"} else None)
        progress(server, job, 20)
        async with way.follow(server, server.token(job.user, Ability.READ), job) as again:
            progress(server, job, 30)
            await way.until(again, job, 30)
        assert client.names[-1] == "closed"


@every_way
@pytest.mark.slow
async def test_a_server_that_dies_costs_nothing(tmp_path: Path, way: Way) -> None:
    async with running_server(tmp_path, "fast", dialect=DIALECTS) as server:
        job = start(server)
        token = server.token(job.user, Ability.READ)
        async with way.follow(server, token, job) as client:
            progress(server, job, 40)
            await way.until(client, job, 40)
            server.kill()
            await client.until("closed")
    async with (
        running_server(tmp_path, "fast", dialect=DIALECTS) as server,
        way.follow(server, token, job) as client,
    ):
        progress(server, job, 60)
        await way.until(client, job, 60)
        succeed(server, job)
        await way.until(client, job, "done")
        percents = [what for what in way.news(client, job) if what != "done"]
        assert percents == sorted(percents)
        assert way.news(client, job).count("done") == 1


@every_way
@pytest.mark.slow
async def test_who_stops_to_read_is_closed_and_delays_nobody(tmp_path: Path, way: Way) -> None:
    async with running_server(
        tmp_path,
        "fast",
        dialect=DIALECTS,
        write_deadline=2,
        # That it does not answer pings is not what closes it.
        heartbeat=300,
        message_rate=10_000,
        message_burst=10_000,
        max_subscriptions=10_000,
    ) as server:
        user = str(next(USERS))
        job = start(server, user)
        token, worker = server.token(user, Ability.READ), server.token(user)
        # Of the first contract one hears what one joined, and of the last an inbox has more to say than a task.
        joined = [start(server, user) for _ in range(100)] if way.name == "dedup" else [job]
        async with way.follow(server, token, job) as reader, deaf(way, server, token, joined):
            await connections(server, 2)
            for n in range(1, 61):
                await asyncio.to_thread(server.report, worker, *flood(way, n, joined, user))
                progress(server, job, n)
                await way.until(reader, job, n)
            await connections(server, 1)
            succeed(server, job)
            await way.until(reader, job, "done")


async def connections(server: Server, expected: int) -> None:
    """Wait until so many are connected."""
    admin = server.token("root", Ability.ADMIN)
    async with asyncio.timeout(PATIENCE):
        while server.ask("GET", "/api/stats", admin)["connections"] != expected:
            await asyncio.sleep(0.05)


def flood(way: Way, turn: int, joined: list[Job], user: str) -> list[dict[str, Any]]:
    """Reports of which whoever listens is told all: some 200 KB."""
    much = "x" * 3500
    if way.name == "dedup":
        detail = {"current_group": {"about": much}}
        return [{"type": "progress", "task": job.id, "done": turn, "detail": detail} for job in joined]
    if way.name == "notifications":
        note = {"type": "notify", "channel": f"user:{user}", "title": "News", "content": much[:900]}
        return [{**note, "id": f"n{turn}-{n}"} for n in range(200)]
    meta = {"chapterId": much, "formData": {"prompt": "x"}}
    about = {"type": "create", "title": "Job", "kind": "audio", "start": True, "meta": meta}
    return [{**about, "task": f"t{turn}-{n}"} for n in range(60)]
