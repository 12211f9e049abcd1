"""python -m examples.analysis --port 8000"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI

from examples.analysis.app import add_routes
from examples.demonstration.crew import Crew
from examples.demonstration.launch import BASE, Place, announce, read_settings
from examples.demonstration.leftovers import Leftovers
from examples.demonstration.people import DEMO_PEOPLE
from headway import Headway
from headway.errors import HeadwayError
from headway.server.logs import set_up_logs
from headway.server.run import bind
from headway.server.settings import Settings

GATE = "headway.transports.websocket:Gate"


def run(settings: Settings) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    set_up_logs(settings.log_level, settings.log_format)
    listener = bind(settings)
    url = "http://{}:{}".format(*listener.getsockname()[:2])
    hw = Headway(settings, dialects=["notifications"])
    place = Place(url + BASE, hw.local_token(), settings.data.resolve())
    try:
        with (
            Crew("examples.analysis.worker", place.variables) as crew,
            Leftovers(place, "analysis", states="queued,running,paused,lost"),
        ):

            @asynccontextmanager
            async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
                async with hw.lifespan(app) as state:
                    # Who connects now waits until the server takes it, which is at once.
                    announce("analysis", url, hw, DEMO_PEOPLE)
                    yield state

            app = FastAPI(
                title="Analysis", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
            )
            add_routes(app, place, crew.submit)
            app.mount(BASE, hw.asgi)
            # Last, since it takes what is left: the contract's addresses are at the root.
            app.mount("/", hw.contracts)
            config = uvicorn.Config(app, ws=GATE, log_config=None, access_log=False)
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        listener.close()


def main() -> int:
    """Run the example; gives the exit code."""
    try:
        run(read_settings("analysis", 8000))
    except HeadwayError as error:
        print(error.message, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        # Uvicorn has drained by then, and raises the signal again.
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
