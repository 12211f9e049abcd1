"""Who is told when a task is over: the channel it lives in, when its record says so, and everybody else who asked.

What is told is written with the end itself, so that it is told exactly once, whatever is killed and whatever is repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import msgspec
from msgspec.structs import replace

from headway.errors import Forbidden, HeadwayError, IllegalTransition, Overloaded
from headway.hub.access import Access, Action, covers
from headway.hub.changes import Changes
from headway.hub.ledger import Ledger
from headway.hub.records import Records
from headway.model.channel import user_channel
from headway.model.grant import Grant
from headway.model.ids import derived_id
from headway.model.notification import Notification
from headway.model.task import Task, Telling
from headway.model.telling import begin, conclude, telling_id
from headway.ports.store import Document, Store, Tombstone

__all__ = ["Ready", "Revoked", "Tellings", "Watches"]

KIND = "wish"
_MOST_WISHES = 200
"""Of one task: each costs a notification in the write of its end."""
_PAGE = 500

Ready = dict[tuple[str, str], tuple[str, Notification | None]]
"""By task and channel: the id of the notification in which it is told, and what is there already."""

Watches = Callable[[str | None, Task], bool]
"""Whether a user (None: anybody) follows a task or its channel just now."""


Revoked = Callable[[str, float], bool]
"""Whether what a user had or asked for at a moment (Unix seconds) was taken back since."""


class _Wish(msgspec.Struct, frozen=True):
    """What a wish's document holds; `at` in Unix milliseconds."""

    task: str
    user: str
    telling: Telling
    at: int = 0


_decode = msgspec.json.Decoder(_Wish).decode
_encode = msgspec.json.Encoder().encode


class Tellings:
    """Keeps who asked, and makes what they are told."""

    def __init__(
        self,
        records: Records,
        ledger: Ledger,
        store: Store,
        clock: Callable[[], int],
        access: Access,
        watches: Watches,
        revoked: Revoked,
    ) -> None:
        self._records = records
        self._ledger = ledger
        self._store = store
        self._clock = clock
        self._access = access
        self._watches = watches
        self._revoked = revoked
        # Wishes of people in whose channels the task does not live, by task and user.
        self._wishes: dict[str, dict[str, _Wish]] = {}

    async def open(self) -> None:
        """Read what was asked before the server started."""
        after = ""
        while page := await self._store.documents(KIND, after=after, limit=_PAGE):
            for document in page:
                wish = _decode(document.data)
                self._wishes.setdefault(wish.task, {})[wish.user] = wish
            after = page[-1].id

    async def asked(self, grant: Grant, task_id: str) -> Telling | None:
        """What the grant's user is told of a task.

        Raises:
            NotFound, Forbidden: see `access.check`.
        """
        task = await self._find(grant, task_id)
        if task.channel == grant.own_channel:
            return task.notify
        wish = self._wishes.get(task.id, {}).get(grant.user)
        return None if wish is None or self._lost(wish) else wish.telling

    async def ask(self, grant: Grant, task_id: str, telling: Telling | None) -> None:
        """Tell the grant's user, in the user's own channel, when a task is over; None takes it back.

        Raises:
            NotFound, Forbidden: see `access.check`.
            IllegalTransition: it is over already.
            Overloaded: too many have asked of this task.
        """
        await self._find(grant, task_id)
        channel = grant.own_channel
        if not covers(grant, channel):
            raise Forbidden("This token has no inbox of its own", channel=channel)
        ready: Ready = {}
        await self._look_up(task_id, channel, ready)
        found = await self._find(grant, task_id)
        ancestors = await self._records.ancestors(found)
        # From here on nothing waits until the change is on its way. What has not ended is always in memory.
        task = self._records.tasks.get(task_id)
        if task is None or task.state.terminal:
            if telling is None:
                return
            state = found.state if task is None else task.state
            raise IllegalTransition(
                f"This task is over already: it is {state}",
                state=state.value,
                wanted="notify",
            )
        now = self._clock()
        changes = Changes()
        changes.named.add(task.id)
        before = self._wishes.get(task.id, {}).get(grant.user)
        if task.channel == channel:
            if task.notify is not telling:
                after = replace(task, notify=telling, updated_at=now)
                self._ledger.keep(changes, after, task, now, ancestors, fact=True)
        elif telling is None:
            changes.dropped.append((KIND, _wish_id(task.id, grant.user)))
            self._remember(task.id, grant.user, None)
        else:
            if before is None and len(self._wishes.get(task.id, {})) >= _MOST_WISHES:
                raise Overloaded("Too many people have asked to be told of this task")
            wish = _Wish(task.id, grant.user, telling, now)
            data = _encode(wish).decode()
            changes.documents.append(Document(KIND, _wish_id(task.id, grant.user), grant.user, data))
            self._remember(task.id, grant.user, wish)
        self._follow(changes, task, channel, telling, ready, now)
        try:
            await self._ledger.commit(changes)
        except HeadwayError:
            if task.channel != channel:
                self._remember(task.id, grant.user, before)
            raise

    async def look_up(self, task: Task, ready: Ready) -> bool:
        """Bring into memory what is needed to tell that a task is over; returns whether anything had to be read."""
        missing = [channel for channel, _, _ in self._inboxes(task) if (task.id, channel) not in ready]
        for channel in missing:
            await self._look_up(task.id, channel, ready)
        return bool(missing)

    async def look_up_new(self, task_id: str, channel: str, ready: Ready) -> None:
        """The same for a task that is about to be created in a channel."""
        if (task_id, channel) not in ready:
            await self._look_up(task_id, channel, ready)

    def begun(self, changes: Changes, task: Task, ready: Ready, now: int) -> None:
        """A task was created: what follows it is there from the beginning."""
        self._follow(changes, task, task.channel, task.notify, ready, now)

    def ended(self, changes: Changes, task: Task, ready: Ready, now: int) -> None:
        """A task is over: tell everybody who is to hear of it, in the same write."""
        for channel, telling, wish in tuple(self._inboxes(task)):
            user = None if wish is None else wish.user
            if user is not None:
                changes.dropped.append((KIND, _wish_id(task.id, user)))
                # Who was told has not to be told again.
                changes.afterwards.append(partial(self._remember, task.id, user, None))
            note_id, before = self._place(task, channel, ready)
            if wish is not None and self._lost(wish):
                # Who was let in when they asked need not be any more; what followed the task for them goes.
                self._unfollow(changes, before, channel, now)
                continue
            owner = user if user is not None else _owner(channel)
            if telling is Telling.UNWATCHED and before is None and self._watches(owner, task):
                continue
            note = conclude(task, before, channel, note_id, now)
            self._records.put(note)
            changes.add(note, fact=True)
            changes.announce(note)

    def _lost(self, wish: _Wish) -> bool:
        return self._revoked(wish.user, wish.at / 1000)

    def _inboxes(self, task: Task) -> Iterator[tuple[str, Telling, _Wish | None]]:
        if task.notify is not None:
            yield task.channel, task.notify, None
        for user, wish in self._wishes.get(task.id, {}).items():
            yield user_channel(user), wish.telling, wish

    def _remember(self, task_id: str, user: str, wish: _Wish | None) -> None:
        if wish is not None:
            self._wishes.setdefault(task_id, {})[user] = wish
            return
        wishes = self._wishes.get(task_id, {})
        wishes.pop(user, None)
        if not wishes:
            self._wishes.pop(task_id, None)

    async def _find(self, grant: Grant, task_id: str) -> Task:
        task = await self._records.find(task_id)
        if task is None:
            raise self._access.missing(grant, Action.READ, task_id)
        self._access.check(grant, Action.READ, task.channel, task.id)
        return task

    async def _look_up(self, task_id: str, channel: str, ready: Ready) -> None:
        await self._records.channel(channel)
        note_id = telling_id(task_id, channel)
        found = await self._records.find_notification(note_id)
        taken = found is not None and found.channel != channel
        if taken or await self._records.find(note_id) is not None:
            # Somebody gave this very id to another record.
            note_id, found = derived_id("task", task_id, channel, str(self._clock())), None
        ready[task_id, channel] = note_id, found

    def _place(self, task: Task, channel: str, ready: Ready) -> tuple[str, Notification | None]:
        """The id of the notification in which a task is told, and its newest version."""
        # A task that another request created since then was not looked up; nothing can have been told of it yet.
        note_id, stored = ready.get((task.id, channel)) or (telling_id(task.id, channel), None)
        if stored is None:
            return note_id, self._records.notifications.get(note_id)
        return note_id, self._records.current(stored)

    def _follow(
        self, changes: Changes, task: Task, channel: str, telling: Telling | None, ready: Ready, now: int
    ) -> None:
        """Have the notification that follows a task, or have it no more."""
        if telling is None and (task.id, channel) not in ready:
            return
        note_id, before = self._place(task, channel, ready)
        if telling is Telling.ONGOING:
            if before is None or not before.ongoing:
                note = begin(task, channel, note_id, now)
                self._records.put(note)
                changes.add(note, fact=True)
        else:
            self._unfollow(changes, before, channel, now)

    def _unfollow(self, changes: Changes, note: Notification | None, channel: str, now: int) -> None:
        """Have no notification any more that follows a task; one that has become a message stays."""
        if note is not None and note.ongoing:
            tombstone = Tombstone(note.id, channel, 0, now)
            self._records.put(tombstone)
            changes.add(tombstone, fact=True)


def _wish_id(task_id: str, user: str) -> str:
    return f"{task_id}/{user}"


def _owner(channel: str) -> str | None:
    """Whose a user's channel is; other channels are everybody's who follows them."""
    kind, _, name = channel.partition(":")
    return name if kind == "user" else None
