"""`headway token`: print a token and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from headway.cli.flags import CONFIG_HELP
from headway.cli.secret import tokens_for
from headway.errors import ConfigurationError, InvalidField
from headway.model.channel import user_channel
from headway.model.grant import Ability
from headway.server.settings import load_settings

__all__ = ["parse_ttl", "token"]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST = 100 * 365 * 86_400


def token(
    *,
    user: Annotated[str, Parameter(help="Who holds it.")],
    channels: Annotated[
        str, Parameter(help="Channels beside the user's own, comma separated: project:7, project:*.")
    ] = "",
    tasks: Annotated[str, Parameter(help="Ids of single tasks, comma separated.")] = "",
    can: Annotated[
        str, Parameter(help="Abilities, comma separated, of: read, cancel, publish, admin.")
    ] = "read,cancel",
    ttl: Annotated[str, Parameter(help="How long it is good for: 30s, 10m, 1h, 7d or never.")] = "24h",
    data: Annotated[Path | None, Parameter(help="Data folder of the server.", show_default=False)] = None,
    config: Annotated[Path | None, Parameter(help=CONFIG_HELP, show_default=False)] = None,
) -> int:
    """Print a token for a user.

    It is signed with HEADWAY_SECRET or the settings file's secret; else with the one in the data folder, the running
    development server's if need be.
    """
    _check_user(user)
    abilities = [_ability(word) for word in _words(can)]
    seconds = parse_ttl(ttl)
    tokens = tokens_for(load_settings(config, data=data))
    try:
        made = tokens.make(user, channels=_words(channels), tasks=_words(tasks), can=abilities, ttl=seconds)
    except InvalidField as error:
        raise ConfigurationError(error.message) from None
    print(made)
    return 0


def parse_ttl(text: str) -> float | None:
    """Seconds of `90`, `30s`, `10m`, `1h` or `7d`; None for `never`.

    Raises:
        ConfigurationError: it is none of these.
    """
    text = text.strip().lower()
    if text == "never":
        return None
    match = re.fullmatch(r"(\d{1,12})([smhd]?)", text, re.ASCII)
    seconds = int(match[1]) * _UNITS.get(match[2], 1) if match else 0
    if not 0 < seconds <= _LONGEST:
        raise ConfigurationError(
            f"--ttl {text!r} is no time; write 30s, 10m, 1h, 7d or never (100 years at most)"
        )
    return seconds


def _check_user(user: str) -> None:
    try:
        user_channel(user)
    except InvalidField:
        raise ConfigurationError(
            f"--user {user!r} is no user's name; one has letters, digits and . _ @ + = ~ -"
        ) from None


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _ability(word: str) -> Ability:
    try:
        return Ability(word)
    except ValueError:
        raise ConfigurationError(f"--can {word!r} is no ability; there are {', '.join(Ability)}") from None
