"""Asking Headway over REST, with the token of whoever asks: what they may not see or do, Headway itself refuses."""

from __future__ import annotations

from typing import Any

import urllib3

__all__ = ["Board", "Record", "Refused"]

Record = dict[str, Any]
"""A task as Headway's REST gives it: what has its default value is left out."""

_PAGE = 200
_SECONDS = 10.0


class Refused(Exception):
    """Headway said no.

    Attributes:
        status: of HTTP.
        code: number of the error, as in the table of spec/wire.md.
    """

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class Board:
    """Headway's REST at an address."""

    def __init__(self, url: str) -> None:
        """Describe it; nothing is opened yet."""
        self._url = url
        # One connection less than the threads that ask would make them wait for each other.
        self._http = urllib3.PoolManager(maxsize=32, timeout=_SECONDS, retries=False)

    def me(self, token: str) -> Record:
        """Who that is: `{user, can, channels, ...}`."""
        return self._one("GET", "/api/me", token)

    def task(self, task: str, token: str) -> Record:
        """A task by its id."""
        return self._one("GET", f"/api/tasks/{task}", token)

    def tasks(self, token: str, **filters: str) -> list[Record]:
        """All tasks that the filters leave, newest first; filters as those of `GET /api/tasks`."""
        found: list[Record] = []
        after: str | None = ""
        while after is not None:
            query = {**filters, "limit": str(_PAGE)} | ({"after": after} if after else {})
            page = self._ask("GET", "/api/tasks", token, query)
            found += page["tasks"]
            after = page["next"]
        return found

    def command(self, task: str, command: str, token: str, body: Any = None) -> Record:
        """Pause, resume, cancel, retry, fail; gives the task as it is then."""
        return self._one("POST", f"/api/tasks/{task}/{command}", token, body)

    def create(self, token: str, **fields: Any) -> Record:
        """A new task, which waits for a worker."""
        return self._one("POST", "/api/tasks", token, fields)

    def remove(self, task: str, token: str) -> None:
        """Remove a finished task."""
        self._ask("DELETE", f"/api/tasks/{task}", token)

    def _one(self, method: str, path: str, token: str, body: Any = None) -> Record:
        found: Record = self._ask(method, path, token, body=body)
        return found

    def _ask(
        self, method: str, path: str, token: str, query: dict[str, str] | None = None, body: Any = None
    ) -> Any:
        # A token comes from outside: a line break in it must not become a header of its own.
        if not token.isascii() or not token.isprintable():
            raise Refused(401, 401, "The token is not one of ours")
        answer = self._http.request(
            method,
            self._url + path,
            fields=query,
            headers={"Authorization": f"Bearer {token}"},
            **({} if body is None else {"json": body}),
        )
        if answer.status >= 300:
            problem = answer.json()
            raise Refused(answer.status, problem["code"], problem["message"])
        return answer.json() if answer.data else None
