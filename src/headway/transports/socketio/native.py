"""The native vocabulary: what `spec/wire.md` §3 and §4 say, as events and acknowledgements (§14)."""

from __future__ import annotations

from collections.abc import Coroutine, Hashable
from functools import partial
from typing import Any, cast

import msgspec

from headway.errors import HeadwayError, StoreUnavailable, Unauthenticated, UnknownSubscription
from headway.model.grant import Grant
from headway.transports.background import start
from headway.transports.conversation import Answering
from headway.transports.socketio.client import Client
from headway.transports.socketio.conversation import SocketConversation
from headway.transports.socketio.recovery import Keeper, Kept
from headway.transports.socketio.vocabulary import Ack
from headway.transports.wanted import wanted_by
from headway.wire import native as n
from headway.wire.socketio import Recovery
from headway.wire.socketio_codec import NativeSocketCodec, split_message
from headway.wire.socketio_positions import Place

__all__ = ["NativeVocabulary"]


class NativeVocabulary(SocketConversation):
    """A client that speaks it."""

    __slots__ = ("_keeper", "_kept", "_over", "_watched")

    _kept: Kept

    def __init__(self, client: Client, namespace: str, codec: NativeSocketCodec, keeper: Keeper) -> None:
        super().__init__(client, namespace, codec)
        self._keeper = keeper
        self._watched = False
        self._over = False

    def welcomed(self, grant: Grant, recovery: Recovery | None) -> None:
        if recovery is None:
            self._open(grant, self._keeper.fresh(grant.user))
        else:
            start(self._recover(grant, recovery))

    def event(self, name: str, args: list[Any], ack: Ack | None) -> None:
        fields = args[0] if args and isinstance(args[0], dict) else {}
        try:
            # Read by the reader of the other doors, so that it means the same.
            message = msgspec.json.encode({**fields, "type": name})
        except (UnicodeEncodeError, TypeError, ValueError, OverflowError, RecursionError):
            message = b""
        self.receive(message, partial(self._answer_by, ack))

    def left(self, *, by_choice: bool) -> None:
        super().left(by_choice=by_choice)
        kept: Kept | None = getattr(self, "_kept", None)
        # One that was replaced has nothing to say about the client any more.
        if kept is None or self._over:
            return
        kept.let_go()
        if by_choice:
            start(_quietly(kept.leave()))

    def _replace(self) -> None:
        """The client is back on another connection; this one was cut, though nobody told us."""
        self._over = True
        self.finish()
        self.client.close(at_once=True)

    # How a connection begins.

    def _open(self, grant: Grant, kept: Kept) -> None:
        self._kept = kept
        kept.take(self._replace)
        self.accept(kept.pid)
        self.send(self._service.welcome(grant))

    async def _recover(self, grant: Grant, recovery: Recovery) -> None:
        try:
            found = await self._keeper.find(recovery, grant.user)
        except HeadwayError:
            # Then it begins anew, as it would without recovery.
            found = None
        if self._ended:
            return
        if found is None:
            self._open(grant, self._keeper.fresh(grant.user))
            return
        kept, places = found
        self._open(grant, kept)
        self._watch()
        if kept.next > 1 or any(wanted.log is not None for _, wanted in kept.wants.values()):
            self._keep_places()
        for serial, wanted in tuple(kept.wants.values()):
            self._resume(serial, wanted, places.get(serial))

    def _resume(self, serial: int, wanted: n.Subscribe, place: Place | None) -> None:
        if self._places is not None:
            self._places.begin(n.encode_id(wanted.id), serial, place)
        if place is not None:
            cursor = place.cursor or wanted.cursor
            log = wanted.log if place.log is None else place.log
            wanted = msgspec.structs.replace(wanted, cursor=cursor, log=log)
        self.follow(wanted_by(wanted), partial(self._refuse, wanted.id))

    # What it follows.

    def _subscribe(self, message: n.Subscribe, answer: Answering) -> None:
        follower = self._follower
        if follower is None:
            raise Unauthenticated
        serial = self._kept.begin(message)
        if self._places is not None or serial or message.log is not None:
            wants = self._kept.wants.items()
            places = self._keep_places(
                (name, n.encode_id(name), number) for name, (number, _) in wants if number != serial
            )
            places.begin(n.encode_id(message.id), serial)
        refused: list[HeadwayError] = []
        follower.subscribe(wanted_by(message), refused.append)
        start(self._confirm(message, serial, refused, answer))

    async def _confirm(
        self, message: n.Subscribe, serial: int, refused: list[HeadwayError], answer: Answering
    ) -> None:
        """Say how a subscription went, when it is certain to be there after the next failure."""
        follower, kept = self._follower, self._kept
        if follower is not None and not refused:
            await follower.opened()
        if not refused:
            began = None if follower is None else follower.log_began(message.id)
            if message.log == -1 and began is not None:
                # A client that comes back wants the lines that were new then, not those that are new now.
                kept.amend(serial, msgspec.structs.replace(message, log=began))
            try:
                await kept.save()
            except StoreUnavailable as error:
                refused.append(error)
                if self._follower is not None and kept.serial(message.id) == serial:
                    self._follower.unsubscribe(message.id)
        if self._ended:
            return
        if refused:
            self._forget(message.id, serial)
            answer(n.error(refused[0], id=message.id))
            return
        self._watch()
        answer(b'{"type":"ok","id":%b}' % n.encode_id(message.id))

    def _refuse(self, subscription: Hashable, error: HeadwayError) -> None:
        name = cast("str | int", subscription)
        serial = self._kept.serial(name)
        if serial is not None:
            self._forget(name, serial)
            start(_quietly(self._kept.save()))
        super()._refuse(subscription, error)

    def _unsubscribe(self, message: n.Unsubscribe, answer: Answering) -> None:
        if self._follower is None:
            raise Unauthenticated
        try:
            self._follower.unsubscribe(message.id)
        except UnknownSubscription as error:
            answer(n.error(error, id=message.id))
            return
        serial = self._kept.serial(message.id)
        if serial is not None:
            self._forget(message.id, serial)
        start(self._confirm_end(message, answer))

    async def _confirm_end(self, message: n.Unsubscribe, answer: Answering) -> None:
        try:
            await self._kept.save()
        except StoreUnavailable as error:
            if not self._ended:
                answer(n.error(error, id=message.id))
            return
        if not self._ended:
            answer(b'{"type":"ok","id":%b}' % n.encode_id(message.id))

    def _forget(self, name: str | int, serial: int) -> None:
        if self._kept.serial(name) == serial:
            self._kept.end(name)
            if self._places is not None:
                self._places.end(n.encode_id(name))

    # Small things.

    def _answer_by(self, ack: Ack | None, message: bytes) -> None:
        kind, rest = split_message(message)
        if ack is None:
            # What went well is only said to who asked.
            if kind != b"ok" or b'"ref":' in rest[:7]:
                self.send(message)
            return
        said = msgspec.json.decode(rest)
        if not self._ended:
            ack({"ok": kind != b"error", **said})

    def _watch(self) -> None:
        """See to it that it is kept for as long as the client is here, and a while after."""
        if self._kept.expires_at and not self._watched:
            self._watched = True
            self._service.hub.wheel.schedule(self._keeper.stale_in(self._kept), self._refresh)

    def _refresh(self) -> None:
        self._watched = False
        if self._ended:
            return
        if self._keeper.stale_in(self._kept) <= 0:
            start(_quietly(self._save_again()))
        else:
            self._watch()

    async def _save_again(self) -> None:
        try:
            await self._kept.save(again=True)
        finally:
            # Also when the store is away: it is tried again when the next subscription is saved.
            if not self._ended and self._keeper.stale_in(self._kept) > 0:
                self._watch()


async def _quietly(work: Coroutine[Any, Any, None]) -> None:
    """Do what can be left undone: the store says itself that it cannot be written."""
    try:
        await work
    except StoreUnavailable:
        return
