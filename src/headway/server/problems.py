"""Every error that REST answers with has one shape: `{code, message, retryable, …}` (`spec/wire.md` §6)."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from litestar import Request, Response
from litestar.exceptions import (
    ClientException,
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from litestar.types import ExceptionHandlersMap

from headway.errors import (
    BadMessage,
    BodyTimeout,
    HeadwayError,
    InternalError,
    InvalidField,
    NotFound,
    TemporaryError,
    TooLarge,
    Unauthenticated,
)
from headway.server.pages import security_headers

__all__ = ["PROBLEM_HANDLERS"]

_log = logging.getLogger("headway.rest")

_RETRY_AFTER = 2
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_NAMES = {"idempotency_header": "Idempotency-Key"}
"""What parameters are called where they come from."""


def _answer(
    error: HeadwayError, status: int | None = None, more: Mapping[str, str] | None = None
) -> Response[dict[str, Any]]:
    # Litestar adds headers of its own accord only to what went well.
    headers = {**security_headers(), **(more or {})}
    if isinstance(error, TemporaryError):
        headers["Retry-After"] = str(error.details.get("retry_after", _RETRY_AFTER))
    if isinstance(error, BodyTimeout):
        # The rest of the body is not waited for either.
        headers["Connection"] = "close"
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(error.body(), status_code=status or error.status, headers=headers)


def _headway(_: Request[Any, Any, Any], error: HeadwayError) -> Response[dict[str, Any]]:
    return _answer(error)


def _validation(_: Request[Any, Any, Any], error: ValidationException) -> Response[dict[str, Any]]:
    first = error.extra[0] if isinstance(error.extra, list) and error.extra else {}
    field = str(first.get("key") or "") if isinstance(first, dict) else ""
    said = str(first.get("message") or "") if isinstance(first, dict) else ""
    if field == "data":
        # The body as a whole; ours never has a field of this name for anything but an object.
        missing = _MISSING.search(said)
        if missing is None:
            return _answer(BadMessage("The body is a JSON object"))
        return _answer(InvalidField(f"{missing[1]} is missing", field=missing[1]))
    field = _NAMES.get(field, field)
    message = (
        f"{field}: {said}" if field and said else said or "A field has the wrong type or is out of bounds"
    )
    return _answer(InvalidField(message, **({"field": field} if field else {})))


def _client(_: Request[Any, Any, Any], error: ClientException) -> Response[dict[str, Any]]:
    if error.status_code == 413:
        return _answer(TooLarge())
    return _answer(BadMessage("The body is not JSON of a known shape"))


def _http(_: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    if isinstance(error, NotFoundException):
        return _answer(NotFound("There is nothing at this address"))
    if isinstance(error, MethodNotAllowedException):
        return _answer(BadMessage("This address does not take that method"), 405, error.headers)
    if error.status_code == 401:
        return _answer(Unauthenticated())
    return _answer(BadMessage(error.detail), error.status_code)


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    # What went wrong is for the log, not for the client.
    _log.error("a request failed", exc_info=error, extra={"method": request.method, "path": request.url.path})
    return _answer(InternalError())


PROBLEM_HANDLERS: ExceptionHandlersMap = {
    HeadwayError: _headway,
    ValidationException: _validation,
    ClientException: _client,
    HTTPException: _http,
    NotFoundException: _http,
    MethodNotAllowedException: _http,
    Exception: _unexpected,
}
