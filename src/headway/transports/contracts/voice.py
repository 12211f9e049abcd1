"""The contract `voice`: the jobs of a user and of the projects it subscribes to, over Socket.IO."""

from __future__ import annotations

from functools import partial
from typing import Any

from headway.dialects.voice import VoiceTranslation, owner_tag
from headway.errors import HeadwayError, InvalidField, RefusedError, Unauthenticated
from headway.hub.followers import Only
from headway.model.channel import is_channel
from headway.model.grant import Grant
from headway.transports.contracts.codec import SocketIoCodec
from headway.transports.contracts.resuming import Resuming
from headway.transports.contracts.socketio import SocketIoContract
from headway.transports.credentials import Brought
from headway.transports.service import Service
from headway.transports.socketio.client import Client
from headway.transports.socketio.vocabulary import Vocabulary
from headway.wire.socketio import Recovery
from headway.wire.socketio_json import JSON_PARSER

__all__ = ["Voice"]

CODEC = SocketIoCodec(VoiceTranslation(), JSON_PARSER, offsets=True)
_PROJECT = "project:"


class Voice(SocketIoContract):
    """Its address."""

    name = "voice"

    def __init__(self, service: Service, prefix: str = "") -> None:
        super().__init__(service, prefix)

    def vocabulary(self, client: Client, namespace: str) -> Vocabulary:
        return _Listener(client, namespace, CODEC, open=False)


class _Listener(Resuming):
    """One client. It may connect without a token and say it later; before that it hears nothing."""

    __slots__ = ("_recovery",)

    def connected(self, auth: dict[str, Any], recovery: Recovery | None) -> None:
        self._recovery = recovery
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
                self.follow_channel(project, self.was_at(project))
            elif project in self._followed:
                self._follow_own_jobs(grant, project)

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
        self.finish()
        self.put_out()

    def _begin(self, grant: Grant) -> None:
        self.emit("authenticated", {"success": True})
        self.follow_channel(grant.own_channel, self.was_at(grant.own_channel))
        for channel in dict.fromkeys(grant.channels):
            if channel.startswith(_PROJECT) and is_channel(channel):
                self._follow_own_jobs(grant, channel)

    def _follow_own_jobs(self, grant: Grant, project: str) -> None:
        """Those of a project that the user has started itself: it hears of them without subscribing."""
        self.follow_channel(project, self.was_at(project), Only(tag=owner_tag(grant.user)))
