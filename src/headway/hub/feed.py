"""Delivery: who follows what, at which position, at which pace.

A feed is a source as one kind of client wants it: same name, same codec, same pace. All who are up to date share
the feed's position, so a change costs each of them one `deliver` and nothing else. Who is behind, because the link was
full or has just come, is a number, and is given what it lacks at the feed's next turn. There is no queue per client.
"""

from __future__ import annotations

from collections.abc import Callable

from headway.hub.sources import Source
from headway.hub.wheel import Wheel
from headway.model.task import Task
from headway.ports.link import Codec, Link

__all__ = ["STALENESS", "Feed", "Subscription"]

STALENESS = 0.25
"""Seconds: however large the batches grow, a client that reads is never further behind than this by our choice."""

_ON_THE_WAY = 0.05
"""Seconds of that which are left to the network and the client."""

_BYTES_PER_SECOND = 2_000_000
"""What one client is sent at most; larger batches come less often, until `STALENESS` says otherwise."""

_SHARED_SECONDS = 1.0
_SHARED_PLACES = 64


class Subscription:
    """One client's place in a feed: its position while it is behind, the feed's own while it is not."""

    __slots__ = ("answered", "began", "feed", "link", "position")

    def __init__(self, feed: Feed, link: Link, position: int | None) -> None:
        self.began = position
        self.feed = feed
        self.link = link
        self.position = position
        self.answered = False

    def drained(self) -> None:
        """The link takes more again."""
        self.feed.drained(self)

    def leave(self) -> None:
        """Follow no longer. Idempotent."""
        self.feed.leave(self)

    @property
    def caught_up(self) -> bool:
        """Whether everything there is has been given to the link."""
        return self.feed.caught_up(self)

    @property
    def reached(self) -> int | None:
        """The position up to which everything was given to the link; None when there is none yet."""
        return self.feed.reached(self)


class Feed:
    """One source for all who want it in the same form."""

    __slots__ = (
        "_behind",
        "_codec",
        "_current",
        "_interval",
        "_members",
        "_name",
        "_next",
        "_position",
        "_scheduled",
        "_shared",
        "_source",
        "_wheel",
        "channel",
        "on_empty",
        "task",
    )

    def __init__(
        self,
        source: Source,
        codec: Codec,
        name: bytes,
        interval: float,
        wheel: Wheel,
        channel: str,
        task: str | None = None,
    ) -> None:
        """Begin with nobody.

        Args:
            name: of the subscription, as the codec wants it.
            interval: seconds between batches at least.
            channel, task: what a grant must cover to follow this.
        """
        self.channel = channel
        self.task = task
        self._source = source
        self._codec = codec
        self._name = name
        self._interval = interval
        self._wheel = wheel
        self._next = 0.0
        self._position = source.head
        self._current: set[Subscription] = set()
        self._behind: set[Subscription] = set()
        # Those that are current, and how to reach them: a delivery touches nothing else of theirs, since fetching it
        # into the processor's caches costs more than the call.
        self._members: tuple[tuple[Subscription, ...], list[Callable[[bytes], bool]]] | None = None
        self._scheduled = False
        self._shared: tuple[int, dict[tuple[bool, int | None], bytes]] = (-1, {})
        self.on_empty: Callable[[], object] | None = None

    def join(self, link: Link, position: int | None) -> Subscription:
        """Begin to follow; answers at once unless the link is full."""
        subscription = Subscription(self, link, position)
        self._serve(subscription)
        return subscription

    def leave(self, subscription: Subscription) -> None:
        if subscription in self._current:
            self._current.discard(subscription)
            self._members = None
        self._behind.discard(subscription)
        if not self._current and not self._behind and self.on_empty is not None:
            self.on_empty()
            self.on_empty = None

    def reached(self, subscription: Subscription) -> int | None:
        return self._position if subscription in self._current else subscription.position

    def caught_up(self, subscription: Subscription) -> bool:
        position = self.reached(subscription)
        return subscription.answered and position is not None and not self._source.beyond(position)

    def shows(self, task: Task) -> bool:
        """Whether who follows this sees that task."""
        if self.task is not None:
            return self.task == task.id
        return self.channel == task.channel and self._source.shows(task)

    def lacking(self, patiently: bool) -> int | None:
        """The position above which somebody lacks what there is; None when nobody does.

        Args:
            patiently: count those too whose links are full.
        """
        head = self._source.head
        positions = [self._position] if self._current else []
        if patiently:
            positions += [member.position for member in self._behind if member.position is not None]
        lowest = min(positions, default=head)
        return lowest if lowest < head else None

    def changed(self) -> None:
        """The source has grown: deliver now, or when the pace allows."""
        if self._scheduled:
            return
        wait = self._next - self._wheel.now()
        if wait <= 0:
            self._flush()
        else:
            self._scheduled = True
            self._wheel.schedule(wait, self._flush)

    def rerouted(self) -> None:
        """Some link is to be reached in another way."""
        self._members = None

    def drained(self, subscription: Subscription) -> None:
        if subscription in self._behind:
            self.changed()

    def _flush(self) -> None:
        began = self._wheel.now()
        self._scheduled = False
        head = self._source.head
        data = b""
        if self._position < head and self._current:
            data = self._encoded(True, self._position)
            if data:
                if self._members is None:
                    current = tuple(self._current)
                    self._members = current, [member.link.way for member in current]
                members, delivers = self._members
                taken = [deliver(data) for deliver in delivers]
                if not all(taken):
                    for member in [member for member, took in zip(members, taken, strict=True) if not took]:
                        member.position = self._position
                        self._fall_behind(member)
        self._position = head
        if self._behind:
            for subscription in tuple(self._behind):
                if not subscription.link.full:
                    self._serve(subscription)
        now = self._wheel.now()
        self._next = now + self._pause(len(data), now - began)

    def _pause(self, size: int, took: float) -> float:
        """Seconds until the next turn.

        Args:
            size: of the batch, in bytes.
            took: seconds that it took to give it to everybody.
        """
        # What changes right after a turn began waits for the rest of it, the pause, and all of the next one. However
        # many are to be served, half of the time is left to others.
        longest = max(took, STALENESS - _ON_THE_WAY - 2 * took)
        return max(self._interval, min(longest, size / _BYTES_PER_SECOND))

    def _serve(self, subscription: Subscription) -> None:
        """Bring one follower to the head, if its link takes it."""
        head = self._source.head
        data = self._encoded(subscription.answered, subscription.position)
        if data and not subscription.link.deliver(data):
            self._fall_behind(subscription)
            return
        subscription.answered = True
        subscription.position = head
        if not self._current or self._position == head:
            self._position = head
            self._behind.discard(subscription)
            self._current.add(subscription)
            self._members = None
        else:
            # The others wait for the feed's next turn; until then this one stands apart, at the head.
            self._behind.add(subscription)

    def _fall_behind(self, subscription: Subscription) -> None:
        self._current.discard(subscription)
        self._behind.add(subscription)
        self._members = None

    def _encoded(self, answered: bool, position: int | None) -> bytes:
        """What comes after a position, made once for all who stand there."""
        head = self._source.head
        if self._shared[0] != head or len(self._shared[1]) >= _SHARED_PLACES:
            if not self._shared[1]:
                self._wheel.schedule(_SHARED_SECONDS, self._forget)
            self._shared = (head, {})
        made = self._shared[1]
        key = (answered, position)
        data = made.get(key)
        if data is None:
            if answered and position is not None:
                data = self._source.changes(position, self._codec, self._name)
            else:
                data = self._source.answer(position, self._codec, self._name)
            made[key] = data
        return data

    def _forget(self) -> None:
        """What nobody shares any more must not stay in memory, however many feeds somebody asks for."""
        self._shared = (-1, {})
