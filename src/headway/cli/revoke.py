"""`headway revoke`: take a token back, or all of a user's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from headway.cli.admin import ADMIN_HELP, URL_HELP, administrator
from headway.cli.flags import CONFIG_HELP
from headway.errors import ConfigurationError

__all__ = ["revoke"]


def revoke(
    what: Annotated[str, Parameter(help="A token, or its id (jti).")] = "",
    /,
    *,
    user: Annotated[
        str | None, Parameter(help="All tokens of this user that were issued until now.", show_default=False)
    ] = None,
    url: Annotated[str | None, Parameter(help=URL_HELP, show_default=False)] = None,
    token: Annotated[str | None, Parameter(help=ADMIN_HELP, show_default=False)] = None,
    data: Annotated[Path | None, Parameter(help="Data folder of the server.", show_default=False)] = None,
    config: Annotated[Path | None, Parameter(help=CONFIG_HELP, show_default=False)] = None,
) -> int:
    """Take back a token, or all tokens of a user.

    Open connections end within a second, and it stays so over restarts. Worker keys: headway keys revoke.
    """
    if bool(what) == bool(user):
        raise ConfigurationError("Write headway revoke TOKEN, or headway revoke --user NAME")
    ask = administrator(url, token, data=data, config=config)
    ask("POST", "/api/revocations", {"user": user} if user else {"token": what})
    return 0
