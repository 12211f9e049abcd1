"""Logs: no token gets into them, wherever it was sent to."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import urllib3
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.clients import connected
from tests.raw_client import raw_client, upgrade
from tests.servers import Form, Server, serving

pytestmark = pytest.mark.slow


def said_raw(server: Server, *lines: str) -> None:
    """A request that no library would send; waits for the answer, if there is one."""
    with socket.create_connection(server.address, timeout=10) as connection:
        connection.sendall("\r\n".join((*lines, "", "")).encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass


async def sockets(server: Server, tokens: list[str]) -> None:
    """Tokens in every place that a WebSocket has."""
    for token in tokens:
        for message in (
            {"type": "auth", "token": token},
            {"type": "auth", "token": token, "id": []},
            [token],
        ):
            async with connected(server) as client:
                await client.socket.send(json.dumps(message))
                await client.socket.close()
        async with connected(server) as client:
            await client.socket.send(f'{{"type":"auth","token":"{token}\\ud800')
            await client.hear()
            await client.say("subscribe", id=1, channel="public", cursor=token)
            await client.ended()
        for headers in (
            {"Authorization": f"Bearer {token}"},
            {"Cookie": f"headway={token}", "Origin": "https://evil.example"},
            {"Sec-WebSocket-Protocol": token},
        ):
            try:
                async with connected(server, additional_headers=headers, subprotocols=None) as client:
                    await client.socket.send(b"binary")
            except (InvalidHandshake, ConnectionClosed):
                pass
        for path in (f"/ws?token={token}", f"/socket.io/?token={token}&x=1", f"/ws/{token}"):
            async with raw_client(server, upgraded=False) as raw:
                await raw.write(upgrade(server, path=path))
                raw.writer.write_eof()
                await raw.lost()
    async with raw_client(server, token=tokens[0]) as raw:
        await raw.write(tokens[0].encode())
        await raw.ended()


@pytest.mark.parametrize(("form", "log_format"), [("fast", "json"), ("asgi", "console")])
def test_no_token_is_logged(tmp_path: Path, form: Form, log_format: str) -> None:
    with serving(tmp_path, form, log_level="debug", log_format=log_format) as server:
        good = server.token()
        tokens = [good, server.tokens.make("ada", ttl=-1), good[:-3] + "abc"]
        for token in tokens:
            server.request("GET", f"/api/tasks?token={token}", token)
            server.request("GET", f"/api/tasks/{token}?access_token={token}")
            server.request("GET", f"/{token}", headers={"Cookie": f"headway={token}"})
            server.request("POST", "/api/login", body={"token": token})
            server.request("POST", "/api/login", body={"code": token[-20:]})
            server.request("POST", f"/api/ingest?ticket={token}", token, raw=b"[" * 100_000 + token.encode())
            server.request("POST", "/api/tasks", token, {"title": "x", "total": token})
            server.request("PATCH", "/api/tasks/t", token, raw=b"\xff" + token.encode())
            said_raw(
                server, f"GET /api/me?token={token} HTTP/1.1", "Host: x", "Authorization: Bearer", f" {token}"
            )
            said_raw(server, f"GET {token} NOT-HTTP", f"Authorization: Bearer {token}")
        asyncio.run(sockets(server, tokens))
        server.stop()
        # In the end it did log.
        assert "connection ended" in server.output
        for token in tokens:
            for piece in {token, *token.split(".")} - {token.split(".")[0]}:
                assert piece not in server.output
            assert token[-20:] not in server.output
        assert "Traceback" not in server.output


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_token(log_format: str) -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
    program = f"""
import logging
from headway.server.logs import set_up_logs
set_up_logs("debug", {log_format!r})
log = logging.getLogger("anything")
try:
    token = {token!r}
    raise ValueError(f"cannot use {{token}} of /ws?token=abcdefgh&x=1")
except ValueError:
    log.exception("it failed for %s", token, extra={{"authorization": "Bearer abcdefgh", "cookie": "headway=abcdefgh"}})
log.warning("GET /login?code=abcdefgh", extra={{"headers": {{"cookie": "abcdefgh"}}, "values": ["?token=abcdefgh"]}})
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert "ValueError" in ended.stderr
    assert "it failed for" in ended.stderr
    # The source line that made the error is quoted; it names the variable, and its value stands in this test alone.
    shown = ended.stderr.replace(f"token = {token!r}", "")
    assert token not in shown
    assert "abcdefgh" not in shown


HOSTED = """
import sys
import uvicorn
from headway.server.app import Headway
from headway.server.settings import load_settings
uvicorn.run(Headway(load_settings(None, data=sys.argv[1])).asgi, port=int(sys.argv[2]), log_level="debug")
"""


def test_access_lines_of_a_server_that_is_not_ours_show_no_token(tmp_path: Path) -> None:
    """An application's own uvicorn writes each request down, and with it what stands in its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-c", HOSTED, tmp_path, str(port)],
        stderr=subprocess.STDOUT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Uvicorn running" in line:
                break
        for path in (
            "/poll?channel=public&token=abcdefgh",
            "/api/tasks?ticket=hwt_abcdefghijk",
            "/x/hwk_abcdefghijk",
        ):
            urllib3.request("GET", f"http://127.0.0.1:{port}{path}", retries=False)
        asyncio.run(_greet(f"ws://127.0.0.1:{port}/ws?token=abcdefgh"))
        process.terminate()
        lines += process.stdout.readlines()
    shown = "".join(lines)
    assert shown.count("[hidden]") >= 4
    assert "abcdefgh" not in shown


async def _greet(url: str) -> None:
    async with connect(url, proxy=None) as connection:
        await connection.wait_closed()


STUCK = """
import logging, sys
from headway.server.logs import set_up_logs
set_up_logs("info", "json")
for number in range(5000):
    logging.getLogger("headway.audit").info("connect", extra={"number": number})
print("done", flush=True)
sys.stdin.readline()
logging.getLogger("headway.audit").info("again")
"""


def test_a_log_that_nobody_reads_holds_nobody_up() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STUCK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        # Far more than a pipe holds, and nobody has read any of it yet.
        assert process.stdout.readline() == "done\n"
        assert process.stdin is not None
        first = process.stderr.readline()
        kept = [json.loads(first)]
        while kept[-1]["event"] == "connect":
            if len(kept) == 100:
                process.stdin.write("\n")
                process.stdin.flush()
            kept.append(json.loads(process.stderr.readline()))
        again = json.loads(process.stderr.readline())
    assert [line["number"] for line in kept[:-1]] == list(range(len(kept) - 1))
    assert kept[-1]["event"] == f"nobody read the log; {5000 - len(kept) + 1} lines were left out"
    assert again["event"] == "again"


GATHERED = """
import asyncio, logging
from headway.hub.audit import Audit
from headway.server.logs import set_up_logs
set_up_logs("info", "json")
audit = Audit()
async def main():
    audit.connected("websocket", "1")
    audit.connected("websocket", "2")
    logging.getLogger("headway.connection").info("between")
    audit.connected("websocket", "3")
    await asyncio.to_thread(input)
    for number in range(4, 250):
        audit.connected("websocket", str(number))
    raise SystemExit
try:
    asyncio.run(main())
finally:
    audit.connected("websocket", "250")
"""


def test_lines_of_the_audit_are_all_written_in_order_and_do_not_wait_for_more_to_come() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", GATHERED],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stdin is not None
        early = [json.loads(process.stderr.readline()) for _ in range(4)]
        process.stdin.write("\n")
        process.stdin.flush()
        late = [json.loads(line) for line in process.stderr]
    assert [line.get("address", line["event"]) for line in early] == ["1", "2", "between", "3"]
    assert [line["address"] for line in late] == [str(number) for number in range(4, 251)]
