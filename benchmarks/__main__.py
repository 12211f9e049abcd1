"""Every measurement, each beside its bare probe or peer in the same run.

python -m benchmarks [NAME ...]
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
import time

NAMES = (
    "reporter_overhead",
    "ingest",
    "delivery",
    "sse",
    "memory",
    "connects",
    "resume",
    "latency",
    "stopped_reader",
    "flood",
    "beside",
)


def main(wanted: list[str]) -> int:
    """Run the named measurements, or all."""
    unknown = set(wanted) - set(NAMES)
    if unknown:
        print(f"There is no {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    print(f"{time.strftime('%Y-%m-%d %H:%M')}, Python {platform.python_version()}, {os.cpu_count()} cores")
    for name in wanted or NAMES:
        module = importlib.import_module(f"benchmarks.{name}")
        print(f"\n{name}: {(module.__doc__ or '').splitlines()[0]}", flush=True)
        for what, figure in module.measure().items():
            print(f"  {what:<48} {figure}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
