"""`headway doctor`: one line for each thing that has to be right, with what to do when it is not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from headway.cli.checks.access import check_environment_token, check_runtime, check_tokens
from headway.cli.checks.disk import check_data, check_pages, check_store
from headway.cli.checks.finding import Finding, Verdict, fail, ok
from headway.cli.checks.machine import check_descriptors
from headway.cli.checks.network import check_clock, check_port, check_server
from headway.cli.flags import CONFIG_HELP
from headway.errors import ConfigurationError
from headway.server.settings import load_settings

__all__ = ["doctor"]

_COLOURS = {Verdict.OK: "32", Verdict.WARN: "33", Verdict.FAIL: "31"}


def doctor(
    *,
    data: Annotated[Path | None, Parameter(help="Data folder.", show_default=False)] = None,
    port: Annotated[int | None, Parameter(help="Port.", show_default=False)] = None,
    config: Annotated[Path | None, Parameter(help=CONFIG_HELP, show_default=False)] = None,
) -> int:
    """Check the settings, the data, the port and the clock, and say what to do.

    Exit code: 0 when a server can work here, 1 when something fails. Shows no secret and no token, and changes nothing.
    """
    worst = 0
    for finding in _look(data, port, config):
        print(f"{_mark(finding.verdict)} {finding.what + ':':15} {finding.text}", flush=True)
        if finding.verdict is Verdict.FAIL:
            worst = 1
    return worst


def _look(data: Path | None, port: int | None, config: Path | None) -> Iterator[Finding]:
    try:
        settings = load_settings(config, data=data, port=port)
    except ConfigurationError as error:
        yield fail("settings", error.message)
        return
    secret = "a secret is set" if settings.secret is not None else "for development, with a secret of its own"
    yield ok("settings", f"read; {secret}")
    yield check_data(settings.data)
    yield check_store(settings.data)
    finding, here = check_port(settings)
    yield finding
    said, server = check_server()
    if said is not None:
        yield said
    server = server or here
    yield check_clock(server)
    yield check_tokens(settings)
    if (said := check_environment_token(settings, server)) is not None:
        yield said
    yield check_runtime()
    yield check_pages()
    yield check_descriptors()


def _mark(verdict: Verdict) -> str:
    mark = f"{verdict:4}"
    return f"\x1b[{_COLOURS[verdict]}m{mark}\x1b[0m" if sys.stdout.isatty() else mark
