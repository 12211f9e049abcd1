"""Nchan, Debian's nginx module: one message to everybody. python -m benchmarks.peers.nchan

One worker, which does all the work and is the one whose CPU is counted.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NGINX = os.environ.get("NGINX", "/usr/sbin/nginx")
MODULE = os.environ.get("NCHAN_MODULE", "/usr/lib/nginx/modules/ngx_nchan_module.so")

CONFIGURATION = """
load_module {module};
daemon off;
{user}
worker_processes 1;
worker_rlimit_nofile 65536;
pid {folder}/pid;
error_log {folder}/error.log crit;
events {{ worker_connections 20000; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    server {{
        listen 127.0.0.1:{port} backlog=2048;
        location = /ws {{ nchan_subscriber websocket; nchan_channel_id one; }}
        location = /publish {{ nchan_publisher; nchan_channel_id one; nchan_message_buffer_length 1; }}
    }}
}}
"""


def main() -> None:
    """Serve until standard input ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        user = "user root;" if os.getuid() == 0 else ""
        file = Path(folder) / "nginx.conf"
        file.write_text(CONFIGURATION.format(module=MODULE, folder=folder, port=port, user=user))
        process = subprocess.Popen([NGINX, "-p", folder, "-c", str(file), "-e", f"{folder}/early.log"])
        try:
            worker = _worker(process.pid)
            print(port, "-", flush=True)
            publisher = http.client.HTTPConnection("127.0.0.1", port)
            for line in sys.stdin:
                words = line.split()
                if words[0] == "send":
                    for _ in range(int(words[1])):
                        publisher.request("POST", "/publish", "x" * int(words[3]))
                        publisher.getresponse().read()
                        time.sleep(1 / float(words[2]))
                print(json.dumps(_usage(worker)), flush=True)
        finally:
            process.terminate()
            process.wait()


def _worker(parent: int) -> int:
    for _ in range(100):
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        if children:
            return int(children[0])
        time.sleep(0.05)
    raise RuntimeError("nginx did not start its worker")


def _usage(pid: int) -> dict[str, float]:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return {
        "at": time.monotonic(),
        "cpu": (int(fields[11]) + int(fields[12])) / ticks,
        "user": int(fields[11]) / ticks,
        "rss_kib": pages * os.sysconf("SC_PAGE_SIZE") / 1024,
        "connections": len(list(Path(f"/proc/{pid}/fd").iterdir())),
    }


if __name__ == "__main__":
    main()
