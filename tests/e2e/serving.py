"""A Penstock that is served for a browser: `penstock up` in a process of its own, and the API's few calls beside it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import StorageState

from penstock.cli.source import compiled

__all__ = ["LONG", "ROOT", "TUMOURS", "Server"]

ROOT = Path(__file__).resolve().parent.parent.parent
TUMOURS = ROOT / "examples" / "tumours" / "pipeline.py"
LONG = 240_000
"""Milliseconds that a whole run may take before a page shows its end."""
PENSTOCK = Path(sys.executable).parent / "penstock"


class Server:
    """`penstock up` on a home; it can be killed and started again at the same address.

    `cookie` is what its login gave to the first browser, `uploaded` the id of the pipeline that tests share; both are
    empty until there is one.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.cookie: StorageState | None = None
        self.uploaded = ""
        self.start("0")
        self._process: subprocess.Popen[str]

    def start(self, port: str = "") -> None:
        """Start, and wait until the page is served."""
        command = [str(PENSTOCK), "up", "--home", str(self.home), "--port", port or self.url.rpartition(":")[2]]
        images = ["--images", str(ROOT / "examples" / "taxi" / "images.toml")]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
        self._process = subprocess.Popen(
            [*command, *images], stdout=subprocess.PIPE, text=True, env=clean, cwd=self.home.parent
        )
        assert self._process.stdout is not None
        said = [self._process.stdout.readline() for _ in range(2)]
        self.url, self.login = (re.findall(r"http://[^\s]+", line)[0] for line in said)

    def stop(self) -> None:
        """End serving, as Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the API, with the home's token."""
        request = urllib.request.Request(
            f"{self.url}/apis/v2beta1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {(self.home / 'token').read_text()}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def run(self, source: Path, name: str, parameters: Mapping[str, object] = {}, function: str | None = None) -> str:
        """Start a run of a pipeline in a Python file; its id."""
        body = {
            "display_name": name,
            "pipeline_spec": compiled(source, function),
            "runtime_config": {"parameters": parameters},
        }
        made: str = self.call("POST", "/runs", body)["run_id"]
        return made

    def node(self, run: str, name: str) -> str:
        """The id of the first node of that display name."""
        nodes = self.call("GET", f"/runs/{run}/nodes")["nodes"]
        return next(node["id"] for node in nodes if node["displayName"] == name)
