"""Write the table in `docs/reference/settings.md` anew from `headway.server.settings.Settings`.

    .venv/bin/python docs/write_settings.py

A test says when that is due. What somebody has written after a setting's description stays while the description does.
"""

# ruff: noqa: INP001 - a script in a folder of texts

from __future__ import annotations

from pathlib import Path
from typing import Any

from headway.cli.serve import serve
from headway.server.settings import Settings

PAGE = Path(__file__).parent / "reference" / "settings.md"
HEAD = "| setting, key in the file | flag | variable | default | meaning |\n|---|---|---|---|---|\n"


def main() -> None:
    """Put the table in the place of the one that is there."""
    before, _, rest = PAGE.read_text().partition(HEAD)
    table, _, after = rest.partition("\n\n")
    meanings = [line.split(" | ")[-1].removesuffix(" |") for line in table.splitlines()]
    PAGE.write_text(f"{before}{HEAD}{rows(meanings)}\n{after}")


def rows(written: list[str]) -> str:
    """A line for each setting.

    Args:
        written: the meanings that the table has now.
    """
    lines = []
    for name, field in Settings.model_fields.items():
        flag = f"`--{name.replace('_', '-')}`" if name in serve.__annotations__ else "none"
        meaning = (field.description or "").replace("|", "\\|")
        meaning = next((text for text in written if meaning and text.startswith(meaning)), meaning)
        lines.append(
            f"| `{name}` | {flag} | `HEADWAY_{name.upper()}` | {_shown(field.default)} | {meaning} |\n"
        )
    return "".join(lines)


def _shown(default: Any) -> str:
    if default is None or default == ():
        return "none"
    if isinstance(default, tuple):
        return f"`{','.join(default)}`"
    return f"`{int(default) if isinstance(default, float) and default.is_integer() else default}`"


if __name__ == "__main__":
    main()
