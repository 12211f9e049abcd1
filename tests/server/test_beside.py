"""`headway serve` with somebody's application beside it, on the same port."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from websockets.sync.client import connect

from headway.errors import ConfigurationError
from headway.server.app import Headway
from headway.server.beside import load
from headway.server.settings import load_settings
from tests.cli.programs import Api, Programs

pytestmark = pytest.mark.slow

FLASK = """
import flask, headway

app = flask.Flask(__name__)

@app.get("/")
def index():
    return "my own page"

@app.post("/jobs")
def jobs():
    with headway.task("Counting", total=2) as task:
        task.advance(2)
    headway.flush()
    return {"task": task.id, "root": flask.request.script_root}

def make():
    return app
"""
FASTAPI = """
from contextlib import asynccontextmanager
from fastapi import FastAPI, WebSocket
import headway

@asynccontextmanager
async def lifespan(app):
    yield {"database": "open"}
    headway.notify("ada", "Closed")

app = FastAPI(lifespan=lifespan)

@app.websocket("/ws")
async def echo(socket: WebSocket):
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(f"{socket.state.database}: {len(text)}")

@app.get("/{rest:path}")
async def everything(rest: str):
    return {"yours": rest}
"""


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    (tmp_path / "shop.py").write_text(FLASK)
    (tmp_path / "live.py").write_text(FASTAPI)
    programs = Programs(tmp_path)
    yield programs
    programs.close()


@pytest.mark.parametrize("name", ["shop:app", "shop:make()"])
def test_a_wsgi_application(programs: Programs, name: str) -> None:
    server = programs.serve("--wsgi", name)
    url = server.url
    assert server.until("Open ").startswith(f"Open {url}/login#")
    server.until("Tokens:")
    root = url.removesuffix("/headway")
    assert root != url
    assert urllib3.request("GET", root).data == b"my own page"
    # Its threads reach the server that they run in.
    made = urllib3.request("POST", f"{root}/jobs").json()
    assert made["root"] == ""
    api = Api(programs.runtime)
    assert api.url == url
    assert api("GET", f"/api/tasks/{made['task']}")["state"] == "succeeded"
    # What is not below our path is the application's, and what is below it is ours.
    assert urllib3.request("GET", f"{root}/api/me").status == 404
    assert b"werkzeug" not in urllib3.request("GET", f"{url}/nothing").data
    assert urllib3.request("GET", url, redirect=False).headers["location"] == "/headway/"
    page = urllib3.request("GET", f"{url}/tasks/{made['task']}")
    assert b'src="/headway/assets/' in page.data
    token = programs.run("token", "--user", "ada", "--data", programs.data).stdout.strip()
    login = urllib3.request("POST", f"{url}/api/login", json={"token": token})
    assert (login.status, "Path=/headway;" in login.headers["set-cookie"] + ";") == (204, True)
    assert server.end(signal.SIGTERM) == 0
    assert "Traceback" not in server.errors.read_text(), server.errors.read_text()


def test_an_asgi_application(programs: Programs) -> None:
    server = programs.serve("--asgi", "live:app", "--base-path", "/progress")
    url = server.url
    server.until("Tokens:")
    assert url.endswith("/progress")
    root = url.removesuffix("/progress")
    assert urllib3.request("GET", f"{root}/progressive").json() == {"yours": "progressive"}
    assert urllib3.request("GET", f"{url}/healthz").json() == {"status": "ok"}
    # Its WebSocket goes on through uvicorn's own protocol, at any size; ours is ours.
    with connect(f"ws{root.removeprefix('http')}/ws", proxy=None) as theirs:
        theirs.send("x" * 100_000)
        assert theirs.recv() == "open: 100000"
    with connect(f"ws{url.removeprefix('http')}/ws", proxy=None) as ours:
        ours.send('{"type": "ping"}')
        assert '"pong"' in str(ours.recv())
    assert server.end(signal.SIGTERM) == 0
    assert "Traceback" not in server.errors.read_text(), server.errors.read_text()
    # What it reported at its very end was kept.
    programs.serve().until("Tokens:")
    (inbox,) = Api(programs.runtime)("GET", "/poll?channel=user:ada")["messages"]
    assert [notification["title"] for notification in inbox["notifications"]] == ["Closed"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--wsgi", "shop"], "An application is named as module:application, not as 'shop'"),
        (["--wsgi", "nowhere:app"], "There is no module 'nowhere' to find nowhere:app in"),
        (["--wsgi", "shop:nothing"], "The module shop has no application 'nothing'"),
        (["--wsgi", "shop:app", "--asgi", "live:app"], "set wsgi or asgi, not both"),
    ],
)
def test_a_wrong_name_is_one_sentence(programs: Programs, arguments: list[str], said: str) -> None:
    ended = programs.run("serve", "--data", programs.data, "--port", "0", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


async def test_one_that_does_not_start(tmp_path: Path) -> None:
    async def app(scope: object, receive: object, send: object) -> None:
        await send({"type": "lifespan.startup.failed", "message": "no database"})  # type: ignore[operator]

    hw = Headway(load_settings(None, data=tmp_path), beside=app)
    for _ in range(2):
        # And it lets go of everything, so that it can be tried again.
        with pytest.raises(ConfigurationError, match="did not start"):
            await hw.start()


def test_what_is_missing_inside_the_module_is_not_ours_to_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needy.py").write_text("import not_installed_anywhere")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="not_installed_anywhere"):
        load("needy:app", "wsgi")
