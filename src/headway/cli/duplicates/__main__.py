"""`python -m headway.cli.duplicates`: the demo's job as a worker process of its own.

It finds its server as any job does: by HEADWAY_URL and HEADWAY_TOKEN, or by the note of a development server.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import headway
from headway.cli.duplicates.corpus import FILES, find_files, installed_python
from headway.cli.duplicates.job import find_duplicates

_PATIENCE = 60.0


def main() -> int:
    """Run the job; 3 when it was cancelled, 130 for Ctrl-C."""
    parser = argparse.ArgumentParser(description="Find exact and near duplicates among text files.")
    parser.add_argument("path", type=Path, nargs="?", help="a folder; installed Python sources when left out")
    parser.add_argument("--files", type=int, default=FILES, help=f"compare no more than this many [{FILES}]")
    parser.add_argument("--reports", type=Path, default=Path(), help="folder for the report")
    options = parser.parse_args()
    sources = (
        find_files(installed_python(), ".py")
        if options.path is None
        else find_files([options.path.resolve()])
    )
    try:
        findings, page = find_duplicates(sources, options.files, options.reports)
    except headway.Cancelled:
        print("The job was cancelled", flush=True)
        return 3
    except KeyboardInterrupt:
        return 130
    finally:
        # A server that is away just now gets the end of the story when it is back.
        delivered = headway.flush(_PATIENCE)
    print(f"{findings.sentence()}\nThe report is {page}", flush=True)
    if not delivered:
        print("No server has taken the end of the job", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
