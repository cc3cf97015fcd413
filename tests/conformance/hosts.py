"""Documents of others, run for real: every one in a home of all, by one host of steps."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from material import MATERIAL

from penstock.bootstrap import Home, open_home, read_images
from penstock.errors import PenstockError
from penstock.settings import Settings

__all__ = ["Case", "Result", "results"]

IMAGES = MATERIAL.parent / "images"
PATIENCE = 1800.0
AT_ONCE = 8
"""Documents that run at once: enough to fill the machine while some sleep, few enough for their time limits."""

APPROVALS: Mapping[str, Mapping[str, str]] = {"suspend-template-outputs": {"message": "approved"}}
"""What a person supplies who resumes a document."""


@dataclass(frozen=True)
class Case:
    """A document by kind and name. `fixed`: a text of it, and what it becomes at its first, second … place, the last
    one from there on."""

    path: str
    fixed: tuple[str, tuple[str, ...]] = ("", ())

    def __str__(self) -> str:
        return "-".join([self.path, *self.fixed[1]])

    @property
    def observed(self) -> dict[str, Any] | None:
        """What Argo made of it, where that was observed."""
        kind, name = self.path.split("/")
        path = MATERIAL / kind / "observed" / f"{name}.json"
        found: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
        return found

    def document(self) -> dict[str, Any]:
        """The document under the name that it had on the cluster, so that ids of nodes are equal."""
        text = (MATERIAL / f"{self.path}.yaml").read_text(encoding="utf-8")
        former, values = self.fixed
        if former:
            first, *rest = text.split(former)
            assert rest, f"{former!r} is not in {self.path}"
            places = [*values, *[values[-1]] * len(rest)]
            text = first + "".join(value + part for value, part in zip(places, rest, strict=False))
        document: dict[str, Any] = yaml.safe_load(text)
        if self.observed:
            document["metadata"] |= {"name": self.observed["metadata"]["name"], "generateName": ""}
        return document


@dataclass(frozen=True)
class Result:
    """What became of a document: its status, or why it was refused."""

    status: Mapping[str, Any]
    refused: str = ""


def results(folder: Path, launcher: str, cases: Iterable[Case]) -> dict[Case, Result]:
    """Run documents. The images that they name are stand-ins."""
    rules = {}
    if launcher == "process":
        subprocess.run([IMAGES / "rootfs", folder / "root"], check=True, stdout=subprocess.DEVNULL)
        table = subprocess.run([IMAGES / "map", folder / "root"], check=True, capture_output=True, text=True).stdout
        (folder / "images.toml").write_text(table)
        rules = dict(read_images(folder / "images.toml"))
    else:
        subprocess.run([IMAGES / "docker"], check=True, stdout=subprocess.DEVNULL)
    home = open_home(Settings(home=folder / "home", launcher=launcher, images=rules, max_steps=100))
    home.claims.make("data-volume")
    try:
        return asyncio.run(_results(home, cases))
    finally:
        home.close()


async def _results(home: Home, cases: Iterable[Case]) -> dict[Case, Result]:
    gate = asyncio.Semaphore(AT_ONCE)
    async with home.engaged(), asyncio.timeout(PATIENCE):
        return dict(await asyncio.gather(*(_one(home, case, gate) for case in cases)))


async def _one(home: Home, case: Case, gate: asyncio.Semaphore) -> tuple[Case, Result]:
    async with gate:
        given = (case.observed or {}).get("given") or {}
        try:
            run = await asyncio.to_thread(home.services.runs.create, json.dumps(case.document()), parameters=given)
        except PenstockError as error:
            return case, Result({}, str(error))
        async for event in home.follow(run.id):
            if event.kind == "node" and event.data["displayName"] == "approve" and event.data["phase"] == "Running":
                given = APPROVALS.get(case.path.partition("/")[2], {})
                await asyncio.to_thread(home.services.runs.resume, run.id, "approve", given)
        return case, Result((await asyncio.to_thread(home.services.runs.document, run.id))["status"])
