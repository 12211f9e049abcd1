"""What goes onward, as the settings say it: the outbox of the hub, from its start to its end."""

from __future__ import annotations

from collections.abc import Callable

from headway.errors import ConfigurationError, HeadwayError
from headway.onward.backoff import Backoff
from headway.onward.endpoint import Endpoint, check_events, check_patterns, check_url
from headway.onward.signature import check_secret
from headway.onward.webhooks import Webhooks, WebhookSettings
from headway.ports.store import Store
from headway.server.settings import Settings, WebhookSetting

__all__ = ["make_webhooks"]


def make_webhooks(store: Store, settings: Settings, clock: Callable[[], int], version: str) -> Webhooks:
    """The webhooks of a server.

    Raises:
        ConfigurationError: an endpoint of the settings cannot be one.
    """
    names = [endpoint.name for endpoint in settings.webhooks]
    if len(set(names)) < len(names):
        raise ConfigurationError("The settings are not right: two webhooks have the same name")
    return Webhooks(
        store,
        WebhookSettings(
            endpoints=tuple(_endpoint(setting) for setting in settings.webhooks),
            networks=settings.webhook_networks,
            timeout=settings.webhook_timeout,
            history=settings.webhook_history,
            backoff=Backoff(span=settings.webhook_give_up),
        ),
        clock,
        version,
    )


def _endpoint(setting: WebhookSetting) -> Endpoint:
    try:
        check_url(setting.url)
        return Endpoint(
            id=setting.name,
            url=setting.url,
            secret=check_secret(setting.secret.get_secret_value()),
            events=check_events(setting.events),
            channels=check_patterns(setting.channels),
            title=setting.name,
        )
    except HeadwayError as error:
        raise ConfigurationError(f"The webhook {setting.name} is not right: {error.message}") from None
