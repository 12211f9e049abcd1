"""A browser's own WebSocket, compressed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.programs import Programs
from tests.e2e.visitors import Visitor

_FOLLOW = """([url, token]) => new Promise((done, failed) => {
    const socket = new WebSocket(url, "headway.v1");
    const heard = [];
    socket.onopen = () => {
        // Long enough to be compressed on its way.
        socket.send(JSON.stringify({ type: "auth", token, pad: "x".repeat(3000) }));
        socket.send(JSON.stringify({ type: "subscribe", id: 1, channel: "public" }));
    };
    socket.onmessage = ({ data }) => {
        heard.push(JSON.parse(data).type);
        if (heard.length === 2) done([socket.extensions, heard]);
    };
    socket.onclose = ({ code }) => failed(new Error(`closed with ${code}`));
})"""


@pytest.mark.parametrize("compression", ["true", "false"])
def test_a_browser_speaks_compressed_when_the_server_does(
    programs: Programs, visit: Callable[..., Visitor], compression: str
) -> None:
    url = programs.serve(HEADWAY_COMPRESSION=compression).url
    token = programs.run("token", "--user", "ada", "--data", programs.data).stdout.strip()
    page = visit().page
    page.goto(f"{url}/login")
    extensions, heard = page.evaluate(_FOLLOW, [f"ws{url.removeprefix('http')}/ws", token])
    assert extensions.startswith("permessage-deflate") is (compression == "true")
    assert heard == ["welcome", "snapshot"]
