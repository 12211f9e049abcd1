"""REST for fallbacks, for administrators alone: the addresses are secrets, and our server connects to where they say."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Controller, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from headway.errors import InvalidField, MissingExtra
from headway.hub.access import Action, check
from headway.model.channel import user_channel
from headway.model.grant import Grant
from headway.onward.apprise import check_targets, kinds
from headway.onward.fallback import Fallback, Plan

__all__ = ["FallbackCalls"]

_AFTER = 900.0


class WantedFallback(msgspec.Struct, frozen=True):
    """Where a user is told, as Apprise writes addresses, and after how many seconds unread."""

    targets: tuple[str, ...]
    after: Annotated[float, msgspec.Meta(ge=1, le=30 * 86_400.0)] = _AFTER


class FallbackView(msgspec.Struct, frozen=True):
    """How a user is told.

    Attributes:
        targets: the kinds of services; addresses are not shown again.
        settings: whether it is one of the settings', which cannot be changed here.
    """

    user: str
    targets: tuple[str, ...]
    after: float
    settings: bool


class FallbackList(msgspec.Struct, frozen=True):
    """By user."""

    fallbacks: list[FallbackView]


class FallbackCalls(Controller):
    """How users are told of what they did not see."""

    path = "/api/fallbacks"
    tags = ("fallbacks",)

    @get(summary="List fallbacks")
    async def list_fallbacks(
        self, grant: NamedDependency[Grant], fallback: NamedDependency[Fallback]
    ) -> FallbackList:
        """All of them, without their addresses."""
        check(grant, Action.ADMINISTER, grant.own_channel)
        return FallbackList([_view(fallback, user, plan) for user, plan in sorted(fallback.plans().items())])

    @put("/{user:str}", summary="Set a user's fallback")
    async def set_fallback(
        self,
        user: FromPath[str],
        data: JSONBody[WantedFallback],
        grant: NamedDependency[Grant],
        fallback: NamedDependency[Fallback],
    ) -> FallbackView:
        """Takes the place of the one before."""
        check(grant, Action.ADMINISTER, grant.own_channel)
        user_channel(user)
        try:
            plan = Plan(check_targets(data.targets), data.after)
        except MissingExtra as missing:
            raise InvalidField(missing.message, field="targets") from None
        await fallback.keep(user, plan)
        return _view(fallback, user, plan)

    @delete("/{user:str}", summary="Forget a user's fallback", status_code=204)
    async def forget_fallback(
        self, user: FromPath[str], grant: NamedDependency[Grant], fallback: NamedDependency[Fallback]
    ) -> None:
        """What waits is told no more."""
        check(grant, Action.ADMINISTER, grant.own_channel)
        await fallback.keep(user, None)


def _view(fallback: Fallback, user: str, plan: Plan) -> FallbackView:
    return FallbackView(user, kinds(plan.targets), plan.after, fallback.is_fixed(user))
