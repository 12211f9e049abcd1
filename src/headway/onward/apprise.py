"""Sending through Apprise, which speaks mail, chat and push services by the dozen. The one place that imports it.

The addresses that it takes hold passwords, so nothing here ever repeats one, and what libraries say of them is not heard.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from headway.errors import InvalidField, MissingExtra
from headway.model.notification import Notification, Severity
from headway.onward.guard import held_to
from headway.onward.reach import Reach

__all__ = ["AppriseSender", "check_targets", "kinds"]

_THREADS = 2
_TARGETS = 10
_URL_CHARS = 1000
_TYPES = {
    Severity.INFO: "info",
    Severity.SUCCESS: "success",
    Severity.WARNING: "warning",
    Severity.ERROR: "failure",
}
# They tell of requests, and of their addresses, at levels that somebody may have switched on.
_TALKATIVE = ("apprise", "urllib3", "requests", "requests_oauthlib", "oauthlib")


def _load() -> Any:
    try:
        import apprise
    except ModuleNotFoundError as error:
        if error.name != "apprise":
            raise
        raise MissingExtra('Apprise is not installed: pip install "headway[apprise]"') from None
    # It asks for a module that Python 3.11 warns of and later ones do not have.
    warnings.filterwarnings("ignore", "'imghdr' is deprecated", DeprecationWarning)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return apprise


def check_targets(targets: Sequence[str]) -> tuple[str, ...]:
    """Return addresses that Apprise can send to.

    Raises:
        MissingExtra: it is not installed.
        InvalidField: there are none or too many, or one is none; said by its place and never by its text.
    """
    if not 1 <= len(targets) <= _TARGETS:
        raise InvalidField(f"There are 1 to {_TARGETS} targets", field="targets")
    apprise = _load()
    for place, target in enumerate(targets, 1):
        if len(target) > _URL_CHARS or apprise.Apprise.instantiate(target, asset=_asset(apprise)) is None:
            raise InvalidField(
                f"Target {place} is no address that Apprise understands (mailtos://…, tgram://…)",
                field="targets",
            )
    return tuple(targets)


def kinds(targets: Sequence[str]) -> tuple[str, ...]:
    """What kinds of services addresses lead to: all of them that may be shown."""
    return tuple(target.partition("://")[0].lower()[:20] for target in targets)


class AppriseSender:
    """Sends in threads of its own, since Apprise waits."""

    def __init__(self, timeout: float, networks: Sequence[str] = ()) -> None:
        """Send nothing yet.

        Args:
            timeout: seconds to wait for all targets of one message.
            networks: of one's own that may be reached.
        """
        self._timeout = timeout
        self._reach = Reach(networks)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="headway-apprise")

    async def send(self, targets: Sequence[str], notification: Notification) -> str | None:
        """Send a notification; returns what went wrong, in words."""
        running = asyncio.get_running_loop().run_in_executor(
            self._threads, _send, tuple(targets), notification, self._reach
        )
        try:
            return await asyncio.wait_for(asyncio.shield(running), self._timeout)
        except TimeoutError:
            # A thread cannot be stopped; Apprise's own limits end it, and there are few of them.
            return f"not sent within {self._timeout:g} s"

    def close(self) -> None:
        """Send nothing more. Idempotent."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _send(targets: tuple[str, ...], notification: Notification, reach: Reach) -> str | None:
    try:
        apprise = _load()
        sender = apprise.Apprise(asset=_asset(apprise))
        for target in targets:
            if not sender.add(target):
                return "a target is no address that Apprise understands"
        link = notification.link if (notification.link or "").startswith("http") else None
        body = "\n\n".join(part for part in (notification.content, link) if part)
        with held_to(reach) as refused:
            sent = sender.notify(
                title=notification.title if body else "",
                body=body or notification.title,
                notify_type=_TYPES[notification.severity],
                body_format=apprise.NotifyFormat.TEXT,
            )
    except MissingExtra as error:
        return error.message
    except Exception as error:  # noqa: BLE001 - whatever a service's plugin does; its text may hold the address
        return f"Apprise failed ({type(error).__name__})"
    if sent:
        return None
    return f"refused: {refused[0]}" if refused else "a service did not take it"


def _asset(apprise: Any) -> Any:
    return apprise.AppriseAsset(app_id="Headway", app_desc="Headway", secure_logging=True, async_mode=False)
