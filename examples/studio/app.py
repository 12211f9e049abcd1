"""The application beside Headway: the page, and the pictures. Tasks come and go through the socket alone."""

from __future__ import annotations

import re
from pathlib import Path

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse

from examples.demonstration.launch import Place
from examples.demonstration.pages import shared_file

__all__ = ["make_app"]

_PAGE = Path(__file__).with_name("page.html")
_NAME = re.compile(r"[A-Za-z0-9_-]{22}\.png")


def make_app(place: Place) -> FastAPI:
    """The application for one place."""
    app = FastAPI(title="Studio", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/")
    def page() -> FileResponse:
        return FileResponse(_PAGE)

    @app.get("/images/{name}")
    def image(name: str) -> FileResponse:
        path = place.data / "images" / name
        if not _NAME.fullmatch(name) or not path.is_file():
            raise HTTPException(404, "There is no such picture")
        return FileResponse(path, headers={"Cache-Control": "private, max-age=86400, immutable"})

    @app.get("/shared/{name}")
    def shared(name: str) -> FileResponse:
        file = shared_file(name)
        if file is None:
            raise HTTPException(404, "There is no such file")
        return FileResponse(file.path, media_type=file.type)

    return app
