"""The built pages: the dashboard, its assets, and the module for other people's pages."""

from __future__ import annotations

from functools import cache
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath
from litestar.response import File
from litestar.types import ControllerRouterHandler

from headway.errors import NotFound
from headway.server.mount import root_of

__all__ = ["STATIC", "page_handlers", "security_headers"]

STATIC = Path(__file__).parent / "static"

_MISSING = (
    "<!doctype html><title>Headway</title><p>The pages are not built. Run <code>make web</code> in the "
    "repository, or install Headway from a wheel; the API works without them."
)
_CROSS_ORIGIN = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
_POLICY = (
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)


def security_headers() -> dict[str, str]:
    """Headers for every answer."""
    return {
        # Answers are somebody's, unless they say otherwise.
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Content-Security-Policy": _POLICY,
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def page_handlers() -> list[ControllerRouterHandler]:
    """The handlers of all pages."""

    @get(["/", "/login", "/tasks/{task_id:str}", "/api"], include_in_schema=False, sync_to_thread=False)
    def page(request: Request[Any, Any, Any]) -> Response[str]:
        try:
            text = _index(root_of(request.scope))
        except FileNotFoundError:
            return Response(_MISSING, media_type="text/html", status_code=503)
        return Response(text, media_type="text/html", headers={"Cache-Control": "no-cache"})

    @get("/headway.js", include_in_schema=False, sync_to_thread=False)
    def module() -> Response[str] | File:
        # Pages of any origin may load it: it holds nothing of anybody.
        path = STATIC / "headway.js"
        if not path.is_file():
            return Response(_MISSING, media_type="text/html", status_code=503)
        return _part(path, "public, max-age=300")

    # What there is, is known: what somebody asks for never becomes a path.
    assets = {file.name: file for file in (STATIC / "assets").glob("*")}

    @get("/assets/{name:str}", include_in_schema=False, sync_to_thread=False)
    def asset(name: FromPath[str]) -> File:
        if name not in assets:
            raise NotFound("There is nothing at this address")
        # Parts of `headway.js` are loaded by pages of any origin; names have a hash of the content in them.
        return _part(assets[name], "public, max-age=31536000, immutable")

    return [page, module, asset]


@cache
def _index(root: str) -> str:
    """The page; its scripts find everything else from where they are themselves."""
    return (STATIC / "index.html").read_text(encoding="utf-8").replace('"/assets/', f'"{root}/assets/')


def _part(path: Path, cache: str) -> File:
    return File(
        path,
        filename=path.name,
        media_type=guess_type(path.name)[0],
        content_disposition_type="inline",
        headers={**_CROSS_ORIGIN, "Cache-Control": cache},
    )
