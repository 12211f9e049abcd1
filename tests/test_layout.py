"""Where things are: tests mirror sources, names say something, no room is a hall, and every file says what it is for."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/headway"
TESTS = ROOT / "tests"

MODULES = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))
PYTHON = sorted(
    path.relative_to(ROOT).as_posix() for part in ("src", "tests") for path in (ROOT / part).rglob("*.py")
)
SCRIPTS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "web/src").rglob("*.ts*"))
SHIPPED = [path for path in PYTHON + SCRIPTS if not path.startswith("tests/")]

FORBIDDEN = re.compile(r"(^|_)(utils?|common|helpers?|base|misc)(_|$)")
MOST_LINES = 400

# Modules without a test file of their own: where they are tested instead, and why there.
ELSEWHERE: dict[str, tuple[str, str]] = {
    "__main__.py": ("cli/programs.py", "every program that a test starts is started through it"),
    "errors.py": ("wire/test_native.py", "the codes and sentences of all errors are vectors of the wire"),
    "testing.py": ("test_layout.py", "it has no content yet"),
    "buses/memory.py": ("contract/test_bus.py", "one suite over every bus"),
    "hub/changes.py": ("hub/test_ledger.py", "what the ledger carries out"),
    "hub/work.py": ("hub/test_intake.py", "what is known of a report on its way"),
    "ports/store.py": ("contract/test_store.py", "a promise is tested on all who keep it"),
    "ports/bus.py": ("contract/test_bus.py", "a promise is tested on all who keep it"),
    "ports/link.py": ("contract/test_link.py", "a promise is tested on all who keep it"),
    "stores/memory.py": ("contract/test_store.py", "one suite over every store"),
    "stores/reads.py": ("contract/test_store_window.py", "what is read is what a store promises"),
    "stores/listing.py": ("contract/test_store_tasks.py", "pages of tasks, over every store"),
    "stores/batch.py": ("contract/test_store.py", "a batch is what a store is given"),
    "stores/schema.py": ("stores/test_migrations.py", "migrations end in this schema"),
    "stores/sqlite_statements.py": ("stores/test_sqlite.py", "statements without a database say nothing"),
    "stores/migrations/env.py": ("stores/test_migrations.py", "it is run by migrating"),
    "stores/migrations/versions/0001_first.py": ("stores/test_migrations.py", "it is run by migrating"),
    "stores/migrations/versions/0002_documents.py": ("stores/test_migrations.py", "it is run by migrating"),
    "stores/migrations/versions/0003_task_numbers.py": ("stores/test_migrations.py", "it is run by migrating"),
    "stores/migrations/versions/0004_inbox.py": ("stores/test_migrations.py", "it is run by migrating"),
    "dialects/translation.py": ("dialects/test_dedup.py", "what all translations are made of"),
    "transports/contracts/codec.py": ("transports/contracts/test_dedup.py", "what a client hears goes through it"),
    "transports/contracts/contract.py": ("transports/contracts/test_notifications.py", "it has the most addresses"),
    "transports/contracts/resuming.py": ("transports/contracts/test_recovery.py", "the stock client resumes"),
    "transports/contracts/socket.py": ("transports/contracts/test_user_tasks.py", "a contract is spoken over it"),
    "transports/contracts/socketio.py": ("transports/contracts/test_dedup.py", "a contract is spoken over it"),
    "transports/contracts/stream.py": ("transports/contracts/test_notifications.py", "a contract is spoken over it"),
    "wire/codec.py": ("wire/test_native.py", "the vectors go through it"),
    "wire/streams.py": ("contract/test_streams.py", "one suite over both ways to stream"),
    "worker/ambient.py": ("worker/test_context.py", "the ambient task is what the functions of a job act on"),
    "worker/counts.py": ("worker/test_delivery.py", "the numbers that stats() gives"),
    "worker/creation.py": ("worker/test_context.py", "what task() and create() are given"),
    "worker/filelock.py": ("worker/test_spool.py", "a spool is locked by it"),
    "worker/journal.py": ("worker/test_spool.py", "what a spool is written by"),
    "worker/limits.py": ("worker/test_delivery.py", "the bounds show in what is sent"),
    "worker/queues.py": ("worker/test_outbox.py", "what waits to be sent stands in them"),
    "worker/voice.py": ("worker/test_delivery.py", "what is said about the delivery"),
    "server/identity/rest.py": ("contract/test_door_identity.py", "what it does shows on the doors"),
    "cli/admin.py": ("cli/test_keys.py", "what asks a server as its administrator"),
    "cli/children.py": ("cli/test_demo.py", "the processes of the demo"),
    "cli/flags.py": ("cli/test_program.py", "the flags are what the help shows"),
    "cli/leash.py": ("cli/test_demo.py", "what ends the processes of a demo that was killed"),
    "cli/screens.py": ("cli/test_watch.py", "what watch prints, in a terminal and elsewhere"),
    "cli/secret.py": ("cli/test_token.py", "which secret a token is made with"),
}  # fmt: skip
# Rooms whose modules are tested together.
ROOMS_ELSEWHERE = {
    "server": (
        "server/test_beside.py",
        "seen from outside, in real processes; the folder has one file for each concern",
    ),
    "transports": ("contract/test_doors.py", "one suite over every door"),
    "transports/socketio": (
        "conformance/test_clients.py",
        "what its clients see, in Node, in Python and in a browser",
    ),
    "cli/checks": ("cli/test_doctor.py", "the checks are the doctor's"),
    "cli/duplicates": ("cli/test_duplicates.py", "the job of the demo as a whole"),
}


def home(module: str) -> Path:
    """Where the test of a module belongs."""
    path = Path(module)
    return TESTS / path.parent / f"test_{path.stem.strip('_')}.py"


def cover(module: str) -> tuple[str, str] | None:
    room = module.rpartition("/")[0]
    return ELSEWHERE.get(module) or ROOMS_ELSEWHERE.get(room)


@pytest.mark.parametrize("module", [name for name in MODULES if not name.endswith("__init__.py")])
def test_each_module_has_a_test(module: str) -> None:
    if home(module).is_file():
        return
    covered = cover(module)
    assert covered is not None, (
        f"{home(module).relative_to(ROOT)} is missing; or say in {Path(__file__).name} where {module} is tested, and why"
    )
    assert (TESTS / covered[0]).is_file(), f"{module} should be tested by {covered[0]}, which does not exist"


def test_only_what_exists_is_listed() -> None:
    assert [name for name in ELSEWHERE if name not in MODULES] == []
    assert [room for room in ROOMS_ELSEWHERE if not (SOURCE / room).is_dir()] == []


def test_nothing_is_listed_that_has_a_test_of_its_own() -> None:
    assert [name for name in ELSEWHERE if home(name).is_file()] == []


def test_each_test_has_something_to_test() -> None:
    """A test file in a folder that mirrors a room is named for a module of it, or for what several do together."""
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    own = {"conformance", "contract", "deploy", "docs", "e2e", "examples", "security", "typing"}
    folders = {path.name for path in TESTS.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= rooms | own


@pytest.mark.parametrize("path", PYTHON + SCRIPTS)
def test_names_say_what_a_thing_is(path: str) -> None:
    for part in Path(path).parts:
        assert not FORBIDDEN.search(part.partition(".")[0]), f"{path} is named for nothing in particular"


@pytest.mark.parametrize("path", SHIPPED)
def test_no_file_is_too_long(path: str) -> None:
    lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES, f"{path} has {lines} lines and is asking to be two"


@pytest.mark.parametrize("path", PYTHON)
def test_each_file_says_what_it_is_for(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.startswith("tests/") and path.endswith("__init__.py") and not text.strip():
        return
    assert ast.get_docstring(ast.parse(text)), f"{path} does not say what it is for"


@pytest.mark.parametrize("path", SCRIPTS)
def test_each_script_says_what_it_is_for(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert text.startswith("/**"), f"{path} does not say what it is for"


@pytest.mark.parametrize("name", ["utils.py", "string_helpers.py", "base", "common_things.py"])
def test_bad_names_are_seen(name: str) -> None:
    assert FORBIDDEN.search(name.partition(".")[0])
