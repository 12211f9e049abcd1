"""Somebody else's pages: a tiny web server that is no part of Headway, on an origin of its own."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["Pages"]


class Pages:
    """Serves one page.

    Attributes:
        url: where; another origin on the same machine.
        foreign: the same page, on another site.
        html: what.
        policy: its Content-Security-Policy; none when empty.
    """

    def __init__(self) -> None:
        pages = self
        self.html = ""
        self.policy = ""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                # Browsers ask for an icon by themselves.
                found = self.path == "/"
                self.send_response(200 if found else 204)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                if pages.policy:
                    self.send_header("Content-Security-Policy", pages.policy)
                self.end_headers()
                if found:
                    self.wfile.write(pages.html.encode())

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        # What the browsers of these tests take for another machine.
        self.foreign = f"http://shop.test:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def show(self, server: str, tag: str) -> None:
        """A page with the two lines of the README, and nothing else of note."""
        self.html = (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>'
            f'<script type="module" src="{server}/headway.js"></script><h1>Your order</h1>{tag}'
        )

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
