"""The application: a page with a button, and a thread that imports customers."""

from __future__ import annotations

import threading
import time

from flask import Flask

import headway

app = Flask(__name__)


@app.post("/imports")
def start_import() -> dict[str, str]:
    task = headway.create("Importing customers", total=100, unit="rows", channel="public")
    # The page asks for it as soon as it has the answer.
    headway.flush()
    threading.Thread(target=work, args=(task,)).start()
    return {"task": task}


def work(task_id: str) -> None:
    with headway.attach(task_id) as task:
        for _ in range(100):
            time.sleep(0.02)  # where the row would be stored
            task.advance()


@app.get("/")
def page() -> str:
    # Log in by the link that the server prints: its cookie counts for this page's bar too, since it is asked for below
    # /headway.
    return """<!doctype html>
<html lang="en">
<title>Customers</title>
<script type="module" src="/headway/headway.js"></script>
<h1>Customers</h1>
<button onclick="fetch('/imports', {method: 'POST'})">Import</button>
<headway-tasks channel="public"></headway-tasks>
</html>"""
