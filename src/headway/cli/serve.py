"""`headway serve`: run a server until Ctrl-C or SIGTERM."""

from __future__ import annotations

import os
import sys

from headway.cli.flags import with_settings
from headway.server.app import Headway
from headway.server.logs import set_up_logs
from headway.server.run import bind, run
from headway.server.settings import Settings
from headway.worker.discovery import remove_runtime, write_runtime

__all__ = ["serve"]


@with_settings
def serve(settings: Settings) -> int:
    """Run a server; on this machine alone unless told otherwise.

    Each setting is also a variable (HEADWAY_PORT) and a line of the settings file (port = 8400). The secret is not a
    flag, since every user of a machine can read those: set HEADWAY_SECRET or write it into the file.
    """
    set_up_logs(settings.log_level, settings.log_format)
    listener = bind(settings)
    try:
        run(Headway(settings), listener, _announce)
    finally:
        listener.close()
        remove_runtime(os.getpid())
    return 0


def _announce(headway: Headway, url: str) -> None:
    settings = headway.settings
    if settings.loopback:
        # First, so that whoever waits for the line finds the note.
        _leave_note(headway, url)
    print(f"Headway is listening on {url}", flush=True)
    if headway.login_code is not None:
        print(f"Open {url}/login#{headway.login_code}")
    print("Tokens: headway token --user NAME. Stop: Ctrl-C.", flush=True)


def _leave_note(headway: Headway, url: str) -> None:
    try:
        write_runtime(url, headway.local_token(), os.getpid(), str(headway.settings.data.resolve()))
    except OSError as error:
        print(
            f"headway: jobs on this machine will not find this server by themselves ({error.strerror}); "
            f"set HEADWAY_URL={url} and HEADWAY_TOKEN for them",
            file=sys.stderr,
        )
