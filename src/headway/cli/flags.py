"""A flag for each setting, made from `Settings`, so that there is one place that says what can be set."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from headway.server.settings import Settings, load_settings

__all__ = ["CONFIG_HELP", "with_settings"]

CONFIG_HELP = "Settings file (TOML); headway.toml in this folder when left out, if there is one."

_NO_FLAG = frozenset(("secret", "webhooks", "fallback_targets"))
"""Every user of a machine can read the arguments of its processes."""

_GROUPS = {
    "host": "Server",
    "issuer": "Tokens",
    "public_url": "How it is reached",
    "log_level": "Log",
    "lost_after": "What is kept",
    "heartbeat": "Connections",
    "max_live_tasks": "Limits and audit",
    "dialect": "Contracts of older systems",
    "drain_seconds": "Stopping",
    "shares_per_user": "Share links and webhooks",
    "fallback_targets": "Notifications that stay unread",
    "sqlite_synchronous": "Store",
}
"""The headings of the help; each is that of its first setting and of those after it."""


def with_settings(command: Callable[[Settings], int]) -> Callable[..., int]:
    """Make a command that needs `Settings` take a flag for each of them, and `--config`."""

    def run(*, config: Path | None = None, **flags: Any) -> int:
        return command(load_settings(config, **flags))

    parameters = [_parameter("config", Path, CONFIG_HELP, Group.create_ordered("Settings file"))]
    group = None
    for name, field in Settings.model_fields.items():
        if name in _GROUPS:
            group = Group.create_ordered(_GROUPS[name])
        if name not in _NO_FLAG:
            parameters.append(_parameter(name, _type(field), _help(field), group))
    run.__doc__ = command.__doc__
    run.__name__ = command.__name__
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    # Cyclopts reads both.
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _parameter(name: str, kind: Any, help_line: str, group: Group | None) -> inspect.Parameter:
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        # Not given is None: a default here would hide what the environment and the file say.
        default=None,
        annotation=Annotated[
            kind | None, Parameter(help=help_line, show_default=False, negative=(), group=group)
        ],
    )


def _type(field: FieldInfo) -> Any:
    # Lists are given in one word, comma separated, as in a variable.
    return str if getattr(field.annotation, "__origin__", None) is tuple else field.annotation


def _help(field: FieldInfo) -> str:
    default = field.default
    if default is False or default in (PydanticUndefined, None, ()):
        return field.description or ""
    if isinstance(default, tuple):
        default = ",".join(default)
    elif isinstance(default, float) and default.is_integer():
        default = int(default)
    return f"{field.description} [{default}]"
