"""Every setting, once: flags, `HEADWAY_*` variables and a TOML file all end here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from headway.errors import ConfigurationError
from headway.onward.reach import check_network

__all__ = ["LOOPBACK", "Settings", "WebhookSetting", "load_settings"]

LOOPBACK = frozenset(("127.0.0.1", "localhost", "::1"))
_BASE_PATH = re.compile(r"(/[A-Za-z0-9_~.-]+)+\Z")
_LONG_SECRET = 32
_SHORT_SECRET = 8
_AGES = 100 * 365 * 86_400.0
"""For ever, as far as anybody is concerned, and still a time that a database can hold."""


class WebhookSetting(BaseModel):
    """A webhook's endpoint, as `[[webhooks]]` in the file says it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    url: str = Field(max_length=2000)
    secret: SecretStr
    events: tuple[str, ...] = ()
    channels: tuple[str, ...] = ("*",)


def _either(name: str) -> AliasChoices:
    """A setting that its contract names too."""
    return AliasChoices(name, f"headway_{name}", name.upper())


class Settings(BaseSettings):
    """Settings of a server. Flags win over variables, variables over the file, the file over these defaults."""

    model_config = SettingsConfigDict(
        env_prefix="HEADWAY_", extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False
    )

    host: str = Field(
        "127.0.0.1", description="Address to listen on. Any other than loopback needs a secret."
    )
    port: int = Field(8400, ge=0, le=65535, description="Port to listen on; 0 lets the system choose one.")
    data: Path = Field(
        Path(".headway"), description="Folder for the database and, in development, the secret."
    )
    secret: SecretStr | None = Field(
        None,
        description="Key that tokens are signed with (HS256). Without one, a random one is kept in the data folder.",
    )
    issuer: str | None = Field(
        None, description="What `iss` of a token must be; also what our own tokens say."
    )
    audience: str | None = Field(
        None,
        description="What `aud` of a token must name; also what our own tokens say. Set it where several servers share a "
        "secret or an issuer, so that a token of one is worth nothing at another.",
    )
    token_keys: str | None = Field(
        None,
        description="Public keys (PEM), or a file with them, of who else makes tokens: RSA for RS256, P-256 for ES256, "
        "Ed25519 for EdDSA.",
    )
    jwks_file: Path | None = Field(
        None, description="File with a JSON Web Key Set that tokens are verified with."
    )
    jwks_url: str | None = Field(
        None,
        description="Address of a JSON Web Key Set that tokens are verified with; https, or this machine's.",
    )
    jwks_refresh: float = Field(
        300.0, ge=1, le=86_400, description="Seconds after which the keys at that address are fetched anew."
    )
    jwks_cooldown: float = Field(
        30.0,
        ge=0.1,
        le=3600,
        description="Seconds between two fetches at least, however many tokens name a key that is not known.",
    )
    token_leeway: float = Field(
        0.0, ge=0, le=300, description="Seconds by which the clocks of who makes tokens may differ from ours."
    )
    claim_user: str = Field("sub", min_length=1, description="Claim of a token that names the user.")
    claim_channels: str = Field("channels", min_length=1, description="Claim that lists channels.")
    claim_tasks: str = Field("tasks", min_length=1, description="Claim that lists single tasks.")
    claim_can: str = Field(
        "can",
        min_length=1,
        description="Claim that lists abilities; `scope` and `scp` may be words in one text, `headway:read` too.",
    )
    expiring_before: float = Field(
        60.0, ge=0, le=3600, description="Seconds before a token's end at which its client is told."
    )
    expiry_grace: float = Field(
        5.0,
        ge=0,
        le=300,
        description="Seconds for which a connection may go on after that, waiting for a new token.",
    )
    query_tokens: bool | None = Field(
        None,
        description="Take tokens in addresses (`?token=`), where others may log them. By default only while nobody but "
        "this machine can reach the server.",
    )
    public_url: str | None = Field(
        None, description="Address that people reach the server by, when a proxy is in front."
    )
    base_path: str | None = Field(
        None,
        description="Path below which everything of Headway lives, `/headway` for one; it is `/headway` when another "
        "application is beside it.",
    )
    wsgi: str | None = Field(
        None,
        description="WSGI application (`module:name`, or `module:make()`) that gets every path that is not Headway's.",
    )
    asgi: str | None = Field(
        None, description="The same for an ASGI application; its WebSockets and its lifespan work too."
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Origins (comma separated) whose pages may use the login cookie, besides the server's own.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="How it is logged; auto means console on a terminal and JSON elsewhere."
    )
    lost_after: float = Field(
        30.0, ge=1, le=86_400, description="Seconds of silence until a running task is lost."
    )
    finished_tasks: int = Field(
        200,
        ge=0,
        le=10_000,
        description="Finished tasks in a channel's snapshot; older ones are read over REST.",
    )
    finished_age: float = Field(
        7 * 86_400.0, ge=0, le=_AGES, description="Seconds after which a finished task leaves the snapshot."
    )
    retention: float = Field(
        30 * 86_400.0, ge=0, le=_AGES, description="Seconds after which a finished task is removed for good."
    )
    notifications: int = Field(
        1000, ge=1, le=100_000, description="Notifications kept of each user or project; the oldest go first."
    )
    notification_retention: float = Field(
        90 * 86_400.0, ge=0, le=_AGES, description="Seconds after which a notification is removed for good."
    )
    log_lines: int = Field(10_000, ge=100, le=1_000_000, description="Lines kept of each task's log.")
    heartbeat: float = Field(25.0, ge=1, le=300, description="Seconds between heartbeats to a client.")
    auth_timeout: float = Field(
        10.0,
        ge=0.1,
        le=120,
        description="Seconds until a client must have sent its request, and then until it must have authenticated.",
    )
    write_deadline: float = Field(
        30.0, ge=0.5, le=600, description="Seconds after which a client that reads nothing is closed."
    )
    max_connections: int = Field(
        0, ge=0, description="Clients that follow something, at once; 0 means what descriptors allow."
    )
    max_connections_per_user: int = Field(
        0, ge=0, description="Connections of one user at once; 0 means any number."
    )
    connections_beyond: Literal["refuse-newest", "close-oldest"] = Field(
        "refuse-newest", description="What happens when a user comes with more than that."
    )
    max_lifetime: float = Field(
        0.0,
        ge=0,
        description="Seconds that a connection lasts, less up to a fifth by chance; 0 means for ever.",
    )
    compression: bool = Field(False, description="Compress WebSocket messages for clients that ask for it.")
    max_subscriptions: int = Field(200, ge=1, le=10_000, description="Subscriptions of one connection.")
    max_message_bytes: int = Field(
        65_536, ge=1024, le=16_777_216, description="Size of a client's WebSocket message."
    )
    max_body_bytes: int = Field(
        8_388_608, ge=1024, le=268_435_456, description="Size of the body of a REST request."
    )
    message_rate: float = Field(
        50.0, ge=1, le=10_000, description="Messages a second that a client may send, steadily."
    )
    message_burst: float = Field(
        200.0, ge=1, le=100_000, description="Messages that a client may send at once."
    )
    max_live_tasks: int = Field(
        50_000, ge=0, description="Unfinished tasks of one user, or in one project; 0 means any number."
    )
    connects_per_user: float = Field(
        200.0,
        ge=0,
        le=1e6,
        description="Connections a second that a user may open, steadily; ten times as many at once. 0 means any number, "
        "here and in the next five.",
    )
    connects_per_address: float = Field(200.0, ge=0, le=1e6, description="The same for an address.")
    requests_per_user: float = Field(
        200.0,
        ge=0,
        le=1e6,
        description="REST requests and polls a second of a user; ten times as many at once.",
    )
    requests_per_address: float = Field(
        2000.0, ge=0, le=1e6, description="The same for an address, reports among them."
    )
    batches_per_user: float = Field(
        1000.0, ge=0, le=1e6, description="Batches of reports a second of a user; ten times as many at once."
    )
    messages_per_user: float = Field(
        1000.0,
        ge=0,
        le=1e6,
        description="Messages a second of a user over all connections; ten times as many at once.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        ("127.0.0.1", "::1"),
        description="Addresses and networks (comma separated) of proxies, whose `X-Forwarded-For` is believed. What comes "
        "from such an address and says of nobody else is not limited.",
    )
    body_timeout: float = Field(
        60.0, ge=0.1, le=3600, description="Seconds in which the body of a request must have come."
    )
    audit: bool = Field(True, description="Log who did what: a line for each event (logger `headway.audit`).")
    dialect: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Contracts of older systems to speak (comma separated): `dedup`, `studio`, `voice`, `user-tasks`, "
        "`notifications`, each with a path of its own if need be (`studio=/studio`). Headway itself is then below "
        "`/headway`, unless `base_path` says otherwise.",
    )
    dialect_open: bool | None = Field(
        None,
        description="Let clients of `dedup` and `studio` in without a token, who then see everything. None: as long as "
        "the server has no secret of yours. A token is needed all the same by pages of other origins than "
        "`allowed_origins`, and where the host name that was asked for may be a stranger's (DNS rebinding): one with a dot that "
        "is no address, not that of an allowed origin, and not of one's own network (`jobs.internal`, `app.localhost`).",
    )
    ws_heartbeat_interval: float = Field(
        30.0,
        ge=0.1,
        le=3600,
        validation_alias=_either("ws_heartbeat_interval"),
        description="Seconds between heartbeats of the dialect `notifications`; `WS_HEARTBEAT_INTERVAL` counts too.",
    )
    ws_max_connections_per_user: int = Field(
        3,
        ge=0,
        validation_alias=_either("ws_max_connections_per_user"),
        description="Connections of a user to the inbox of the dialect `notifications`, 0 for any number; "
        "`WS_MAX_CONNECTIONS_PER_USER` counts too.",
    )
    recovery_seconds: float = Field(
        7200.0,
        ge=0,
        le=7 * 86_400,
        description="Seconds for which a Socket.IO client may be away and find its subscriptions again; 0 for never.",
    )
    drain_seconds: float = Field(
        10.0, ge=0, le=300, description="Seconds that a stopping server waits for requests to end."
    )
    drain_spread: float = Field(
        5.0, ge=0, le=300, description="Seconds over which clients are told to spread their reconnection."
    )
    shares_per_user: int = Field(
        100, ge=0, le=10_000, description="Share links that a user may have at once; 0 for none at all."
    )
    webhooks: tuple[WebhookSetting, ...] = Field(
        (), description="Endpoints that are told of ends of tasks and of notifications."
    )
    webhook_networks: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Networks of one's own (comma separated, `10.0.0.0/8` or single addresses) that webhooks may reach, "
        "by plain http too, and fallbacks.",
    )
    webhook_timeout: float = Field(15.0, ge=1, le=60, description="Seconds for one attempt of a webhook.")
    webhook_give_up: float = Field(
        86_400.0, ge=0, le=7 * 86_400.0, description="Seconds after which a webhook's message is given up."
    )
    webhook_history: float = Field(
        3 * 86_400.0,
        ge=0,
        le=30 * 86_400.0,
        description="Seconds for which webhooks' messages and attempts can be looked at after that.",
    )
    fallback_targets: dict[str, tuple[SecretStr, ...]] = Field(
        {},
        description="Addresses of Apprise, by user, that are told of a notification which stayed unread. They are "
        "secrets. Needs the extra `apprise`.",
    )
    fallback_after: float = Field(
        900.0, ge=1, le=30 * 86_400.0, description="Seconds for which it must have stayed unread."
    )
    fallback_timeout: float = Field(
        30.0, ge=1, le=300, description="Seconds for telling all addresses of one user."
    )
    sqlite_synchronous: Literal["normal", "full"] = Field(
        "normal", description="`normal` survives a kill of the process, `full` a loss of power too."
    )

    @field_validator("allowed_origins", "dialect", "trusted_proxies", "webhook_networks", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("trusted_proxies", "webhook_networks")
    @classmethod
    def _check_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(check_network(network) for network in value)

    @field_validator("base_path")
    @classmethod
    def _check_base_path(cls, value: str | None) -> str | None:
        value = (value or "").rstrip("/")
        if value and not _BASE_PATH.match(value):
            raise ValueError("a path looks like /headway")
        return value or None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def has_keys(self) -> bool:
        """Whether tokens of somebody else count."""
        return any((self.token_keys, self.jwks_file, self.jwks_url))

    @property
    def loopback(self) -> bool:
        return self.host in LOOPBACK


def load_settings(config: Path | None = None, **flags: Any) -> Settings:
    """Read the settings.

    Args:
        config: a TOML file; `headway.toml` in the working directory when None, if there is one.
        flags: what was given on the command line; None means not given.

    Raises:
        ConfigurationError: a setting is unknown or wrong; the message names it and never its value.
    """
    if config is not None and not config.is_file():
        raise ConfigurationError(f"There is no settings file {config}")
    given = {name: value for name, value in flags.items() if value is not None}

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=config or Path("headway.toml"))

    try:
        settings = FromFile(**given)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise ConfigurationError(f"The settings are not right: {problems}") from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The settings file cannot be read: {error}") from None
    _check_secret(settings)
    return settings


def _check_secret(settings: Settings) -> None:
    if settings.secret is None:
        if not settings.loopback and not settings.has_keys:
            raise ConfigurationError(
                f"Listening on {settings.host} needs a secret of your own: set HEADWAY_SECRET to at least "
                f"{_LONG_SECRET} random characters (python -c 'import secrets; print(secrets.token_urlsafe(32))')"
            )
        return
    least = _SHORT_SECRET if settings.loopback else _LONG_SECRET
    if len(settings.secret.get_secret_value()) < least:
        raise ConfigurationError(
            f"HEADWAY_SECRET is too short: it needs at least {least} random characters here"
        )
