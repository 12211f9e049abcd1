"""The application beside Headway: projects, chapters, jobs in queues, audio, and the page."""

import re
from pathlib import Path
from typing import Annotated, Any

import redis
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as AnyHTTPException

from examples.demonstration.board import Board, Refused
from examples.demonstration.launch import Place
from examples.demonstration.pages import shared_file
from examples.voice.jobs import AUDIO_STEPS, PARSE_STEPS
from examples.voice.library import Library, project_of
from examples.voice.queues import Queues
from headway.dialects.voice import owner_tag

__all__ = ["make_app"]

_PAGE = Path(__file__).with_name("page.html")
_NAME = re.compile(r"[A-Za-z0-9_-]{22}\.wav")
_TEXT_CHARS = 500_000
_PREFIX = "project:"


class Text(BaseModel):
    """What is to be read."""

    text: str = Field(min_length=1, max_length=_TEXT_CHARS)


class Parsing(BaseModel):
    """How chapters are found. There is no model here, so `useAI` changes nothing."""

    useAI: bool = False  # noqa: N815 - its name in the contract


class Caller:
    """Who asks, and which projects that person's token opens."""

    def __init__(self, board: Board, token: str) -> None:
        me = board.me(token)
        self.token = token
        self.user: str = me["user"]
        self._channels: list[str] = me["channels"]

    def check(self, project: str) -> None:
        """Let nobody know of a project that is another's.

        Raises:
            HTTPException: there is none, as far as this person is concerned.
        """
        if not self.opens(project):
            raise HTTPException(404, f"There is no project {project}")

    def opens(self, project: str) -> bool:
        """Whether this person may see a project."""
        return bool({_PREFIX + project, _PREFIX + "*", "*"} & set(self._channels))

    @property
    def projects(self) -> list[str]:
        return [
            name.removeprefix(_PREFIX)
            for name in self._channels
            if name.startswith(_PREFIX) and "*" not in name
        ]


def make_app(place: Place, queues: Queues) -> FastAPI:
    """The application for one place."""
    app = FastAPI(title="Voice", docs_url=None, redoc_url=None, openapi_url=None)
    board = Board(place.headway)
    library = Library(place.data)

    def caller(authorization: Annotated[str, Header()] = "") -> Caller:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise HTTPException(401, "Send a token: Authorization: Bearer ...")
        return Caller(board, token.strip())

    Who = Annotated[Caller, Depends(caller)]  # noqa: N806 - a type

    def submit(kind: str, title: str, who: Caller, project: str, steps: Any, **meta: str) -> str:
        """A task that waits for its job. In the project's channel, and marked as its owner's."""
        made = board.create(
            place.token,
            title=title,
            kind=kind,
            channel=_PREFIX + project,
            tags=[owner_tag(who.user)],
            steps=[{"name": name, "weight": weight} for name, weight in steps],
            meta={"projectId": project, **meta},
        )
        task: str = made["id"]
        return task

    @app.post("/api/projects/{project}/parse")
    def parse(project: str, who: Who, how: Parsing | None = None) -> dict[str, Any]:  # noqa: ARG001 - see Parsing
        who.check(project)
        job = submit("parse", f"Chapters of {project}", who, project, PARSE_STEPS)
        _put(lambda: queues.parse(job, who.user, project), job)
        return _yes(jobId=job, projectId=project, status="queued", message="The text waits for a worker")

    @app.post("/api/tts/chapters/{chapter}/generate")
    def generate(chapter: str, who: Who) -> dict[str, Any]:
        project = project_of(chapter)
        found = library.chapter(chapter) if who.opens(project) else None
        if found is None:
            raise HTTPException(404, f"There is no chapter {chapter}")
        job = submit("audio", found["title"], who, project, AUDIO_STEPS, chapterId=chapter)
        _put(lambda: queues.generate(job, who.user, chapter), job)
        return _yes(jobId=job, chapterId=chapter, status="queued", message="The chapter waits for a worker")

    def _put(put: Any, job: str) -> None:
        try:
            put()
        except redis.RedisError:
            board.command(job, "fail", place.token, {"error": "The queue takes no jobs"})
            raise HTTPException(503, "The queue takes no jobs at the moment; try again") from None

    @app.get("/api/jobs/{queue}/{job}")
    def job(queue: str, job: str, who: Who) -> dict[str, Any]:
        found = queues.job(queue, job, who.user)
        if found is None:
            raise HTTPException(404, f"There is no job {job} in the queue {queue}")
        task = board.task(job, who.token)
        percent = task.get("progress", {}).get("percent") or 0
        return {**found, "progress": 100 if found["state"] == "completed" else int(percent)}

    @app.get("/api/projects")
    def projects(who: Who) -> dict[str, Any]:
        return _yes(projects=who.projects)

    @app.get("/api/projects/{project}")
    def project(project: str, who: Who) -> dict[str, Any]:
        who.check(project)
        return _yes(projectId=project, text=library.text(project), chapters=library.chapters(project))

    @app.put("/api/projects/{project}")
    def write(project: str, text: Text, who: Who) -> dict[str, Any]:
        who.check(project)
        library.write_text(project, text.text)
        return _yes(projectId=project)

    @app.get("/")
    def page() -> FileResponse:
        return FileResponse(_PAGE)

    @app.get("/audio/{name}")
    def audio(name: str) -> FileResponse:
        path = library.audio / name
        if not _NAME.fullmatch(name) or not path.is_file():
            raise HTTPException(404, "There is no such audio")
        return FileResponse(path, media_type="audio/wav")

    @app.get("/shared/{name}")
    def shared(name: str) -> FileResponse:
        file = shared_file(name)
        if file is None:
            raise HTTPException(404, "There is no such file")
        return FileResponse(file.path, media_type=file.type)

    @app.exception_handler(Refused)
    def refused(_: Request, error: Refused) -> JSONResponse:
        return _no(error.status, error.message)

    @app.exception_handler(AnyHTTPException)
    def failed(_: Request, error: AnyHTTPException) -> JSONResponse:
        return _no(error.status_code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        return _no(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}")

    return app


def _yes(**data: Any) -> dict[str, Any]:
    return {"success": True, "data": data}


def _no(status: int, message: str) -> JSONResponse:
    return JSONResponse({"success": False, "message": message}, status)
