"""Images of containers: each is pulled once, however many steps ask at once, and a bad one fails with its reason."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence

from penstock.adapters.local.docker.engine import Engine, Refused
from penstock.errors import InvalidInput

__all__ = ["Images", "misnamed"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,511}")
_LAYER = re.compile(r"[0-9a-f]{12}: (Pulling fs layer|Pull complete|Already exists)")


def misnamed(image: str) -> str:
    """Why this is no name of an image; "" if it is one."""
    return (
        ""
        if _NAME.fullmatch(image)
        else f"image {image!r:.200}: got no name of an image, expected one like python:3.11"
    )


MOMENT = 2.0
"""Seconds for which an image's id is not asked again: steps of one image come in bunches."""


class Images:
    """What an engine has of images. `pauses` are the seconds between tries to pull one; `note` hears of progress."""

    def __init__(self, note: Callable[[str], None], pauses: Sequence[float]) -> None:
        self._note = note
        self._pauses = pauses
        self._pulling: dict[str, asyncio.Task[None]] = {}
        self._known: dict[str, tuple[float, str]] = {}

    async def ready(self, engine: Engine, image: str) -> None:
        """Return when the engine has the image. Raises InvalidInput (it cannot be had), NoSpace, Unavailable."""
        pulling = self._pulling.get(image)
        if pulling is None:
            pulling = self._pulling[image] = asyncio.create_task(self._had(engine, image), name=f"pull {image}")
            pulling.add_done_callback(lambda _: self._pulling.pop(image))
        await asyncio.shield(pulling)

    async def identity(self, engine: Engine, image: str) -> str:
        """The image's id, "" where the engine does not have it. What was true a moment ago counts."""
        at, id = self._known.get(image, (float("-inf"), ""))
        if time.monotonic() - at > MOMENT:
            try:
                id = (await engine.run("image", "inspect", "--format", "{{.Id}}", image)).strip()
            except Refused:
                id = ""
            self._known[image] = (time.monotonic(), id)
        return id

    async def close(self) -> None:
        """Stop pulling."""
        tasks = list(self._pulling.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _had(self, engine: Engine, image: str) -> None:
        try:
            await engine.run("image", "inspect", "--format", "{{.Id}}", image)
        except Refused:
            await self._pulled(engine, image)

    async def _pulled(self, engine: Engine, image: str) -> None:
        began = time.monotonic()
        for pause in (*self._pauses, None):
            self._note(f"image {image!r}: pulling")
            try:
                await self._pull(engine, image)
                self._note(f"image {image!r}: pulled in {time.monotonic() - began:.0f} s")
                return
            except Refused as refused:
                if pause is None:
                    raise InvalidInput(
                        f"cannot pull {image!r} ({refused}); failed after {len(self._pauses) + 1} tries, "
                        f"{time.monotonic() - began:.0f} s. Check its name, or map it in [images] of penstock.toml"
                    ) from None
                self._note(f"image {image!r}: {refused}; trying again in {pause:g} s")
                await asyncio.sleep(pause)

    async def _pull(self, engine: Engine, image: str) -> None:
        """Raises Refused, NoSpace, Unavailable."""
        async with engine.started("pull", image) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            _, err = await asyncio.gather(self._progress(image, process.stdout), process.stderr.read())
            if await process.wait():
                raise engine.failure(err)

    async def _progress(self, image: str, lines: asyncio.StreamReader) -> None:
        layers, done = 0, 0
        async for line in lines:
            found = _LAYER.match(line.decode("utf-8", "replace"))
            if found is None:
                continue
            layers += found[1] != "Pull complete"
            if found[1] != "Pulling fs layer":
                done += 1
                self._note(f"image {image!r}: {done} of {layers} layers")
