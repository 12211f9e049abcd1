"""`headway watch`: follow a task in the terminal until it is finished."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Annotated, Any

import urllib3
from cyclopts import Parameter

from headway.cli.conversation import Away, Message, Refused, find_server, talk
from headway.cli.screens import Screen, make_screen
from headway.cli.view import View, read_task
from headway.errors import HeadwayError, NotFound
from headway.model.task import UNFINISHED, TaskState
from headway.worker.discovery import Target

__all__ = ["watch"]

_EXIT_CODES = {TaskState.SUCCEEDED: 0, TaskState.FAILED: 1, TaskState.CANCELLED: 3}
_SECONDS = 10.0
_MOST_LINES = 1000


def watch(
    task: Annotated[str | None, Parameter(help="Its id; the newest unfinished task when left out.")] = None,
    /,
    *,
    url: Annotated[
        str | None, Parameter(help="Of the server; HEADWAY_URL or the one on this machine when left out.")
    ] = None,
    token: Annotated[str | None, Parameter(help="HEADWAY_TOKEN when left out.")] = None,
    log: Annotated[bool, Parameter(help="Show its log too.", negative=())] = False,
    wait: Annotated[
        bool, Parameter(help="When no task is unfinished, wait for the next one.", negative=())
    ] = False,
) -> int:
    """Follow a task in the terminal until it is finished.

    Exit code: 0 succeeded, 1 failed, 3 cancelled, 2 when it cannot be followed. Ctrl-C (130) leaves the task alone.
    """

    def where() -> Target:
        return find_server(url, token)

    chosen = task or _newest(where())
    with make_screen() as screen:
        if chosen is None:
            if not wait:
                raise HeadwayError("No task is unfinished; headway watch --wait waits for the next one")
            chosen = _next(where, screen)
        try:
            return _follow(where, View(chosen, log=log), screen)
        except NotFound:
            raise Refused(f"There is no task {chosen!r}, or this token may not see it") from None


def _follow(where: Callable[[], Target], view: View, screen: Screen) -> int:
    heard_at: float | None = None
    with closing(talk(where, lambda _welcome: [view.wanted()])) as messages:
        for message in messages:
            if isinstance(message, Away):
                screen.away(message.reason, heard_at)
                continue
            heard_at = time.time()
            screen.log(view.take(message, int(heard_at * 1000)))
            if view.removed:
                raise HeadwayError(f"Task {view.id} was removed")
            if view.task is not None and view.task.state.terminal:
                # The last lines of its log may still be on their way.
                screen.log(_rest(where(), view))
                screen.changed(view)
                return _EXIT_CODES[view.task.state]
            screen.changed(view)
    raise HeadwayError("The server has nothing more to say")


def _next(where: Callable[[], Target], screen: Screen) -> str:
    """The id of the next task that is unfinished, in any channel that the token names."""

    def wanted(welcome: Message) -> list[Message]:
        channels = [name for name in welcome["channels"] if not name.endswith("*")]
        return [{"type": "subscribe", "id": number, "channel": name} for number, name in enumerate(channels)]

    heard_at: float | None = None
    with closing(talk(where, wanted)) as messages:
        for message in messages:
            if isinstance(message, Away):
                screen.away(message.reason, heard_at)
                continue
            heard_at = time.time()
            records = [*message.get("tasks", ()), *([message["task"]] if "task" in message else ())]
            tasks = [read_task(record) for record in records if isinstance(record, dict)]
            unfinished = [found for found in tasks if found.state in UNFINISHED]
            if unfinished:
                return max(unfinished, key=lambda found: found.created_at).id
    raise HeadwayError("The server has nothing more to say")


def _newest(target: Target) -> str | None:
    states = ",".join(state for state in TaskState if state in UNFINISHED)
    tasks = _get(target, "/api/tasks", {"state": states, "limit": "1"})["tasks"]
    return str(tasks[0]["id"]) if tasks else None


def _rest(target: Target, view: View) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    while view.next_line is not None:
        page = _get(
            target, f"/api/tasks/{view.id}/log", {"offset": str(view.next_line), "limit": str(_MOST_LINES)}
        )
        lines += page["entries"]
        view.next_line = page["next"] if page["entries"] else None
    return lines


def _get(target: Target, path: str, fields: dict[str, str]) -> Any:
    try:
        answer = urllib3.request(
            "GET",
            target.url.rstrip("/") + path,
            fields=fields,
            headers={"Authorization": f"Bearer {target.token}"},
            timeout=_SECONDS,
            retries=False,
        )
    except urllib3.exceptions.HTTPError as error:
        raise HeadwayError(f"No Headway answers at {target.url} ({error})") from None
    if answer.status in (401, 403):
        raise Refused(
            f"{target.url} does not take this token: get a new one with headway token --user NAME, "
            "and give it with --token or HEADWAY_TOKEN"
        )
    if answer.status != 200:
        raise HeadwayError(f"What answers at {target.url} is no Headway, or not well (HTTP {answer.status})")
    return answer.json()
