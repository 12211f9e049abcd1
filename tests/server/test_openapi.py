"""The OpenAPI document says what there is, in a form that tools read."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import validate

from tests.servers import serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with serving(tmp_path_factory.mktemp("openapi")) as server:
        described: dict[str, Any] = server.request("GET", "/api/openapi.json").json()
    return described


def test_it_is_valid(api: dict[str, Any]) -> None:
    validate(api)


def test_a_batch_is_described(api: dict[str, Any]) -> None:
    body = api["paths"]["/api/ingest"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Batch"}
    reports = api["components"]["schemas"]["Batch"]["properties"]["reports"]["items"]
    assert set(reports["discriminator"]["mapping"]) == {
        "create", "progress", "start", "pause", "resume", "cancel", "retry", "heartbeat", "stopped", "succeed", "fail",
        "result", "log", "notify",
    }  # fmt: skip


def test_every_refusal_has_one_form(api: dict[str, Any]) -> None:
    for path in api["paths"].values():
        for operation in path.values():
            answer = operation["responses"]["4XX"]["content"]["application/json"]["schema"]
            assert answer == {"$ref": "#/components/schemas/Problem"}
