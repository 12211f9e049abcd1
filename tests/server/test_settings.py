"""Settings: every one from every source, which source wins, and what is refused."""

from __future__ import annotations

import json
import os
import traceback
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from annotated_types import Ge, Le
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from headway.errors import ConfigurationError
from headway.server.settings import Settings, load_settings

SECRET = "correct horse battery staple, and then some"
STRUCTURED = {"webhooks", "fallback_targets"}
"""Those that are no single value; they have a test of their own."""
NAMES = sorted(Settings.model_fields.keys() - STRUCTURED)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of whoever runs the tests."""
    for name in os.environ:
        if name.startswith("HEADWAY_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def sample(name: str, field: FieldInfo) -> Any:
    """A value that is allowed and is not the default, as JSON."""
    if name == "host":
        return "localhost"
    if name == "secret":
        return SECRET
    if name in {"trusted_proxies", "webhook_networks"}:
        return "10.0.0.0/8,192.0.2.7"
    kinds = [kind for kind in get_args(field.annotation) if kind is not type(None)] or [field.annotation]
    kind: Any = field.annotation if get_origin(field.annotation) in {Literal, tuple} else kinds[0]
    if get_origin(kind) is Literal:
        return next(choice for choice in get_args(kind) if choice != field.default)
    if get_origin(kind) is tuple:
        return "https://a.example,https://b.example"
    if kind is bool:
        return not field.default
    if kind in {int, float}:
        bounds: list[Any] = [bound.ge for bound in field.metadata if isinstance(bound, Ge)]
        bounds += [bound.le for bound in field.metadata if isinstance(bound, Le)]
        return next(value for value in (*bounds, 7) if value != field.default)
    return "/sample"


def plain(value: Any) -> Any:
    """A setting as JSON."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value) if isinstance(value, Path) else value


@pytest.mark.parametrize("name", NAMES)
def test_each_setting_comes_from_each_source(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value = sample(name, Settings.model_fields[name])
    assert plain(getattr(load_settings(), name)) != value
    assert plain(getattr(load_settings(None, **{name: value}), name)) == value
    Path("headway.toml").write_text(f"{name} = {json.dumps(value)}\n")
    assert plain(getattr(load_settings(), name)) == value
    Path("headway.toml").unlink()
    monkeypatch.setenv(f"HEADWAY_{name.upper()}", value if isinstance(value, str) else json.dumps(value))
    assert plain(getattr(load_settings(), name)) == value


def test_settings_with_parts_come_from_the_file_and_from_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("headway.toml").write_text(
        '[[webhooks]]\nname = "audit"\nurl = "https://a.example"\nsecret = "whsec_YQ=="\n'
        '[fallback_targets]\nada = ["mailto://ada@example.com"]\n'
    )

    def check() -> None:
        settings = load_settings()
        assert [(one.name, one.url) for one in settings.webhooks] == [("audit", "https://a.example")]
        (target,) = settings.fallback_targets["ada"]
        assert target.get_secret_value() == "mailto://ada@example.com"
        assert "ada@example.com" not in repr(settings)

    check()
    Path("headway.toml").unlink()
    hook = {"name": "audit", "url": "https://a.example", "secret": "whsec_YQ=="}
    monkeypatch.setenv("HEADWAY_WEBHOOKS", json.dumps([hook]))
    monkeypatch.setenv("HEADWAY_FALLBACK_TARGETS", json.dumps({"ada": ["mailto://ada@example.com"]}))
    check()


def test_flags_win_over_variables_and_those_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("headway.toml").write_text("port = 1\nheartbeat = 1.5\nlost_after = 3\n")
    Path("other.toml").write_text("port = 4\n")
    monkeypatch.setenv("HEADWAY_PORT", "2")
    monkeypatch.setenv("HEADWAY_HEARTBEAT", "2.5")
    settings = load_settings(None, port=3, heartbeat=None)
    assert (settings.port, settings.heartbeat, settings.lost_after) == (3, 2.5, 3)
    monkeypatch.delenv("HEADWAY_PORT")
    other = load_settings(Path("other.toml"))
    assert (other.port, other.lost_after) == (4, 30)


def refusal(config: str | None = None, **flags: Any) -> str:
    """Why these settings are refused, without any secret in it."""
    if config is not None:
        Path("headway.toml").write_text(config)
    with pytest.raises(ConfigurationError) as refused:
        load_settings(None, **flags)
    message = refused.value.message
    assert SECRET not in message
    assert SECRET not in "".join(traceback.format_exception(refused.value))
    return message


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("prot = 8400\n", "prot: Extra inputs are not permitted"),
        (f'secrett = "{SECRET}"\n', "secrett: Extra inputs are not permitted"),
        (f'[secret]\nvalue = "{SECRET}"\n', "secret: "),
        (f'secret = ["{SECRET}"]\n', "secret: "),
        ("secret = 12345678901234567890\n", "secret: "),
        (f'port = "{SECRET}"\n', "port: "),
        ("port = 65536\n", "port: "),
        ("port = -1\n", "port: "),
        ("heartbeat = nan\n", "heartbeat: "),
        ("retention = inf\n", "retention: "),
        ("retention = 1e300\n", "retention: "),
        ("finished_age = -1\n", "finished_age: "),
        ("finished_age = inf\n", "finished_age: "),
        ('log_level = "loud"\n', "log_level: "),
        (f'secret = "{SECRET}\n', "The settings file cannot be read"),
        (f'secret = "{SECRET}"\nsecret = "{SECRET}"\n', "The settings file cannot be read"),
        ("\xff", "The settings file cannot be read"),
    ],
)
def test_a_wrong_file_is_refused_by_name(config: str, said: str) -> None:
    if config == "\xff":
        Path("headway.toml").write_bytes(b"\xff")
        assert said in refusal()
    else:
        assert said in refusal(config)


def test_an_unknown_flag_is_refused() -> None:
    assert "colour: Extra inputs are not permitted" in refusal(colour="red")


def test_a_wrong_variable_is_refused_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_PORT", SECRET)
    assert "port: " in refusal()


def test_variables_of_workers_do_not_disturb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_URL", "http://127.0.0.1:8400")
    monkeypatch.setenv("HEADWAY_TOKEN", "x")
    assert load_settings().port == 8400


def test_a_file_that_is_named_must_exist() -> None:
    with pytest.raises(ConfigurationError, match=r"There is no settings file nowhere\.toml"):
        load_settings(Path("nowhere.toml"))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", "127.0.0.1.example.org"])
def test_other_addresses_need_a_long_secret(host: str) -> None:
    assert "set HEADWAY_SECRET" in refusal(host=host)
    assert "at least 32" in refusal(host=host, secret="x" * 31)
    assert load_settings(None, host=host, secret="x" * 32).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_needs_none_and_takes_a_short_one(host: str) -> None:
    assert load_settings(None, host=host).secret is None
    assert "too short" in refusal(host=host, secret="1234567")
    assert "too short" in refusal(host=host, secret="")
    assert load_settings(None, host=host, secret="12345678").secret is not None


def test_a_secret_is_never_shown() -> None:
    settings = load_settings(None, secret=SECRET)
    for shown in (
        repr(settings),
        str(settings),
        f"{settings.secret}",
        str(settings.model_dump()),
        settings.model_dump_json(),
    ):
        assert SECRET not in shown
