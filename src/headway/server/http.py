"""The HTTP side: REST, the OpenAPI document, health and pages, as one Litestar application."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request, Response, get
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import Provide
from litestar.handlers import BaseRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from headway.errors import OriginRefused, RateLimited, RefusedError
from headway.hub.hub import Hub
from headway.model.grant import Grant
from headway.server.bodies import JsonRequest
from headway.server.fallback import FallbackCalls
from headway.server.identity.rest import Keys, Renewal, Revoking, TicketOffice
from headway.server.inbox import Notifications
from headway.server.login import Doorkeeper, Login
from headway.server.onward import Onward
from headway.server.openapi import document
from headway.server.pages import page_handlers, security_headers
from headway.server.problems import PROBLEM_HANDLERS
from headway.server.rest import Ingest, Stats, Tasks
from headway.server.shares.calls import ShareCalls
from headway.server.shares.pages import share_handlers
from headway.server.webhooks import WebhookCalls
from headway.transports.addresses import address_of
from headway.transports.credentials import Brought, brought_token, origin_allowed
from headway.transports.service import Service

__all__ = ["make_http"]

_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))


def make_http(
    hub: Hub,
    service: Service,
    door: Doorkeeper,
    onward: Onward,
    max_body: int,
    public_url: str | None = None,
) -> Litestar:
    """Build the application.

    Args:
        max_body: bytes of a request's body.
        public_url: that people reach the server by, when that is not what requests say.
    """

    async def who(request: Request[Any, Any, Any]) -> Grant:
        return await grant_of(request, service)

    def from_our_pages(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        # The cookie comes by itself, and a page of another site must not log anybody in or out either.
        headers = connection.headers
        if connection.scope.get("method", "GET") in _SAFE or "authorization" in headers:
            return
        if not origin_allowed(headers.get("origin", ""), headers.get("host", ""), service.origins):
            raise OriginRefused

    @get("/healthz", tags=["server"], summary="Is the process alive", sync_to_thread=False)
    def healthz() -> dict[str, str]:
        """Always 200 while it is."""
        return {"status": "ok"}

    @get("/api/openapi.json", include_in_schema=False, sync_to_thread=False)
    def openapi(request: Request[Any, Any, Any]) -> dict[str, Any]:
        return document(request.app)

    @get("/readyz", tags=["server"], summary="Can it do its work", sync_to_thread=False)
    def readyz() -> Response[dict[str, str]]:
        """503 while the store takes no writes, and while the server drains."""
        if service.draining:
            return Response({"status": "draining"}, status_code=503)
        if not hub.ready:
            return Response({"status": "the store does not take writes"}, status_code=503)
        return Response({"status": "ready"})

    return Litestar(
        route_handlers=[
            Tasks,
            Ingest,
            Notifications,
            Stats,
            Login,
            TicketOffice,
            Renewal,
            Keys,
            Revoking,
            WebhookCalls,
            FallbackCalls,
            ShareCalls,
            *share_handlers(),
            healthz,
            readyz,
            openapi,
            *page_handlers(),
        ],
        dependencies={
            "grant": Provide(who),
            "hub": Provide(lambda: hub, sync_to_thread=False),
            "identity": Provide(lambda: door.identity, sync_to_thread=False),
            "door": Provide(lambda: door, sync_to_thread=False),
            "service": Provide(lambda: service, sync_to_thread=False),
            "webhooks": Provide(lambda: onward.webhooks, sync_to_thread=False),
            "fallback": Provide(lambda: onward.fallback, sync_to_thread=False),
            "version": Provide(lambda: service.version, sync_to_thread=False),
        },
        state=State({"public_url": public_url}),
        guards=[from_our_pages],
        request_class=JsonRequest,
        exception_handlers=PROBLEM_HANDLERS,
        openapi_config=OpenAPIConfig(
            title="Headway",
            version=service.version,
            description="Live progress and notifications for background jobs.",
            # Litestar wants a folder of its own for this; ours is served beside the page at /api.
            path="/api/schema",
            render_plugins=[JsonRenderPlugin(path=["/", "/openapi.json"])],
            components=Components(
                security_schemes={"token": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")}
            ),
            security=[{"token": []}],
        ),
        response_headers=security_headers(),
        request_max_body_size=max_body,
        logging_config=None,
        debug=False,
    )


async def grant_of(connection: ASGIConnection[Any, Any, Any, Any], service: Service) -> Grant:
    """The grant of a request.

    Raises:
        Unauthenticated, TokenExpired: it has no valid token.
        OriginRefused: it has the cookie, and comes from a page that may not use it.
    """
    headers = connection.headers
    address = address_of(connection.scope)
    user: str | None = None
    try:
        token = brought_token(lambda name: headers.get(name, ""), service.origins)
        grant = await service.know(None if token is None else Brought(token))
        user = grant.user
        reports = connection.scope["path"] == Ingest.path
        service.rates.ask(user, address, service.now(), reports=reports)
    except (RefusedError, RateLimited) as error:
        service.hub.audit.refused(error, user=user, door="rest", address=address)
        raise
    return grant
