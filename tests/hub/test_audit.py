"""The audit: what a hub tells it, what stands in a line, and what it remembers."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from headway.buses.memory import MemoryBus
from headway.errors import Forbidden, HeadwayError, NotFound, StoreUnavailable, Unauthenticated
from headway.hub import audit as audits
from headway.hub.audit import Audit, audit_log
from headway.hub.hub import Hub
from headway.hub.wanted import Wanted
from headway.model import report as r
from headway.model.report import Batch
from tests.hub.world import ADA, BOB, SlowStore, TestLink, instant, unix_ms

_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "audited", "taskName"}


class Lines(logging.Handler):
    """Keeps what is said as (event, fields)."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[str, dict[str, Any]]] = []

    def emit(self, record: logging.LogRecord) -> None:
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        self.said.append((record.getMessage(), fields))

    def take(self) -> list[tuple[str, dict[str, Any]]]:
        said, self.said = self.said, []
        return said


@pytest.fixture
def lines() -> Any:
    handler = Lines()
    audit_log.addHandler(handler)
    audit_log.setLevel(logging.INFO)
    yield handler
    audit_log.removeHandler(handler)
    audit_log.setLevel(logging.NOTSET)


async def started(store: SlowStore | None = None) -> Hub:
    hub = Hub(store or SlowStore(), MemoryBus(), clock=unix_ms)
    await hub.start()
    return hub


def test_what_a_hub_tells(lines: Lines) -> None:
    @instant
    async def run() -> None:
        hub = await started()
        await hub.ingest(
            ADA,
            Batch(
                [
                    r.Create(task="t", title="secret title", start=True),
                    r.TickReport(task="t", percent=5, message="secret message"),
                    r.Log(task="t", lines=(r.LogLine("secret line"),)),
                    r.Create(task="t", title="again"),
                    r.Notify(id="n", title="secret title"),
                    r.Pause(task="t"),
                    r.Pause(task="t"),
                ]
            ),
        )
        assert lines.take() == [
            ("publish", {"user": "ada", "record": "task", "id": "t", "channel": "user:ada"}),
            ("publish", {"user": "ada", "record": "notification", "id": "n", "channel": "user:ada"}),
            ("pause", {"user": "ada", "channel": "user:ada", "task": "t"}),
        ]
        await hub.report(ADA, r.Cancel(task="t"))
        await hub.remove(ADA, "t")
        assert [event for event, _ in lines.take()] == ["cancel", "remove"]
        link = TestLink()
        follower = hub.follower(link, ADA)
        refused: list[HeadwayError] = []
        follower.subscribe(Wanted(1, b"1", channel="user:ada"), refused.append)
        follower.subscribe(Wanted(2, b"2", channel="user:bob"), refused.append)
        follower.subscribe(Wanted(3, b"3", task="none"), refused.append)
        await follower.opened()
        assert [type(error) for error in refused] == [Forbidden, NotFound]
        refuse = {"user": "ada", "action": "read"}
        assert lines.take() == [
            ("subscribe", {"user": "ada", "channel": "user:ada"}),
            ("refuse", {"code": 105, "channel": "user:bob", **refuse}),
            ("refuse", {"code": 104, "task": "none", **refuse}),
        ]
        follower.leave()
        assert (hub.audit.total.refusals, hub.audit.of("ada").refusals) == (2, 2)
        await hub.stop()

    run()


def test_a_batch_of_refusals_is_one_line_for_each(lines: Lines) -> None:
    @instant
    async def run() -> None:
        hub = await started()
        await hub.report(ADA, r.Create(task="t", title="T"))
        lines.take()
        await hub.ingest(BOB, Batch([r.Beat(task="t"), r.Cancel(task="t"), r.Beat(task="none")]))
        assert [(event, fields["action"], fields["task"]) for event, fields in lines.take()] == [
            ("refuse", "publish", "t"),
            ("refuse", "control", "t"),
            ("refuse", "publish", "none"),
        ]
        await hub.stop()

    run()


def test_nothing_is_told_of_what_could_not_be_written(lines: Lines) -> None:
    @instant
    async def run() -> None:
        store = SlowStore()
        hub = await started(store)
        store.failing = 1
        with pytest.raises(StoreUnavailable):
            await hub.report(ADA, r.Create(task="t", title="T"))
        assert lines.take() == []
        await hub.stop()

    run()


def test_what_a_client_took_for_a_name_is_left_out(lines: Lines) -> None:
    audit = Audit()
    audit.refused(NotFound(), user="ada", action="read", task="eyJ.a.secret", channel="user:\n")
    audit.refused(Unauthenticated("no good"), door="rest", address="")
    assert lines.take() == [
        ("refuse", {"code": 104, "user": "ada", "action": "read"}),
        ("refuse", {"code": 401, "door": "rest"}),
    ]


def test_each_event_has_its_fields(lines: Lines) -> None:
    audit = Audit()
    audit.connected("websocket", "192.0.2.1")
    audit.authenticated("ada", "websocket", "192.0.2.1", ["read", "cancel"])
    audit.renewed("ada", "websocket", "", 17.5)
    audit.shared("ada", "s1", channel=None, task="t", expires_at=None)
    audit.revoked("root", "share", "s1")
    assert lines.take() == [
        ("connect", {"door": "websocket", "address": "192.0.2.1"}),
        (
            "authenticate",
            {"user": "ada", "door": "websocket", "address": "192.0.2.1", "can": ["cancel", "read"]},
        ),
        ("renew", {"user": "ada", "door": "websocket", "expires_at": 17.5}),
        ("share", {"user": "ada", "share": "s1", "task": "t"}),
        ("revoke", {"user": "root", "what": "share", "which": "s1"}),
    ]


def test_counts_are_kept_without_lines(lines: Lines) -> None:
    audit = Audit(enabled=False)
    audit.connected("poll", "")
    audit.refused(Forbidden(), user="ada")
    assert lines.take() == []
    assert audit.of("ada").refusals == audit.total.refusals == 1


def test_users_are_remembered_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audits, "_REMEMBERED_USERS", 3)
    audit = Audit()
    for number in range(20):
        audit.of(f"passing-{number}").refusals = 1
    assert audit.of("passing-19").refusals == audit.of("passing-17").refusals == 1
    assert audit.of("passing-0").refusals == 0
