"""REST of identity: tickets, renewal of streams, and for administrators worker keys and revocations."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from headway.errors import InvalidField
from headway.hub.access import Action, check
from headway.hub.hub import Hub
from headway.model.channel import user_channel
from headway.model.grant import Ability, Grant
from headway.server.identity.identity import Identity, Taken
from headway.server.identity.verifier import MAX_TOKEN
from headway.server.identity.worker_keys import WorkerKey

__all__ = ["Keys", "Renewal", "Revoking", "TicketOffice", "administer"]

Caller = NamedDependency[Grant]
Desk = NamedDependency[Identity]
TheHub = NamedDependency[Hub]

_ORIGIN = re.compile(r"https?://[^/?#@\s]{1,190}\Z", re.IGNORECASE)
_LONGEST = 100 * 365 * 86_400.0


class WantedTicket(msgspec.Struct, frozen=True):
    """Where a ticket is to be used: the origin of a page; the page's that asks when left out."""

    origin: str | None = None


class Ticket(msgspec.Struct, frozen=True):
    """A ticket, good once and for so many seconds, as `?ticket=`."""

    ticket: str
    expires_in: float


class OldToken(msgspec.Struct, frozen=True):
    """The token that the streams were opened with."""

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TOKEN)]


class NewKey(msgspec.Struct, frozen=True):
    """A worker key to make: its name, the channels that it opens, its abilities (`publish`), seconds until it expires."""

    name: str
    channels: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=100)]
    can: Annotated[tuple[str, ...], msgspec.Meta(max_length=10)] | None = None
    expires_in: Annotated[float, msgspec.Meta(gt=0, le=_LONGEST)] | None = None


class MadeKey(msgspec.Struct, frozen=True):
    """A worker key, and the key itself: it is shown this once."""

    key: str
    about: WorkerKey


class KeyList(msgspec.Struct, frozen=True):
    """All worker keys, oldest first."""

    keys: tuple[WorkerKey, ...]


class ToRevoke(msgspec.Struct, frozen=True):
    """A token, worker key or share link (itself, or its id), or a user: just one of them.

    Of a user all tokens of until now are meant, and all share links that the user made.
    """

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TOKEN)] | None = None
    user: str | None = None


class TicketOffice(Controller):
    """Tickets."""

    path = "/api/tickets"
    tags = ("identity",)

    @post(summary="Get a ticket", status_code=201)
    async def issue(
        self,
        request: Request[Any, Any, Any],
        grant: Caller,
        identity: Desk,
        data: JSONBody[WantedTicket | None] = None,
    ) -> Response[Ticket]:
        """For the one connection of a page that can set no header: `/ws?ticket=…`, `/events?ticket=…`, `/poll?ticket=…`."""
        origin = data.origin if data is not None and data.origin is not None else None
        if origin is None:
            origin = request.headers.get("origin", "")
        elif not _ORIGIN.match(origin):
            raise InvalidField("An origin looks like https://app.example", field="origin")
        ticket, seconds = await identity.tickets.issue(grant, origin)
        return Response(Ticket(ticket, seconds), status_code=201, headers={"Cache-Control": "no-store"})


class Renewal(Controller):
    """Renewal where nothing can be said on the connection itself."""

    path = "/api/renew"
    tags = ("identity",)

    @post(summary="Renew streams", status_code=204)
    async def renew(self, grant: Caller, identity: Desk, data: JSONBody[OldToken]) -> None:
        """Streams (`/events`) that were opened with the old token go on with the one that this request brings.

        Both are of the same user. Each such stream says `welcome` again.
        """
        await identity.renew(data.token, grant)


class Keys(Controller):
    """Worker keys: what producers have in place of a token. For administrators."""

    path = "/api/keys"
    tags = ("identity",)

    @post(summary="Make a worker key", status_code=201)
    async def create(self, data: JSONBody[NewKey], grant: Caller, identity: Desk) -> Response[MadeKey]:
        """The key is in the answer, and nowhere else: what is kept cannot be turned back into it."""
        administer(grant)
        about, key = await identity.worker_keys.create(
            data.name,
            data.channels,
            can=map(_ability, data.can or (Ability.PUBLISH,)),
            ttl=data.expires_in,
            by=grant.user,
        )
        return Response(MadeKey(key, about), status_code=201, headers={"Cache-Control": "no-store"})

    @get(summary="List worker keys")
    async def list(self, grant: Caller, identity: Desk) -> KeyList:
        """All there are, without the keys themselves."""
        administer(grant)
        return KeyList(identity.worker_keys.all())

    @delete("/{key_id:str}", summary="Revoke a worker key")
    async def revoke(self, key_id: FromPath[str], grant: Caller, identity: Desk, hub: TheHub) -> None:
        """What goes on by it ends at once."""
        administer(grant)
        _tell(hub, grant, await identity.revoke_key(key_id, by=grant.user))


class Revoking(Controller):
    """Revocations. For administrators."""

    path = "/api/revocations"
    tags = ("identity",)

    @post(summary="Revoke a token, or all of a user's", status_code=204)
    async def revoke(self, data: JSONBody[ToRevoke], grant: Caller, identity: Desk, hub: TheHub) -> None:
        """In force when it is answered: open connections end within a second, and it survives restarts."""
        administer(grant)
        if (data.token is None) == (data.user is None):
            raise InvalidField("Give a token or a user", field="token")
        if data.user is not None:
            user_channel(data.user)
            _tell(hub, grant, await identity.revoke_user(data.user, by=grant.user))
        else:
            _tell(hub, grant, await identity.revoke(data.token or "", by=grant.user))


def _tell(hub: Hub, grant: Grant, taken: list[Taken]) -> None:
    for what, which in taken:
        hub.audit.revoked(grant.user, what, which)


def _ability(name: str) -> Ability:
    """The ability of this name.

    Raises:
        InvalidField: there is none.
    """
    try:
        return Ability(name)
    except ValueError:
        raise InvalidField(f"An ability is one of {', '.join(Ability)}", field="can") from None


def administer(grant: Grant) -> None:
    """Whether somebody may administer the server.

    Raises:
        Forbidden: no.
    """
    check(grant, Action.ADMINISTER, grant.own_channel)
