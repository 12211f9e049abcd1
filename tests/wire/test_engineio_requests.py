"""What the query of a request asks for, and how it is refused: the vectors, and hostile text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.wire.engineio_requests import (
    FORBIDDEN,
    UNKNOWN_SID,
    UNKNOWN_TRANSPORT,
    EngineRequest,
    Refusal,
    forbidden,
    read_request,
)

VECTORS = json.loads((Path(__file__).parents[2] / "spec/vectors/engineio.json").read_text("utf-8"))


@pytest.mark.parametrize(
    "case", VECTORS["requests"], ids=lambda case: f"{case['method']} {case['query'][:60]}"
)
def test_requests(case: dict[str, Any]) -> None:
    found = read_request(case["method"], case["query"], upgrade=case.get("upgrade", False))
    if "asks" in case:
        assert found == EngineRequest(case["method"], **case["asks"])
    else:
        assert isinstance(found, Refusal)
        assert (found.code, found.status) == (case["code"], case["status"])


def test_a_transport_that_is_not_offered_is_unknown() -> None:
    query = "EIO=4&transport=polling"
    assert read_request("GET", query, upgrade=False, transports={"websocket"}) is UNKNOWN_TRANSPORT


def test_a_refusal_is_json() -> None:
    assert json.loads(UNKNOWN_SID.body) == {"code": 1, "message": "Session ID unknown"}
    refused = forbidden("Not from this page")
    assert (refused.code, refused.status) == (FORBIDDEN.code, 403)
    assert json.loads(refused.body)["message"] == "Not from this page"


def test_a_request_hides_its_session() -> None:
    found = read_request("GET", "EIO=4&transport=polling&sid=secret", upgrade=False)
    assert "secret" not in repr(found)


@given(st.sampled_from(["GET", "POST", "PUT", ""]), st.text(max_size=100), st.booleans())
def test_any_query_has_an_answer(method: str, query: str, upgrade: bool) -> None:
    for text in (query, f"EIO=4&transport=polling&{query}"):
        assert isinstance(read_request(method, text, upgrade=upgrade), EngineRequest | Refusal)


@given(st.text("abEIO=4&;té?#", max_size=60))
def test_a_query_means_the_same_with_and_without_escapes(query: str) -> None:
    plain, escaped = (
        read_request("GET", f"EIO=4&transport=polling&{query}&{x}=1", upgrade=False) for x in ("x", "%78")
    )
    assert plain == escaped
