"""The rules of reading that are the same in every store: what finished means, how text matches, how pages continue.

Pure. It knows nothing of SQL.
"""

from __future__ import annotations

import re

from headway.errors import InvalidField
from headway.model.notification import Notification
from headway.model.task import TITLE_CHARS, Task
from headway.ports.store import NotificationQuery, TaskQuery

__all__ = ["MAX_LIMIT", "check_limit", "finished_at", "fold", "page_after", "page_next", "searchable"]

MAX_LIMIT = 200
MAX_SKIP = 2**31

_AFTER = re.compile(r"(-?[0-9]{1,16})\.([A-Za-z0-9_-]{1,64})\Z")
# Case folding makes at most three characters of one.
_LONGEST_TEXT = 3 * TITLE_CHARS


def finished_at(task: Task) -> int | None:
    """When a task finished, in Unix milliseconds; None exactly when its state is not terminal."""
    if not task.state.terminal:
        return None
    return task.updated_at if task.finished_at is None else task.finished_at


def fold(text: str) -> str:
    """The form in which case does not count."""
    return text.casefold()


def searchable(folded: str) -> bool:
    """Whether some title could contain this text. SQLite refuses to look for a very long one."""
    return len(folded) <= _LONGEST_TEXT


def check_limit(query: TaskQuery | NotificationQuery) -> int:
    """How many records a page has.

    Raises:
        InvalidField: not 1 to 200, or fewer than none are to be skipped.
    """
    if isinstance(query, NotificationQuery) and not 0 <= query.skip <= MAX_SKIP:
        raise InvalidField(f"skip is a number from 0 to {MAX_SKIP}", field="skip")
    if not 1 <= query.limit <= MAX_LIMIT:
        raise InvalidField(f"limit is a number from 1 to {MAX_LIMIT}", field="limit")
    return query.limit


def page_next(last: Task | Notification) -> str:
    """The `next` of a page that ends with this task."""
    return f"{last.created_at}.{last.id}"


def page_after(after: str) -> tuple[int, str]:
    """The creation (Unix milliseconds) and id that the next page follows.

    Raises:
        InvalidField: it is not the `next` of a page.
    """
    match = _AFTER.match(after)
    if match is None:
        raise InvalidField(
            "after is the `next` of the page before; leave it out for the first page", field="after"
        )
    return int(match[1]), match[2]
