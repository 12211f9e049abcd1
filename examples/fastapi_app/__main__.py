"""A FastAPI application that makes thumbnails in the background, with the bar in its own page.

python -m examples.fastapi_app
"""

from __future__ import annotations

import asyncio
import sys
from html import escape
from pathlib import Path
from typing import Annotated

import uvicorn
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.responses import HTMLResponse

import headway
from headway.server.settings import load_settings

MOUNT = "/headway"

hw = headway.Headway(
    load_settings(
        data=Path(".headway-fastapi"),
        # The same as below: with it, our sockets take the fast path under `ws=`.
        base_path=MOUNT,
    )
)
app = FastAPI(lifespan=hw.lifespan)
app.mount(MOUNT, hw.asgi)


def logged_in() -> str:
    """Who asks: an application's own login says that, with a session, say."""
    return "ada"


User = Annotated[str, Depends(logged_in)]


@app.post("/thumbnails")
async def make_thumbnails(background: BackgroundTasks, user: User) -> dict[str, str]:
    # Created here, so that the page has something to show at once; run when the answer is on its way.
    task = headway.create("Thumbnails", total=40, unit="images", channel=f"user:{user}")
    # The page asks for it as soon as it has the answer.
    await asyncio.to_thread(headway.flush)
    background.add_task(work, task, user)
    return {"task": task}


async def work(task_id: str, user: str) -> None:
    async with headway.attach(task_id) as task:
        for number in range(1, 41):
            await asyncio.sleep(0.05)  # where the image would be made smaller
            task.progress(number, message=f"image {number}.png")
    headway.notify(user, "Your thumbnails are ready", severity="success", task=task_id)


@app.get("/", response_class=HTMLResponse)
def page(user: User) -> str:
    # Who is logged in here needs no second login there: the application makes the token.
    token = hw.token(user, ttl=3600)
    return f"""<!doctype html>
<html lang="en">
<title>Thumbnails</title>
<script type="module" src="{MOUNT}/headway.js"></script>
<h1>Thumbnails</h1>
<button onclick="fetch('/thumbnails', {{method: 'POST'}})">Make them</button>
<headway-tasks channel="user:{escape(user)}" token="{token}"></headway-tasks>
</html>"""


def main(port: int = 8000) -> None:
    uvicorn.run(app, port=port, ws="headway.transports.websocket:Gate", access_log=False)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
