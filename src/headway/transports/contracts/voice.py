"""The contract `voice`: the jobs of a user and of the projects it subscribes to, over Socket.IO."""

from __future__ import annotations

from functools import partial
from typing import Any

from headway.dialects.voice import VoiceTranslation, owner_tag
from headway.errors import HeadwayError, InvalidField, RefusedError, Unauthenticated
from headway.hub.wanted import Only
from headway.model.channel import is_channel
from headway.model.grant import Grant
from headway.transports.contracts.codec import socketio_codecs
from headway.transports.contracts.resuming import Resuming
from headway.transports.contracts.socketio import SocketIoContract
from headway.transports.credentials import Brought
from headway.transports.service import Service
from headway.transports.socketio.client import Client
from headway.transports.socketio.vocabulary import Vocabulary
from headway.wire.socketio import Recovery
from headway.wire.socketio_json import JSON_PARSER

__all__ = ["Voice"]

CODECS = socketio_codecs(VoiceTranslation(), JSON_PARSER)
_PROJECT = "project:"


class Voice(SocketIoContract):
    """Its address."""

    name = "voice"

    def __init__(self, service: Service, prefix: str = "") -> None:
        super().__init__(service, prefix)

    def vocabulary(self, client: Client, namespace: str) -> Vocabulary:
        return _Listener(client, namespace)


class _Listener(Resuming):
    """One client. It may connect without a token and say it later; before that it hears nothing."""

    __slots__ = ("_subscribed",)

    def __init__(self, client: Client, namespace: str) -> None:
        super().__init__(client, namespace, CODECS, open=False)
        self._subscribed: set[str] = set()

    def connected(self, auth: dict[str, Any], recovery: Recovery | None) -> None:
        try:
            known = bool(auth.get("token")) or self.client.brought() is not None
        except RefusedError:
            known = False
        if known or self._service.draining:
            super().connected(auth, recovery)
            return
        self._arrive()
        self._plan()
        self.let_in(recovery)

    def welcomed(self, grant: Grant, recovery: Recovery | None) -> None:
        self.let_in(recovery)
        self._begin(grant)

    def say(self, name: str, args: list[Any]) -> None:
        asked = args[0] if args else None
        if name == "authenticate":
            token = asked.get("token") if isinstance(asked, dict) else None
            if not isinstance(token, str) or not token:
                raise Unauthenticated("authenticate needs {userId, token}")
            user = asked.get("userId") if isinstance(asked, dict) else None
            self._ask(Brought(token), partial(self._authenticated, user), self._refused)
        elif name in {"subscribe:project", "unsubscribe:project"}:
            grant = self.grant
            if grant is None:
                raise InvalidField("Authenticate first", field="token")
            project = f"{_PROJECT}{asked}"
            if not isinstance(asked, str) or not is_channel(project):
                raise InvalidField(
                    "A project's id is a text of letters, digits and . _ @ + = ~ -", field="project"
                )
            if name == "subscribe:project":
                self._subscribed.add(project)
                self.follow_channel(project, self.was_at(project))
            elif project in self._subscribed:
                self._subscribed.discard(project)
                if project in grant.channels:
                    self._follow_own_jobs(grant, project)
                else:
                    self.unfollow(project)

    def _forget(self, channel: str) -> None:
        super()._forget(channel)
        self._subscribed.discard(channel)

    def _authenticated(self, user: Any, grant: Grant) -> None:
        # Some clients have a number for their user.
        if user is not None and str(user) != grant.user:
            raise Unauthenticated("The token belongs to another user")
        known = self.grant is not None
        self._admit(grant)
        self._follow(grant)
        if known:
            self.emit("authenticated", {"success": True})
        else:
            self._begin(grant)

    def _refused(self, error: HeadwayError) -> None:
        self.complain(error)
        self._note(error)
        self.finish()
        self.put_out()

    def _begin(self, grant: Grant) -> None:
        self.carry_out(self._follow_all(grant))

    async def _follow_all(self, grant: Grant) -> None:
        own = grant.own_channel
        channels = [name for name in grant.named if name == own or name.startswith(_PROJECT)]
        standing = await self._service.hub.standing(grant, channels)
        if self._ended:
            return
        # So that who is cut off before anything happens misses nothing either.
        cursors = {name: self.was_at(name) or channel.cursor for name, channel in standing.items()}
        self.emit("authenticated", {"success": True}, *self.offset(cursors))
        for name in channels:
            if name == own:
                self.follow_channel(own, self.was_at(own))
            else:
                self._follow_own_jobs(grant, name)

    def _follow_own_jobs(self, grant: Grant, project: str) -> None:
        """Those of a project that the user has started itself: it hears of them without subscribing."""
        if project not in self._subscribed:
            self.follow_channel(project, self.was_at(project), Only(tag=owner_tag(grant.user)))
