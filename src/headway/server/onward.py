"""What goes onward, as the settings say it: the outbox of the hub, from its start to its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from headway.errors import ConfigurationError, HeadwayError
from headway.hub.outbox import Announced, Outbox
from headway.model.channel import user_channel
from headway.onward.apprise import AppriseSender, check_targets
from headway.onward.backoff import Backoff
from headway.onward.endpoint import Endpoint, check_events, check_patterns, check_url
from headway.onward.fallback import Fallback, Plan
from headway.onward.signature import check_secret
from headway.onward.webhooks import Webhooks, WebhookSettings
from headway.ports.store import Document, Store
from headway.server.settings import Settings, WebhookSetting

__all__ = ["Onward"]


class Onward(Outbox):
    """Webhooks, and fallbacks for what nobody saw.

    Attributes:
        webhooks, fallback: each by itself.
    """

    def __init__(self, store: Store, settings: Settings, clock: Callable[[], int], version: str) -> None:
        """Know the settings.

        Args:
            clock: Unix milliseconds.
            version: the server's.

        Raises:
            ConfigurationError: an endpoint or a target of the settings cannot be one, or an extra is missing.
        """
        self.webhooks = _webhooks(store, settings, clock, version)
        self._sender = AppriseSender(settings.fallback_timeout, settings.webhook_networks)
        self.fallback = Fallback(store, self._sender, _plans(settings), clock)

    async def start(self, unseen: Callable[[str], Awaitable[bool]]) -> None:
        """Go on with what is kept; the store is open.

        Args:
            unseen: whether a notification is there and still unread.
        """
        await self.webhooks.start()
        await self.fallback.start(unseen)

    async def stop(self, grace: float) -> None:
        """End within `grace` seconds; what is still owed is told after the next start."""
        await self.fallback.stop()
        self._sender.close()
        await self.webhooks.stop(grace)

    def prepare(self, facts: Sequence[Announced]) -> Sequence[Document]:
        return [*self.webhooks.prepare(facts), *self.fallback.prepare(facts)]

    def stored(self, documents: Sequence[Document]) -> None:
        self.webhooks.stored(documents)
        self.fallback.stored(documents)


def _plans(settings: Settings) -> dict[str, Plan]:
    plans: dict[str, Plan] = {}
    for user, targets in settings.fallback_targets.items():
        try:
            user_channel(user)
            checked = check_targets([target.get_secret_value() for target in targets])
        except ConfigurationError:
            raise
        except HeadwayError as error:
            raise ConfigurationError(f"fallback_targets of {user} are not right: {error.message}") from None
        plans[user] = Plan(checked, settings.fallback_after)
    return plans


def _webhooks(store: Store, settings: Settings, clock: Callable[[], int], version: str) -> Webhooks:
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
