"""Nchan, Debian's nginx module: one message to everybody. python -m benchmarks.peers.nchan

One worker, which does all the work and is the one whose CPU is counted.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.peers.foreign import answer_lines, end_on_terminate, free_port

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
    end_on_terminate()
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        user = "user root;" if os.getuid() == 0 else ""
        file = Path(folder) / "nginx.conf"
        file.write_text(CONFIGURATION.format(module=MODULE, folder=folder, port=port, user=user))
        process = subprocess.Popen([NGINX, "-p", folder, "-c", str(file), "-e", f"{folder}/early.log"])
        try:
            worker = _worker(process.pid)
            print(port, "-", flush=True)
            answer_lines(port, "/publish", "TEXT", worker)
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


if __name__ == "__main__":
    main()
