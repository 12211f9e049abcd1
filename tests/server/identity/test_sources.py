"""Keys come from where the settings say; what cannot be used is said at the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headway.errors import ConfigurationError, Unauthenticated
from headway.model.grant import Grant
from headway.server.identity.keys import secret_key
from headway.server.identity.sources import terms_of, verifier_of
from headway.server.identity.verifier import Verifier
from headway.server.settings import load_settings
from headway.server.tokens import Tokens
from tests.server.identity.makers import KEYS, key_set, public_pem, signed
from tests.servers import SECRET


def make(tmp_path: Path, **given: Any) -> Verifier:
    settings = load_settings(None, data=tmp_path, secret=SECRET, **given)
    return verifier_of(settings, secret_key(SECRET))[0]


def test_a_pem_may_be_a_file_or_stand_there(tmp_path: Path) -> None:
    file = tmp_path / "keys.pem"
    file.write_text(public_pem("ES256"))
    for given in (str(file), public_pem("ES256")):
        verifier = make(tmp_path, token_keys=given)
        assert isinstance(verifier.verify(signed({"sub": "ada"}, KEYS["ES256"], "ES256")), Grant)


def test_several_sources_count_at_once(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_bytes(key_set((KEYS["EdDSA"], {"kid": "d"})))
    verifier = make(tmp_path, token_keys=public_pem("RS256"), jwks_file=file)
    for algorithm in ("HS256", "RS256", "EdDSA"):
        assert isinstance(verifier.verify(signed({"sub": "ada"}, KEYS.get(algorithm), algorithm)), Grant)
    with pytest.raises(Unauthenticated):
        verifier.verify(signed({"sub": "ada"}, KEYS["ES256"], "ES256"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"token_keys": "/nowhere/keys.pem"}, "cannot be read"),
        ({"jwks_file": "/nowhere/jwks.json"}, "cannot be read"),
        ({"jwks_url": "http://login.example/jwks"}, "https"),
        ({"jwks_file": __file__}, "no key set"),
        ({"token_keys": __file__}, "no PEM key"),
    ],
)
def test_what_cannot_be_used_is_said_at_the_start(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        make(tmp_path, **given)


def test_our_own_tokens_are_those_of_this_deployment(tmp_path: Path) -> None:
    """Two servers with one secret: what one makes is worth nothing at the other."""
    settings = {
        name: load_settings(
            None, data=tmp_path, secret=SECRET, audience=name, issuer=f"https://{name}.example"
        )
        for name in ("staging", "production")
    }
    token = Tokens(SECRET, terms=terms_of(settings["staging"])).make("ada")
    accepting = verifier_of(settings["staging"], secret_key(SECRET))[0]
    assert isinstance(accepting.verify(token), Grant)
    with pytest.raises(Unauthenticated, match="issuer"):
        verifier_of(settings["production"], secret_key(SECRET))[0].verify(token)
    same_issuer = load_settings(None, data=tmp_path, secret=SECRET, audience="production")
    with pytest.raises(Unauthenticated, match="audience"):
        verifier_of(same_issuer, secret_key(SECRET))[0].verify(token)


def test_keys_of_somebody_else_make_a_secret_unnecessary(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="needs a secret"):
        load_settings(None, data=tmp_path, host="0.0.0.0")
    assert load_settings(None, data=tmp_path, host="0.0.0.0", token_keys=public_pem("RS256")).has_keys
