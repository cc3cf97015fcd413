"""Images for steps, made of a folder by the `docker` or `podman` command."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.components.functions import DEFAULT_IMAGE
from penstock.errors import Final, InvalidInput, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["build_image", "build_image_from_working_dir", "builder"]

_COMMANDS = ("docker", "podman")
_INSTALL = "COPY requirements.txt ./\nRUN python3 -m pip install --no-cache-dir -r requirements.txt\n"


def build_image_from_working_dir(
    image_name: str,
    working_dir: str | Path | None = None,
    file_filter_re: str = r".*\.py",
    timeout: float = 1000,
    base_image: str | None = None,
    push: bool = True,
) -> str:
    """Build an image that holds the files of a folder, as its working folder, and push it; returns its name.

    Files are those whose path below `working_dir` (the current folder) `file_filter_re` matches as a whole, and
    `requirements.txt`, whose packages are installed. A `Dockerfile` in the folder is used as it is. `timeout` is in
    seconds, for each command.
    Raises InvalidInput for no such folder and a pattern that is none; Unavailable where there is neither docker nor
    podman; Final with the end of the builder's output where it fails.
    """
    import shutil
    import tempfile

    folder = Path(working_dir or ".").resolve()
    if not folder.is_dir():
        raise InvalidInput(f"{folder}: no such folder")
    builder()
    with tempfile.TemporaryDirectory() as context:
        for file in _files(folder, file_filter_re):
            target = Path(context) / file.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        if not (Path(context) / "Dockerfile").is_file():
            requirements = (Path(context) / "requirements.txt").is_file()
            (Path(context) / "Dockerfile").write_text(_dockerfile(base_image or DEFAULT_IMAGE, requirements))
        build_image(image_name, Path(context), timeout, push)
    return image_name


def build_image(image_name: str, context: Path, timeout: float, push: bool) -> None:
    """Build the image of a folder with a `Dockerfile`, and push it. Raises as `build_image_from_working_dir`."""
    command = builder()
    _run([command, "build", "--tag", image_name, str(context)], timeout)
    if push:
        _run([command, "push", image_name], timeout)


def builder() -> str:
    """The command that builds images. Raises Unavailable where there is neither docker nor podman."""
    import shutil

    command = next((found for name in _COMMANDS if (found := shutil.which(name))), None)
    if command is None:
        raise Unavailable("no docker and no podman on PATH; install one of them to build images")
    return command


def _files(folder: Path, pattern: str) -> Iterator[Path]:
    try:
        wanted = re.compile(pattern)
    except re.error as error:
        raise InvalidInput(f"file_filter_re: {pattern!r}: {error}") from None
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and (name in ("Dockerfile", "requirements.txt") or wanted.fullmatch(name)):
            yield file


def _dockerfile(base_image: str, requirements: bool) -> str:
    return f"FROM {base_image}\nWORKDIR /app\n{_INSTALL if requirements else ''}COPY . .\n"


def _run(words: list[str], timeout: float) -> None:
    import subprocess

    told = " ".join(words[:2])
    try:
        done = subprocess.run(
            words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise Final(f"{told}: not done after {timeout:g} s") from None
    if done.returncode:
        raise Final(f"{told}: exit code {done.returncode}\n{done.stdout[-2000:].rstrip()}")
