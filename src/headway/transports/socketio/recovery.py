"""Connection state recovery: what a client of Socket.IO follows, kept under a secret that only the client has.

Nothing of what it was sent is kept: who comes back is given what changed since its cursors, like everybody else. So it
works after any gap, on another server, and after a restart.

The secret (`pid`) is signed and names its user, so one that was never used to follow anything need not be kept at all.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Callable
from weakref import WeakValueDictionary

import msgspec

from headway.ports.store import Document, Store, Writes
from headway.wire.native import Subscribe
from headway.wire.socketio import Recovery
from headway.wire.socketio_positions import Place, parse_offset

__all__ = ["KIND", "Keeper", "Kept"]

KIND = "socketio"
_MOST = 200
"""Connections of one user that are kept; the ones that would expire first make room."""
_SOME = 50
"""New ones of a user that may come without a look at how many there are."""
_USERS = 10_000
_PARTED = 1000
_GATHERED_SECONDS = 0.01
"""What is saved within this time is written together: those who come at once cost one write, and not one each."""
_SECRET_BYTES, _TIME_BYTES, _MAC_BYTES = 18, 6, 18


class _Data(msgspec.Struct):
    """What a document holds: subscriptions with their serials, the next serial, and whether the client took its leave."""

    wants: list[tuple[int, Subscribe]]
    next: int
    left: bool = False


class Kept:
    """What one client follows; `save` makes it durable.

    There is one for each client in a process, whoever carries its connection: a client can be back before it was noticed
    that it had gone, and two that write the same thing would undo each other.

    Attributes:
        owner: the client's user.
        pid: the client's secret; None where nothing is kept.
        wants: serial and subscription, by the client's name for it.
        next: the serial of the next subscription.
        left: the client took its leave.
    """

    __slots__ = (
        "__weakref__",
        "_changed",
        "_keeper",
        "_replaced",
        "_saved",
        "_writing",
        "expires_at",
        "left",
        "next",
        "owner",
        "pid",
        "wants",
    )

    def __init__(self, keeper: Keeper, owner: str, pid: str | None) -> None:
        self._keeper = keeper
        self._replaced: Callable[[], object] | None = None
        self.owner = owner
        self.left = False
        self._changed = self._saved = 0
        self._writing: asyncio.Task[None] | None = None
        self.pid = pid
        self.wants: dict[str | int, tuple[int, Subscribe]] = {}
        self.next = 0
        self.expires_at = 0
        """Unix milliseconds; 0 while it was never saved."""

    def take(self, replaced: Callable[[], object]) -> None:
        """A connection begins; the one that was there before is over.

        Args:
            replaced: called when this one is.
        """
        before, self._replaced = self._replaced, replaced
        if before is not None:
            before()

    def let_go(self) -> None:
        """The connection has ended."""
        self._replaced = None

    def begin(self, wanted: Subscribe) -> int:
        """A subscription begins, in the place of the one with its id; returns its serial."""
        serial = self.next
        self.next += 1
        self.wants[wanted.id] = (serial, wanted)
        self._changed += 1
        return serial

    def amend(self, serial: int, wanted: Subscribe) -> None:
        """Where a subscription began is known better now."""
        if self.serial(wanted.id) == serial:
            self.wants[wanted.id] = (serial, wanted)
            self._changed += 1

    def serial(self, name: str | int) -> int | None:
        """Of the subscription with this id."""
        found = self.wants.get(name)
        return None if found is None else found[0]

    def end(self, name: str | int) -> None:
        """A subscription ended. Idempotent."""
        if self.wants.pop(name, None) is not None:
            self._changed += 1

    def restore(self, data: _Data, expires_at: int) -> None:
        """Take over what was kept."""
        self.wants = {wanted.id: (serial, wanted) for serial, wanted in data.wants}
        self.next = data.next
        self.expires_at = expires_at

    async def save(self, *, again: bool = False) -> None:
        """Return when all that was changed before is durable.

        Args:
            again: though nothing changed, so that it is kept for longer.

        Raises:
            StoreUnavailable: it is not.
        """
        if self.pid is None:
            return
        self._changed += again
        wanted = self._changed
        while self._saved < wanted:
            if self._writing is None:
                self._writing = asyncio.create_task(self._write())
            await asyncio.shield(self._writing)

    async def leave(self) -> None:
        """The client took its leave: it is not to be recovered."""
        self.left = True
        if self._writing is not None:
            await asyncio.wait((self._writing,))
        if self.pid is None:
            return
        if self.expires_at:
            await self._keeper.write_now(self._document())
        else:
            self._keeper.parted.append(self)

    async def _write(self) -> None:
        changed = self._changed
        try:
            document = self._document()
            await self._keeper.write(document, new=not self.expires_at)
            self.expires_at = document.expires_at or 0
            self._saved = changed
        finally:
            self._writing = None

    def _document(self) -> Document:
        data = _Data([] if self.left else list(self.wants.values()), self.next, self.left)
        return Document(
            KIND,
            _hash(self.pid or ""),
            self.owner,
            msgspec.json.encode(data).decode(),
            self._keeper.expiry(),
        )


class Keeper:
    """Keeps and finds; one for each namespace of an endpoint."""

    def __init__(self, store: Store, key: bytes, seconds: float, clock: Callable[[], int]) -> None:
        """Nothing is kept yet.

        Args:
            key: signs; as secret as the one that signs tokens.
            seconds: for how long a client may be away; 0 keeps nothing.
            clock: Unix milliseconds.
        """
        self._store = store
        self._key = key
        self._clock = clock
        self._documents: list[Document] = []
        self._dropped: list[tuple[str, str]] = []
        self._writing: asyncio.Task[None] | None = None
        """Writes what is gathered."""
        self._here: WeakValueDictionary[str, Kept] = WeakValueDictionary()
        """Those of clients that are here, or whose end was not noticed yet, by secret."""
        self.parted: deque[Kept] = deque(maxlen=_PARTED)
        """Those of the last clients that took their leave and had nothing kept that could say so."""
        self._room: dict[str, int] = {}
        """New ones that may still come before the next look, by user."""
        self.seconds = seconds
        self.period = seconds / 4
        """Seconds after which what is kept must be saved again."""

    def fresh(self, owner: str) -> Kept:
        """For a client that was not here before."""
        if not self.seconds:
            return Kept(self, owner, None)
        now = self._clock().to_bytes(_TIME_BYTES, "big")
        body = secrets.token_bytes(_SECRET_BYTES) + now
        return self._kept(owner, _text(body + self._mac(body, owner)))

    async def find(self, recovery: Recovery, owner: str) -> tuple[Kept, dict[int, Place]] | None:
        """What a client followed that was here before, and its places; None when it begins anew.

        Raises:
            StoreUnavailable: nothing can be found just now.
        """
        issued = self._issued(recovery.pid, owner)
        places = {} if recovery.offset is None else parse_offset(recovery.offset)
        if issued is None or places is None:
            return None
        document = None
        if recovery.pid not in self._here:
            document = await self._store.document(KIND, _hash(recovery.pid))
        # Looked for again, since another connection can have come while the store was asked.
        kept = self._here.get(recovery.pid)
        if kept is None:
            kept = self._read(recovery.pid, owner, document, issued)
        if kept is None or kept.owner != owner or kept.left:
            return None
        if any(serial >= kept.next for serial in places):
            # It was sent something of a subscription that did not become durable.
            return None
        return kept, places

    def _read(self, pid: str, owner: str, document: Document | None, issued: int) -> Kept | None:
        now = self._clock()
        if document is None:
            # It followed nothing; who did has places beyond that.
            return self._kept(owner, pid) if now < issued + self.seconds * 1000 else None
        data = msgspec.json.decode(document.data, type=_Data)
        if document.owner != owner or data.left or (document.expires_at or 0) <= now:
            return None
        kept = self._kept(owner, pid)
        kept.restore(data, document.expires_at or 0)
        return kept

    def _kept(self, owner: str, pid: str) -> Kept:
        kept = self._here[pid] = Kept(self, owner, pid)
        return kept

    async def write(self, document: Document, *, new: bool = False) -> None:
        """Make a document durable.

        Raises:
            StoreUnavailable: it is not.
        """
        dropped = await self._crowded_out(document.owner) if new else ()
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        self._documents.append(document)
        self._dropped.extend(dropped)
        await asyncio.shield(self._writing)

    async def write_now(self, document: Document) -> None:
        """Make a document durable without waiting for others: who comes back at once is to find it.

        Raises:
            StoreUnavailable: it is not.
        """
        self._documents = [waiting for waiting in self._documents if waiting.id != document.id]
        await self._store.write(Writes(documents=[document]))

    async def _write(self) -> None:
        await asyncio.sleep(_GATHERED_SECONDS)
        documents, self._documents = self._documents, []
        dropped, self._dropped = self._dropped, []
        self._writing = None
        await self._store.write(Writes(documents=documents, dropped=dropped))

    def expiry(self) -> int:
        """When what is saved now may go (Unix milliseconds): it is saved again while its client is there."""
        return self._clock() + int((self.seconds + self.period) * 1000)

    def stale_in(self, kept: Kept) -> float:
        """Seconds until it must be saved again."""
        return max(0.0, (kept.expires_at - self._clock()) / 1000 - self.seconds)

    async def _crowded_out(self, owner: str) -> list[tuple[str, str]]:
        room = self._room.pop(owner, _SOME) - 1
        if len(self._room) >= _USERS:
            self._room.clear()
        self._room[owner] = room
        if room >= 0:
            return []
        # Noted before the store is asked, so that those who come in the meantime do not all ask.
        self._room[owner] = _SOME - 1
        documents = await self._store.documents(KIND, owner, limit=_MOST + 2 * _SOME)
        self._room[owner] = self._room.get(owner, 0) + max(0, _MOST - len(documents))
        oldest = sorted(documents, key=lambda document: document.expires_at or 0)
        return [(KIND, document.id) for document in oldest[: max(0, len(oldest) - _MOST)]]

    def _issued(self, pid: str, owner: str) -> int | None:
        """When a secret was made for this user (Unix milliseconds); None when it never was."""
        try:
            raw = base64.urlsafe_b64decode(pid.encode("ascii"))
        except ValueError:
            return None
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if len(body) != _SECRET_BYTES + _TIME_BYTES or not hmac.compare_digest(mac, self._mac(body, owner)):
            return None
        return int.from_bytes(body[-_TIME_BYTES:], "big") if self.seconds else None

    def _mac(self, body: bytes, owner: str) -> bytes:
        return hmac.digest(self._key, body + owner.encode(), "sha256")[:_MAC_BYTES]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def _hash(pid: str) -> str:
    """What a secret is kept under: who reads the database cannot come back as somebody else."""
    return hashlib.sha256(pid.encode()).hexdigest()
