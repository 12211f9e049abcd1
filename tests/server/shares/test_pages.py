"""The page, the bar for an iframe and the badge as whoever has the link gets them: headers, text, both languages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.shares.test_calls import begin
from tests.servers import Server, serving

pytestmark = pytest.mark.slow

EVIL = "<img src=x onerror=alert(1)>\"'&"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("pages"), public_url="https://jobs.example.com") as server:
        yield server


def share(server: Server, task: str, **fields: object) -> str:
    """The path of a new share of a task."""
    token = begin(server, "ada", task, **fields)
    made = server.ask("POST", "/api/shares", token, {"task": task}, 201)
    assert made["url"] == f"https://jobs.example.com/t/{made['token']}"
    return f"/t/{made['token']}"


def test_the_page_says_where_it_stands_without_a_script(server: Server) -> None:
    path = share(server, "p1", title=EVIL)
    server.report(server.token("ada"), {"type": "progress", "task": "p1", "message": EVIL})
    answer = server.request("GET", path)
    page = answer.data.decode()
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "&lt;img src=x onerror=alert(1)&gt;&quot;&#x27;&amp;" in page
    assert "<img" not in page
    assert "running · 40 % · " in page
    assert '<progress max="100" value="40">' in page
    assert '<html lang="en">' in page
    assert "noindex" in page


def test_it_speaks_chinese(server: Server) -> None:
    page = server.request(
        "GET", share(server, "p2"), headers={"Accept-Language": "zh-CN,en;q=0.5"}
    ).data.decode()
    assert '<html lang="zh-Hans">' in page
    assert "进行中 · 40 %" in page


def test_it_leaks_nothing_and_may_not_be_framed_but_its_bar_may(server: Server) -> None:
    path = share(server, "p3")
    page, bar = server.request("GET", path), server.request("GET", f"{path}/embed")
    for answer in (page, bar):
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in answer.headers
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert "frame-ancestors *" in bar.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "code", ["x", "hws_" + "A" * 32, "hws_" + "A" * 31 + "%00", "%2e%2e", "hws_%F0%9F%91%8D"]
)
def test_what_opens_nothing_says_so_to_people(server: Server, code: str) -> None:
    answer = server.request("GET", f"/t/{code}")
    assert answer.status == 404
    assert "This link does not work any more" in answer.data.decode()
    picture = server.request("GET", f"/t/{code}/badge.svg")
    assert (picture.status, picture.headers["Content-Type"]) == (404, "image/svg+xml; charset=utf-8")
    assert b"<svg" in picture.data


def test_a_task_that_is_gone_ends_its_link(server: Server) -> None:
    path = share(server, "p4")
    token = server.token("ada")
    server.report(token, {"type": "succeed", "task": "p4"})
    assert "done · 100 %" in server.request("GET", path).data.decode()
    server.ask("DELETE", "/api/tasks/p4", token, status=204)
    assert server.request("GET", path).status == 404


def test_the_badge_is_asked_for_again_and_says_when_nothing_changed(server: Server) -> None:
    path = share(server, "p5", title=EVIL) + "/badge.svg"
    first = server.request("GET", path)
    assert (first.status, first.headers["Content-Type"]) == (200, "image/svg+xml; charset=utf-8")
    assert b"40 %" in first.data
    assert b"<img" not in first.data
    assert first.headers["Cache-Control"] == "no-cache, max-age=0"
    assert first.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "default-src 'none'" in first.headers["Content-Security-Policy"]
    known = {"If-None-Match": first.headers["ETag"]}
    assert server.request("GET", path, headers=known).status == 304
    server.report(server.token("ada"), {"type": "fail", "task": "p5"})
    second = server.request("GET", path, headers=known)
    assert (second.status, b"failed" in second.data) == (200, True)
    assert "失败" in server.request("GET", f"{path}?lang=zh").data.decode()


def test_the_page_of_a_channel_shows_what_goes_on_before_what_has_ended(server: Server) -> None:
    token = begin(server, "eve", "e1")
    for number in range(25):
        begin(server, "eve", f"ended{number}")
        server.report(token, {"type": "succeed", "task": f"ended{number}"})
    made = server.ask("POST", "/api/shares", token, {"channel": "user:eve"}, 201)
    page = server.request("GET", f"/t/{made['token']}").data.decode()
    assert page.count('class="still"') == 20
    assert page.index("running · ") < page.index("done")


def test_the_badge_of_a_channel_counts_what_runs(server: Server) -> None:
    token = begin(server, "bob", "b1")
    begin(server, "bob", "b2")
    made = server.ask("POST", "/api/shares", token, {"channel": "user:bob", "title": "Bob"}, 201)
    path = f"/t/{made['token']}/badge.svg"
    # What waits does not run, however many there are of it and however new.
    server.report(token, *({"type": "create", "task": f"w{n}", "title": f"Waiting {n}"} for n in range(25)))
    assert "Bob: 2 running" in server.request("GET", path).data.decode()
    server.report(token, {"type": "succeed", "task": "b1"}, {"type": "cancel", "task": "b2"})
    assert "Bob: idle" in server.request("GET", path).data.decode()
