"""Channel names: `public`, `user:<id>`, `project:<id>`; and the patterns that grants use for them."""

from __future__ import annotations

import re

from headway.errors import InvalidField

__all__ = ["NAME_BYTES", "PUBLIC", "allows", "check_channel", "check_pattern", "is_channel", "user_channel"]

PUBLIC = "public"
NAME_BYTES = 200
"""The longest channel name, in characters (all of them ASCII)."""

# No slash, no white space, no control character and no wildcard: a name can stand in a path, a key and a log line.
_ID = r"[A-Za-z0-9](?:[A-Za-z0-9._@+=~-]*)"
_CHANNEL = re.compile(rf"(?:public|(?:user|project):{_ID})\Z")
_PATTERN = re.compile(rf"(?:\*|(?:user|project):\*|public|(?:user|project):{_ID})\Z")


def is_channel(name: object) -> bool:
    """Whether `name` is a well-formed channel name."""
    return isinstance(name, str) and len(name) <= NAME_BYTES and _CHANNEL.match(name) is not None


def check_channel(name: str) -> str:
    """Return `name`.

    Raises:
        InvalidField: it is not a channel name.
    """
    if not is_channel(name):
        raise InvalidField(
            "A channel is public, user:<id> or project:<id>, with an id of letters, digits and . _ @ + = ~ -",
            field="channel",
        )
    return name


def check_pattern(pattern: object) -> str:
    """Return `pattern`: a channel name, `user:*`, `project:*` or `*`.

    Raises:
        InvalidField: it is none of them.
    """
    if not isinstance(pattern, str) or len(pattern) > NAME_BYTES or not _PATTERN.match(pattern):
        raise InvalidField("A channel pattern is a channel name, user:*, project:* or *", field="channels")
    return pattern


def user_channel(user: str) -> str:
    """The channel of one user.

    Raises:
        InvalidField: the user's id cannot stand in a channel name.
    """
    return check_channel(f"user:{user}")


def allows(pattern: str, channel: str) -> bool:
    """Whether a grant's `pattern` covers `channel`. Case counts."""
    if pattern == "*" or pattern == channel:
        return True
    return pattern.endswith(":*") and channel.startswith(pattern[:-1])
