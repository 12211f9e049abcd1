"""A worker process that reports now and then, with the time of the call in the message.

python -m benchmarks.reporter PORT TOKEN SECONDS
"""

from __future__ import annotations

import random
import sys
import time

import headway


def main(port: str, token: str, seconds: float) -> None:
    """Report about eight times a second, not in step with anything else."""
    headway.configure(url=f"http://127.0.0.1:{port}", token=token)
    end = time.monotonic() + seconds
    with headway.task("Latency", channel="project:latency", total=1_000_000) as task:
        done = 0
        while time.monotonic() < end:
            time.sleep(random.uniform(0.1, 0.15))
            done += 1
            task.progress(done, message=f"@{time.time_ns()}@")
    headway.flush()
    print("done", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
