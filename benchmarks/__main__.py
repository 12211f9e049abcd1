"""Every measurement, each beside its bare probe or peer in the same run.

python -m benchmarks [--write] [NAME ...]

With `--write` each table is also put into `benchmarks/README.md`, in its place, with the command, the date and what else
the machine did. What cannot be measured is said, and the others go on; then the exit code is 1.
"""

from __future__ import annotations

import importlib
import signal
import sys
import traceback

from benchmarks.tables import Machine, markdown, plain, rows_of, write

NAMES = (
    "reporter_overhead",
    "ingest",
    "delivery",
    "memory",
    "connects",
    "resume",
    "latency",
    "stopped_reader",
    "flood",
    "beside",
)
LONGEST = 900
"""Seconds: what hangs is given up, so that it can run unattended."""


def main(arguments: list[str]) -> int:
    """Run the named measurements, or all."""
    wanted = [name for name in arguments if name != "--write"]
    unknown = set(wanted) - set(NAMES)
    if unknown:
        print(f"There is no {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGALRM, _give_up)
    failed = [name for name in wanted or NAMES if not _run(name, kept="--write" in arguments)]
    if failed:
        print(f"\nNot measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _run(name: str, *, kept: bool) -> bool:
    module = importlib.import_module(f"benchmarks.{name}")
    print(f"\n{name}: {(module.__doc__ or '').strip().splitlines()[0].rstrip('.')}", flush=True)
    machine = Machine()
    signal.alarm(LONGEST)
    try:
        columns, rows = rows_of(module)
    except Exception:  # noqa: BLE001 - the others go on
        traceback.print_exc()
        return False
    finally:
        signal.alarm(0)
    about = machine.report()
    print(f"{plain(columns, rows)}\n  ({about})", flush=True)
    if kept:
        write(name, f"`python -m benchmarks {name}`, {about}:\n\n{markdown(columns, rows)}")
    return True


def _give_up(*_: object) -> None:
    raise TimeoutError(f"It took longer than {LONGEST} seconds")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
