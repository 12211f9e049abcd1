"""Turns whatever a job passes into values that the wire contract takes (`spec/wire.md` §7). Pure.

A job must never fail because of its progress bar: nothing here raises. What cannot be used is left out or cut, and
a sentence about it is added to the caller's list of complaints.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import msgspec

from headway.errors import InvalidField
from headway.model.ids import ID_CHARS, check_id
from headway.model.notification import LINK_CHARS, check_link
from headway.model.progress import MAX_AMOUNT, MAX_STEPS, NAME_CHARS, Amount, StepPlan
from headway.model.task import Telling
from headway.model.telling import as_telling

__all__ = [
    "Complaints",
    "amount",
    "identifier",
    "json_object",
    "json_value",
    "link",
    "percent",
    "plan",
    "tags",
    "text",
]

Complaints = list[str]


def amount(value: Any, field: str, complaints: Complaints) -> Amount | None:
    """A number from 0 to 2**53 - 1, or None; numbers of numpy, decimal and the like become plain ones."""
    if value is None:
        return None
    plain: Amount | None
    try:
        plain = operator.index(value) if hasattr(value, "__index__") else float(value)
    except Exception:  # noqa: BLE001 - a foreign number may raise anything
        plain = None
    if plain is None or isinstance(value, bool | str | bytes):
        complaints.append(f"{field} must be a number, not {_shown(value)}")
        return None
    if not 0 <= plain <= MAX_AMOUNT:
        complaints.append(f"{field} must be a number from 0 to 2**53 - 1, not {_shown(value)}")
        return None
    return plain


def percent(value: Any, complaints: Complaints) -> float | None:
    """A number from 0 to 100 with two decimals, as servers keep it, so that repeating one is not a step back."""
    number = amount(value, "percent", complaints)
    return None if number is None else round(min(float(number), 100.0), 2)


def text(value: Any, limit: int, default: str = "") -> str:
    """Text of at most `limit` characters; what is longer ends in an ellipsis."""
    if value is None:
        return default
    try:
        words = str(value)
    except Exception:  # noqa: BLE001 - a foreign __str__ may raise anything
        words = f"<{type(value).__name__}>"
    if not words.isascii():
        # A lone surrogate (from a file name) cannot be sent as UTF-8.
        words = words.encode("utf-8", "replace").decode("utf-8")
    return words if len(words) <= limit else words[: limit - 1] + "…"


def json_value(value: Any, field: str, limit: int, complaints: Complaints) -> Any:
    """A copy of `value` made of plain JSON values, or None when it has more than `limit` bytes.

    What JSON lacks becomes its `item()` (numpy's scalars) or its text.
    """
    try:
        encoded = msgspec.json.encode(value, enc_hook=_plain)
    except Exception as error:  # noqa: BLE001 - foreign objects may raise anything
        complaints.append(f"{field} cannot be written as JSON: {text(error, 200)}")
        return None
    if len(encoded) > limit:
        complaints.append(f"{field} has {len(encoded)} bytes as JSON and at most {limit} are taken")
        return None
    # The copy is what later changes by the job cannot reach while another thread encodes it.
    return msgspec.json.decode(encoded)


def json_object(value: Any, field: str, limit: int, complaints: Complaints) -> dict[str, Any] | None:
    """Like `json_value`, for an object."""
    if value is None:
        return None
    plain = json_value(value, field, limit, complaints)
    if plain is not None and not isinstance(plain, dict):
        complaints.append(f"{field} must be a dict, not {_shown(value)}")
        return None
    return plain


def identifier(value: Any, field: str, complaints: Complaints) -> str | None:
    """A well-formed id, or None."""
    if value is None:
        return None
    try:
        return check_id(text(value, ID_CHARS + 1), field)
    except InvalidField as error:
        complaints.append(f"{field} {_shown(value)} was not used: {error.message}")
        return None


def link(value: Any, complaints: Complaints) -> str | None:
    """An address that a reader may be sent to, or None."""
    if value is None:
        return None
    try:
        return check_link(text(value, LINK_CHARS + 1))
    except InvalidField as error:
        complaints.append(f"link {_shown(value)} was not used: {error.message}")
        return None


def telling(value: Any, complaints: Complaints) -> str | None:
    """When people are told that a task is over."""
    try:
        return as_telling(value)
    except Exception:  # noqa: BLE001 - a foreign object may raise anything when it is looked up
        complaints.append(f"notify is True, False, {', '.join(Telling)}")
        return None


def tags(value: Any, most: int, limit: int, complaints: Complaints) -> tuple[str, ...]:
    """At most `most` labels."""
    if isinstance(value, str):
        value = (value,)
    try:
        labels = [label for item in value if (label := text(item, limit))]
    except Exception:  # noqa: BLE001 - a foreign iterator may raise anything
        complaints.append(f"tags must be a sequence of text, not {_shown(value)}")
        return ()
    return tuple(labels[:most])


def plan(steps: Iterable[Any] | None, complaints: Complaints) -> tuple[StepPlan, ...]:
    """Announced steps from names, `(name, weight)` pairs or `StepPlan`s; each name once."""
    planned: dict[str, StepPlan] = {}
    try:
        for step in steps or ():
            if isinstance(step, StepPlan):
                name, share = step.name, step.weight
            else:
                name, share = (step, 1) if isinstance(step, str) else step
            name = text(name, NAME_CHARS)
            if name and name not in planned:
                planned[name] = StepPlan(name, weight(share, complaints) or 1.0)
    except Exception:  # noqa: BLE001 - a foreign iterator may raise anything
        complaints.append(f"steps must be names or (name, weight) pairs, not {_shown(steps)}")
    return tuple(planned.values())[:MAX_STEPS]


def weight(value: Any, complaints: Complaints) -> float | None:
    """A step's share, above 0 and at most 1e9."""
    number = amount(value, "weight", complaints)
    if number is not None and not 0 < number <= 1e9:
        complaints.append("A step's weight is a number above 0 and at most 1e9")
        return None
    return number


def _plain(value: Any) -> Any:
    item = getattr(value, "item", None)
    if callable(item):
        return item()
    return text(value, 4000)


def _shown(value: Any) -> str:
    try:
        return text(repr(value), 60)
    except Exception:  # noqa: BLE001 - a foreign __repr__ may raise anything
        return f"a {type(value).__name__}"
