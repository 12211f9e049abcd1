"""`headway keys`: worker keys of a running server."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from headway.cli.admin import ADMIN_HELP, URL_HELP, administrator
from headway.cli.flags import CONFIG_HELP
from headway.cli.token import parse_ttl
from headway.errors import ConfigurationError

__all__ = ["keys"]

What = Literal["create", "list", "revoke"]


def keys(
    what: Annotated[What, Parameter(help="What to do.")],
    key: Annotated[str, Parameter(help="A name for the new key; or the id of the one to revoke.")] = "",
    /,
    *,
    channels: Annotated[
        str,
        Parameter(help="Channels that the new key opens, comma separated: project:7, user:*, or * for all."),
    ] = "",
    can: Annotated[
        str, Parameter(help="Abilities of the new key, comma separated, of: publish, read, cancel.")
    ] = "publish",
    ttl: Annotated[
        str, Parameter(help="How long the new key is good for: 30s, 10m, 1h, 7d or never.")
    ] = "never",
    url: Annotated[str | None, Parameter(help=URL_HELP, show_default=False)] = None,
    token: Annotated[str | None, Parameter(help=ADMIN_HELP, show_default=False)] = None,
    data: Annotated[Path | None, Parameter(help="Data folder of the server.", show_default=False)] = None,
    config: Annotated[Path | None, Parameter(help=CONFIG_HELP, show_default=False)] = None,
) -> int:
    """Create, list and revoke worker keys, which jobs have in place of a token.

    A new key is printed once, alone on standard output, and cannot be had again: put it into HEADWAY_TOKEN of the workers.
    """
    if (what == "list") == bool(key):
        raise ConfigurationError(
            "Write headway keys list, headway keys create NAME, or headway keys revoke ID"
        )
    seconds = parse_ttl(ttl)
    ask = administrator(url, token, data=data, config=config)
    if what == "create":
        if not channels:
            raise ConfigurationError(
                "Say what the key opens: --channels project:7, or --channels '*' for all"
            )
        body: dict[str, Any] = {"name": key, "channels": _words(channels), "can": _words(can)}
        if seconds is not None:
            body["expires_in"] = seconds
        made = ask("POST", "/api/keys", body)
        print(made["key"])
        print(
            f"headway: this key is shown this once; headway keys revoke {made['about']['id']} takes it back",
            file=sys.stderr,
        )
    elif what == "list":
        for known in ask("GET", "/api/keys")["keys"]:
            ends = f"until {_day(known['expires_at'])}" if "expires_at" in known else "for ever"
            print(
                known["id"], known["name"], ",".join(known["channels"]), ",".join(known["can"]),
                f"since {_day(known['created_at'])}", ends, sep="  ",
            )  # fmt: skip
    else:
        if not key.isalnum():
            raise ConfigurationError("A key is revoked by its id, which headway keys list shows")
        ask("DELETE", f"/api/keys/{key}")
    return 0


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _day(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d}"
