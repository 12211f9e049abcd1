"""The OpenAPI document: what Litestar derives from the handlers, and what it cannot know."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Litestar

from headway.model.report import Batch

__all__ = ["document"]

_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (spec/wire.md §6); some codes have more fields.",
    "required": ["code", "message", "retryable"],
    "properties": {
        "code": {"type": "integer", "description": "Its hundreds say what to do."},
        "message": {"type": "string", "description": "For a person."},
        "retryable": {"type": "boolean", "description": "Whether the same request can succeed later."},
    },
}
_REFUSED = {
    "description": "Refused",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def document(app: Litestar) -> dict[str, Any]:
    """The document of an application, as JSON values."""
    schema: dict[str, Any] = app.openapi_schema.to_schema()
    schemas: dict[str, Any] = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM
    for path in schema["paths"].values():
        for operation in path.values():
            # Litestar assumes an error of its own form; every refusal here has ours.
            operation["responses"].pop("400", None)
            operation["responses"]["4XX"] = operation["responses"]["5XX"] = _REFUSED
    _describe_batch(schema["paths"], schemas)
    # Defaults come as Python has them, tuples among them.
    described: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema))
    return described


def _describe_batch(paths: dict[str, Any], schemas: dict[str, Any]) -> None:
    """The body of a batch, which its handler reads by hand so that one bad report does not sink the others."""
    (batch,), parts = msgspec.json.schema_components([Batch], ref_template="#/components/schemas/{name}")
    for name, part in parts.items():
        schemas.setdefault(name, part)
    paths["/api/ingest"]["post"]["requestBody"] = {
        "required": True,
        "content": {
            "application/json": {
                "schema": batch,
                "example": {
                    "reports": [
                        {
                            "type": "create",
                            "task": "import-42",
                            "title": "Importing customers",
                            "start": True,
                        },
                        {"type": "progress", "task": "import-42", "done": 40, "total": 100, "message": "Ada"},
                    ]
                },
            }
        },
    }
