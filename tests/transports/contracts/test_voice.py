"""`voice` as its clients have it: users, projects and what was missed, over a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers import FORMS, Server, serving
from tests.transports.contracts.clients import Speaker, speaking


@pytest.fixture(scope="module", params=FORMS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("voice"), request.param, dialect="voice") as server:
        yield server


def job(server: Server, user: str, project: str | None = None, **fields: Any) -> str:
    body: dict[str, Any] = {
        "title": "Chapter",
        "kind": "audio",
        "start": True,
        "meta": {"chapterId": "c1"},
        **fields,
    }
    if project is not None:
        body |= {"channel": f"project:{project}", "tags": [f"by:{user}"]}
    token = worker(server, user, project)
    return str(server.ask("POST", "/api/tasks", token, body)["id"])


def worker(server: Server, user: str, project: str | None = None) -> str:
    return server.token(user, channels=[] if project is None else [f"project:{project}"])


async def heard(client: Speaker) -> None:
    """Until the server has heard all that the client said."""
    before = len(client.all("error"))
    await client.say("subscribe:project", None)
    await client.until(lambda _name, _data: len(client.all("error")) > before)


async def test_an_audio_job_in_every_tab_once(server: Server) -> None:
    token = server.token("v1")
    async with speaking(server, token) as one, speaking(server) as two:
        assert await one.until("authenticated") == {"success": True}
        await two.say("authenticate", {"userId": "v1", "token": token})
        assert await two.until("authenticated") == {"success": True}
        which = job(server, "v1", meta={"projectId": "p", "chapterId": "c1"})
        server.report(token, {"type": "progress", "task": which, "percent": 30, "message": "synthesising"})
        for tab in (one, two):
            data = await tab.until(
                lambda name, data: name == "audio:progress" and data["progress"]["percentage"] == 30
            )
            assert (data["jobId"], data["projectId"], data["chapterId"]) == (which, "p", "c1")
            assert data["progress"]["message"] == "synthesising"
        result = {"audioUrl": "/a.wav", "duration": 2.5, "fileSize": 100}
        server.report(token, {"type": "succeed", "task": which, "result": result})
        for tab in (one, two):
            data = await tab.until("audio:complete")
            assert {name: data[name] for name in result} == result
            assert tab.names.count("audio:complete") == 1


async def test_nothing_before_authentication_and_a_wrong_one_ends_it(server: Server) -> None:
    token = server.token("v2")
    for wrong in (
        {"userId": "v2", "token": "no.such.token"},
        {"userId": "v3", "token": token},
        {"userId": "v2"},
        None,
    ):
        async with speaking(server) as client:
            job(server, "v2")
            await client.say("authenticate", wrong)
            assert (await client.until("error"))["message"]
            await client.until("disconnect")
            assert [name for name in client.names if ":" in name] == []


async def test_projects(server: Server) -> None:
    mine = server.token("v4", channels=["project:p4"])
    other = server.token("v5", channels=["project:p4"])
    stranger = server.token("v6")
    async with (
        speaking(server, mine) as owner,
        speaking(server, other) as member,
        speaking(server, stranger) as third,
    ):
        for client in (owner, member, third):
            await client.until("authenticated")
        await member.say("subscribe:project", "p4")
        await owner.say("subscribe:project", "p4")
        await third.say("subscribe:project", "p4")
        assert (await third.until("error"))["message"]
        await heard(owner)
        await heard(member)
        which = job(server, "v4", "p4")
        server.report(mine, {"type": "succeed", "task": which})
        for client in (owner, member):
            data = await client.until("audio:complete")
            assert (data["projectId"], data["jobId"]) == ("p4", which)
            assert client.names.count("audio:complete") == 1
        await member.say("unsubscribe:project", "p4")
        await heard(member)
        again = job(server, "v4", "p4")
        server.report(mine, {"type": "succeed", "task": again})
        own = job(server, "v5", "p4")
        server.report(other, {"type": "succeed", "task": own})
        await member.until(lambda name, data: name == "audio:complete" and data["jobId"] == own)
        assert [data["jobId"] for data in member.all("audio:complete")] == [which, own]
        assert [name for name in third.names if ":" in name] == []
        for wrong in (None, 3, "", "a b", {"id": "p4"}):
            before = len(owner.all("error"))
            await owner.say("subscribe:project", wrong)
            await owner.several("error", before + 1)


async def test_an_owner_hears_of_its_own_jobs_without_subscribing(server: Server) -> None:
    token = server.token("v7", channels=["project:p7"])
    async with speaking(server, token) as client:
        await client.until("authenticated")
        foreign = job(server, "v8", "p7")
        own = job(server, "v7", "p7", kind="parse")
        server.report(
            token,
            {"type": "fail", "task": foreign, "error": "x"},
            {"type": "fail", "task": own, "error": "y"},
        )
        data = await client.until("parse:failed")
        assert (data["jobId"], data["error"], "chapterId" in data) == (own, "y", True)
        assert "audio:failed" not in client.names
