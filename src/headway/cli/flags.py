"""A flag for each setting, made from `Settings`, so that there is one place that says what can be set."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from headway.server.settings import Settings, load_settings

__all__ = ["CONFIG_HELP", "with_settings"]

CONFIG_HELP = "Settings file (TOML); headway.toml in this folder when left out, if there is one."

_NO_FLAG = frozenset(("secret", "webhooks", "fallback_targets"))
"""Every user of a machine can read the arguments of its processes."""


def with_settings(command: Callable[[Settings], int]) -> Callable[..., int]:
    """Make a command that needs `Settings` take a flag for each of them, and `--config`."""

    def run(*, config: Path | None = None, **flags: Any) -> int:
        return command(load_settings(config, **flags))

    parameters = [_parameter("config", Path, CONFIG_HELP)]
    parameters += [
        _parameter(name, _type(field), _help(field))
        for name, field in Settings.model_fields.items()
        if name not in _NO_FLAG
    ]
    run.__doc__ = command.__doc__
    run.__name__ = command.__name__
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    # Cyclopts reads both.
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _parameter(name: str, kind: Any, help_line: str) -> inspect.Parameter:
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        # Not given is None: a default here would hide what the environment and the file say.
        default=None,
        annotation=Annotated[kind | None, Parameter(help=help_line, show_default=False, negative=())],
    )


def _type(field: FieldInfo) -> Any:
    # Lists are given in one word, comma separated, as in a variable.
    return str if getattr(field.annotation, "__origin__", None) is tuple else field.annotation


def _help(field: FieldInfo) -> str:
    default = field.default
    if default is PydanticUndefined or default is None or default == ():
        return field.description or ""
    return f"{field.description} [{default}]"
