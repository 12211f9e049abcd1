"""Logging a browser in: a code or a token is exchanged for an HttpOnly cookie, and who am I."""

from __future__ import annotations

import contextlib
import hmac
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import JSONBody

from headway.errors import InvalidField, RateLimited, RefusedError, Unauthenticated
from headway.hub.hub import Hub
from headway.model.grant import Ability, Grant
from headway.server.identity.identity import Identity
from headway.server.mount import root_of
from headway.server.tokens import Tokens
from headway.transports.credentials import COOKIE, brought_token

__all__ = ["LOCAL_USER", "Doorkeeper", "Login", "Me"]

LOCAL_USER = "local"
"""Who logs in by the link that a development server prints."""

_COOKIE_SECONDS = 30 * 86_400
_TRIES = 20
_TRIES_SECONDS = 60.0


class Doorkeeper(msgspec.Struct):
    """What logging in needs to know.

    Attributes:
        tokens: makes those of the login link.
        identity: verifies and revokes them.
        code: of the login link; None when there is none.
        secure: whether browsers reach the server by https.
        origins: whose pages may use the cookie, besides our own.
    """

    tokens: Tokens
    identity: Identity
    code: str | None
    secure: bool
    origins: frozenset[str]
    tries: float = 0.0
    tried_at: float = 0.0

    def open(self, code: str, now: float) -> str:
        """The token for a right login code.

        Raises:
            Unauthenticated: the code is wrong.
            RateLimited: too many wrong codes were tried.
        """
        self.tries = max(0.0, self.tries - (now - self.tried_at) * _TRIES / _TRIES_SECONDS)
        self.tried_at = now
        if self.tries >= _TRIES:
            raise RateLimited("Too many attempts to log in; wait a minute")
        if self.code is None or not hmac.compare_digest(code.encode(), self.code.encode()):
            self.tries += 1
            raise Unauthenticated(
                "This login link is not valid any more; take the newest one that the server printed"
            )
        return self.tokens.make(LOCAL_USER, can=frozenset(Ability), ttl=_COOKIE_SECONDS)


class Credentials(msgspec.Struct, frozen=True):
    """A login link's code, or a token."""

    code: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    token: Annotated[str, msgspec.Meta(max_length=8192)] | None = None


class Me(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who a token makes me.

    Attributes:
        can: abilities.
        channels: those that it opens, my own first; patterns too.
        expires_at: Unix milliseconds.
    """

    user: str
    can: list[str]
    channels: list[str]
    server: str
    expires_at: int | None = None


class Login(Controller):
    """Logging in and out, and who I am."""

    path = "/api"
    tags = ("login",)

    @post("/login", summary="Log a browser in", status_code=204)
    async def login(
        self,
        data: JSONBody[Credentials],
        door: NamedDependency[Doorkeeper],
        hub: NamedDependency[Hub],
        request: Request[Any, Any, Any],
    ) -> Response[None]:
        """Takes the code of the login link or a token, and sets the cookie `headway`."""
        if (data.code is None) == (data.token is None):
            raise InvalidField("Give a code or a token", field="token")
        token = door.open(data.code, hub.clock() / 1000) if data.code is not None else data.token or ""
        found = door.identity.verify(token)
        grant = found if isinstance(found, Grant) else await found
        lasts = _COOKIE_SECONDS
        if grant.expires_at is not None:
            lasts = min(lasts, max(1, int(grant.expires_at - hub.clock() / 1000)))
        return Response(None, status_code=204, cookies=[_cookie(request, token, lasts, door.secure)])

    @post("/logout", summary="Log a browser out", status_code=204)
    async def logout(
        self, door: NamedDependency[Doorkeeper], request: Request[Any, Any, Any]
    ) -> Response[None]:
        """Takes the cookie away, and revokes its token: what goes on by it ends, on every device that has the same."""
        headers = request.headers
        grant = None
        # Who is not logged in, or not any more, is logged out all the same.
        with contextlib.suppress(RefusedError):
            token = brought_token(lambda name: headers.get(name, ""), door.origins)
            if token is not None:
                found = door.identity.verify(token)
                grant = found if isinstance(found, Grant) else await found
        if grant is not None and grant.id:
            await door.identity.revocations.revoke_token(grant.id, expires_at=grant.expires_at, by=grant.user)
        return Response(None, status_code=204, cookies=[_cookie(request, "", 0, door.secure)])

    @get("/me", summary="Who am I")
    async def me(
        self, grant: NamedDependency[Grant], hub: NamedDependency[Hub], version: NamedDependency[str]
    ) -> Me:
        """What the token allows."""
        return Me(
            user=grant.user,
            can=sorted(ability.value for ability in grant.can),
            channels=hub.open_channels(grant),
            server=version,
            expires_at=None if grant.expires_at is None else int(grant.expires_at * 1000),
        )


def _cookie(request: Request[Any, Any, Any], value: str, seconds: int, secure: bool) -> Cookie:
    # Below a path of ours it is of no concern to the application that has the others.
    path = root_of(request.scope) or "/"
    attributes: dict[str, Any] = {"httponly": True, "samesite": "lax", "path": path, "secure": secure}
    return Cookie(key=COOKIE, value=value, max_age=seconds, **attributes)
