"""The application: the contract's REST, uploads of questions, and the page. Progress is Headway's and is asked for there."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from flask import Flask, Response, jsonify, request, send_file
from werkzeug.exceptions import HTTPException

from examples.dedup.bank import SAMPLE, Bank
from examples.dedup.questions import read_questions
from examples.dedup.requests import Invalid, read_page, read_plan
from examples.demonstration.board import Board, Refused
from examples.demonstration.launch import Place
from examples.demonstration.pages import shared_file
from headway.dialects.dedup import task_body
from headway.model.task import Task

__all__ = ["KIND", "Submit", "make_app"]

KIND = "dedup"
_UPLOAD_BYTES = 20 * 1024 * 1024
_UNKNOWN_CODES = {
    402: "TOKEN_EXPIRED",
    401: "INVALID_TOKEN",
    104: "NOT_FOUND",
    106: "INVALID_STATUS",
    105: "FORBIDDEN",
}
_PAGE = Path(__file__).with_name("page.html")

Submit = Callable[[str, int], object]
"""Told the id and the attempt of a task that a worker is to run."""


class Failed(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def make_app(place: Place, submit: Submit) -> Flask:
    """The application for one place."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _UPLOAD_BYTES
    app.url_map.strict_slashes = False
    board = Board(place.headway)
    # Two requests to start the same task must not both find that it stands still.
    order = threading.Lock()

    @app.errorhandler(Exception)
    def fail(error: Exception) -> tuple[Response, int]:
        if isinstance(error, Failed):
            return _no(error.status, error.code, str(error))
        if isinstance(error, Refused):
            code = _UNKNOWN_CODES.get(
                error.code, "INTERNAL_ERROR" if error.status >= 500 else "INVALID_PARAMETER"
            )
            return _no(400 if error.status == 409 else error.status, code, error.message)
        if isinstance(error, Invalid):
            return _no(400, "INVALID_PARAMETER", str(error))
        if isinstance(error, HTTPException):
            status = error.code or 500
            return _no(
                status,
                {404: "NOT_FOUND", 405: "INVALID_PARAMETER"}.get(status, "INVALID_PARAMETER"),
                error.description or "",
            )
        app.logger.error("request failed", exc_info=error)
        return _no(500, "INTERNAL_ERROR", "The server failed and has logged why")

    def record_of(number: int) -> dict[str, Any]:
        # More digits than any task has are no number of one.
        found = board.tasks(_token(), number=str(number), kind=KIND) if 0 < number < 2**53 else []
        if not found:
            raise Failed(404, "NOT_FOUND", f"There is no task {number}")
        return found[0]

    def bank_of(record: dict[str, Any]) -> Bank:
        return Bank(place.data, record["channel"].partition(":")[2])

    def my_bank() -> Bank:
        return Bank(place.data, board.me(_token())["user"])

    @app.post("/api/dedup/tasks")
    def create() -> tuple[Response, int]:
        user = board.me(_token())["user"]
        plan = read_plan(_body())
        bank = Bank(place.data, user)
        done = board.tasks(_token(), kind=KIND, channel=f"user:{user}", state="succeeded")
        made = board.create(
            place.token,
            title=plan.name,
            kind=KIND,
            channel=f"user:{user}",
            unit="groups",
            # While it waits in line nobody speaks for it.
            lost_after=3600,
            meta={
                "config": plan.config,
                "analysis_type": plan.analysis_type,
                "until": bank.newest(),
                "since": max((task["meta"]["until"] for task in done), default=0),
            },
        )
        return _yes(task_answer(made), "The task was created", 201)

    @app.get("/api/dedup/tasks")
    def listed() -> tuple[Response, int]:
        page = read_page(request.args.to_dict())
        filters = {"state": page.states} if page.states else {}
        tasks = board.tasks(_token(), kind=KIND, **filters)
        start = (page.page - 1) * page.page_size
        shown = [task_answer(record) for record in tasks[start : start + page.page_size]]
        pages = -(-len(tasks) // page.page_size)
        counts = {"page": page.page, "page_size": page.page_size, "total": len(tasks), "total_pages": pages}
        return _yes({"list": shown, "pagination": counts})

    @app.get("/api/dedup/tasks/<int:number>")
    def read(number: int) -> tuple[Response, int]:
        return _yes(task_answer(record_of(number)))

    @app.delete("/api/dedup/tasks/<int:number>")
    def remove(number: int) -> tuple[Response, int]:
        record = record_of(number)
        if record["state"] == "queued":
            # Nobody works at it yet; only what has ended can be removed.
            board.command(record["id"], "cancel", _token())
        board.remove(record["id"], place.token)
        bank_of(record).forget(record["id"])
        return _yes(None, "The task was removed")

    @app.post("/api/dedup/tasks/<int:number>/start")
    def start(number: int) -> tuple[Response, int]:
        with order:
            record = record_of(number)
            if record["state"] not in ("queued", "failed", "cancelled"):
                raise Failed(
                    400, "INVALID_STATUS", f"A task that is {task_answer(record)['status']} cannot be started"
                )
            if record["state"] != "queued":
                record = board.command(record["id"], "retry", _token())
            record = board.command(record["id"], "start", place.token)
            submit(record["id"], record.get("attempt", 1))
        return _yes(task_answer(record), "The task was started")

    @app.post("/api/dedup/tasks/<int:number>/<any(pause, resume, cancel):command>")
    def change(number: int, command: str) -> tuple[Response, int]:
        record = record_of(number)
        status = task_answer(record)["status"]
        if status not in _FROM[command]:
            raise Failed(400, "INVALID_STATUS", f"A task that is {status} takes no {command}")
        record = board.command(record["id"], command, _token())
        return _yes(task_answer(record), f"The task is {task_answer(record)['status']}")

    @app.get("/api/dedup/tasks/<int:number>/<any('exact-groups', 'similar-pairs', statistics):part>")
    def results(number: int, part: str) -> tuple[Response, int]:
        record = record_of(number)
        found = bank_of(record).results(record["id"]) if record["state"] == "succeeded" else None
        if found is None:
            raise Failed(400, "INVALID_STATUS", "There are results when the task is completed")
        return _yes(found[part.replace("-", "_")])

    @app.post("/api/dedup/questions")
    def upload() -> tuple[Response, int]:
        bank = my_bank()
        sent = request.files.get("file")
        name, content = (
            (sent.filename or "questions", sent.read()) if sent else ("questions", request.get_data())
        )
        try:
            reading = read_questions(content)
            added = bank.add(name, reading)
        except ValueError as error:
            raise Invalid(str(error)) from None
        told = {"bad": [bad._asdict() for bad in reading.bad], "bad_rows": reading.bad_rows}
        return _yes(
            {**added._asdict(), **told, "encoding": reading.encoding, "format": reading.format}, "Taken", 201
        )

    @app.get("/api/dedup/questions")
    def uploads() -> tuple[Response, int]:
        return _yes([upload._asdict() for upload in my_bank().uploads()])

    @app.get("/")
    def page() -> Response:
        return send_file(_PAGE)

    @app.get("/sample.csv")
    def sample() -> Response:
        return send_file(SAMPLE, mimetype="text/csv", as_attachment=True)

    @app.get("/shared/<name>")
    def shared(name: str) -> Response:
        file = shared_file(name)
        if file is None:
            raise Failed(404, "NOT_FOUND", "There is no such file")
        return send_file(file.path, mimetype=file.type)

    return app


_FROM = {
    "pause": ("running",),
    "resume": ("paused",),
    "cancel": ("pending", "running", "paused"),
}
"""The statuses in which a command has something to do."""


def task_answer(record: dict[str, Any]) -> dict[str, Any]:
    """The contract's `Task`, as on the socket."""
    return task_body(msgspec.convert(record, Task))


def _token() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else ""
    token = token or request.headers.get("X-Access-Token", "").strip()
    if not token:
        raise Failed(401, "NO_TOKEN", "Send a token: Authorization: Bearer ..., or X-Access-Token")
    return token


def _body() -> Any:
    content = request.get_data()
    if not content.strip():
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise Invalid("The body is not JSON") from None


def _yes(data: Any, message: str = "ok", status: int = 200) -> tuple[Response, int]:
    return jsonify(success=True, message=message, data=data), status


def _no(status: int, code: str, message: str) -> tuple[Response, int]:
    return jsonify(success=False, message=message, error_code=code), status
