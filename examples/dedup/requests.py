"""What a caller may ask for, checked. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["DEFAULT_THRESHOLD", "STATES", "Invalid", "Page", "Plan", "read_page", "read_plan"]

STATES = {
    "pending": "queued",
    "running": "running,lost",
    "paused": "paused",
    "completed": "succeeded",
    "error": "failed",
    "cancelled": "cancelled",
}
"""For each status the states that are one, as Headway's list takes them."""

DEFAULT_THRESHOLD = 0.8
_TYPES = ("full", "incremental", "custom")
_PAGE_SIZE = 20
_MOST_PAGE_SIZE = 100
_MOST_GROUPS = 50
_NAME_CHARS = 200
_LABELS = {"type", "subject", "channel"}


class Invalid(Exception):
    """A parameter is not right; the message says which."""


class Plan(NamedTuple):
    """A task to create."""

    name: str
    config: dict[str, Any]
    analysis_type: str


class Page(NamedTuple):
    """A page of tasks; `states` as Headway's list takes them, or None for all."""

    page: int
    page_size: int
    states: str | None


def read_plan(body: Any) -> Plan:
    """The task that a body asks for; `None` for no body.

    Raises:
        Invalid: a field has the wrong type or value.
    """
    body = {} if body is None else body
    if not isinstance(body, dict):
        raise Invalid("The body is not a JSON object")
    name = body.get("task_name") or "Question de-duplication"
    if not isinstance(name, str) or len(name) > _NAME_CHARS:
        raise Invalid(f"task_name is a text of at most {_NAME_CHARS} signs")
    analysis = body.get("analysis_type") or "full"
    if analysis not in _TYPES:
        raise Invalid(f"analysis_type is one of {', '.join(_TYPES)}")
    config = body.get("config")
    config = {} if config is None else config
    if not isinstance(config, dict) or not config.keys() <= {"similarity_threshold", "groups"}:
        raise Invalid("config is an object with similarity_threshold, and groups for a custom analysis")
    threshold = config.get("similarity_threshold", DEFAULT_THRESHOLD)
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float)):
        raise Invalid("similarity_threshold is a number")
    if not 0 < threshold <= 1:
        raise Invalid("similarity_threshold is above 0 and at most 1")
    made: dict[str, Any] = {"similarity_threshold": threshold}
    if "groups" in config:
        made["groups"] = _groups(config["groups"])
    return Plan(name.strip() or "Question de-duplication", made, analysis)


def read_page(query: dict[str, str]) -> Page:
    """The page that a query asks for; a page_size outside 1 to 100 becomes 20.

    Raises:
        Invalid: there is no such status.
    """
    page = _number(query.get("page"), 1)
    size = _number(query.get("page_size"), _PAGE_SIZE)
    status = query.get("status") or None
    if status is not None and status not in STATES:
        raise Invalid(f"status is one of {', '.join(STATES)}")
    return Page(
        max(page, 1), size if 1 <= size <= _MOST_PAGE_SIZE else _PAGE_SIZE, STATES[status] if status else None
    )


def _groups(given: Any) -> list[dict[str, str]]:
    fine = (
        isinstance(given, list)
        and len(given) <= _MOST_GROUPS
        and all(
            isinstance(group, dict)
            and group
            and group.keys() <= _LABELS
            and all(isinstance(value, str) and len(value) <= 40 for value in group.values())
            for group in given
        )
    )
    if not fine:
        raise Invalid(f"groups is a list of at most {_MOST_GROUPS} objects with type, subject or channel")
    return list(given)


def _number(text: str | None, default: int) -> int:
    try:
        return int(text or "")
    except ValueError:
        return default
