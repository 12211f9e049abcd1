"""The application beside Headway: uploads of drawings, and the page. Tasks are followed over the socket alone."""

import re
import secrets
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request, UploadFile
from fastapi.responses import FileResponse, JSONResponse
from kombu.exceptions import OperationalError
from starlette.exceptions import HTTPException as AnyHTTPException

from examples.demonstration.board import Board, Refused
from examples.demonstration.launch import Place
from examples.demonstration.pages import shared_file
from examples.drawings.findings import STAGES
from examples.drawings.queue import analyse_drawing

__all__ = ["make_app"]

_HERE = Path(__file__).parent
_MOST_BYTES = 10 * 1024 * 1024
_SAMPLES = {"sample.svg": "image/svg+xml", "sample.pdf": "application/pdf"}


def make_app(place: Place) -> FastAPI:
    """The application for one place."""
    app = FastAPI(title="Drawings", docs_url=None, redoc_url=None, openapi_url=None)
    board = Board(place.headway)

    def caller(authorization: Annotated[str, Header()] = "") -> str:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise HTTPException(401, "Send a token: Authorization: Bearer ...")
        user: str = board.me(token.strip())["user"]
        return user

    @app.post("/api/v1/drawings", status_code=202)
    def upload(file: UploadFile, user: Annotated[str, Depends(caller)]) -> dict[str, Any]:
        content = file.file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise HTTPException(413, f"A drawing has at most {_MOST_BYTES // 1024 // 1024} MiB")
        if not content:
            raise HTTPException(400, "The file is empty")
        name = re.sub(r"[^\w. ()-]", "_", Path(file.filename or "drawing").name)[:120]
        # Its own name could be anything, and is for people alone.
        path = place.data / "uploads" / secrets.token_hex(16)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        made = board.create(
            place.token,
            title=name,
            kind="drawing",
            channel=f"user:{user}",
            steps=[{"name": stage, "weight": weight} for stage, weight in STAGES],
            meta={"file": name, "bytes": len(content)},
        )
        try:
            analyse_drawing.delay(made["id"], str(path))
        except OperationalError:
            board.command(made["id"], "fail", place.token, {"error": "The queue takes no drawings"})
            raise HTTPException(503, "The queue takes no drawings at the moment; try again") from None
        return {"success": True, "data": {"task_id": made["id"]}, "message": "The drawing waits for a worker"}

    @app.get("/")
    def page() -> FileResponse:
        return FileResponse(_HERE / "page.html")

    @app.get("/samples/{name}")
    def sample(name: str) -> FileResponse:
        if name not in _SAMPLES:
            raise HTTPException(404, "There is no such file")
        return FileResponse(_HERE / name, media_type=_SAMPLES[name], filename=name)

    @app.get("/shared/{name}")
    def shared(name: str) -> FileResponse:
        file = shared_file(name)
        if file is None:
            raise HTTPException(404, "There is no such file")
        return FileResponse(file.path, media_type=file.type)

    @app.exception_handler(Refused)
    def refused(_: Request, error: Refused) -> JSONResponse:
        return JSONResponse({"success": False, "message": error.message}, error.status)

    @app.exception_handler(AnyHTTPException)
    def failed(_: Request, error: AnyHTTPException) -> JSONResponse:
        return JSONResponse({"success": False, "message": str(error.detail)}, error.status_code)

    return app
