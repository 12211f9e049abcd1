"""The promise, as a stranger meets it: three lines show up live, nothing changes without a server, and a demo runs."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.cli.programs import Programs
from tests.cli.texts import plant
from tests.e2e.jobs import Jobs
from tests.e2e.visitors import Site, Visitor

THREE_LINES = """
import headway, sys
for row in headway.track(sys.stdin, "Importing customers", 20):
    pass
"""
LOOP = """
import time
import headway
begun = time.perf_counter()
total = 0
for row in headway.track(range(1_000_000), "Counting"):
    total += row
print(time.perf_counter() - begun)
"""


def run(programs: Programs, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={**programs.environment, **variables},
        cwd=programs.folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_three_lines_show_up_in_the_page_and_in_the_terminal(programs: Programs, visitor: Visitor) -> None:
    watch = programs.start("watch", "--wait")
    job = subprocess.Popen(
        [sys.executable, "-c", THREE_LINES],
        stdin=subprocess.PIPE,
        env=programs.environment,
        cwd=programs.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with job:
        row = visitor.page.locator("li.row")
        expect(row.locator(".state")).to_have_text("Running")
        expect(row.get_by_role("link")).to_have_text("Importing customers")
        watch.until("Importing customers: running")
        assert job.stdin is not None
        assert job.stdout is not None
        # Live: each is seen before the next is there.
        for done in range(5, 21, 5):
            job.stdin.write("row\n" * 5)
            job.stdin.flush()
            expect(visitor.bar()).to_have_attribute("aria-valuenow", str(done * 5))
        job.stdin.close()
        assert job.stdout.read() == ""
    assert job.returncode == 0
    expect(row.locator(".state")).to_have_text("Done")
    assert watch.end() == 0
    assert watch.lines[-1].startswith("Importing customers: succeeded")
    seen = visitor.seen()
    assert seen == sorted(seen)
    assert seen[-1] == 100


SHORT = """
import atexit, time
atexit.register(lambda: print(time.monotonic() - ended[0]))
import headway
for row in headway.track(range(3), "Importing customers"):
    pass
# What is registered last runs first: so it begins to count before anything of Headway's.
ended = []
atexit.register(lambda: ended.append(time.monotonic()))
"""


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:9"])
def test_without_a_server_a_job_says_nothing_and_waits_for_nothing(programs: Programs, url: str) -> None:
    ended = run(programs, SHORT, **({"HEADWAY_URL": url} if url else {}))
    assert ended.returncode == 0
    assert float(ended.stdout) < 2.0
    if url:
        # Somebody meant a server to be there: one line says that it is not.
        assert ended.stderr.count("\n") <= 1
    else:
        assert ended.stderr == ""


def test_a_loop_is_as_fast_without_a_server_as_with_one(
    programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = LOOP.replace('headway.track(range(1_000_000), "Counting")', "range(1_000_000)")

    def median(script: str) -> float:
        return statistics.median(float(run(programs, script).stdout) for _ in range(3))

    bare, without = median(plain), median(LOOP)
    server = programs.serve()
    assert server.url
    with_one = median(LOOP)
    with capsys.disabled():
        print(
            f"\na million items: {bare * 1000:.0f} ms bare, {without * 1000:.0f} ms tracked without a server, "
            f"{with_one * 1000:.0f} ms with one"
        )
    # Generous: what it says is that nothing is sent, encoded or waited for per item.
    assert without - bare < 2.0
    assert with_one - bare < 2.0


def test_the_demo_on_a_folder_of_ones_own(programs: Programs) -> None:
    texts = plant(programs.folder / "texts")
    demo = programs.start("demo", texts, "--once", "--port", "0", "--data", programs.data)
    assert demo.end() == 0
    assert any("exact duplicates" in line for line in demo.lines), demo.lines
    assert demo.errors.read_text() == ""
    assert list((programs.data / "reports").iterdir())


def test_the_list_outlives_the_server(
    programs: Programs, site: Site, visit: Callable[..., Visitor], jobs: Jobs
) -> None:
    """What ended is still there after a restart, for whoever comes next."""
    assert jobs.task("Nightly report", "report").finish() == 0
    assert site.server.end(15) == 0
    again = programs.start("serve", "--data", programs.data, "--port", site.port)
    assert again.url == site.url
    visitor = visit()
    visitor.log_in(site)
    expect(visitor.row("report").locator(".state")).to_have_text("Done")


def test_an_import_costs_little(tmp_path: Path) -> None:
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            "import time; begun = time.perf_counter(); import headway; print(time.perf_counter() - begun)",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert float(ended.stdout) < 0.5
