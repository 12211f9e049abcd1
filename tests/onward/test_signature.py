"""Signatures are those of Standard Webhooks, and a secret is one that its libraries take."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import InvalidField
from headway.onward.signature import SECRET_BYTES, check_secret, make_secret, signed_headers
from tests.onward.receiver import Received

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_example_that_the_libraries_of_the_specification_are_tested_with() -> None:
    headers = signed_headers([SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(st.binary(max_size=200), st.integers(0, 2**40))
def test_each_secret_signs_and_no_other_verifies(body: bytes, now: int) -> None:
    body = body.decode("latin-1").encode()
    old, new, other = (make_secret(bytes([n]) * SECRET_BYTES) for n in range(3))
    headers = signed_headers([new, old], "msg_1", now, body)
    received = Received("/", headers, body)
    assert received.signed_with(old)
    assert received.signed_with(new)
    assert not received.signed_with(other)
    assert not Received("/", headers, body + b" ").signed_with(new)
    assert not Received("/", {**headers, "webhook-timestamp": str(now + 1)}, body).signed_with(new)


def test_a_secret_that_was_made_is_one() -> None:
    secret = make_secret(bytes(range(SECRET_BYTES)))
    assert check_secret(secret) == secret
    assert base64.b64decode(secret.removeprefix("whsec_")) == bytes(range(SECRET_BYTES))


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "secret",
        "whsec_",
        "whsec_c2hvcnQ=",
        "whsec_!!!!",
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
        base64.b64encode(b"x" * 32).decode(),
    ],
)
def test_a_secret_of_another_form_is_refused_without_being_said(secret: str) -> None:
    with pytest.raises(InvalidField) as refused:
        check_secret(secret)
    assert len(secret) < 10 or secret not in refused.value.message
