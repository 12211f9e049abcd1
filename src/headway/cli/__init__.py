"""The command line: which commands there are, and how anything that goes wrong is said.

Nothing is loaded before it is needed: `headway --help` imports none of the server, and without the extra that brings the
commands the program still starts, to say what to install.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from headway.errors import ConfigurationError, HeadwayError, MissingExtra

if TYPE_CHECKING:
    from cyclopts import App

__all__ = ["main"]

_USAGE = 2
_INTERRUPTED = 130

_COMMANDS = {
    "serve": "Run a server; on this machine alone unless told otherwise.",
    "token": "Print a token for a user.",
    "keys": "Create, list and revoke worker keys, which jobs have in place of a token.",
    "revoke": "Take back a token, or all tokens of a user.",
    "watch": "Follow a task in the terminal.",
    "doctor": "Check the settings, the data, the port and the clock, and say what to do.",
    "demo": "Find duplicates among real files, to see progress live.",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: the process's own when None.

    Returns:
        the exit code: 2 for a wrong command, setting or token, 130 for Ctrl-C, else what the command says.
    """
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except HeadwayError as error:
        print(f"headway: {error.message}", file=sys.stderr)
        return _USAGE if isinstance(error, ConfigurationError) else 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Who read our output has gone, which is no fault; what is left in the buffer must not be flushed at exit.
        sys.stdout = None
        return 1


def _run(arguments: Sequence[str]) -> int:
    if arguments and not arguments[0].startswith("-") and arguments[0] not in _COMMANDS:
        raise ConfigurationError(f"There is no command {arguments[0]!r}; there are {', '.join(_COMMANDS)}")
    try:
        from cyclopts import CycloptsError

        program = _program()
        try:
            outcome = program(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        except CycloptsError as error:
            command = f" {arguments[0]}" if arguments and arguments[0] in _COMMANDS else ""
            raise ConfigurationError(f"{error} (headway{command} --help)") from None
    except ImportError as error:
        missing = _missing(error)
        if missing is None:
            raise
        raise MissingExtra(
            f'This needs {missing}, which is not installed here: pip install "headway[server]"'
        ) from None
    return outcome if isinstance(outcome, int) else 0


def _missing(error: BaseException) -> str | None:
    """The package that is not installed; None when the fault is our own."""
    # Cyclopts wraps what loading a command raises.
    while not isinstance(error, ModuleNotFoundError):
        if error.__cause__ is None:
            return None
        error = error.__cause__
    package = (error.name or "").partition(".")[0]
    return None if package in ("", "headway") else package


def _program() -> App:
    from cyclopts import App

    import headway

    program = App(
        name="headway",
        help="Live progress and notifications for background jobs.",
        version=headway.__version__,
        help_format="plaintext",
    )
    for place, (name, help_line) in enumerate(_COMMANDS.items()):
        program.command(f"headway.cli.{name}:{name}", name=name, help=help_line, sort_key=place)
    return program
