"""The container engine by its command: Docker's or Podman's, without a library of theirs.

What the engine says is translated here: an engine that does not answer is Unavailable, a full disk NoSpace, all else
is Refused with the engine's own words.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeVar

from penstock.errors import NoSpace, Unavailable

__all__ = ["Container", "Engine", "Refused", "find_engine", "unbroken"]

T = TypeVar("T")

_PROBES = {
    "docker": ("version", "--format", "{{.Server.Version}}"),
    "podman": ("info", "--format", "{{.Version.Version}}"),
}
"""By program, in the order in which they are tried: what an engine answers with its version."""

_PATIENCE = 60.0
"""Seconds that a command may take which moves no data; an engine that takes longer does not answer."""
_PROBE_PATIENCE = 10.0
_SILENT = ("cannot connect", "error during connect", "connection refused", "connection reset", "unable to connect")
_NO_IMAGE = ("no such image", "image not known")
_ABSENT = ("no such container", "no such object", "no container with name or id")
_REMOVED = ("marked for removal", "removal in progress", "already in progress", "being removed")
_NO_FILE = (
    "no such container:path",
    "could not find the file",
    "could not be found",
    "not a directory",
    "no such file",
)


class Refused(Exception):
    """The engine answered and did not do it. `str(error)` is its reason, one line."""

    @property
    def absent(self) -> bool:
        """There is no such container."""
        return any(text in str(self).lower() for text in _ABSENT) and not self.no_file

    @property
    def vanished(self) -> bool:
        """The container is being removed, or was."""
        return self.absent or any(text in str(self).lower() for text in _REMOVED)

    @property
    def no_image(self) -> bool:
        """The engine does not have that image."""
        return any(text in str(self).lower() for text in _NO_IMAGE)

    @property
    def no_file(self) -> bool:
        """There is nothing at that path in the container."""
        return any(text in str(self).lower() for text in _NO_FILE)


@dataclass(frozen=True, slots=True)
class Container:
    """What the engine knows of a container. `code` counts once it has `ended`."""

    status: str
    code: int
    error: str
    memory: bool
    started_at: str
    finished_at: str

    @property
    def ended(self) -> bool:
        """Its processes are gone, its files are there."""
        return self.status in ("exited", "stopped")

    @property
    def gone(self) -> bool:
        """Somebody removes it, and how it ended cannot be known."""
        return self.status in ("removing", "dead")

    @property
    def fresh(self) -> bool:
        """It was made and never started."""
        return self.status in ("created", "configured", "initialized")


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that answered: its program (`docker`, `podman`) and version."""

    program: str
    version: str

    def __str__(self) -> str:
        return f"{self.program.capitalize()} {self.version}"

    async def run(self, *arguments: str, env: Mapping[str, str] = {}) -> str:
        """What a command prints; `env` are further variables of its process. Raises Refused, NoSpace, Unavailable.

        Cancelled, it waits for the command's end: what the engine was asked for is then there, or is not.
        """
        return await unbroken(self._run(arguments, env))

    async def _run(self, arguments: Sequence[str], env: Mapping[str, str]) -> str:
        try:
            async with asyncio.timeout(_PATIENCE), self.started(*arguments, env={**os.environ, **env}) as process:
                out, err = await process.communicate()
        except TimeoutError:
            raise Unavailable(f"{self.program}: no answer to {arguments[0]!r} for {_PATIENCE:g} s") from None
        self._check_answered(process)
        if process.returncode:
            raise self.failure(err)
        return out.decode("utf-8", "replace")

    async def inspect(self, name: str) -> Container | None:
        """What became of a container; None where there is none. Raises Refused, Unavailable."""
        try:
            state = json.loads(await self.run("container", "inspect", "--format", "{{json .State}}", name))
        except Refused as refused:
            if refused.absent:
                return None
            raise
        return Container(
            status=state["Status"],
            code=state["ExitCode"],
            error=state.get("Error", ""),
            memory=bool(state.get("OOMKilled")),
            started_at=state["StartedAt"],
            finished_at=state["FinishedAt"],
        )

    async def fill(self, name: str, write: Callable[[BinaryIO], None], place: str = "/") -> None:
        """Lay the archive that `write` writes into a container, at a folder. Raises Refused, NoSpace, Unavailable."""
        reader, writer = os.pipe()
        try:
            async with self.started("cp", "-", f"{name}:{place}", stdin=reader) as process:
                os.close(reader)
                reader = -1
                writing = asyncio.to_thread(_write, writer, write)
                writer = -1
                (_, err), _ = await asyncio.gather(process.communicate(), writing)
        finally:
            for descriptor in (reader, writer):
                if descriptor >= 0:
                    os.close(descriptor)
        self._check_answered(process)
        if process.returncode:
            raise self.failure(err)

    def _check_answered(self, process: asyncio.subprocess.Process) -> None:
        """A command that was killed says nothing of what the engine did. Raises Unavailable."""
        if process.returncode is not None and process.returncode < 0:
            raise Unavailable(f"{self.program}: its command was killed by signal {-process.returncode}")

    async def taken(self, name: str, path: str, read: Callable[[BinaryIO], T], *, whole: bool) -> T | None:
        """What `read` makes of the archive of the file or folder at `path` of a container; None where nothing is there.

        `read` runs in a thread. `whole`: it reads to the end, and what it makes of an archive that the engine did not
        finish is worth nothing. Raises what `read` raises, Refused, NoSpace, Unavailable.
        """
        follow = ["-L"] if self.program == "docker" else []
        reader, writer = os.pipe()
        try:
            async with self.started("cp", *follow, f"{name}:{path}", "-", stdout=writer) as process:
                os.close(writer)
                writer = -1
                reading = asyncio.to_thread(_read, reader, read)
                reader = -1
                told, made = await asyncio.gather(process.communicate(), _outcome(reading))
        finally:
            for descriptor in (reader, writer):
                if descriptor >= 0:
                    os.close(descriptor)
        self._check_answered(process)
        # The engine's reason goes before what an empty or torn archive made of the reader.
        if process.returncode and (whole or isinstance(made, Exception)):
            failure = self.failure(told[1])
            if isinstance(failure, Refused) and failure.no_file:
                return None
            raise failure
        if isinstance(made, Exception):
            raise made
        return made

    @asynccontextmanager
    async def started(self, *arguments: str, **streams: Any) -> AsyncIterator[asyncio.subprocess.Process]:
        """A command of the engine, its streams piped unless `streams` says otherwise; killed where it is left early."""
        piped = {
            "stdin": asyncio.subprocess.DEVNULL,
            "stdout": asyncio.subprocess.PIPE,
            "stderr": asyncio.subprocess.PIPE,
        }
        try:
            # In a group of its own, which Ctrl-C on a terminal does not reach.
            process = await asyncio.create_subprocess_exec(self.program, *arguments, process_group=0, **piped | streams)
        except OSError as error:
            raise Unavailable(f"{self.program}: {error.strerror or error}") from None
        try:
            yield process
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    def failure(self, err: bytes) -> Exception:
        """The error that the engine's words mean."""
        lines = [line.strip() for line in err.decode("utf-8", "replace").splitlines() if line.strip()]
        said = next(
            (line for line in lines if "error" in line.lower() or "cannot" in line.lower()), "".join(lines[-1:])
        )
        for prefix in ("docker: ", "Error response from daemon: ", "Error: "):
            said = said.removeprefix(prefix)
        reason = said[:500]
        if any(text in reason.lower() for text in _SILENT):
            return Unavailable(f"{self.program}: the container engine does not answer: {reason}")
        if "no space left on device" in reason.lower():
            return NoSpace(f"{self.program}: {reason}")
        return Refused(reason or "no reason given")


async def unbroken(work: Coroutine[Any, Any, T]) -> T:
    """Do something that must not stop half-way: who is cancelled meanwhile ends when it is done."""
    doing = asyncio.create_task(work)
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.wait([doing])
        raise


async def _outcome(work: Awaitable[T]) -> T | Exception:
    try:
        return await work
    except Exception as error:
        return error


def find_engine() -> Engine | str:
    """The first engine that answers, else why none does."""
    reasons = []
    for program, question in _PROBES.items():
        if shutil.which(program) is None:
            reasons.append(f"{program}: not installed")
            continue
        found = _asked(program, question)
        if isinstance(found, Engine):
            return found
        reasons.append(f"{program}: {found}")
    return "; ".join(reasons)


def _asked(program: str, question: Sequence[str]) -> Engine | str:
    try:
        answer = subprocess.run(
            [program, *question], stdin=subprocess.DEVNULL, capture_output=True, timeout=_PROBE_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no answer for {_PROBE_PATIENCE:g} s"
    except OSError as error:
        return error.strerror or str(error)
    version = answer.stdout.decode("utf-8", "replace").strip()
    if answer.returncode == 0 and version:
        return Engine(program, version)
    return " ".join(answer.stderr.decode("utf-8", "replace").split())[:300] or "no answer"


def _write(descriptor: int, write: Callable[[BinaryIO], None]) -> None:
    # The engine tells why it stopped reading.
    with suppress(BrokenPipeError), open(descriptor, "wb", buffering=1 << 16) as stream:
        write(stream)


def _read(descriptor: int, read: Callable[[BinaryIO], T]) -> T:
    with open(descriptor, "rb", buffering=1 << 16) as stream:
        return read(stream)
