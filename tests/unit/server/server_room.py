"""A server over fakes, and requests that tests drive by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from starlette.testclient import TestClient

from penstock.adapters.local.metrics import Meters
from penstock.ports import ImageRule, NodeRow, StepId, Turn
from penstock.server import News, app
from penstock.services import Experiments, Pipelines, Report, Runs, Services
from penstock.settings import Settings
from penstock.testing import FakeClock, MemoryObjects, MemoryRecords
from penstock.workflow.status import Artifact, Node, NodeOutputs, NodeType, Phase

API = "/apis/v2beta1"
HOST = "127.0.0.1:8080"
TOKEN = "a-token-of-the-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PATIENCE = 30.0

DOCUMENT: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"generateName": "greet-"},
    "spec": {
        "entrypoint": "main",
        "arguments": {"parameters": [{"name": "who", "value": "world"}]},
        "templates": [{"name": "main", "container": {"image": "alpine", "command": ["true"]}}],
    },
}


class Asleep:
    """An engine that nobody wakes."""

    def wake(self) -> None:
        pass


class LogFolder:
    """The part of a launcher that use cases ask: what it refuses, and where a live log lies."""

    name = "fake"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def refuse(
        self, image: str, command: Sequence[str], images: Mapping[str, ImageRule], beside: Sequence[str] = ()
    ) -> str:
        return "no rule maps the image 'absent'" if image == "absent" else ""

    def log(self, id: StepId) -> Path:
        return self.folder / f"{id.node_id}.{id.incarnation}.log"


class Room:
    """Use cases on fakes, and a server before them."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.records, self.objects, self.clock = MemoryRecords(), MemoryObjects(), FakeClock()
        self.launcher = LogFolder(folder)
        self.news = News()
        runs = Runs(self.records, self.objects, Asleep(), self.launcher, self.clock)  # type: ignore[arg-type]
        self.services = Services(
            runs=runs,
            pipelines=Pipelines(self.records, self.clock),
            experiments=Experiments(self.records, self.clock),
            meters=Meters(self.clock.now),
        )
        self.report = Report(self.records, self.objects, self.news.publish)
        self.app = app(self.services, token=TOKEN, settings=Settings(**settings), news=self.news)

    def client(self, **headers: str) -> TestClient:
        """A client that speaks as the CLI does; an unexpected failure is an answer, not an exception."""
        return TestClient(self.app, base_url=f"http://{HOST}", headers=BEARER | headers, raise_server_exceptions=False)

    def run(self, **more: Any) -> str:
        """Id of a new run."""
        return self.services.runs.create(json.dumps(DOCUMENT), **more).id

    def commit(self, run_id: str, *nodes: Node, incarnation: int = 1, **more: Any) -> None:
        """What an engine's turn would store."""
        rows = [NodeRow(run_id=run_id, node=node, incarnation=incarnation) for node in nodes]
        self.report.commit(Turn(run_id=run_id, at=self.clock.now(), nodes=rows, **more)).result()

    def finish(self, run_id: str) -> None:
        """The run has succeeded."""
        self.commit(run_id, phase="Succeeded", started_at=1.0, finished_at=2.0)

    def write_log(self, node_id: str, text: str, incarnation: int = 1) -> None:
        """Add to the live log of a step."""
        with self.launcher.log(StepId(run_id="", node_id=node_id, incarnation=incarnation)).open("a") as file:
            file.write(text)

    def step_with(self, content: Mapping[str, bytes]) -> tuple[str, str]:
        """Ids of a run and of its step, which stored these artifacts."""
        run_id = self.run()
        artifacts = tuple(Artifact(name=name, key=f"artifacts/{run_id}/{i}") for i, name in enumerate(content))
        for artifact in artifacts:
            self.objects.write(artifact.key, content[artifact.name])
        self.commit(run_id, step(outputs=NodeOutputs(artifacts=artifacts)))
        return run_id, "n1"


def step(id: str = "n1", phase: Phase = Phase.SUCCEEDED, **more: Any) -> Node:
    """A node of a step."""
    return Node(id=id, name=id, display_name=f"step {id}", type=NodeType.POD, phase=phase, **more)


class Exchange:
    """One request to an ASGI application, whose answer is looked at while it is made.

    `slow`: the client takes nothing after the head of the answer.
    """

    def __init__(
        self, app: Any, path: str, *, slow: bool = False, headers: Mapping[str, str] = {}, method: str = "GET"
    ) -> None:
        path, _, query = path.partition("?")
        given = {"Host": HOST} | BEARER | headers
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
            "server": ("127.0.0.1", 8080),
            "client": ("127.0.0.1", 50000),
        }
        self._app = app
        self._slow = slow
        self._left = asyncio.Event()
        self._news = asyncio.Event()
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.pieces = 0
        self.whole = False

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._app(self.scope, self._receive, self._send))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.leave()
        async with asyncio.timeout(PATIENCE):
            await self._task

    def leave(self) -> None:
        """The client goes."""
        self._left.set()

    async def ended(self) -> bytes:
        """The whole body."""
        async with asyncio.timeout(PATIENCE):
            await self._task
        return self.body

    async def until(self, text: str) -> bytes:
        """The body, as soon as it holds the text."""
        async with asyncio.timeout(PATIENCE):
            while text.encode() not in self.body:
                assert not self.whole, self.body
                self._news.clear()
                await self._news.wait()
        return self.body

    async def _receive(self) -> Mapping[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.pieces += 1
            if self._slow:
                await asyncio.Event().wait()
            self.body += message["body"]
            self.whole = not message.get("more_body", False)
        self._news.set()


def events_of(body: bytes) -> list[dict[str, Any]]:
    """Server-sent events as `id`, `event` and `data`; comments left out."""
    found = []
    for block in body.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line and not line.startswith(":"))
        if "event" in fields:
            found.append({"id": int(fields.get("id", 0)), "event": fields["event"], "data": json.loads(fields["data"])})
    return found
