"""What the settings allow, as the rooms below take it: who, how much, how often and how long."""

from __future__ import annotations

from headway.hub.hub import HubSettings
from headway.hub.log import Bounds
from headway.hub.upkeep import Retention
from headway.server.settings import Settings
from headway.transports.credentials import LOOPBACK_ORIGINS
from headway.transports.rates import Limits
from headway.wire.engineio_limits import EngineLimits
from headway.wire.session import SessionLimits
from headway.wire.socketio import SocketLimits
from headway.wire.socketio_packets import SocketPacketLimits
from headway.wire.socketio_positions import OFFSET_CHARS

__all__ = [
    "engine_limits",
    "hub_settings",
    "origins",
    "private",
    "rate_limits",
    "session_limits",
    "socket_limits",
]

_HOT_NOTIFICATIONS = 1000


def private(settings: Settings) -> bool:
    """Whether only people of this machine can reach the server; behind a proxy the address says nothing of that."""
    return settings.loopback and settings.public_url is None


def origins(settings: Settings) -> frozenset[str]:
    """Whose pages may use the cookie."""
    allowed = set(settings.allowed_origins)
    if settings.public_url:
        allowed.add(settings.public_url.rstrip("/"))
    if private(settings):
        # In development the page with the one tag is served by another port of this machine.
        allowed.add(LOOPBACK_ORIGINS)
    return frozenset(allowed)


def rate_limits(settings: Settings) -> Limits:
    """How often users and addresses may come and ask."""
    return Limits(
        connects_per_user=settings.connects_per_user,
        connects_per_address=settings.connects_per_address,
        requests_per_user=settings.requests_per_user,
        requests_per_address=settings.requests_per_address,
        batches_per_user=settings.batches_per_user,
        messages_per_user=settings.messages_per_user,
    )


def hub_settings(settings: Settings) -> HubSettings:
    """What the hub keeps, and for how long."""
    return HubSettings(
        lost_after=settings.lost_after,
        max_subscriptions=settings.max_subscriptions,
        max_live_tasks=settings.max_live_tasks,
        bounds=Bounds(finished=settings.finished_tasks, hot=_HOT_NOTIFICATIONS, age=settings.finished_age),
        retention=Retention(
            tasks=settings.retention,
            notifications=settings.notifications,
            notification_age=settings.notification_retention,
            log_lines=settings.log_lines,
        ),
    )


def session_limits(settings: Settings) -> SessionLimits:
    """What one connection may say, and how long it lasts."""
    return SessionLimits(
        auth_timeout=settings.auth_timeout,
        heartbeat=settings.heartbeat,
        message_rate=settings.message_rate,
        message_burst=settings.message_burst,
        expiring_before=settings.expiring_before,
        grace=settings.expiry_grace,
    )


def engine_limits(settings: Settings) -> EngineLimits:
    """The same for what carries Socket.IO."""
    return EngineLimits(ping_interval=settings.heartbeat, max_payload=settings.max_message_bytes)


def socket_limits(settings: Settings) -> SocketLimits:
    """The same for Socket.IO itself."""
    return SocketLimits(
        packet=SocketPacketLimits(max_bytes=settings.max_message_bytes),
        connect_timeout=settings.auth_timeout,
        max_recovery=OFFSET_CHARS,
    )
