"""Centrifugo 6, when `CENTRIFUGO_BIN` names its binary: one publication to everybody. python -m benchmarks.peers.centrifugo

Its JSON protocol, without tokens, history or presence. Memory is as it stands: nothing outside asks it to collect.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.peers.foreign import answer_lines, end_on_terminate, free_port

BINARY = os.environ.get("CENTRIFUGO_BIN", "")
PATH = "/connection/websocket"
CONNECT = json.dumps({"id": 1, "connect": {}})
SUBSCRIBE = f"{CONNECT}\n{json.dumps({'id': 2, 'subscribe': {'channel': 'one'}})}"


def main() -> None:
    """Serve until standard input ends."""
    end_on_terminate()
    port = free_port()
    configuration = {
        "http_server": {"address": "127.0.0.1", "port": port},
        "http_api": {"insecure": True},
        # Its clients here do not answer pings.
        "client": {"insecure": True, "ping_interval": "300s", "pong_timeout": "290s"},
        "channel": {
            "without_namespace": {"allow_subscribe_for_client": True, "allow_subscribe_for_anonymous": True}
        },
        "health": {"enabled": True},
        "log": {"level": "error"},
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.json"
        file.write_text(json.dumps(configuration))
        process = subprocess.Popen([BINARY, "-c", str(file)], cwd=folder)
        try:
            _wait(f"http://127.0.0.1:{port}/health")
            print(port, "-", flush=True)
            body = json.dumps({"channel": "one", "data": {"text": "TEXT"}})
            answer_lines(port, "/api/publish", body, process.pid)
        finally:
            process.terminate()
            process.wait()


def _wait(url: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(url)
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("Centrifugo did not start")


if __name__ == "__main__":
    main()
