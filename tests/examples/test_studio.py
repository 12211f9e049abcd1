"""The application `studio`: pictures that differ, and orders that every device of a user sees."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examples.studio.looks import LOOKS
from examples.studio.order import MOST_EDGE, read_order
from examples.studio.renderer import TILE, Sheet
from PIL import Image

from tests.examples.running import Running, running, until
from tests.python_client import PythonClient


def paint(prompt: str, seed: int = 1, **form: Any) -> Image.Image:
    order = read_order({"prompt": prompt, "resolution": "256", "seed": seed, **form}, 0)
    sheet = Sheet(order.prompt, order.seeds[0], order.width, order.height)
    assert list(sheet.paint()) == list(range(1, sheet.tiles + 1))
    return sheet.picture


def difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, dtype=float) - np.asarray(other, dtype=float)).mean())


def test_the_same_order_gives_the_same_picture_and_another_one_another() -> None:
    first = paint("a sunset over the sea")
    assert paint("a sunset over the sea").tobytes() == first.tobytes()
    for other in (
        paint("a sunset over the sea", 2),
        paint("a mountain in winter"),
        paint("galaxy"),
        paint("glass"),
    ):
        assert difference(first, other) > 5


@pytest.mark.parametrize("look", LOOKS)
def test_no_look_is_flat_and_tiles_fit(look: str) -> None:
    word = {"silk": "silk", "waves": "sea", "ridges": "mountain", "nebula": "galaxy", "glass": "glass", "julia": "fractal",
            "marble": "marble", "rings": "ripple"}[look]  # fmt: skip
    order = read_order({"prompt": word, "resolution": "256", "ratio": "3:2", "seed": 5}, 0)
    sheet = Sheet(order.prompt, 5, order.width, order.height)
    assert sheet.look == look
    for _ in sheet.paint():
        pass
    pixels = np.asarray(sheet.picture, dtype=float)
    assert pixels.shape == (171, 256, 3)
    assert pixels.std() > 12
    # Where tiles meet there is no more of a step than elsewhere.
    steps = np.abs(np.diff(pixels, axis=1)).mean(axis=(0, 2))
    assert steps[TILE - 1] <= 2.5 * np.percentile(steps, 90)


@pytest.mark.parametrize(
    ("form", "size"),
    [
        ({}, (512, 512)),
        ({"resolution": "1K", "ratio": "16:9"}, (1024, 576)),
        ({"resolution": "256", "ratio": "2:3"}, (171, 256)),
        ({"resolution": 1024, "ratio": "auto"}, (1024, 1024)),
        ({"resolution": "640x480", "ratio": ""}, (640, 480)),
        ({"resolution": "1024x1024", "ratio": "21:9", "seed": -1}, (1024, 439)),
        ({"resolution": "4k", "seed": ""}, (MOST_EDGE, MOST_EDGE)),
    ],
)
def test_the_size_is_what_was_ordered(form: dict[str, Any], size: tuple[int, int]) -> None:
    order = read_order({"prompt": "x", "numImages": 3, **form}, 7)
    assert (order.width, order.height) == size
    assert order.seeds == (7, 8, 9)


def test_numbers_may_be_written_as_texts() -> None:
    assert read_order({"prompt": "x", "numImages": "2", "seed": "40"}, 7).seeds == (40, 41)


@pytest.mark.parametrize(
    "form",
    [
        {}, {"prompt": " "}, {"prompt": 5}, {"prompt": "x" * 2001}, {"prompt": "x", "numImages": 9}, {"prompt": "x", "numImages": True},
        {"prompt": "x", "resolution": "64K"}, {"prompt": "x", "ratio": "1:100"}, {"prompt": "x", "seed": -2}, {"prompt": "x", "seed": "a"},
        {"prompt": "x", "resolution": "large"}, {"prompt": "x", "ratio": "0:1"}, {"prompt": "x", "seed": 0.5}, {"prompt": "x", "resolution": []},
    ],
)  # fmt: skip
def test_what_cannot_be_painted_is_refused(form: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"prompt|numImages|resolution|ratio|seed"):
        read_order(form, 1)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running("studio", tmp_path_factory.mktemp("studio")) as found:
        yield found


class Device:
    """A client of the contract."""

    def __init__(self) -> None:
        self.client = PythonClient()
        self.heard: list[tuple[str, Any]] = []
        self._news = asyncio.Event()
        self.client.on("*", self._hear)

    async def _hear(self, name: str, data: Any, *_offset: str) -> None:
        self.heard.append((name, data))
        self._news.set()

    async def until(self, name: str) -> Any:
        async with asyncio.timeout(60):
            while True:
                self._news.clear()
                for heard, data in self.heard:
                    if heard == name:
                        return data
                await self._news.wait()


def order(number: int, prompt: str, **form: Any) -> dict[str, Any]:
    form = {"prompt": prompt, "resolution": "256", **form}
    return {"id": number, "formData": form, "mode": "text-to-image", "startTime": int(time.time() * 1000)}


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_an_order_is_painted_in_front_of_all_devices_of_its_user(app: Running) -> None:
    devices = [Device(), Device(), Device()]
    for device, token in zip(devices, (app.tokens[0], app.tokens[0], app.tokens[1]), strict=True):
        await device.client.connect(app.url, auth={"token": token})
        assert await device.until("active_tasks") == {"tasks": []}
    one, two, stranger = devices
    await one.client.emit("task_created", order(11, "waves of the sea", numImages=2, seed=3, ratio="16:9"))
    for device in (one, two):
        created = await device.until("task_created")
        assert (created["id"], created["formData"]["prompt"]) == (11, "waves of the sea")
        done = await device.until("task_completed")
        assert (done["id"], done["result"]["prompt"]) == (11, "waves of the sea")
        names = [name for name, _ in device.heard]
        assert names.count("task_created") == names.count("task_completed") == 1
        progress = [data["progress"] for name, data in device.heard if name == "task_progress"]
        assert progress == sorted(progress)
    images = done["result"]["images"]
    assert [(image["seed"], image["look"], image["width"], image["height"]) for image in images] == [
        (3, "waves", 256, 144),
        (4, "waves", 256, 144),
    ]
    for image in images:
        answer = await asyncio.to_thread(app.ask, "GET", image["url"])
        picture = Image.open(io.BytesIO(answer.body))
        assert (picture.format, picture.size, len(answer.body)) == ("PNG", (256, 144), image["bytes"])
    assert stranger.heard == [("active_tasks", {"tasks": []})]

    await one.client.emit("task_created", order(12, "glass", ratio="9:1"))
    failed = await two.until("task_failed")
    assert failed == {"id": 12, "error": "The ratio is 1:1, 16:9 or the like, 1:8 to 8:1"}
    for device in devices:
        await device.client.disconnect()


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_cancelling_ends_the_worker_and_leaves_no_picture(app: Running) -> None:
    device = Device()
    await device.client.connect(app.url, auth={"token": app.tokens[1]})
    before = set((app.data / "images").glob("*")) if (app.data / "images").exists() else set[Path]()
    await device.client.emit("task_created", order(1, "silk dream", resolution="2K", numImages=8))
    task = (await device.until("task_created"))["serverTaskId"]
    await device.until("task_progress")
    headers = {"Authorization": f"Bearer {app.tokens[1]}"}
    answer = await asyncio.to_thread(app.ask, "POST", f"/headway/api/tasks/{task}/cancel", headers=headers)
    assert answer.status == 200
    assert (await device.until("task_failed"))["id"] == 1

    def stopped() -> bool:
        return not app.ask("GET", f"/headway/api/tasks/{task}", app.tokens[1]).body.get("stopping")

    await asyncio.to_thread(until, stopped)
    assert set((app.data / "images").glob("*")) == before
    await device.client.disconnect()
