"""The application: uploads of price files, reports, and the page; Headway is mounted in it."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, UploadFile
from fastapi.responses import FileResponse

import headway
from examples.demonstration.board import Board, Refused
from examples.demonstration.launch import Place
from examples.demonstration.pages import shared_file

__all__ = ["add_routes"]

_HERE = Path(__file__).parent
SAMPLES = _HERE / "samples"
_MOST_BYTES = 5 * 1024 * 1024
_MOST_FILES = 20
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

Submit = Callable[[str], object]
"""Told the id of a task that a worker is to run."""


def add_routes(app: FastAPI, place: Place, submit: Submit) -> None:
    """The application's own addresses."""
    board = Board(place.headway)

    def caller(authorization: Annotated[str, Header()] = "") -> str:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise HTTPException(401, "Send a token: Authorization: Bearer ...")
        try:
            user: str = board.me(token.strip())["user"]
        except Refused as error:
            raise HTTPException(error.status, error.message) from None
        return user

    User = Annotated[str, Depends(caller)]  # noqa: N806 - a type

    @app.post("/api/analyses", status_code=202)
    def start(user: User, files: list[UploadFile] | None = None) -> dict[str, Any]:
        """A batch of the files, or of the samples when there are none."""
        files = files or []
        if len(files) > _MOST_FILES:
            raise HTTPException(400, f"A batch has at most {_MOST_FILES} files")
        names = [
            re.sub(r"[^A-Za-z0-9_-]", "-", Path(file.filename or "prices").stem)[:64] or "prices"
            for file in files
        ]
        contents = [file.file.read(_MOST_BYTES + 1) for file in files]
        if any(len(content) > _MOST_BYTES for content in contents):
            raise HTTPException(413, f"A file has at most {_MOST_BYTES // 1024 // 1024} MiB")
        count = len(files) or len(list(SAMPLES.glob("*.csv")))
        title = f"Analysis of {count} price file{'s' if count > 1 else ''}"
        task = headway.create(title, kind="analysis", channel=f"user:{user}", unit="parts", lost_after=3600)
        folder = place.data / "uploads" / task
        folder.mkdir(parents=True)
        for number, (name, content) in enumerate(zip(names, contents, strict=True)):
            # Two files of one name are two files.
            unique = name if name not in names[:number] else f"{name}-{number + 1}"
            (folder / f"{unique}.csv").write_bytes(content)
        if not files:
            for sample in SAMPLES.glob("*.csv"):
                shutil.copy(sample, folder)
        # The page follows it as soon as it has the answer.
        headway.flush()
        submit(task)
        return {"success": True, "data": {"task_id": task, "title": title}}

    @app.get("/api/reports/{task}")
    def report(task: str, user: User) -> dict[str, Any]:
        found = place.data / "reports" / task / "report.json"
        if not _mine(board, place, task, user) or not found.is_file():
            raise HTTPException(404, f"There is no report {task}")
        return {"success": True, "data": json.loads(found.read_text("utf-8"))}

    @app.get("/api/reports/{task}/{symbol}.png")
    def chart(task: str, symbol: str, user: User) -> FileResponse:
        found = place.data / "reports" / task / f"{symbol}.png"
        if not _NAME.fullmatch(symbol) or not _mine(board, place, task, user) or not found.is_file():
            raise HTTPException(404, "There is no such chart")
        return FileResponse(found, media_type="image/png")

    @app.get("/")
    @app.get("/reports/{task}")
    def page(task: str = "") -> FileResponse:  # noqa: ARG001 - the page reads its address itself
        return FileResponse(_HERE / "page.html")

    @app.get("/shared/{name}")
    def shared(name: str) -> FileResponse:
        file = shared_file(name)
        if file is None:
            raise HTTPException(404, "There is no such file")
        return FileResponse(file.path, media_type=file.type)


def _mine(board: Board, place: Place, task: str, user: str) -> bool:
    if not _NAME.fullmatch(task):
        return False
    try:
        owner: str = board.task(task, place.token)["channel"]
    except Refused:
        return False
    return owner == f"user:{user}"
