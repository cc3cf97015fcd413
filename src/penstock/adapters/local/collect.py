"""What an ended step leaves: parameters, artifacts, standard output and log, made durable before it is reported."""

from __future__ import annotations

import asyncio
import errno
import io
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from penstock.adapters.local.forms import has_form, store
from penstock.engine.protocol import ArtifactOutput, Exited, ParameterOutput, Pod
from penstock.errors import DiskFailed, Final, NoSpace, Unavailable
from penstock.ports import Clock, Launcher, ObjectInfo, Objects, StepExit, StepId
from penstock.workflow.nodes import is_own_key, log_key
from penstock.workflow.status import Artifact

__all__ = ["RESULT_LIMIT", "collect", "standard_output"]

PARAMETER_LIMIT = 5 * 1024 * 1024
"""Most bytes of an output parameter."""

SMALL = 16 * 1024
"""Most bytes of a log or artifact that is read, and stored together with others."""

RESULT_LIMIT = 256 * 1024
"""Most bytes of captured standard output; the last ones count (Argo: `workflow/executor/executor.go`)."""


async def collect(
    launcher: Launcher, objects: Objects, workflow_name: str, pod: Pod, id: StepId, exit: StepExit, clock: Clock
) -> Exited:
    """The event that an ended step makes. Everything it refers to is durable. Harmless when done again.

    Raises NoSpace, Unavailable.
    """
    parameters: dict[str, str] = {}
    found: list[_Found] = []
    problems: list[str] = []
    if exit.code is not None:
        # One that is missing hides no other; of parameters those after it are not looked for (Argo: `SaveParameters`).
        try:
            for parameter in pod.output_parameters:
                parameters[parameter.name] = await _parameter(launcher, id, pod, parameter)
        except Final as error:
            problems.append(str(error))
        for output in pod.output_artifacts:
            try:
                found += await _artifact(launcher, objects, workflow_name, id, pod, output)
            except Final as error:
                problems.append(str(error))
    found += _container_logs(launcher, objects, workflow_name, pod, id)
    problem = exit.error or (" ".join(problems) if exit.code == 0 else "")
    left = _Left(found, _at_hand(launcher.log(id)), log_key(workflow_name, id.node_id), pod.capture_result)
    stored = left.store(objects) if left.brief and objects.quick else await asyncio.to_thread(left.store, objects)
    artifacts, result, unstored = stored
    return Exited(
        now=clock.now(),
        node_id=pod.node_id,
        exit_code=exit.code,
        error=problem or (unstored if exit.code == 0 else ""),
        message=exit.message,
        failed=exit.failed,
        containers=exit.containers,
        parameters=parameters,
        artifacts=artifacts,
        result=result,
        started_at=exit.started_at,
        finished_at=exit.finished_at,
    )


class _Small(NamedTuple):
    """A small file, and what is in it."""

    file: Path
    content: bytes


class _Found(NamedTuple):
    """An output artifact: where it was taken to, or what is stored of it already."""

    output: ArtifactOutput
    at: _Small | Path | ObjectInfo

    def stored(self, objects: Objects) -> ObjectInfo:
        if isinstance(self.at, ObjectInfo):
            return self.at
        assert isinstance(self.at, Path), "small ones are stored together"
        _marked(_mark(self.at))
        if has_form(self.output.key):
            return store(objects, self.output, self.at)
        return objects.put(self.output.key, self.at)

    def artifact(self, info: ObjectInfo) -> Artifact:
        return Artifact(
            name=self.output.name,
            path=self.output.path,
            key=info.key,
            size=info.size,
            directory=info.directory,
            archive=self.output.archive,
        )


class _Left(NamedTuple):
    """What a step left that has to be stored."""

    found: Sequence[_Found]
    log: _Small | Path
    log_key: str
    wanted: bool
    """Whether the standard output is the step's result."""

    @property
    def brief(self) -> bool:
        """Whether little has to be stored."""
        return not isinstance(self.log, Path) and not any(isinstance(each.at, Path) for each in self.found)

    def store(self, objects: Objects) -> tuple[tuple[Artifact, ...], str | None, str]:
        """The stored artifacts, the step's result, and why an artifact could not be stored. Raises Retryable."""
        artifacts, problem = list[Artifact](), ""
        try:
            small = {found.output.key: found.at for found in self.found if isinstance(found.at, _Small)}
            if isinstance(self.log, _Small):
                small[self.log_key] = self.log
            contents = {key: each.content for key, each in small.items()}
            files = {key: each.file for key, each in small.items()}
            infos = {info.key: info for info in objects.write_all(contents, files)}
            artifacts.extend(f.artifact(infos.get(f.output.key) or f.stored(objects)) for f in self.found)
        except Final as error:
            problem = str(error)
        try:
            self._store_log(objects, again=bool(problem))
        except DiskFailed as error:  # then the step is in error, and may have a log all the same
            problem = problem or str(error)
            with suppress(Final):
                self._store_log(objects, again=True)
        return tuple(artifacts), self._result(objects) if self.wanted else None, problem

    def _store_log(self, objects: Objects, *, again: bool) -> None:
        if isinstance(self.log, Path):
            if self.log.exists():  # else it was stored before a crash
                objects.put(self.log_key, self.log)
        elif again:
            objects.write(self.log_key, self.log.content)

    def _result(self, objects: Objects) -> str | None:
        if isinstance(self.log, _Small):
            return _standard_output(io.BytesIO(self.log.content))
        log = objects.local(self.log_key)
        return standard_output(log) if log else None


def _at_hand(file: Path) -> _Small | Path:
    """A small file with its content; where it lies, of anything else, a program among it: that has to stay one."""
    with suppress(OSError):
        status = os.lstat(file)
        if stat.S_ISREG(status.st_mode) and status.st_size <= SMALL and not status.st_mode & 0o111:
            with open(file, "rb") as content:
                return _Small(file, content.read())
    return file


async def _parameter(launcher: Launcher, id: StepId, pod: Pod, output: ParameterOutput) -> str:
    """The text of an output parameter, one newline at its end cut off, as Argo does."""
    data = await launcher.read(id, output.path, PARAMETER_LIMIT)
    if data is None:
        if output.default is not None:
            return output.default
        raise Final(await _missing(launcher, id, pod, output.name, output.path))
    if len(data) > PARAMETER_LIMIT:
        raise Final(
            f"step {pod.display_name!r}: output parameter {output.name!r} is over {PARAMETER_LIMIT:,} bytes; "
            "pass it as an artifact"
        )
    return data.decode(errors="replace").removesuffix("\n")


async def _artifact(
    launcher: Launcher, objects: Objects, workflow_name: str, id: StepId, pod: Pod, output: ArtifactOutput
) -> Sequence[_Found]:
    """The output, nothing of an optional one that is not there."""
    target = launcher.log(id).parent / f"taken.{output.name}"
    if target.exists() or (not _mark(target).exists() and await launcher.take(id, output.path, target)):
        # What others store under the same key has to be stored by itself.
        return [_Found(output, _at_hand(target) if is_own_key(output.key, workflow_name) else target)]
    info = objects.stat(output.key) if _mark(target).exists() else None  # stored before a crash
    if info is None and not output.optional:
        raise Final(await _missing(launcher, id, pod, output.name, output.path))
    return [_Found(output, info)] if info else []


def _container_logs(launcher: Launcher, objects: Objects, workflow_name: str, pod: Pod, id: StepId) -> Iterator[_Found]:
    """The logs of a set's containers, but for that of `main`, which is the step's: artifacts, as on Argo."""
    names = [each.name for each in pod.containers]
    logs = launcher.container_logs(id, names) if names else {}
    for name in names:
        key = log_key(workflow_name, f"{id.node_id}.{name}")
        at = _at_hand(logs[name]) if name in logs else objects.stat(key)  # stored before a crash
        if at is not None and name != "main":
            yield _Found(ArtifactOutput(name=f"{name}-logs", path="", key=key), at)


def _mark(target: Path) -> Path:
    """The file that says that an output was found. Another run may have stored one under the same key."""
    return target.with_name(f"{target.name}.mark")


def _marked(mark: Path) -> None:
    try:
        mark.touch()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(f"{mark}: no space left") from None
        raise Unavailable(f"{mark}: {error.strerror}") from None


async def _missing(launcher: Launcher, id: StepId, pod: Pod, name: str, path: str) -> str:
    beside = ", ".join(repr(n) for n in await launcher.beside(id, path)) or "nothing"
    return f"Step {pod.display_name!r} exited 0 but did not write output {name!r} at {path}; directory holds {beside}."


def standard_output(log: Path) -> str:
    """The last `RESULT_LIMIT` bytes that a step wrote to standard output, one newline at the end cut off."""
    with log.open("rb") as lines:
        return _standard_output(lines)


def _standard_output(lines: Iterable[bytes]) -> str:
    return b"".join(_stdout(lines))[-RESULT_LIMIT:].decode(errors="replace").removesuffix("\n")


def _stdout(lines: Iterable[bytes]) -> Iterator[bytes]:
    for line in lines:
        _, stream, tag, text = line.removesuffix(b"\n").split(b" ", 3)
        if stream == b"stdout":
            yield text if tag == b"P" else text + b"\n"
