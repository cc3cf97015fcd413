"""A container engine of the tests' own, with one image: busybox, whose entrypoint is a shell."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from needs import absent, require
from penstock.testing.launcher_contract import ACTING

__all__ = ["ENGINE", "SHELL", "_own_engine", "container_engine", "docker", "dockerd", "registry"]

SHELL = "localhost/penstock-shell:1"
"""The image without an entrypoint, for steps that have a command."""
ENGINE = os.environ.get("PENSTOCK_TEST_ENGINE", "docker")
"""The engine's program: `podman` runs the suites with the Podman of this machine, as it is set up."""

PROGRAMS = (
    "sh",
    "cat",
    "mkdir",
    "printf",
    "sleep",
    "touch",
    "ln",
    "mkfifo",
    "true",
    "false",
    "seq",
    "chmod",
    "nc",
    "ls",
)


def dockerd(folder: Path) -> subprocess.Popen[bytes]:
    """Docker's daemon on a socket in `folder`, there when it returns.

    Without a network, which no test needs, and away from the machine's, where it would take another daemon's bridge.
    """
    # Its loopback is for `registry`.
    alone = ["unshare", "--net", "busybox", "sh", "-c", 'busybox ifconfig lo up; exec "$@"', "sh"]
    options = ["--data-root", folder / "data", "--exec-root", folder / "exec", "--pidfile", folder / "pid"]
    options += ["--host", f"unix://{folder}/docker.sock", "--bridge=none", "--iptables=false"]
    with open(folder / "log", "ab") as log:
        daemon = subprocess.Popen([*alone, "dockerd", *map(str, options)], stdout=log, stderr=log)
    until = time.monotonic() + 60
    while subprocess.run(["docker", "version"], capture_output=True, check=False).returncode:
        if daemon.poll() is not None or time.monotonic() > until:
            daemon.kill()
            absent("dockerd does not start here: " + (folder / "log").read_text(errors="replace")[-600:])
        time.sleep(0.05)
    return daemon


def docker(*arguments: str) -> str:
    """What a command of the engine prints."""
    return subprocess.run([ENGINE, *arguments], check=True, capture_output=True, text=True).stdout


def _end(daemon: subprocess.Popen[bytes]) -> None:
    """TERM, as a machine's shutdown does, then KILL."""
    daemon.send_signal(signal.SIGTERM)
    try:
        daemon.wait(60)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


@pytest.fixture(name="_engine", scope="session")
def _own_engine() -> Iterator[str]:
    """The address of an engine, started when the first test asks; "" of Podman, which needs no daemon."""
    busybox = require("busybox", "apt-get install busybox-static")
    if ENGINE == "podman":
        require("podman", "apt-get install podman catatonit")
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("CONTAINER_HOST")
            _images(busybox)
        yield ""
        return
    require("dockerd", "apt-get install docker.io")
    if os.geteuid():
        absent("a container engine is started by root only; run the tests as root: sudo make test")
    # A socket's path has to be short.
    folder = Path(tempfile.mkdtemp(prefix="engine-"))
    address = f"unix://{folder}/docker.sock"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", address)
        daemon = dockerd(folder)
        try:
            _images(busybox)
            patch.undo()
            yield address
        finally:
            _end(daemon)
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def container_engine(_engine: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the engine, which `DOCKER_HOST` names during the test; tests without this fixture find none."""
    if _engine:
        monkeypatch.setenv("DOCKER_HOST", _engine)
    else:
        monkeypatch.delenv("CONTAINER_HOST")
    return _engine


@contextmanager
def registry(engine: str, folder: Path) -> Iterator[str]:
    """Debian's registry of images, on the loopback of the engine of that address; its own address."""
    program = require("docker-registry", "apt-get install docker-registry")
    address = "127.0.0.1:5000"
    about = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(folder / "images")}},
        "http": {"addr": address},
    }
    (folder / "registry.json").write_text(json.dumps(about))
    daemon = (Path(engine.removeprefix("unix://")).parent / "pid").read_text()
    inside = ["nsenter", "--net", "--target", daemon]
    with open(folder / "registry.log", "wb") as log:
        serving = subprocess.Popen([*inside, program, "serve", folder / "registry.json"], stdout=log, stderr=log)
    try:
        until = time.monotonic() + 60
        asking = [*inside, "busybox", "wget", "-q", "-O", "-", f"http://{address}/v2/"]
        while subprocess.run(asking, capture_output=True, check=False).returncode:
            assert serving.poll() is None, (folder / "registry.log").read_text()
            assert time.monotonic() < until
            time.sleep(0.05)
        yield address
    finally:
        serving.kill()
        serving.wait()


def _images(busybox: str) -> None:
    root = _root(busybox)
    _import(root, ACTING, "--change", 'ENTRYPOINT ["sh", "-c"]')
    _import(root, SHELL)


def _import(root: bytes, name: str, *options: str) -> None:
    subprocess.run([ENGINE, "import", *options, "-", name], input=root, check=True, stdout=subprocess.DEVNULL)


def _root(busybox: str) -> bytes:
    """A root file system as an archive."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        archive.add(os.path.realpath(busybox), "bin/busybox")
        for program in PROGRAMS:
            link = tarfile.TarInfo(f"bin/{program}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        tmp = tarfile.TarInfo("tmp")
        tmp.type, tmp.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(tmp)
    return target.getvalue()
