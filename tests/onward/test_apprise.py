"""Sending through Apprise, to a real receiver; and that nothing ever repeats an address."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from headway.errors import InvalidField
from headway.model.notification import Notification, NotificationStatus, Severity
from headway.onward.apprise import AppriseSender, check_targets, kinds
from tests.onward.receiver import Receiver

NOTE = Notification(
    "n", "user:ada", 1, "Report <b>ready</b>", NotificationStatus.UNREAD, 0, 0, content="4 pages\n\tall good",
    severity=Severity.ERROR, link="https://example.com/r/7",
)  # fmt: skip


HERE = ("127.0.0.0/8",)


def target(receiver: Receiver, path: str = "hook") -> str:
    return f"json://user:hidden-word@127.0.0.1:{receiver.port}/{path}"


async def test_a_notification_arrives(receiver: Receiver) -> None:
    sender = AppriseSender(20, HERE)
    assert await sender.send((target(receiver), target(receiver, "second")), NOTE) is None
    sender.close()
    assert [got.path.rstrip("/") for got in receiver.got] == ["/hook", "/second"]
    said = receiver.got[0].json
    assert (said["title"], said["type"]) == ("Report <b>ready</b>", "failure")
    assert said["message"].startswith("4 pages")
    assert said["message"].endswith("https://example.com/r/7")


async def test_without_content_the_title_is_what_is_said(receiver: Receiver) -> None:
    sender = AppriseSender(20, HERE)
    note = Notification("n", "user:ada", 1, "Ready", NotificationStatus.UNREAD, 0, 0, link="/only/here")
    assert await sender.send((target(receiver),), note) is None
    sender.close()
    assert (receiver.got[0].json["title"], receiver.got[0].json["message"]) == ("", "Ready")


async def test_a_failure_is_said_without_the_address(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.answers = [(500, {})]
    sender = AppriseSender(20, HERE)
    assert await sender.send((target(receiver),), NOTE) == "a service did not take it"
    assert await sender.send(("nothing://hidden-word",), NOTE) == (
        "a target is no address that Apprise understands"
    )
    sender.close()
    assert "hidden-word" not in caplog.text
    assert str(receiver.port) not in caplog.text


async def test_an_address_of_ones_own_network_is_refused_unless_it_is_allowed(receiver: Receiver) -> None:
    sender = AppriseSender(20)
    refused = "refused: 127.0.0.1 is this machine itself; an operator can allow it in webhook_networks"
    assert await sender.send((target(receiver),), NOTE) == refused
    assert await sender.send((f"mailto://a:b@localhost:{receiver.port}?to=x@y.example",), NOTE) == refused
    sender.close()
    assert receiver.got == []


async def test_a_redirect_does_not_lead_where_one_may_not_go(receiver: Receiver) -> None:
    # Allowed is the one address, and this machine has many.
    receiver.answers = [(307, {"Location": f"http://127.0.0.2:{receiver.port}/inside"})]
    sender = AppriseSender(20, ("127.0.0.1",))
    assert (await sender.send((target(receiver),), NOTE) or "").startswith("refused: 127.0.0.2")
    sender.close()
    assert len(receiver.got) == 1


async def test_one_that_does_not_answer_is_not_waited_for(receiver: Receiver) -> None:
    receiver.gate.clear()
    sender = AppriseSender(0.2, HERE)
    assert await sender.send((target(receiver),), NOTE) == "not sent within 0.2 s"
    receiver.gate.set()
    sender.close()


def test_addresses_are_checked_and_said_by_their_place() -> None:
    good = "json://127.0.0.1/hidden-word"
    assert check_targets([good]) == (good,)
    assert kinds([good, "mailtos://a:b@c.d"]) == ("json", "mailtos")
    for targets in ([], [good] * 11, [good, "hidden-word"], [good, "https://" + "x" * 2000]):
        with pytest.raises(InvalidField) as refused:
            check_targets(targets)
        assert "hidden-word" not in refused.value.message
    with pytest.raises(InvalidField, match="Target 2 is no address"):
        check_targets([good, "hidden-word"])


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    code = """
import sys
sys.modules["apprise"] = None
import importlib.abc
class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "apprise":
            raise ModuleNotFoundError("No module named 'apprise'", name="apprise")
del sys.modules["apprise"]
sys.meta_path.insert(0, Missing())
from headway.onward.apprise import check_targets
from headway.errors import MissingExtra
try:
    check_targets(["json://localhost"])
except MissingExtra as error:
    print(error.message)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ended.stdout == 'Apprise is not installed: pip install "headway[apprise]"\n'
