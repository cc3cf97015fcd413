"""Steps that run a container."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from penstock.dsl.base import BaseOp
from penstock.dsl.container import Container, ContainerMethods
from penstock.dsl.kubernetes import camel, plain
from penstock.dsl.naming import output_name
from penstock.dsl.tracing import written_for_kfp
from penstock.dsl.volumes import PipelineVolume

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Self

    from penstock.dsl.references import PipelineParam, ReferenceName

__all__ = ["ContainerOp", "InputArgumentPath", "input_path", "output_path"]

_CONVENTIONAL = ("mlpipeline-ui-metadata", "mlpipeline-metrics")
_NOT_FILE = re.compile(r"[^-_.0-9a-zA-Z]+")


def input_path(name: str) -> str:
    """The file in which a step finds the input `name`."""
    return _path("inputs", name)


def output_path(name: str) -> str:
    """The file into which a step writes the output `name`."""
    return _path("outputs", name)


def _path(folder: str, name: str) -> str:
    file = _NOT_FILE.sub("_", name)
    # A path in the step's container.
    return f"/{folder}/{file}" if written_for_kfp("0.1") else f"/tmp/{folder}/{file}/data"  # noqa: S108


class InputArgumentPath:
    """In a command line: the path of a file that holds `argument` (a constant or a reference).

    `input` names the input, `path` fixes the file; both have defaults.
    """

    def __init__(self, argument: Any, input: Any = None, path: str | None = None) -> None:
        self.argument = argument
        self.input = getattr(input, "name", input)
        self.path = path


class ContainerOp(BaseOp, ContainerMethods):
    """A step that runs a container.

    `arguments` and every other text may hold references. `file_outputs` maps names of outputs to the files that the
    step writes them into; they are read with `.outputs[name]`, or `.output` when there is one. `output_artifact_paths`
    does the same for files that no step reads. `pvolumes` mounts volumes, by path. What can be set on a container can
    be set on the step itself, or on its `container`.
    """

    def __init__(
        self,
        name: str,
        image: str,
        command: Any = None,
        arguments: Any = None,
        init_containers: Iterable[Any] | None = None,
        sidecars: Iterable[Any] | None = None,
        container_kwargs: Mapping[str, Any] | None = None,
        artifact_argument_paths: Iterable[InputArgumentPath] | None = None,
        file_outputs: Mapping[str, str] | None = None,
        output_artifact_paths: Mapping[str, str] | None = None,
        is_exit_handler: bool = False,
        pvolumes: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(name, init_containers, sidecars, is_exit_handler)
        for argument in artifact_argument_paths or ():
            self._file_argument(argument)
        self.container = Container(
            image,
            self._resolved(command),
            self._resolved(arguments),
            {camel(key): plain(value) for key, value in (container_kwargs or {}).items()},
        )
        for key, path in (output_artifact_paths or {}).items():
            self.artifact_paths[output_name(key)] = path
        for key, path in (file_outputs or {}).items():
            self._add_file(key, path)
        self.descriptions: Mapping[ReferenceName, PipelineParam] = {}
        """What the step says of its artifacts, by the names of the outputs."""
        self.pvolumes: dict[str, PipelineVolume] = {}
        """Mounted volumes by path; mounting one of them in another step makes that step wait for this one."""
        self.add_pvolumes(pvolumes or {})

    def body(self) -> dict[str, Any]:
        """The container."""
        return {"container": self.container.to_plain()}

    def _add_file(self, name: str, path: str) -> None:
        conventional = re.sub("[^a-z0-9]", "-", name.lower())
        if conventional in _CONVENTIONAL:
            self.artifact_paths[conventional] = path
        else:
            self._add_output(name, path)

    def _resolved(self, parts: Any) -> Any:
        if isinstance(parts, list | tuple):
            return [self._file_argument(part) if isinstance(part, InputArgumentPath) else part for part in parts]
        return parts

    def _file_argument(self, argument: InputArgumentPath) -> str:
        name = argument.input or f"input-{len(self.artifact_inputs)}"
        path = argument.path or input_path(name)
        self.artifact_inputs[output_name(name)] = (path, str(argument.argument))
        return path

    @property
    def _settings(self) -> dict[str, Any]:
        return self.container.settings

    @property
    def image(self) -> str:
        """The container's image."""
        return self.container.image

    @property
    def command(self) -> list[str] | None:
        """The container's command."""
        return self.container.command

    @property
    def arguments(self) -> list[str] | None:
        """The arguments of the command."""
        return self.container.args

    @property
    def pvolume(self) -> PipelineVolume | None:
        """The mounted volume, when there is one."""
        return next(iter(self.pvolumes.values())) if len(self.pvolumes) == 1 else None

    def add_pvolumes(self, pvolumes: Mapping[str, Any]) -> Self:
        """Mount volumes at paths, after the steps that had them before. Returns self."""
        for path, given in pvolumes.items():
            volume = given if isinstance(given, PipelineVolume) else PipelineVolume(volume=given)
            self.dependencies.extend(volume.holders)
            self.pvolumes[path] = volume.after(self)
            self.add_volume(volume).add_volume_mount({"name": volume.name, "mountPath": path})
        return self
