"""The demonstration: a server, and the example pipelines running on it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import ChainMap
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from penstock.cli.exits import FAILED, STOPPED, SUCCEEDED
from penstock.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from penstock.bootstrap import Home, Ready
    from penstock.cli.board import Board
    from penstock.settings import Settings

__all__ = ["Demo", "Example", "examples"]

EXAMPLES = ("tumours", "taxi")


@dataclass(frozen=True, slots=True)
class Example:
    """An example pipeline: its document, and the file of its image rules where it has one."""

    name: str
    document: str | bytes
    images: Path | None


class Demo:
    """The server and the runs that are followed beside it."""

    def __init__(self, settings: Settings, examples: Sequence[Example], once: bool, browser: bool) -> None:
        self._settings = settings
        self._examples = examples
        self._once = once
        self._browser = browser
        self._boards: list[Board] = []
        self._following: asyncio.Task[None] | None = None

    async def run(self) -> int:
        """Serve until Ctrl-C, or until the runs have ended where that was asked for; the exit code."""
        from penstock.bootstrap import read_images, serve

        # The rules are the server's too, so that a run can be cloned on the page.
        rules = [read_images(example.images) for example in self._examples if example.images]
        settings = replace(self._settings, images={**ChainMap(*map(dict, rules)), **self._settings.images})
        self._serving = asyncio.create_task(serve(settings, self._ready, click.echo))
        try:
            await self._serving
        except asyncio.CancelledError:
            if not self._serving.cancelled():
                raise
        finally:
            await self._unfollow()
        return self._exit_code()

    def _ready(self, ready: Ready, home: Home) -> None:
        click.echo(f"Penstock serves {ready.url} (home {home.settings.home})")
        click.echo(f"Log in, once: {ready.login}\n")
        if self._browser:
            click.launch(ready.login)
        self._following = asyncio.create_task(self._follow(home))

    async def _follow(self, home: Home) -> None:
        try:
            await self._follow_runs(home)
        except BaseException:
            self._serving.cancel()
            raise
        if self._once:
            self._serving.cancel()
        else:
            click.echo("\nThe page stays up; Ctrl-C ends it")

    async def _follow_runs(self, home: Home) -> None:
        from penstock.cli.board import Board
        from penstock.cli.follow import follow, summary
        from penstock.cli.show import show_on

        created = [await asyncio.to_thread(_submit, home, example) for example in self._examples]
        self._boards = [Board(title=run.name) for run in created]
        with show_on(sys.stdout, self._boards) as show:
            followers = (follow(home, run.id, board, show) for run, board in zip(created, self._boards, strict=True))
            await asyncio.gather(*followers)
        for board in self._boards:
            click.echo("\n".join(summary(board)))

    async def _unfollow(self) -> None:
        """Raises what following raised."""
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following

    def _exit_code(self) -> int:
        states = [board.run.get("state") for board in self._boards]
        if not self._once or (states and all(state == "SUCCEEDED" for state in states)):
            return SUCCEEDED
        ended = states and all(board.run.get("finished_at") for board in self._boards)
        return FAILED if ended else STOPPED


# --- the examples -----------------------------------------------------------------------------------------------


def examples() -> Sequence[Example]:
    """The example pipelines of the demonstration, compiled. Raises InvalidInput, InvalidPipeline."""
    return [_example(name) for name in EXAMPLES]


def _example(name: str) -> Example:
    from penstock.cli.source import read_document

    folder = _folder()
    places = (folder / name / "pipeline.py", folder / name / f"{name}.py", folder / f"{name}.py")
    source = next((path for path in places if path.is_file()), None)
    if source is None:
        raise InvalidInput(f"example {name!r}: there is no {places[0]}")
    images = source.parent / "images.toml"
    return Example(name, read_document(source, None), images if images.is_file() else None)


def _folder() -> Path:
    """Where the examples are: in the package when it was installed, beside it in a work tree."""
    import penstock

    package = Path(penstock.__file__).parent
    inside = package / "examples"
    return inside if inside.is_dir() else package.parent.parent / "examples"


def _submit(home: Home, example: Example) -> Any:
    from penstock.bootstrap import RunOptions, read_images

    options = RunOptions(images=read_images(example.images) if example.images else {})
    return home.services.runs.create(version_id=_uploaded(home, example), options=options)


def _uploaded(home: Home, example: Example) -> str:
    """Id of the pipeline version of this very document; it is uploaded where it is new."""
    pipelines = home.services.pipelines
    try:
        pipeline = pipelines.named(example.name)
    except NotFound:
        return pipelines.create(example.document, name=example.name)[1].id
    latest = pipeline.latest_version_id
    if latest and pipelines.version_document(latest) == json.loads(example.document):
        return latest
    from penstock.bootstrap import Page

    count = pipelines.versions(pipeline.id, Page(size=1)).total
    return pipelines.add_version(pipeline.id, example.document, name=f"{example.name} {count + 1}").id
