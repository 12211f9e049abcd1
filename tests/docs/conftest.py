"""A server for the documentation's examples, one for all of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.model.grant import Ability
from headway.server.tokens import Tokens, kept_secret
from tests.cli.programs import Programs

__all__ = ["Served", "served"]


class Served:
    """A server that runs, and what a reader of the documentation has in the environment."""

    def __init__(self, programs: Programs) -> None:
        self.programs = programs
        self.server = programs.serve("--webhook-networks", "127.0.0.1")
        self.url = self.server.url
        # The line after the last one that the server prints means that its note is there.
        self.server.until("Tokens:")
        self.token = self.token_for("script", "publish,read,cancel", "user:*")
        self.environment = {
            **programs.environment,
            "HEADWAY_URL": self.url,
            "HEADWAY_TOKEN": self.token,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def token_for(self, user: str, can: str = "read,cancel", channels: str = "") -> str:
        """What `headway token` prints, without starting a program each time."""
        tokens = Tokens(kept_secret(self.programs.data))
        abilities = [Ability(word) for word in can.split(",")]
        return tokens.make(user, can=abilities, channels=channels.split(",") if channels else (), ttl=3600)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    programs = Programs(tmp_path_factory.mktemp("served"), forked=True)
    yield Served(programs)
    programs.close()
