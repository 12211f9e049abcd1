"""Compares the tables of the guides for contracts with the code: events, fields, addresses, settings."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from headway.server.settings import Settings
from tests.docs.texts import ROOT, codes_in, rows

__all__ = ["Fields", "check_settings", "fields_of", "heard_names", "said_names", "table"]

_SENDING = frozenset(("Event", "emit", "_name"))


def table(text: str, head: str) -> Iterator[list[str]]:
    """The rows of the table whose first line begins so."""
    at = text.index(f"\n{head}") + 1
    yield from rows("\n\n" + text[at:], after="\n\n")


def fields_of(text: str, head: str) -> dict[str, set[str]]:
    """The fields of each event of a table; what may be missing ends with a question mark."""
    return {name: set(codes_in(cells[1])) for cells in table(text, head) for name in codes_in(cells[0])}


class Fields:
    """Which fields events had, and which of them not always."""

    def __init__(self) -> None:
        self._always: dict[str, set[str]] = {}
        self._ever: defaultdict[str, set[str]] = defaultdict(set)

    def note(self, name: str, data: dict[str, Any]) -> None:
        """One event."""
        self._always[name] = self._always.get(name, set(data)) & set(data)
        self._ever[name] |= set(data)

    def described(self) -> dict[str, set[str]]:
        """As a guide's table has them."""
        return {
            name: always | {f"{field}?" for field in self._ever[name] - always}
            for name, always in self._always.items()
        }


def heard_names(*files: str) -> set[str]:
    """The names of events that these sources send."""
    found: set[str] = set()
    for call in _nodes(ast.Call, files):
        function = call.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name in _SENDING:
            found |= _texts(call.args[:2])
    return found


def said_names(*files: str) -> set[str]:
    """The names of events that these sources take: what they compare `name` and `asked` with."""
    found: set[str] = set()
    for compared in _nodes(ast.Compare, files):
        if getattr(compared.left, "id", "") in {"name", "asked"}:
            for one in compared.comparators:
                found |= _texts(one.elts if isinstance(one, ast.Set) else [one])
    return found


def check_settings(text: str) -> None:
    """Each setting that a guide names is one, and has this default."""
    for cells in table(text, "| setting |"):
        (name,) = codes_in(cells[0])
        default = Settings.model_fields[name].default
        shown = codes_in(cells[1])[0] if codes_in(cells[1]) else cells[1]
        if default is None or default == ():
            assert shown == "none", name
        elif isinstance(default, float):
            assert float(shown) == default, name
        else:
            assert shown == str(default), name


def _nodes(kind: Any, files: tuple[str, ...]) -> Iterator[Any]:
    for file in files:
        tree = ast.parse((ROOT / "src" / "headway" / file).read_text())
        yield from (node for node in ast.walk(tree) if isinstance(node, kind))


def _texts(nodes: list[ast.expr]) -> set[str]:
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
