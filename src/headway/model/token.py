"""What a token goes by: a name that is safe to keep, to log and to send, since nobody can come in by it."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from typing import Any

__all__ = ["DIGEST", "names_of", "token_id"]

DIGEST = "~"
"""What digests begin with, and ids that issuers give (`jti`) do not."""


def token_id(token: str) -> str:
    """What a token without an id goes by: a digest of it.

    Of a signed token (RFC 7515 §7.1) the signature is left out, since the same one can be written in several ways.
    """
    meant = token if _signed(token) is None else token.rpartition(".")[0]
    digest = sha256(meant.encode("utf-8", "surrogatepass")).digest()
    return DIGEST + base64.urlsafe_b64encode(digest[:18]).decode()


def names_of(text: str) -> tuple[str, ...]:
    """All that a token may go by, its own id first if it says one; of an id, the digest of it.

    Nothing is believed: whoever names somebody else's token does no more than by naming its id.
    """
    payload = _signed(text)
    named = None if payload is None else _read(payload).get("jti")
    return (named, token_id(text)) if isinstance(named, str) and named else (token_id(text),)


def _signed(text: str) -> str | None:
    """The payload of what has the form of a signed token; None for everything else."""
    header, _, rest = text.partition(".")
    payload, dot, signature = rest.partition(".")
    return payload if dot and "." not in signature and "alg" in _read(header) else None


def _read(part: str) -> dict[str, Any]:
    try:
        read = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
