"""What a progress bar costs a loop that does nothing: `headway.track` beside tqdm and the bare loop.

The loop has no body, so a real one sees less of it. Each
figure is the best of several runs, because the machine's other work only ever adds. The server is Python's
`http.server` in a process of its own, so that only the reporting itself is charged to the loop.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

import headway
from headway.worker import delivery

COLUMNS = ("loop", "ns an iteration")
AIMS = dict.fromkeys(("track, no server", "track, server"), "at most 1.5 times tqdm")
_SERVER = """
import http.server
class Far(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        body = b'{"accepted":1,"rejected":[],"tasks":{}}'
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Far)
print(server.server_port, flush=True)
server.serve_forever()
"""


def measure(items: int = 3_000_000, runs: int = 5) -> dict[str, float]:
    """Nanoseconds per iteration, best of `runs`.

    Args:
        items: iterations in one run.
        runs: how often each is tried; the kinds take turns.
    """
    os.environ["HEADWAY_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="headway-benchmark-")
    for name in ("HEADWAY_URL", "HEADWAY_TOKEN", "HEADWAY_SPOOL"):
        os.environ.pop(name, None)
    best: dict[str, float] = {}
    with Path(os.devnull).open("w") as null:
        kinds: dict[str, Callable[[], Iterable[int]]] = {
            "bare loop": lambda: range(items),
            "tqdm, null stream": lambda: tqdm(range(items), file=null, disable=False),
            "track, no server": lambda: headway.track(range(items), "Benchmark"),
        }
        for _ in range(runs):
            for kind, make in kinds.items():
                best[kind] = min(best.get(kind, float("inf")), _time(make()) / items)
        with _server() as url:
            headway.configure(url=url, token="benchmark")
            _time(headway.track(range(10), "Warm up"))
            headway.flush(5)
            for _ in range(runs):
                figure = _time(headway.track(range(items), "Benchmark")) / items
                best["track, server"] = min(best.get("track, server", figure), figure)
            headway.flush(5)
            if not delivery.stats().reached:
                raise RuntimeError("no batch reached the server, so the figure would mean nothing")
    return best


def _time(loop: Iterable[int]) -> float:
    begun = time.perf_counter_ns()
    for _ in loop:
        pass
    return time.perf_counter_ns() - begun


@contextmanager
def _server() -> Iterator[str]:
    with subprocess.Popen([sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()
