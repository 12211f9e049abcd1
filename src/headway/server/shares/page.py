"""The bare page of a share link: the live bar, and the same as text for those without scripts. Pure.

Everything in it that comes from a job is escaped text.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape

from headway.model.task import Task
from headway.server.identity.shares import Share
from headway.server.shares.badge import plain
from headway.server.shares.words import WORDS, Language, Words

__all__ = ["STYLE_HASH", "ended_page", "share_page"]

_STYLE = """
:root{color-scheme:light dark;--text:#18181b;--muted:#5f5f6b;--ground:#f4f4f5;--card:#fff;--line:#dededf;--bar:#2563eb}
@media (prefers-color-scheme:dark){:root{--text:#f4f4f5;--muted:#a1a1aa;--ground:#131316;--card:#1d1d21;--line:#34343a;--bar:#6b9bff}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",
"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;overflow-wrap:anywhere}
main{max-width:40rem;margin:0 auto;padding:clamp(1rem,6vh,5rem) 1rem 2rem}
h1{font-size:1.25rem;line-height:1.3;margin:0 0 1rem}
footer{margin-top:1rem;color:var(--muted);font-size:.8125rem}
.still{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.9rem 1rem;margin:0 0 .75rem}
.still p{margin:.35rem 0 0;color:var(--muted)}
.still strong{font-weight:600}
progress{display:block;width:100%;height:8px;margin-top:.6rem;accent-color:var(--bar)}
body.embed{background:transparent}
body.embed main{padding:0;max-width:none}
""".strip()
STYLE_HASH = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
"""For the page's policy, which allows no other inline style."""

_REFRESH = 10


def share_page(
    share: Share, code: str, tasks: Sequence[Task], root: str, language: Language, *, embed: bool = False
) -> str:
    """The page.

    Args:
        code: of the share, for the live bar to connect with.
        tasks: those that it opens, as they are now.
        root: path below which our scripts are.
        embed: only the bar, for an iframe.
    """
    words = WORDS[language]
    title = share.title or (tasks[0].title if share.task and tasks else words.tasks)
    still = "".join(_still(task, words) for task in tasks) or f'<p class="still">{escape(words.empty)}</p>'
    if share.task is not None:
        tag, what = "headway-task", f'task="{escape(share.task)}"'
    else:
        tag, what = "headway-tasks", f'channel="{escape(share.channel or "")}"'
    element = f'<{tag} {what} token="{escape(code)}" theme="auto">{still}</{tag}>'
    # The bar says the title of a single task by itself.
    heading = f"<h1>{escape(title)}</h1>" if not embed and (share.title or share.channel) else ""
    footer = "" if embed else f"<footer>{escape(words.read_only)}</footer>"
    return _document(
        title,
        language,
        f'<script type="module" src="{escape(root)}/headway.js"></script>'
        f'<noscript><meta http-equiv="refresh" content="{_REFRESH}"></noscript>',
        f"{heading}{element}{footer}",
        embed=embed,
    )


def ended_page(language: Language) -> str:
    """What a link that opens nothing shows; it does not say whether it ever did."""
    words = WORDS[language]
    return _document(
        words.ended, language, "", f"<h1>{escape(words.ended)}</h1><p>{escape(words.ended_more)}</p>"
    )


def _document(title: str, language: Language, head: str, body: str, *, embed: bool = False) -> str:
    lang = "zh-Hans" if language == "zh" else "en"
    kind = "embed" if embed else "page"
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{escape(plain(title, 200))}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="robots" content="noindex, nofollow, noarchive"><meta name="referrer" content="no-referrer">'
        # No picture is asked for, nor one that is not there.
        '<link rel="icon" href="data:,">'
        f"<style>{_STYLE}</style>{head}</head>"
        f'<body class="{kind}"><main>{body}</main></body></html>'
    )


def _still(task: Task, words: Words) -> str:
    percent = task.progress.percent
    bar = "" if percent is None else f'<progress max="100" value="{percent:g}"></progress>'
    said = " · ".join(
        text
        for text in (
            words.states[task.state.value],
            None if percent is None else f"{percent:g} %",
            task.progress.message,
        )
        if text
    )
    error = f"<p>{escape(task.error)}</p>" if task.error else ""
    return f'<div class="still"><strong>{escape(task.title)}</strong>{bar}<p>{escape(said)}</p>{error}</div>'
