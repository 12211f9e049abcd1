"""What a share link opens: the page, the bar for an iframe, and the badge. No login, no index, no referrer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from headway.errors import HeadwayError
from headway.hub.hub import Hub
from headway.model.task import Task, TaskState
from headway.ports.store import Page, TaskQuery
from headway.server.identity.identity import Identity
from headway.server.identity.shares import Share, grant_of
from headway.server.mount import root_of
from headway.server.shares.badge import badge
from headway.server.shares.page import STYLE_HASH, ended_page, share_page
from headway.server.shares.words import WORDS, language_of, standing

__all__ = ["share_handlers"]

_MOST_TASKS = 20
_MOST_COUNTED = 200
_ENDED = frozenset(state for state in TaskState if state.terminal)
_UNFINISHED = frozenset(TaskState) - _ENDED
_POLICY = (
    f"default-src 'self'; style-src 'self' {STYLE_HASH}; connect-src 'self' ws: wss:; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; object-src 'none'; frame-ancestors {}"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
}


def share_handlers() -> list[ControllerRouterHandler]:
    """The handlers of all of it."""

    @get(["/t/{code:str}", "/t/{code:str}/embed"], include_in_schema=False)
    async def page(
        request: Request[Any, Any, Any],
        code: FromPath[str],
        hub: NamedDependency[Hub],
        identity: NamedDependency[Identity],
    ) -> Response[str]:
        language = language_of(request.headers.get("accept-language", ""))
        embed = request.scope["path"].endswith("/embed")
        try:
            share = _opened(identity, code)
            tasks = await _tasks(hub, share)
            status = 200
            text = share_page(share, code, tasks, root_of(request.scope), language, embed=embed)
        except HeadwayError:
            status, text = 404, ended_page(language)
        policy = _POLICY.format("*" if embed else "'none'")
        headers = {**_HEADERS, "Content-Security-Policy": policy, "Vary": "Accept-Language"}
        return Response(text, status_code=status, media_type="text/html", headers=headers)

    @get("/t/{code:str}/badge.svg", include_in_schema=False)
    async def picture(
        request: Request[Any, Any, Any],
        code: FromPath[str],
        hub: NamedDependency[Hub],
        identity: NamedDependency[Identity],
    ) -> Response[str | None]:
        words = WORDS["zh" if request.query_params.get("lang", "").startswith("zh") else "en"]
        status = 200
        try:
            share = _opened(identity, code)
            if share.task is not None:
                task = await hub.task(grant_of(share), share.task)
                text = badge(share.title or task.title, standing(task, words), task.state)
            else:
                page = await _page(hub, share, frozenset((TaskState.RUNNING,)), _MOST_COUNTED)
                many = f"{len(page.tasks)}{'+' if page.next else ''}"
                said, state = (
                    (words.running.format(many), TaskState.RUNNING) if page.tasks else (words.idle, None)
                )
                text = badge(share.title or words.tasks, said, state)
        except HeadwayError:
            # A picture all the same: it stands in a page where nobody would see a sentence.
            status, text = 404, badge("Headway", "—", None)
        etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:20]}"'
        headers = {
            **_HEADERS,
            # Asked for again each time, which what stands between browsers and us respects.
            "Cache-Control": "no-cache, max-age=0",
            "ETag": etag,
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        if status == 200 and request.headers.get("if-none-match") == etag:
            return Response(None, status_code=304, headers=headers)
        return Response(text, status_code=status, media_type="image/svg+xml; charset=utf-8", headers=headers)

    return [page, picture]


def _opened(identity: Identity, code: str) -> Share:
    share = identity.shares.find(code)
    identity.revocations.check(grant_of(share))
    return share


async def _tasks(hub: Hub, share: Share) -> Sequence[Task]:
    """What a share opens; unfinished ones first, the newest first in both.

    Raises:
        NotFound: it was for a task that is gone.
    """
    if share.task is not None:
        return [await hub.task(grant_of(share), share.task)]
    unfinished = (await _page(hub, share, _UNFINISHED, _MOST_TASKS)).tasks
    if len(unfinished) == _MOST_TASKS:
        return unfinished
    return (*unfinished, *(await _page(hub, share, _ENDED, _MOST_TASKS - len(unfinished))).tasks)


async def _page(hub: Hub, share: Share, states: frozenset[TaskState], limit: int) -> Page:
    return await hub.tasks(
        grant_of(share), TaskQuery(None, channel=share.channel, states=states, limit=limit)
    )
