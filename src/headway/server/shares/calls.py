"""REST of share links: make, list, take back. Who may read a record and act on it may share it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from headway.errors import InvalidField
from headway.hub.access import Action, check
from headway.hub.hub import Hub
from headway.model.bounds import check_label
from headway.model.channel import check_channel
from headway.model.grant import Ability, Grant
from headway.model.ids import check_id
from headway.server.identity.identity import Identity
from headway.server.identity.shares import LONGEST, Share
from headway.server.mount import root_of

__all__ = ["ShareCalls"]

_WEEK = 7 * 86_400.0
_TITLE_CHARS = 200


class NewShare(msgspec.Struct, frozen=True):
    """A task or a channel to share, and for how many seconds (a week)."""

    task: str | None = None
    channel: str | None = None
    ttl: Annotated[float, msgspec.Meta(ge=1, le=LONGEST)] = _WEEK
    title: str = ""


class MadeShare(msgspec.Struct, frozen=True):
    """A share, and where it is: whoever has one of these addresses may read. They are shown this once."""

    id: str
    url: str
    embed: str
    badge: str
    token: str
    expires_at: int
    about: Share


class ShareList(msgspec.Struct, frozen=True):
    """Shares, the newest first."""

    shares: tuple[Share, ...]


class ShareCalls(Controller):
    """Share links."""

    path = "/api/shares"
    tags = ("shares",)

    @post(summary="Share a task or a channel", status_code=201)
    async def create_share(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[NewShare],
        grant: NamedDependency[Grant],
        hub: NamedDependency[Hub],
        identity: NamedDependency[Identity],
    ) -> Response[MadeShare]:
        """The answer has the link, which cannot be had again."""
        if (data.task is None) == (data.channel is None):
            raise InvalidField("Share a task or a channel, one of them", field="task")
        if data.task is not None:
            task = await hub.task(grant, check_id(data.task, "task"))
            check(grant, Action.CONTROL, task.channel, task.id)
        else:
            check(grant, Action.READ, check_channel(data.channel or ""))
            check(grant, Action.CONTROL, data.channel or "")
        now = hub.clock()
        wanted = Share(
            id="",
            by=grant.user,
            created_at=now,
            expires_at=now + int(data.ttl * 1000),
            task=data.task,
            channel=data.channel,
            title=check_label(data.title, "title", _TITLE_CHARS).strip(),
        )
        share, code = await identity.share(grant, wanted)
        hub.audit.shared(
            grant.user, share.id, channel=share.channel, task=share.task, expires_at=share.expires_at / 1000
        )
        url = f"{_site(request)}/t/{code}"
        made = MadeShare(share.id, url, f"{url}/embed", f"{url}/badge.svg", code, share.expires_at, share)
        return Response(made, status_code=201, headers={"Cache-Control": "no-store"})

    @get(summary="List share links")
    async def list_shares(
        self,
        grant: NamedDependency[Grant],
        identity: NamedDependency[Identity],
        everybody: Annotated[
            bool, QueryParameter(name="all", description="Everybody's, for administrators.")
        ] = False,
    ) -> ShareList:
        """One's own that have not ended, without their codes."""
        if everybody:
            check(grant, Action.ADMINISTER, grant.own_channel)
        return ShareList(identity.shares.all(None if everybody else grant.user))

    @delete("/{share_id:str}", summary="Take a share link back", status_code=204)
    async def delete_share(
        self,
        share_id: FromPath[str],
        grant: NamedDependency[Grant],
        hub: NamedDependency[Hub],
        identity: NamedDependency[Identity],
    ) -> None:
        """Whatever is open by it ends at once. One's own, or anybody's for administrators."""
        owner = None if Ability.ADMIN in grant.can else grant.user
        await identity.revoke_share(share_id, owner=owner, by=grant.user)
        hub.audit.revoked(grant.user, "share", share_id)


def _site(request: Request[Any, Any, Any]) -> str:
    """Where people find us: as it is set, or as this request found us."""
    public: str | None = request.app.state.public_url
    return (public or f"{request.url.scheme}://{request.url.netloc}").rstrip("/") + root_of(request.scope)
