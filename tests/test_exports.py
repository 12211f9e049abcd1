"""What `import headway` gives, what it loads, and what a wheel of it brings."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import urllib3

import headway
from tests import wheels
from tests.cli.programs import Running
from tests.worker.scripts import environment

PUBLIC = [
    "Cancelled",
    "Headway",
    "Stats",
    "TaskHandle",
    "__version__",
    "attach",
    "configure",
    "create",
    "current",
    "flush",
    "log",
    "notify",
    "progress",
    "stats",
    "step",
    "task",
    "track",
    "tracked",
]
SERVER_PARTS = [
    "alembic", "cyclopts", "httptools", "joserfc", "litestar", "pydantic", "pydantic_settings", "rich", "sqlalchemy",
    "structlog", "uvicorn", "uvloop", "websockets",
]  # fmt: skip
JOB = """
import headway
for _ in headway.track(range(3), "Three"):
    pass
"""


def loaded(code: str, folder: Path) -> set[str]:
    """The modules that are there after this code, in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json, sys; print(json.dumps(list(sys.modules)))"],
        env=environment(folder),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(ended.stdout))


def test_all_is_what_is_promised() -> None:
    assert headway.__all__ == [name for name in PUBLIC if name != "Headway"]


@pytest.mark.parametrize("name", PUBLIC)
def test_each_name_is_there(name: str) -> None:
    assert getattr(headway, name) is not None
    assert name in dir(headway)


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'server_parts'"):
        headway.server_parts  # type: ignore[attr-defined]  # noqa: B018 - asking is the test


def test_importing_loads_nothing_yet(tmp_path: Path) -> None:
    modules = loaded("import headway", tmp_path)
    assert "headway" in modules
    assert modules.isdisjoint({*SERVER_PARTS, "urllib3", "msgspec", "asyncio", "headway.worker.delivery"})


def test_a_job_loads_no_part_of_the_server(tmp_path: Path) -> None:
    modules = loaded(JOB, tmp_path)
    assert "headway.worker.track" in modules
    assert modules.isdisjoint(SERVER_PARTS)
    assert not [
        name for name in modules if name.startswith(("headway.server", "headway.hub", "headway.stores"))
    ]


def test_a_server_loads_no_http_client_before_it_has_something_to_send(tmp_path: Path) -> None:
    modules = loaded("import headway.server.run", tmp_path)
    assert "headway.onward.post" in modules
    assert modules.isdisjoint({"aiohttp", "apprise", "alembic", "redis", "psycopg"})


def test_a_child_that_was_forked_while_a_part_was_loading_can_use_it(tmp_path: Path) -> None:
    code = """
import os, sys, threading
import headway

loading, forked = threading.Event(), threading.Event()

class Slow:
    # A finder that stands in the middle of the import until there was time to fork.
    def find_spec(self, name, path=None, target=None):
        if name == "headway.worker.context" and not loading.is_set():
            loading.set()
            forked.wait(1)

sys.meta_path.insert(0, Slow())
thread = threading.Thread(target=lambda: headway.notify)
thread.start()
loading.wait()
pid = os.fork()
if pid == 0:
    # Would a child hang, its alarm ends it.
    __import__("signal").alarm(5)
    headway.notify
    os._exit(0)
forked.set()
thread.join()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0)
"""
    ended = subprocess.run([sys.executable, "-c", code], env=environment(tmp_path), check=False)
    assert ended.returncode == 0


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (wheels.ROOT / "src/headway/server/static/index.html").is_file():
        pytest.fail("The pages are not built: run scripts/setup web")
    return wheels.build(tmp_path_factory.mktemp("wheel"))


@pytest.mark.slow
def test_the_wheel_is_whole(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {
        "headway/py.typed",
        "headway/server/static/index.html",
        "headway/server/static/headway.js",
        "headway/server/static/licenses.md",
        "headway/stores/migrations/env.py",
        "headway/stores/migrations/script.py.mako",
        "headway/stores/migrations/versions/0001_first.py",
        "headway/stores/migrations/versions/0002_documents.py",
    } <= set(names)
    assets = [name for name in names if name.startswith("headway/server/static/assets/")]
    assert {Path(name).suffix for name in assets} >= {".js", ".css", ".svg"}
    assert not [name for name in names if not name.startswith("headway")]


@pytest.mark.slow
def test_a_job_runs_with_the_base_install_alone(wheel: Path, tmp_path: Path) -> None:
    python = wheels.install(wheel, tmp_path / "env")
    ended = subprocess.run(
        [python, "-W", "error", "-c", JOB],
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    folders = {path.name for path in (tmp_path / "env").glob("lib/python*/site-packages/*.dist-info")}
    packages = {name.partition("-")[0] for name in folders} - {"pip", "setuptools"}
    assert packages == {"headway", "msgspec", "urllib3"}
    everything = subprocess.run([python, "-c", "from headway import *; track"], cwd=tmp_path, check=False)
    assert everything.returncode == 0
    server = subprocess.run(
        [python, "-c", "import headway; headway.Headway"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert server.stderr.endswith('pip install "headway[server]"\n')
    # The program is there too, and says what it lacks.
    program = subprocess.run(
        [tmp_path / "env/bin/headway", "serve"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert program.returncode == 2
    assert program.stderr.endswith('pip install "headway[server]"\n')


@pytest.mark.slow
def test_a_server_from_the_wheel_serves_its_pages(wheel: Path, tmp_path: Path) -> None:
    install = wheels.install(wheel, tmp_path / "env", "server")
    errors = tmp_path / "errors"
    with errors.open("w") as file:
        process = subprocess.Popen(
            [install.parent / "headway", "serve", "--port", "0", "--data", tmp_path / "data"],
            env=environment(tmp_path) | {"PYTHONUNBUFFERED": "1"},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
        )
    with process:
        try:
            url = Running(process, errors).url
            page = urllib3.request("GET", url)
            assert page.status == 200
            assert '<script type="module"' in page.data.decode()
            script = page.data.decode().partition('src="')[2].partition('"')[0]
            assert urllib3.request("GET", url + script).headers["content-type"].startswith("text/javascript")
        finally:
            process.terminate()
