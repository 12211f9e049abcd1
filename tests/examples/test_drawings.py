"""The application `drawings`: what is in SVG and PDF files, and a Celery worker that tells it over one socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
import websockets
from examples.drawings import write_samples
from examples.drawings.findings import Unreadable
from examples.drawings.job import analyse
from examples.drawings.svg import MOST_ELEMENTS

from tests.examples.running import ROOT, Running, running, until

SAMPLES = ROOT / "examples/drawings"


class Notes:
    """Writes down where an analysis is."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int]] = []
        self.last = 0

    def stage(self, name: str, total: int) -> None:
        assert not self.stages or self.last == self.stages[-1][1]
        self.stages.append((name, total))
        self.last = 0

    def done(self, parts: int, about: str) -> None:
        assert self.last <= parts <= self.stages[-1][1]
        self.last = parts


def results(content: bytes) -> dict[str, Any]:
    notes = Notes()
    found = analyse(content, notes)
    assert [name for name, _ in notes.stages] == ["reading", "measuring", "texts", "summary"]
    assert len(json.dumps(found, ensure_ascii=False).encode()) < 16_384
    return found


def svg(inside: str, attributes: str = 'width="100mm" height="5cm"') -> bytes:
    return (
        f'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" {attributes}>{inside}</svg>'.encode()
    )


def test_the_sample_plan_as_svg() -> None:
    found = results((SAMPLES / "sample.svg").read_bytes())
    assert found["pages"] == {"count": 1, "sizes": [{"width": 420.0, "height": 297.0, "unit": "mm"}]}
    assert found["shapes"] == {"total": 20, "text": 6, "rect": 5, "path": 4, "line": 4, "circle": 1}
    assert found["layers"] == {"Walls": 5, "Doors": 4, "Windows": 4, "Texts": 7}
    assert found["lengths"] == {"circle": 75.4, "line": 310.0, "rect": 2440.0}
    assert found["texts"]["first"][0] == "Kitchen 108.0 m²"


def test_the_sample_plan_as_pdf() -> None:
    found = results((SAMPLES / "sample.pdf").read_bytes())
    assert found["pages"] == {"count": 1, "sizes": [{"width": 420.0, "height": 297.0, "unit": "mm"}]}
    assert found["shapes"] == {"total": 13, "rect": 5, "line": 4, "curve": 4}
    # 310 mm in points.
    assert found["lengths"]["line"] == pytest.approx(310 * 72 / 25.4, abs=0.5)
    assert found["texts"]["first"][0] == "Kitchen 108.0 m2 Living room 280.0 m2"
    assert found["fonts"] == ["Helvetica"]


def test_the_samples_are_what_their_program_writes() -> None:
    assert (SAMPLES / "sample.svg").read_text() == write_samples.svg()
    assert (SAMPLES / "sample.pdf").read_bytes() == write_samples.pdf()


def test_shapes_that_are_only_defined_do_not_count() -> None:
    found = results(svg('<defs><rect id="a" width="1" height="1"/></defs><use href="#a"/><use href="#a"/>'))
    assert found["shapes"] == {"total": 2, "use": 2}


def test_lengths_and_sizes() -> None:
    inside = '<polygon points="0,0 3,0 3,4"/><polyline points="0 0 3 4"/><ellipse rx="1" ry="1"/><line x2="3" y2="4"/><rect/>'
    found = results(svg(inside, 'viewBox="0 0 20 10"'))
    assert found["lengths"] == {"ellipse": 6.3, "line": 5.0, "polygon": 12.0, "polyline": 5.0}
    assert found["pages"]["sizes"] == [{"width": 20.0, "height": 10.0, "unit": "px"}]
    assert results(svg(""))["pages"]["sizes"] == [{"width": 100.0, "height": 50.0, "unit": "mm"}]


def test_results_are_bounded_whatever_is_written() -> None:
    many = "".join(
        f'<g id="{"l" * 500}{number}"><text font-family="f{"x" * 99}{number}" fill="#{number:06}">{"字" * 500}</text></g>'
        for number in range(900)
    )
    found = results(svg(many))
    assert found["shapes"]["total"] == found["texts"]["count"] == 900


BOMB = '<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (BOMB.encode() + svg("<text>&b;</text>")[21:], "entities"),
        (b'<!DOCTYPE svg SYSTEM "file:///etc/passwd"><svg/>', "document type"),
        (b"<html/>", "not an SVG"),
        (b"<svg", "not XML"),
        (b"\xff\xfe<svg/>", "not XML"),
        (svg("<g>" * 300 + "</g>" * 300), "deeper"),
        (svg("<g/>" * MOST_ELEMENTS), "elements"),
        (b"%PDF-1.4\nnothing", "cannot be read"),
        (b"hello", "neither"),
        (b"", "neither"),
    ],
)  # fmt: skip
def test_what_is_no_drawing_is_refused_with_a_reason(content: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        analyse(content, Notes())


def test_a_broken_pdf_never_does_more_than_be_refused() -> None:
    whole = (SAMPLES / "sample.pdf").read_bytes()
    for end in range(20, len(whole), 97):
        try:
            analyse(whole[:end] + b"\n" + whole[end + 31 :], Notes())
        except Unreadable:
            continue


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running("drawings", tmp_path_factory.mktemp("drawings"), EXAMPLE_PACE="0.1") as found:
        yield found


def upload(app: Running, content: bytes, token: str | None = None) -> str:
    answer = app.ask("POST", "/api/v1/drawings", token, fields={"file": ("plan.svg", content)})
    assert answer.status == 202, answer.body
    task: str = answer.body["data"]["task_id"]
    return task


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_the_stages_of_a_drawing_are_told_to_its_user_alone(app: Running) -> None:
    url = app.url.replace("http", "ws") + "/api/v1/ws/tasks/"
    async with (
        websockets.connect(f"{url}1?token={app.tokens[0]}") as mine,
        websockets.connect(f"{url}2?token={app.tokens[1]}") as theirs,
    ):
        for socket, number in ((mine, 1), (theirs, 2)):
            assert json.loads(await socket.recv())["type"] == "connection_established", number
            assert json.loads(await socket.recv())["tasks"] == []
        task = await asyncio.to_thread(upload, app, (SAMPLES / "sample.svg").read_bytes())
        updates: list[dict[str, Any]] = []
        async with asyncio.timeout(60):
            while not updates or updates[-1]["status"] not in ("success", "failure"):
                message = json.loads(await mine.recv())
                assert (message["type"], message["task_id"]) == ("task_update", task)
                updates.append(message["data"])
        assert updates[0]["status"] == "pending"
        last = updates[-1]
        assert (last["status"], last["progress"], last["user_id"], last["name"]) == (
            "success",
            100,
            1,
            "plan.svg",
        )
        assert last["results"]["shapes"]["total"] == 20
        stages = list(dict.fromkeys(update["stage"] for update in updates if update["stage"]))
        assert stages == ["reading", "measuring", "texts", "summary"]
        shown = [update["progress"] for update in updates]
        assert shown == sorted(shown)
        await theirs.send('{"type": "get_user_tasks"}')
        assert json.loads(await theirs.recv())["tasks"] == []


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_bad_drawing_fails_with_its_reason_and_a_good_one_can_be_cancelled(app: Running) -> None:
    failed = app.over(upload(app, BOMB.encode() + b"<svg/>"))
    assert (failed["state"], failed["attempt"]) == ("failed", 1)
    assert failed["error"].endswith("declares a document type or entities; save it without them")
    task = upload(app, svg("<rect/>" * 150_000))
    until(lambda: app.task(task)["state"] == "running")
    assert app.ask("POST", f"/headway/api/tasks/{task}/cancel").status == 200
    until(lambda: not app.task(task).get("stopping"))
    assert app.task(task)["state"] == "cancelled"


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_disk_that_fails_is_tried_three_times(app: Running) -> None:
    with app.held("examples.drawings.worker"):
        before = set((app.data / "uploads").glob("*"))
        task = upload(app, svg("<rect/>"))
        (path,) = set((app.data / "uploads").glob("*")) - before
        path.unlink()
    ended = app.over(task)
    assert (ended["state"], ended["attempt"]) == ("failed", 3)
    assert ended["error"].startswith("FileNotFoundError")
    assert [(past["attempt"], past["state"]) for past in ended["earlier"]] == [(1, "running"), (2, "running")]


@pytest.mark.slow
def test_uploads_are_bounded_and_need_a_token(app: Running) -> None:
    for token, content, expected in (
        ("", b"<svg/>", 401),
        ("nonsense", b"<svg/>", 401),
        (None, b"", 400),
        (None, b"x" * (10 * 2**20 + 1), 413),
    ):
        answer = app.ask("POST", "/api/v1/drawings", token, fields={"file": ("../../plan.svg", content)})
        assert (answer.status, answer.body["success"]) == (expected, False)
    for name in ("sample.svg", "sample.pdf"):
        assert app.ask("GET", f"/samples/{name}").body == (SAMPLES / name).read_bytes()
    assert app.ask("GET", "/samples/queue.py").status == 404
