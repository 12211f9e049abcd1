"""The worker: a process for each order. Headway's part of it is the lines with `task.`"""

from __future__ import annotations

import os
import secrets
import sys
import zlib
from pathlib import Path
from typing import Any

import headway
from examples.demonstration.board import Board
from examples.studio.order import Order, read_order
from examples.studio.renderer import Sheet

__all__ = ["paint"]


def paint(task: headway.TaskHandle, order: Order, folder: Path) -> dict[str, Any]:
    """Paint all pictures of an order, and show each tile.

    Returns:
        `{images: [{url, width, height, seed, look, bytes}], prompt}`. Whoever has the address of a picture may see it, and
        nobody can guess one.

    Raises:
        headway.Cancelled: somebody cancelled the task; its pictures are removed.
    """
    sheets = [Sheet(order.prompt, seed, order.width, order.height) for seed in order.seeds]
    total = sum(sheet.tiles for sheet in sheets)
    images: list[dict[str, Any]] = []
    done = 0
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for number, (seed, sheet) in enumerate(zip(order.seeds, sheets, strict=True), 1):
            for _ in sheet.paint():
                done += 1
                task.progress(done, total=total, message=f"Picture {number} of {len(sheets)}")
            name = f"{secrets.token_urlsafe(16)}.png"
            sheet.picture.save(folder / name, optimize=True)
            images.append(
                {
                    "url": f"/images/{name}",
                    "width": order.width,
                    "height": order.height,
                    "seed": seed,
                    "look": sheet.look,
                    "bytes": (folder / name).stat().st_size,
                }
            )
        task.check()
    except headway.Cancelled:
        for image in images:
            (folder / image["url"].rpartition("/")[2]).unlink()
        raise
    result = {"images": images, "prompt": order.prompt}
    task.result(result)
    return result


def main(task_id: str, attempt: int) -> int:
    """Carry out one order; 0 also when it was cancelled or not to be carried out."""
    record = Board(os.environ["HEADWAY_URL"]).task(task_id, os.environ["HEADWAY_TOKEN"])
    try:
        with headway.attach(task_id, attempt=attempt) as task:
            try:
                order = read_order(record["meta"]["formData"], zlib.crc32(task_id.encode()))
            except ValueError as error:
                task.fail(str(error))
                return 0
            paint(task, order, Path(os.environ["EXAMPLE_DATA"]) / "images")
    except headway.Cancelled:
        pass
    finally:
        headway.flush(30)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
