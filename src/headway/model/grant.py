"""What a verified token allows."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from headway.model.channel import PUBLIC, allows, is_channel

__all__ = ["ANONYMOUS", "Ability", "Grant"]

ANONYMOUS = "anonymous"
"""The user that all are who come without a token, where that is enough."""


class Ability(StrEnum):
    """What a token can allow beyond being somebody."""

    READ = "read"
    CANCEL = "cancel"
    PUBLISH = "publish"
    ADMIN = "admin"


class Grant(msgspec.Struct, frozen=True, gc=False):
    """The rights of one token.

    Attributes:
        user: who holds it (`sub`).
        channels: patterns of channels beyond the user's own and `public`.
        tasks: ids of single tasks it covers, whatever their channel.
        can: its abilities.
        expires_at: Unix seconds, or None when it does not expire.
        id: what the token goes by when it is revoked; empty when nothing stands behind the grant that could be.
        issued_at: Unix seconds, or None when it does not say.
        narrow: it covers what it names and nothing else: no channel of its own, nothing public, no log, no notification.
    """

    user: str
    channels: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    can: frozenset[Ability] = frozenset((Ability.READ, Ability.CANCEL))
    expires_at: float | None = None
    id: str = ""
    issued_at: float | None = None
    narrow: bool = False

    @property
    def own_channel(self) -> str:
        return f"user:{self.user}"

    @property
    def named(self) -> tuple[str, ...]:
        """The channels that it opens by name, its own first; a narrow one has none of its own."""
        own = () if self.narrow else (self.own_channel,)
        return tuple(dict.fromkeys((*own, *filter(is_channel, self.channels))))

    def covers(self, channel: str, task: str | None = None) -> bool:
        """Whether records of `channel`, or the one `task` in it, are within this grant."""
        if not self.narrow and (channel == f"user:{self.user}" or channel == PUBLIC):
            return True
        if task is not None and task in self.tasks:
            return True
        return any(allows(pattern, channel) for pattern in self.channels)
