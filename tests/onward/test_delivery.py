"""What is sent, and how it is kept."""

from __future__ import annotations

import json

import msgspec
import pytest

from headway.model.notification import Notification, NotificationStatus
from headway.model.progress import START
from headway.model.task import Task, TaskState
from headway.onward.delivery import (
    Attempt,
    Delivery,
    attempt_document,
    message_body,
    message_document,
    ping_body,
)

NOW = 1_767_225_600_123
STAMP = "2026-01-01T00:00:00.123Z"


def task(state: TaskState) -> Task:
    return Task("t", "user:ada", 7, "Import", "", state, 1, START, NOW, NOW)


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_the_end_of_a_task_says_which_and_has_the_task_as_it_was(state: str) -> None:
    body = json.loads(message_body(task(TaskState(state)), NOW))
    assert list(body) == ["type", "timestamp", "data"]
    assert (body["type"], body["timestamp"]) == (f"task.{state}", STAMP)
    assert body["data"] == json.loads(msgspec.json.encode(task(TaskState(state))))


def test_a_notification_and_a_test_have_the_same_form() -> None:
    note = Notification("n", "user:ada", 8, "Ready", NotificationStatus.UNREAD, NOW, NOW)
    body = json.loads(message_body(note, NOW))
    assert (body["type"], body["data"]["title"]) == ("notification.created", "Ready")
    assert json.loads(ping_body("w", NOW)) == {"type": "ping", "timestamp": STAMP, "data": {"webhook": "w"}}


def test_the_log_sorts_the_newest_first() -> None:
    lines = [
        attempt_document("w", Attempt("msg_1", "ping", number, "delivered", at, 5), at + 1)
        for number, at in ((1, NOW), (2, NOW + 1), (1, NOW + 10**9))
    ]
    assert sorted(lines, key=lambda line: line.id) == lines[::-1]
    assert {line.owner for line in lines} == {"w"}


def test_what_is_owed_is_read_as_it_was_kept() -> None:
    delivery = Delivery("msg_1.w", "msg_1", "w", "ping", NOW, NOW + 5, 3)
    document = delivery.document()
    assert (document.id, document.owner, document.expires_at) == ("msg_1.w", "w", None)
    assert msgspec.json.decode(document.data, type=Delivery) == delivery
    body = ping_body("w", NOW)
    assert message_document("msg_1", body, NOW).data.encode() == body
