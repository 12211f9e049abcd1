"""REST for webhooks, for administrators alone: where messages go is where what people did goes."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec.structs import replace

from headway.hub.access import Action, check
from headway.hub.hub import Hub
from headway.model.bounds import check_label
from headway.model.grant import Grant
from headway.onward.delivery import Attempt
from headway.onward.endpoint import Endpoint, check_events, check_patterns
from headway.onward.signature import check_secret
from headway.onward.webhooks import Webhooks, new_id, new_secret

__all__ = ["WebhookCalls"]

_TITLE_CHARS = 200
_CURSOR = r"^[0-9A-Za-z_-]*$"

Caller = NamedDependency[Grant]
TheWebhooks = NamedDependency[Webhooks]


class NewWebhook(msgspec.Struct, frozen=True):
    """An endpoint to make. Without events it gets all, without channels those of every channel."""

    url: str
    events: tuple[str, ...] = ()
    channels: tuple[str, ...] = ("*",)
    active: bool = True
    title: str = ""
    secret: str | None = None


class WebhookChange(msgspec.Struct, frozen=True):
    """What is to be different. What is left out stays as it is."""

    url: str | None = None
    events: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    active: bool | None = None
    title: str | None = None


class Webhook(msgspec.Struct, frozen=True, omit_defaults=True):
    """An endpoint.

    Attributes:
        events: all when empty.
        settings: whether it is one of the settings', which cannot be changed here.
        waiting: messages that are owed to it.
        failing_since: Unix milliseconds, while the newest attempt failed.
        secret: only in the answer to making it, and to asking for a new one.
    """

    id: str
    url: str
    events: tuple[str, ...]
    channels: tuple[str, ...]
    active: bool
    title: str
    settings: bool
    waiting: int
    created_at: int
    failing_since: int | None = None
    secret: str | None = None


class WebhookList(msgspec.Struct, frozen=True):
    """All endpoints, those of the settings first."""

    webhooks: list[Webhook]


class AttemptPage(msgspec.Struct, frozen=True):
    """Attempts, the newest first, and the `after` of the next page."""

    attempts: list[Attempt]
    next: str | None


class Again(msgspec.Struct, frozen=True):
    """A message that is to be sent once more."""

    message: Annotated[str, msgspec.Meta(max_length=64)]


class WebhookCalls(Controller):
    """Endpoints, and what they were sent."""

    path = "/api/webhooks"
    tags = ("webhooks",)

    @get(summary="List webhooks")
    async def list_webhooks(self, grant: Caller, webhooks: TheWebhooks) -> WebhookList:
        """All of them, without their secrets."""
        _administer(grant)
        return WebhookList([_view(webhooks, endpoint) for endpoint in webhooks.endpoints.all()])

    @post(summary="Make a webhook", status_code=201)
    async def create_webhook(
        self, data: JSONBody[NewWebhook], grant: Caller, webhooks: TheWebhooks, hub: NamedDependency[Hub]
    ) -> Webhook:
        """The answer has the secret, which is not shown again."""
        _administer(grant)
        await webhooks.check_address(data.url)
        endpoint = Endpoint(
            id=new_id(hub.clock()),
            url=data.url,
            secret=new_secret() if data.secret is None else check_secret(data.secret),
            events=check_events(data.events),
            channels=check_patterns(data.channels),
            active=data.active,
            title=check_label(data.title, "title", _TITLE_CHARS),
            by=grant.user,
            created_at=hub.clock(),
        )
        await webhooks.endpoints.keep(endpoint)
        return _view(webhooks, endpoint, secret=True)

    @get("/{webhook_id:str}", summary="Read a webhook")
    async def read_webhook(self, webhook_id: FromPath[str], grant: Caller, webhooks: TheWebhooks) -> Webhook:
        """Without its secret."""
        _administer(grant)
        return _view(webhooks, webhooks.endpoints.find(webhook_id))

    @patch("/{webhook_id:str}", summary="Change a webhook")
    async def change_webhook(
        self,
        webhook_id: FromPath[str],
        data: JSONBody[WebhookChange],
        grant: Caller,
        webhooks: TheWebhooks,
    ) -> Webhook:
        """What it is owed goes where it then leads, at once."""
        _administer(grant)
        endpoint = webhooks.endpoints.find(webhook_id)
        if data.url is not None:
            await webhooks.check_address(data.url)
        changed = replace(
            endpoint,
            url=endpoint.url if data.url is None else data.url,
            events=endpoint.events if data.events is None else check_events(data.events),
            channels=endpoint.channels if data.channels is None else check_patterns(data.channels),
            active=endpoint.active if data.active is None else data.active,
            title=endpoint.title if data.title is None else check_label(data.title, "title", _TITLE_CHARS),
        )
        await webhooks.endpoints.keep(changed)
        if changed.url != endpoint.url:
            webhooks.deliveries.hurry(webhook_id)
        return _view(webhooks, changed)

    @delete("/{webhook_id:str}", summary="Delete a webhook", status_code=204)
    async def delete_webhook(self, webhook_id: FromPath[str], grant: Caller, webhooks: TheWebhooks) -> None:
        """And what is owed to it."""
        _administer(grant)
        await webhooks.drop(webhook_id)

    @post("/{webhook_id:str}/secret", summary="Give a webhook a new secret", status_code=200)
    async def renew_secret(self, webhook_id: FromPath[str], grant: Caller, webhooks: TheWebhooks) -> Webhook:
        """For a day messages are signed with both, so that the receiver can be changed meanwhile."""
        _administer(grant)
        return _view(webhooks, await webhooks.renew_secret(webhook_id), secret=True)

    @post("/{webhook_id:str}/test", summary="Send a test", status_code=200)
    async def test_webhook(self, webhook_id: FromPath[str], grant: Caller, webhooks: TheWebhooks) -> Attempt:
        """Sends a `ping` once and at once, and says what came of it."""
        _administer(grant)
        return await webhooks.ping(webhook_id)

    @get("/{webhook_id:str}/attempts", summary="What a webhook was sent")
    async def list_attempts(
        self,
        webhook_id: FromPath[str],
        grant: Caller,
        webhooks: TheWebhooks,
        limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
        after: Annotated[str, QueryParameter(max_length=100, pattern=_CURSOR)] = "",
    ) -> AttemptPage:
        """Each attempt with what came of it, and when the next is due."""
        _administer(grant)
        return AttemptPage(*await webhooks.attempts(webhook_id, after, limit))

    @post("/{webhook_id:str}/redeliver", summary="Send a message once more", status_code=202)
    async def redeliver(
        self, webhook_id: FromPath[str], data: JSONBody[Again], grant: Caller, webhooks: TheWebhooks
    ) -> Again:
        """Under the same id, whatever became of it; with retries as for a new one."""
        _administer(grant)
        await webhooks.send_again(webhook_id, data.message)
        return data


def _administer(grant: Grant) -> None:
    check(grant, Action.ADMINISTER, grant.own_channel)


def _view(webhooks: Webhooks, endpoint: Endpoint, *, secret: bool = False) -> Webhook:
    waiting, failing_since = webhooks.deliveries.waiting(endpoint.id)
    return Webhook(
        id=endpoint.id,
        url=endpoint.url,
        events=endpoint.events,
        channels=endpoint.channels,
        active=endpoint.active,
        title=endpoint.title,
        settings=webhooks.endpoints.is_fixed(endpoint.id),
        waiting=waiting,
        created_at=endpoint.created_at,
        failing_since=failing_since,
        secret=endpoint.secret if secret else None,
    )
