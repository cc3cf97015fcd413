"""Containers of a step, its own and those beside it: everything that a pipeline's author can set on it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from penstock.dsl.kubernetes import Plain, camel, plain
from penstock.dsl.references import Reference
from penstock.dsl.tracing import located, written_for_kfp
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Self

__all__ = ["PULL_POLICIES", "Container", "ContainerMethods", "Sidecar", "UserContainer", "amount_of_memory"]

_MEMORY = re.compile(r"[0-9]+(E|Ei|P|Pi|T|Ti|G|Gi|M|Mi|K|Ki|k)?")
_CPU = re.compile(r"[0-9]+m|[0-9]*\.?[0-9]+")
PULL_POLICIES = ("Always", "Never", "IfNotPresent")


def _text_list(value: Any) -> list[str] | None:
    """A command or argument list: one text stands for a list of one, other values are written as text."""
    if value is None:
        return None
    if isinstance(value, str | Reference) or not isinstance(value, list | tuple):
        return [str(value)]
    return [str(part) for part in value]


class ContainerMethods(ABC):
    """What can be set on a container; each method returns the object that it was called on, so that calls chain.

    Values may hold references. A wrong value raises InvalidPipeline with the author's file and line.
    """

    @property
    @abstractmethod
    def _settings(self) -> dict[str, Any]:
        """Fields of a Kubernetes container, under their names in a document."""

    def set_env_variable(self, name: str, value: Any) -> Self:
        """Set an environment variable; the last value given to a name wins."""
        if written_for_kfp("1.8"):
            raise InvalidPipeline(located("set_env_variable is of kfp's second version; use add_env_variable"))
        environment = self._settings.setdefault("env", [])
        environment[:] = [variable for variable in environment if variable.get("name") != name]
        environment.append({"name": name, "value": str(value)})
        return self

    def add_env_variable(self, env_variable: Any) -> Self:
        """Add a variable given as a Kubernetes `V1EnvVar`, or a dict with `name` and `value` or `valueFrom`."""
        return self._append("env", env_variable)

    def add_env_from(self, env_from: Any) -> Self:
        """Add all variables of a config map or secret (`V1EnvFromSource`)."""
        return self._append("envFrom", env_from)

    def add_volume_mount(self, volume_mount: Any) -> Self:
        """Mount a volume of the step (`V1VolumeMount`)."""
        return self._append("volumeMounts", volume_mount)

    def add_port(self, container_port: Any) -> Self:
        """Declare a port (`V1ContainerPort`)."""
        return self._append("ports", container_port)

    def add_resource_limit(self, resource_name: Any, value: Any) -> Self:
        """Set the most that the step may use of a resource."""
        return self._resource("limits", resource_name, value)

    def add_resource_request(self, resource_name: Any, value: Any) -> Self:
        """Set how much of a resource the step is promised."""
        return self._resource("requests", resource_name, value)

    def set_memory_limit(self, memory: Any) -> Self:
        """The most memory, for example `512M` or `2Gi`."""
        return self._resource("limits", "memory", amount_of_memory(memory, "memory"))

    def set_memory_request(self, memory: Any) -> Self:
        """The promised memory, for example `512M` or `2Gi`."""
        return self._resource("requests", "memory", amount_of_memory(memory, "memory"))

    def set_ephemeral_storage_limit(self, size: Any) -> Self:
        """The most scratch space on disk, for example `10Gi`."""
        return self._resource("limits", "ephemeral-storage", amount_of_memory(size, "storage"))

    def set_ephemeral_storage_request(self, size: Any) -> Self:
        """The promised scratch space on disk, for example `10Gi`."""
        return self._resource("requests", "ephemeral-storage", amount_of_memory(size, "storage"))

    def set_cpu_limit(self, cpu: Any) -> Self:
        """The most processors, for example `2`, `0.5` or `500m`."""
        return self._resource("limits", "cpu", _checked(cpu, _CPU, "cpu", "'2', '0.5' or '500m'"))

    def set_cpu_request(self, cpu: Any) -> Self:
        """The promised processors, for example `2`, `0.5` or `500m`."""
        return self._resource("requests", "cpu", _checked(cpu, _CPU, "cpu", "'2', '0.5' or '500m'"))

    def set_gpu_limit(self, gpu: Any, vendor: Any = "nvidia") -> Self:
        """How many graphics processors; `vendor` is `nvidia` or `amd`, or a reference to a resource's whole name."""
        if isinstance(vendor, Reference):
            return self._resource("limits", vendor, gpu)
        if vendor not in ("nvidia", "amd"):
            raise InvalidPipeline(located(f"gpu vendor: expected 'nvidia' or 'amd', got {vendor!r}"))
        if not isinstance(gpu, Reference) and not (str(gpu).isdigit() and int(gpu) > 0):
            raise InvalidPipeline(located(f"gpu: expected a positive integer, got {gpu!r}"))
        return self._resource("limits", f"{vendor}.com/gpu", gpu)

    def set_image_pull_policy(self, image_pull_policy: Any) -> Self:
        """`Always`, `Never` or `IfNotPresent`."""
        return self._set("imagePullPolicy", _one_of(image_pull_policy, PULL_POLICIES, "image pull policy"))

    def set_security_context(self, security_context: Any) -> Self:
        """The container's `V1SecurityContext`."""
        return self._set("securityContext", plain(security_context))

    def add_volume_devices(self, volume_device: Any) -> Self:
        """Attach a block device (`V1VolumeDevice`)."""
        return self._append("volumeDevices", volume_device)

    def set_stdin(self, stdin: bool = True) -> Self:
        """Whether standard input is kept open."""
        return self._set("stdin", stdin)

    def set_stdin_once(self, stdin_once: bool = True) -> Self:
        """Whether standard input is closed after its first reader has left."""
        return self._set("stdinOnce", stdin_once)

    def set_tty(self, tty: bool = True) -> Self:
        """Whether the container has a terminal."""
        return self._set("tty", tty)

    def set_termination_message_path(self, termination_message_path: Any) -> Self:
        """The file into which the container writes why it ended."""
        return self._set("terminationMessagePath", str(termination_message_path))

    def set_termination_message_policy(self, termination_message_policy: Any) -> Self:
        """`File` or `FallbackToLogsOnError`."""
        policies = ("File", "FallbackToLogsOnError")
        return self._set("terminationMessagePolicy", _one_of(termination_message_policy, policies, "policy"))

    def set_readiness_probe(self, readiness_probe: Any) -> Self:
        """How it is seen that the container is ready (`V1Probe`)."""
        return self._set("readinessProbe", plain(readiness_probe))

    def set_liveness_probe(self, liveness_probe: Any) -> Self:
        """How it is seen that the container lives (`V1Probe`)."""
        return self._set("livenessProbe", plain(liveness_probe))

    def set_lifecycle(self, lifecycle: Any) -> Self:
        """What to do after the start and before the end (`V1Lifecycle`)."""
        return self._set("lifecycle", plain(lifecycle))

    def get_resource_limit(self, resource_name: str) -> str | None:
        """The limit that was set for a resource, None when there is none."""
        return self._amount("limits", resource_name)

    def get_resource_request(self, resource_name: str) -> str | None:
        """The request that was set for a resource, None when there is none."""
        return self._amount("requests", resource_name)

    def set_working_dir(self, working_dir: Any) -> Self:
        """The folder in which the command starts."""
        return self._set("workingDir", str(working_dir))

    def _set(self, field: str, value: Any) -> Self:
        self._settings[field] = value
        return self

    def _append(self, field: str, value: Any) -> Self:
        self._settings.setdefault(field, []).extend(_each(value))
        return self

    def _amount(self, kind: str, name: str) -> str | None:
        found = self._settings.get("resources", {}).get(kind, {}).get(name)
        return None if found is None else str(found)

    def _resource(self, kind: str, name: Any, value: Any) -> Self:
        resources = self._settings.setdefault("resources", {})
        resources.setdefault(kind, {})[str(name)] = str(value) if isinstance(value, Reference) else value
        return self


class Container(ContainerMethods, Plain):
    """A container, with everything that is set on it."""

    def __init__(
        self, image: str, command: Any = None, args: Any = None, settings: Mapping[str, Any] | None = None
    ) -> None:
        self.image = str(image)
        self.command = _text_list(command)
        self.args = _text_list(args)
        self.settings: dict[str, Any] = dict(settings or {})
        """Further fields of a Kubernetes container, under their names in a document."""

    @property
    def _settings(self) -> dict[str, Any]:
        return self.settings

    def to_plain(self) -> dict[str, Any]:
        """The container in a document, with the markers of references in its texts."""
        fields = {"args": self.args, "command": self.command, "image": self.image, **self.settings}
        return {key: fields[key] for key in sorted(fields) if fields[key] is not None}


class UserContainer(Container):
    """A container beside a step's own: one that runs before it (`init_containers`), or a `Sidecar`.

    `mirror_volume_mounts` mounts into it what the step's own container mounts. Further settings are those of a
    Kubernetes container, as in `env=[…]`.
    """

    def __init__(
        self,
        name: str,
        image: str,
        command: Any = None,
        args: Any = None,
        mirror_volume_mounts: bool | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(image, command, args, {camel(key): plain(value) for key, value in settings.items()})
        self.name = name
        self.settings["name"] = str(name)
        if mirror_volume_mounts is not None:
            self.set_mirror_volume_mounts(mirror_volume_mounts)

    def set_mirror_volume_mounts(self, mirror_volume_mounts: bool = True) -> Self:
        """Whether the container sees the volumes of the step's own container at the same places."""
        return self._set("mirrorVolumeMounts", mirror_volume_mounts)


class Sidecar(UserContainer):
    """A container that runs beside a step and ends with it."""


def _one_of(value: Any, allowed: tuple[str, ...], what: str) -> str:
    if not isinstance(value, Reference) and value not in allowed:
        raise InvalidPipeline(located(f"{what}: expected one of {', '.join(allowed)}, got {value!r}"))
    return str(value)


def _each(value: Any) -> Iterable[Any]:
    return [plain(one) for one in value] if isinstance(value, list | tuple) else [plain(value)]


def amount_of_memory(value: Any, what: str) -> str:
    """An amount of memory or storage as text, or the marker of one. Raises InvalidPipeline, naming `what`."""
    return _checked(value, _MEMORY, what, "'512M' or '2Gi'")


def _checked(value: Any, pattern: re.Pattern[str], what: str, example: str) -> str:
    text = str(value)
    if not isinstance(value, Reference) and not pattern.fullmatch(text):
        raise InvalidPipeline(located(f"{what}: {value!r} is not an amount; write for example {example}"))
    return text
