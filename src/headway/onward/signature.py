"""Signatures in the manner of Standard Webhooks: HMAC-SHA256 over id, time and body, so that a receiver knows who sent it.

Source: the Standard Webhooks specification, "Signature scheme" and "Secrets". Pure: randomness and time are arguments.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from headway.errors import InvalidField

__all__ = ["SECRET_BYTES", "check_secret", "make_secret", "signed_headers"]

SECRET_BYTES = 32
_PREFIX = "whsec_"
_LEAST, _MOST = 24, 64


def make_secret(randomness: bytes) -> str:
    """A secret as receivers' libraries take it.

    Args:
        randomness: `SECRET_BYTES` bytes.
    """
    return _PREFIX + base64.b64encode(randomness).decode()


def check_secret(secret: str) -> str:
    """Return `secret`.

    Raises:
        InvalidField: it is not `whsec_` and the Base64 of 24 to 64 bytes; never with its text.
    """
    if not _LEAST <= len(_key(secret)) <= _MOST:
        raise InvalidField(
            f"A secret is {_PREFIX} and then {_LEAST} to {_MOST} random bytes in Base64", field="secret"
        )
    return secret


def signed_headers(secrets: Sequence[str], message: str, now: int, body: bytes) -> dict[str, str]:
    """The headers of one attempt.

    Args:
        secrets: the newest first; a receiver accepts whichever it knows.
        message: the message's id, the same in every attempt.
        now: Unix seconds of this attempt.
    """
    signed = b"%b.%d.%b" % (message.encode(), now, body)
    signatures = (
        base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()
        for secret in secrets
    )
    return {
        "webhook-id": message,
        "webhook-timestamp": str(now),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _key(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        return b""
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""
