"""Who may do what: the one place where grants are held against actions, and where refusals are noted."""

from __future__ import annotations

from enum import StrEnum

from headway.errors import Forbidden, HeadwayError, NotFound
from headway.hub.audit import Audit
from headway.model.channel import PUBLIC
from headway.model.grant import Ability, Grant

__all__ = ["Access", "Action", "check", "check_wide", "covers", "patterns"]


class Action(StrEnum):
    """What somebody wants to do with a record or a channel."""

    READ = "read"
    CONTROL = "control"
    """Cancel, pause, resume or retry."""
    PUBLISH = "publish"
    """Create, report and notify."""
    ADMINISTER = "administer"


_NEEDED: dict[Action, frozenset[Ability]] = {
    Action.READ: frozenset((Ability.READ,)),
    # A producer may end what it may publish.
    Action.CONTROL: frozenset((Ability.CANCEL, Ability.PUBLISH)),
    Action.PUBLISH: frozenset((Ability.PUBLISH,)),
    Action.ADMINISTER: frozenset(),
}


def covers(grant: Grant, channel: str, task: str | None = None) -> bool:
    """Whether the channel, or the one task in it, is within the grant at all."""
    return Ability.ADMIN in grant.can or grant.covers(channel, task)


def check(grant: Grant, action: Action, channel: str, task: str | None = None) -> None:
    """Allow the action or say why not.

    Raises:
        NotFound: the record is outside the grant; nothing is said about whether it exists.
        Forbidden: the grant covers it and lacks the ability, or the channel is named openly.
    """
    if not covers(grant, channel, task):
        if task is not None:
            raise NotFound(task=task)
        raise Forbidden(f"This token does not open the channel {channel}", channel=channel)
    if Ability.ADMIN in grant.can:
        return
    # Everybody may read what is public; writing there must be granted by name.
    if (
        channel == PUBLIC
        and action is not Action.READ
        and not any(pattern in {PUBLIC, "*"} for pattern in grant.channels)
    ):
        raise Forbidden("Publishing to the public channel must be granted by name", channel=channel)
    needed = _NEEDED[action]
    if not needed & grant.can:
        wanted = " or ".join(sorted(needed)) or Ability.ADMIN.value
        raise Forbidden(f"This token does not allow that; it needs the ability {wanted}", needs=wanted)


def check_wide(grant: Grant) -> None:
    """Allow what goes with tasks and is none: logs and notifications.

    Raises:
        Forbidden: the grant is narrow.
    """
    if grant.narrow:
        raise Forbidden("This token shows tasks and nothing that goes with them")


def patterns(grant: Grant) -> tuple[str, ...] | None:
    """The channels that a list may draw from; None for all of them."""
    if Ability.ADMIN in grant.can:
        return None
    return grant.channels if grant.narrow else (grant.own_channel, PUBLIC, *grant.channels)


class Access:
    """Holds grants against actions for a hub, and tells its audit of what was refused."""

    def __init__(self, audit: Audit) -> None:
        self.audit = audit

    def check(self, grant: Grant, action: Action, channel: str, task: str | None = None) -> None:
        """As `check`.

        Raises:
            NotFound, Forbidden: see `check`.
        """
        try:
            check(grant, action, channel, task)
        except HeadwayError as error:
            self.audit.refused(error, user=grant.user, action=action.value, channel=channel, task=task)
            raise

    def missing(self, grant: Grant, action: Action, task: str) -> NotFound:
        """What is raised for a task that there is not: the same as for one that is another's."""
        error = NotFound(task=task)
        self.audit.refused(error, user=grant.user, action=action.value, task=task)
        return error
