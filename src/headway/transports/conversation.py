"""One client's conversation, whatever carries it: session and follower on one side, a link on the other."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import cast

from headway import errors as e
from headway.hub.follower import Follower
from headway.model.grant import Grant
from headway.transports.background import start
from headway.transports.commands import Command, carry_out
from headway.transports.credentials import Brought
from headway.transports.members import Member
from headway.transports.service import Service
from headway.transports.turning import Turning
from headway.transports.wanted import wanted_by
from headway.wire import native as n
from headway.wire.lease import Due
from headway.wire.session import Session, SessionLimits

__all__ = ["CLOSE_BASE", "DOOR", "Answering", "Conversation"]

_log = logging.getLogger("headway.connection")

CLOSE_BASE = 4000
DOOR = "websocket"
"""What the audit calls the native WebSocket."""
_MOST_ANSWERS = 262_144
"""Bytes of answers that may wait for a client that asks and asks and reads nothing."""
_MOST_HELD = 500
Answering = Callable[[bytes], object]
"""Takes the answer to a message; `send`, unless the door has a better place for answers."""


class Conversation(Member, Turning):
    """A native conversation. The door that carries it gives `send`, `ping` and `hang_up`."""

    __slots__ = ("_address", "_answers", "_ended", "_follower", "_held", "_service", "_session", "_turn_at")

    def __init__(self, service: Service, limits: SessionLimits | None = None) -> None:
        self.grant = None
        self._address = ""
        self._service = service
        self._session = Session(limits or service.limits, service.hub.wheel.now())
        self._follower: Follower | None = None
        self._ended = False
        self._answers = 0
        self._held: list[tuple[bytes, Answering]] | None = None
        """Messages that came while it is being found out who this is."""
        self._turn_at = float("inf")

    @property
    def door(self) -> str:
        """What the audit calls it."""
        return DOOR

    @abstractmethod
    def send(self, message: bytes) -> None:
        """Send one message, full or not; these are few and small."""

    @abstractmethod
    def ping(self) -> None:
        """Make the client's software answer, if the door can."""

    @abstractmethod
    def hang_up(self, code: int, reason: str) -> None:
        """Close; what was sent before still goes out. Idempotent."""

    def begin(
        self, brought: Brought | None, refusal: e.HeadwayError | None = None, address: str = ""
    ) -> None:
        """The client has come.

        Args:
            brought: to say who it is; None when it is to send `auth`.
            refusal: why what it brought does not count; said when no `auth` comes.
            address: where it comes from.
        """
        service = self._service
        self._address = address
        service.hub.audit.connected(self.door, address)
        self._arrive()
        if service.draining:
            self.goodbye(e.Draining(), service.reconnect_in())
            return
        if refusal is not None:
            self._session.refusal = refusal
        if brought is not None:
            self._authenticate(brought, self.send)
        if not self._ended:
            self._plan()

    def _arrive(self) -> None:
        """Be counted."""
        self._service.conversations.add(self)
        self._service.hub.clients += 1

    def finish(self) -> None:
        """The client has gone. Idempotent."""
        self._ended = True
        if self in self._service.conversations:
            self._service.conversations.discard(self)
            self._service.hub.clients -= 1
        self._service.members.leave(self)
        self.mute()

    def mute(self) -> None:
        if self._follower is not None:
            self._follower.leave()
            self._follower = None

    def end(self, error: e.HeadwayError) -> None:
        if self._ended:
            return
        self.send(n.error(error))
        self._note(error)
        self.finish()
        self.hang_up(CLOSE_BASE + error.code, error.message)

    def _note(self, error: e.HeadwayError) -> None:
        """Say to those who run the server that this ends it."""
        # Of what was revoked there is one line for all, so that no log stands in the way of the end.
        if self.grant is None or not isinstance(error, e.TokenRevoked):
            if isinstance(error, e.RefusedError | e.ConnectingTooOften):
                self._service.hub.audit.refused(
                    error, user=self._session.user, door=self.door, address=self._address
                )
            _log.info("connection ended", extra={"code": error.code, "user": self._session.user})

    def takes(self, message: bytes) -> bool:
        """Whether one more message may wait; when too much of them does, the client is not heard any more."""
        if not self.full:
            self._answers = 0
            return True
        self._answers += len(message)
        if self._answers <= _MOST_ANSWERS:
            return True
        if not self._ended:
            error = e.SlowReader()
            _log.info("connection ended", extra={"code": error.code, "user": self._session.user})
            self.finish()
            self.hang_up(CLOSE_BASE + error.code, error.message)
        return False

    def goodbye(self, error: e.HeadwayError, reconnect_in: float) -> None:
        """End a connection that did nothing wrong; it is to come again."""
        if not self._ended:
            self.send(n.goodbye(error.message, reconnect_in))
            self.end(error)

    def heard(self) -> None:
        """A sign of life that is no message."""
        self._session.heard(self._service.hub.wheel.now())

    def drained(self) -> None:
        """The link takes more again."""
        if self._follower is not None:
            self._follower.drained()

    def receive(self, data: bytes, answer: Answering | None = None) -> None:
        """A message came.

        Args:
            answer: takes what answers it.
        """
        if self._ended:
            return
        answer = answer or self.send
        if self._held is not None:
            self._hold(data, answer)
            return
        try:
            now = self._service.hub.wheel.now()
            message = self._session.receive(data, now)
            self._count(now)
            self._handle(message, answer)
        except (e.ReconnectError, e.RefusedError) as error:
            self.end(error)
        except e.RateLimited as error:
            # Who sends too much and reads nothing is not answered each time.
            if not self.full:
                answer(n.error(error))
        except e.HeadwayError as error:
            answer(n.error(error))
        except Exception:  # noqa: BLE001 - whatever a message does, it ends this conversation at most
            _log.exception("a message failed")
            self.end(e.InternalError())

    def _count(self, now: float) -> None:
        """One more message.

        Raises:
            RateLimited: the user says too much, over all connections.
        """
        audit = self._service.hub.audit
        audit.total.messages += 1
        if (user := self._session.user) is not None:
            audit.of(user).messages += 1
            self._service.rates.say(user, self._address, now)

    def _handle(self, message: n.ClientMessage, answer: Answering) -> None:
        if isinstance(message, n.Subscribe):
            self._subscribe(message, answer)
        elif isinstance(message, n.Auth):
            self._authenticate(Brought(message.token), answer)
        elif isinstance(message, n.Ping):
            answer(n.pong(self._service.hub.clock()))
        elif isinstance(message, n.Unsubscribe):
            self._unsubscribe(message, answer)
        else:
            start(self._carry_out(message, answer))

    def _authenticate(self, brought: Brought, answer: Answering) -> None:
        self._ask(brought, partial(self._enter, answer), self.end)

    def _enter(self, answer: Answering, grant: Grant) -> None:
        self._admit(grant)
        answer(self._service.welcome(grant))
        self._follow(grant)

    def _ask(
        self,
        brought: Brought,
        then: Callable[[Grant], object],
        refuse: Callable[[e.HeadwayError], object],
    ) -> None:
        """Find out who this is, and go on: at once if that can be known at once.

        What the client says in the meantime is heard afterwards, in order.

        Args:
            then: given the grant; it may still refuse it by an error of ours.
            refuse: given why there is none.
        """
        try:
            found = self._service.who(brought)
            if isinstance(found, Grant):
                then(found)
                return
        except e.HeadwayError as error:
            refuse(error)
            return
        self._held = []
        start(self._wait_for(found, then, refuse))

    async def _wait_for(
        self,
        found: Awaitable[Grant],
        then: Callable[[Grant], object],
        refuse: Callable[[e.HeadwayError], object],
    ) -> None:
        error: e.HeadwayError | None = None
        try:
            grant = await found
            if not self._ended:
                then(grant)
        except e.HeadwayError as refusal:
            error = refusal
        except Exception:  # noqa: BLE001 - whoever is asked can fail in any way
            _log.exception("a token could not be verified")
            error = e.InternalError()
        held, self._held = self._held or [], None
        if self._ended:
            return
        if error is not None:
            refuse(error)
        for data, answer in held:
            # When one of them is the next token, the rest is held again.
            self.receive(data, answer)

    def _hold(self, data: bytes, answer: Answering) -> None:
        assert self._held is not None  # noqa: S101 - the caller has looked
        self._held.append((data, answer))
        if len(self._held) > _MOST_HELD or sum(len(held) for held, _ in self._held) > _MOST_ANSWERS:
            self.end(e.Flooding())

    def _admit(self, grant: Grant) -> None:
        """Let whoever has this grant in, or go on with it.

        Raises:
            HeadwayError: it is worth nothing here.
        """
        service = self._service
        now = service.hub.wheel.now()
        begins = self._session.user is None
        if begins:
            service.rates.enter(grant.user, self._address, now)
            service.members.join(grant, self)
        self._session.welcome(grant.user, service.lasts(grant), now, service.lifetime())
        service.members.renew(grant, self)
        if begins:
            service.hub.audit.authenticated(grant.user, self.door, self._address, grant.can)
        else:
            service.hub.audit.renewed(grant.user, self.door, self._address, grant.expires_at)

    def _follow(self, grant: Grant) -> None:
        """Be able to follow what the grant covers."""
        service = self._service
        if self._follower is None:
            self._follower = service.hub.follower(self, grant)
        else:
            self._follower.renew(grant, self._refuse)
        self._plan()

    def _subscribe(self, message: n.Subscribe, _answer: Answering) -> None:
        follower = self._follower
        if follower is None:
            raise e.Unauthenticated
        follower.subscribe(wanted_by(message), partial(self._refuse, message.id))

    def _refuse(self, subscription: Hashable, error: e.HeadwayError) -> None:
        if not self._ended:
            self.send(n.error(error, id=cast("str | int", subscription)))

    def _unsubscribe(self, message: n.Unsubscribe, _answer: Answering) -> None:
        if self._follower is not None:
            try:
                self._follower.unsubscribe(message.id)
            except e.UnknownSubscription as error:
                self._refuse(message.id, error)

    async def _carry_out(self, message: Command, answer: Answering) -> None:
        if self._follower is None:
            return
        try:
            done = await carry_out(self._service.hub, self._follower.grant, message)
        except Exception:  # noqa: BLE001 - as for what is carried out at once
            _log.exception("a message failed")
            self.end(e.InternalError())
            return
        if not self._ended:
            answer(done)

    def _next(self) -> float:
        now = self._service.now()
        return now + self._session.wait(now)

    def _due(self, now: float) -> None:
        due = self._session.turn(now)
        if due is Due.HEARTBEAT:
            self.send(n.heartbeat(self._service.hub.clock()))
            self.ping()
        elif due is Due.EXPIRING:
            self.send(n.expiring(round(self._session.remaining(now), 1)))
