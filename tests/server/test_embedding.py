"""Headway in somebody's application: how it is started and stopped, and whose tokens count."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3
import uvicorn
from fastapi import FastAPI

from headway.errors import ConfigurationError, InvalidField, TokenExpired
from headway.model.grant import Ability, Grant
from headway.server.app import Headway
from headway.server.settings import load_settings


def make(folder: Path, **options: Any) -> Headway:
    return Headway(load_settings(None, data=folder), **options)


@asynccontextmanager
async def served(application: Any) -> AsyncIterator[str]:
    """The address of an application that is served in this process."""

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started.set()

    started = asyncio.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(uvicorn.Config(application, log_config=None, ws="websockets-sansio"))
        # Only the part of it that leaves the signals of this process alone.
        running = asyncio.create_task(server._serve([listener]))
        waiting = asyncio.create_task(started.wait())
        await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
        try:
            yield "http://{}:{}".format(*listener.getsockname())
        finally:
            server.should_exit = True
            await running
            waiting.cancel()


async def ask(url: str, token: str | None = None) -> urllib3.BaseHTTPResponse:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return await asyncio.to_thread(urllib3.request, "GET", url, headers=headers, timeout=10, retries=False)


async def test_starting_twice_says_so(tmp_path: Path) -> None:
    hw = make(tmp_path)
    async with hw.lifespan():
        with pytest.raises(ConfigurationError, match="runs already: start it once"):
            await hw.start()
        # And it still runs.
        assert hw.hub.ready


async def test_two_on_the_same_folder_are_refused(tmp_path: Path) -> None:
    async with make(tmp_path).lifespan():
        with pytest.raises(ConfigurationError, match="already uses the folder"):
            await make(tmp_path).start()


async def test_it_can_be_started_again(tmp_path: Path) -> None:
    # As each `with TestClient(app)` does it.
    hw = make(tmp_path)
    app = FastAPI(lifespan=hw.lifespan)
    app.mount("/headway", hw.asgi)
    for _ in range(2):
        async with served(app) as url:
            assert (await ask(f"{url}/headway/readyz")).status == 200
    await hw.stop()


async def test_several_in_one_application(tmp_path: Path) -> None:
    first, second = make(tmp_path / "1"), make(tmp_path / "2")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        async with first.lifespan(app) as one, second.lifespan(app) as other:
            yield {**one, **other}

    app = FastAPI(lifespan=lifespan)
    app.mount("/first", first.asgi)
    app.mount("/second", second.asgi)
    async with served(app) as url:
        assert (await ask(f"{url}/first/api/me", first.token("ada"))).json()["user"] == "ada"
        assert (await ask(f"{url}/second/api/me", second.token("bob"))).json()["user"] == "bob"
        assert (await ask(f"{url}/second/api/me", first.token("ada"))).status == 401


async def test_one_that_was_not_started_says_what_is_missing(tmp_path: Path) -> None:
    hw = make(tmp_path)
    app = FastAPI()
    app.mount("/headway", hw.asgi)
    async with served(app) as url:
        for path in ("/healthz", "/api/me", "/events", "/login"):
            answer = await ask(url + "/headway" + path)
            assert answer.status == 500
            assert "lifespan=hw.lifespan" in answer.json()["message"]


@pytest.mark.slow  # since the pages must be built
async def test_it_is_an_application_by_itself(tmp_path: Path) -> None:
    hw = Headway(load_settings(None, data=tmp_path, base_path="/live/"))
    async with served(hw.asgi) as url:
        assert (await ask(f"{url}/live/api/me", hw.token("ada"))).json()["user"] == "ada"
        assert (await ask(f"{url}/live")).headers["location"] == "/live/"
        assert b'src="/live/assets/' in (await ask(f"{url}/live/tasks/x")).data
        elsewhere = await ask(f"{url}/api/me")
        assert (elsewhere.status, "/live/" in elsewhere.json()["message"]) == (404, True)


async def test_an_application_that_cannot_start_says_why(tmp_path: Path) -> None:
    said: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        said.append(message)

    async with make(tmp_path).lifespan():
        await make(tmp_path).asgi({"type": "lifespan"}, receive, send)
    assert [message["type"] for message in said] == ["lifespan.startup.failed"]
    assert "already uses the folder" in said[0]["message"]


@pytest.mark.parametrize("wrong", ["headway", "/a b", "//evil.example", "/x/../y?", "/é"])
def test_a_base_path_that_is_none(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ConfigurationError, match="a path looks like /headway"):
        load_settings(None, data=tmp_path, base_path=wrong)


def test_tokens_for_users_of_the_application(tmp_path: Path) -> None:
    hw = make(tmp_path)
    grant = hw.verify(hw.token("ada", can=("read", "publish"), channels=("project:*",), ttl=60))
    assert isinstance(grant, Grant)
    assert (grant.user, grant.can) == ("ada", frozenset((Ability.READ, Ability.PUBLISH)))
    assert grant.covers("project:x")
    assert grant.expires_at is not None
    with pytest.raises(TokenExpired):
        hw.verify(hw.token("ada", ttl=-1))
    with pytest.raises(InvalidField, match="An ability is one of read"):
        hw.token("ada", can=("fly",))


async def test_the_applications_own_tokens(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def authenticate(token: str) -> Grant | None:
        if token == "broken":
            raise ZeroDivisionError("with a secret in it")
        if token == "odd":
            return Grant("ada", can=frozenset(("fly",)))  # type: ignore[arg-type]
        return Grant("ada", can=frozenset(("read",))) if token == "sesame" else None  # type: ignore[arg-type]

    hw = make(tmp_path, authenticate=authenticate)
    assert hw.login_code is None
    with pytest.raises(ConfigurationError, match="our own tokens do not count"):
        hw.token("ada")
    async with served(hw.asgi) as url:
        assert (await ask(f"{url}/api/me", "sesame")).json()["can"] == ["read"]
        for path in ("/api/me", "/events?channel=public", "/poll?channel=public"):
            assert (await ask(url + path, "other")).status == 401
            assert (await ask(url + path, make(tmp_path).tokens.make("ada"))).status == 401
            for wrong in ("broken", "odd"):
                answer = await ask(url + path, wrong)
                assert answer.status == 500
                assert b"secret" not in answer.data
    assert "authenticate failed" in caplog.text
