"""One client's subscriptions: what it follows, within what its grant covers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable
from dataclasses import replace

from headway.errors import HeadwayError, InternalError, SubscriptionLimit, UnknownSubscription
from headway.hub.access import Action, check, check_wide
from headway.hub.feed import Subscription
from headway.hub.followers import Followers
from headway.hub.wanted import Only, Wanted
from headway.model.cursor import Cursor
from headway.model.grant import Grant
from headway.model.task import Task
from headway.ports.link import Link

__all__ = ["Follower"]

_log = logging.getLogger("headway.hub")


class _Opening:
    """Stands for a subscription whose records are still being read."""

    __slots__ = ("begun", "refuse", "task", "wanted")

    def __init__(self, wanted: Wanted, refuse: Callable[[HeadwayError], object]) -> None:
        self.wanted = wanted
        self.refuse = refuse
        self.begun: list[Subscription] = []
        self.task: asyncio.Task[None] | None = None


class Follower:
    """One client. Everything it follows ends with it, and with its grant."""

    __slots__ = ("_followers", "_link", "_subscriptions", "grant")

    def __init__(self, followers: Followers, link: Link, grant: Grant) -> None:
        self._followers = followers
        self._link = link
        self._subscriptions: dict[Hashable, list[Subscription] | _Opening] = {}
        self.grant = grant
        followers.came(self)

    @property
    def subscriptions(self) -> int:
        """How many are open."""
        return sum(isinstance(joined, list) for joined in self._subscriptions.values())

    def watches(self, task: Task) -> bool:
        """Whether a task can be seen in something that is followed."""
        return any(
            isinstance(joined, list) and joined[0].feed.shows(task) for joined in self._subscriptions.values()
        )

    def subscribe(self, wanted: Wanted, refuse: Callable[[HeadwayError], object]) -> None:
        """Begin to follow; the answer goes to the link, now or as soon as the records have been read.

        Args:
            refuse: called with what was wrong, now or later.
        """
        asked = wanted
        try:
            if self.grant.narrow:
                wanted = _narrowed(wanted, self.grant)
            if wanted.key in self._subscriptions:
                self._leave(wanted.key)
            elif len(self._subscriptions) >= self._followers.max_subscriptions:
                raise SubscriptionLimit(limit=self._followers.max_subscriptions)
            joined = None if wanted.log is not None else self._followers.join(wanted, self.grant, self._link)
        except HeadwayError as error:
            refuse(error)
            return
        if joined is not None:
            self._subscriptions[wanted.key] = joined
            self._note(wanted)
            return
        opening = self._subscriptions[wanted.key] = _Opening(asked, refuse)
        opening.task = asyncio.create_task(self._open(wanted, self.grant, opening))

    @property
    def caught_up(self) -> bool:
        """Whether the link has been given everything there is to what it follows."""
        return all(
            isinstance(joined, list) and all(subscription.caught_up for subscription in joined)
            for joined in self._subscriptions.values()
        )

    def log_began(self, key: Hashable) -> int | None:
        """The offset at which following a task's log began; None when none is followed under this key."""
        joined = self._subscriptions.get(key)
        return joined[1].began if isinstance(joined, list) and len(joined) > 1 else None

    def reached(self, key: Hashable) -> Cursor | None:
        """Up to where the link was given what is followed under this key; None when that is nothing yet."""
        joined = self._subscriptions.get(key)
        position = joined[0].reached if isinstance(joined, list) else None
        return None if position is None else Cursor(self._followers.records.epoch, position)

    async def opened(self) -> None:
        """Wait until every subscription was answered or refused."""
        while opening := [
            joined.task
            for joined in self._subscriptions.values()
            if isinstance(joined, _Opening) and joined.task is not None
        ]:
            await asyncio.wait(opening)

    def unsubscribe(self, key: Hashable) -> None:
        """Stop following.

        Raises:
            UnknownSubscription: nothing is followed under this key.
        """
        if key not in self._subscriptions:
            raise UnknownSubscription
        self._leave(key)

    def renew(self, grant: Grant, refuse: Callable[[Hashable, HeadwayError], object]) -> None:
        """Go on with another grant; what it does not cover ends.

        Args:
            refuse: called with each subscription that ended, and why.
        """
        before, self.grant = self.grant, grant
        for key, joined in tuple(self._subscriptions.items()):
            if isinstance(joined, list):
                self._recheck(key, joined, before, refuse)
            elif joined.begun:
                self._recheck(key, joined.begun, before, refuse)
            else:
                # Whatever was allowed was allowed to the other grant.
                self._leave(key)
                self.subscribe(joined.wanted, joined.refuse)

    def drained(self) -> None:
        """The link takes more again: give it what it missed."""
        for joined in tuple(self._subscriptions.values()):
            if isinstance(joined, list):
                for subscription in joined:
                    subscription.drained()

    def rerouted(self) -> None:
        """The link's `way` is another than before."""
        for joined in self._subscriptions.values():
            if isinstance(joined, list):
                for subscription in joined:
                    subscription.feed.rerouted()

    def leave(self) -> None:
        """Follow nothing any more. Idempotent."""
        for key in tuple(self._subscriptions):
            self._leave(key)
        self._followers.left(self)

    def _note(self, wanted: Wanted) -> None:
        self._followers.access.audit.subscribed(self.grant.user, wanted.channel, wanted.task)

    def _recheck(
        self,
        key: Hashable,
        joined: list[Subscription],
        before: Grant,
        refuse: Callable[[Hashable, HeadwayError], object],
    ) -> None:
        """End what began under another grant, unless the one that counts now would have let it begin."""
        feed = joined[0].feed
        try:
            check(self.grant, Action.READ, feed.channel, feed.task)
            if not before.narrow:
                check_wide(self.grant)
        except HeadwayError as error:
            self._leave(key)
            refuse(key, error)

    def _leave(self, key: Hashable) -> None:
        joined = self._subscriptions.pop(key)
        for subscription in joined if isinstance(joined, list) else joined.begun:
            subscription.leave()
        if isinstance(joined, _Opening) and joined.task is not None:
            joined.task.cancel()

    async def _open(self, wanted: Wanted, grant: Grant, opening: _Opening) -> None:
        joined = opening.begun
        try:
            await self._followers.open(wanted, grant, self._link, joined)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, a client waits to hear of it
            if not isinstance(error, HeadwayError):
                _log.exception("a subscription failed")
            if self._subscriptions.get(wanted.key) is opening:
                del self._subscriptions[wanted.key]
                opening.refuse(error if isinstance(error, HeadwayError) else InternalError())
            return
        if self._subscriptions.get(wanted.key) is opening:
            self._subscriptions[wanted.key] = joined
            self._note(wanted)
            if not self._link.full:
                # It can have drained between joining the task and joining its log.
                for subscription in joined:
                    subscription.drained()
        else:
            for subscription in joined:
                subscription.leave()


def _narrowed(wanted: Wanted, grant: Grant) -> Wanted:
    """What a narrow grant can follow of this: tasks, without logs and without anybody's notifications.

    Raises:
        Forbidden: the log is wanted.
    """
    if wanted.log is not None:
        check_wide(grant)
    return replace(wanted, only=wanted.only or Only())
