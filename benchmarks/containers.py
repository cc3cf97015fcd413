"""A container engine to measure with: the machine's, or where none answers one of our own, as the tests have it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["engine_with_image"]

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))


@contextmanager
def engine_with_image() -> Iterator[str]:
    """While inside, an engine answers; the name of an image that it has, with a shell in it.

    That of the machine has to be told one: `PENSTOCK_BENCH_IMAGE`, else the first that it lists counts.
    """
    if subprocess.run(["docker", "version"], capture_output=True, check=False).returncode == 0:
        named = os.environ.get("PENSTOCK_BENCH_IMAGE")
        command = ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}"]
        yield named or subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[0]
        return
    with _own() as image:
        yield image


@contextmanager
def _own() -> Iterator[str]:
    from containers import SHELL, _end, _import, _root, dockerd

    folder, before = Path(tempfile.mkdtemp(prefix="engine-")), os.environ.get("DOCKER_HOST")
    os.environ["DOCKER_HOST"] = f"unix://{folder}/docker.sock"
    daemon = dockerd(folder)
    try:
        _import(_root(str(shutil.which("busybox"))), SHELL)
        yield SHELL
    finally:
        _end(daemon)
        shutil.rmtree(folder, ignore_errors=True)
        os.environ.pop("DOCKER_HOST")
        if before is not None:
            os.environ["DOCKER_HOST"] = before
