"""A step as containers: which ones, under what names, made with what options. Nothing is started here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from penstock.adapters.local.process.layout import made_below, plain_below
from penstock.errors import InvalidInput
from penstock.ports import Step, StepId
from penstock.workflow.pods import Companion, Mount

__all__ = ["Plan", "added_hosts", "container_name", "create", "mounted", "parts", "plan", "unseen"]


_LEAST_CPU, _LEAST_MEMORY = 0.01, 6 << 20
"""The smallest limits that engines take."""
_OF_THE_COMMAND = re.compile(
    r"PATH|HOME|USER|TMPDIR|TERM|LANG|LC_\w+|LD_\w+|\w*_PROXY|XDG_\w+|SSL_CERT_\w+|GO(DEBUG|MAXPROCS|GC|MEMLIMIT|TRACEBACK)"
    r"|DOCKER_(HOST|CONFIG|CONTEXT|CERT_PATH|TLS\w*|API_VERSION|DEFAULT_PLATFORM|CONTENT_TRUST\w*|CLI_\w+|CUSTOM_HEADERS)"
    r"|CONTAINERS?_\w+|PODMAN_\w+|REGISTRY_AUTH_FILE|STORAGE_\w+|OTEL_\w+|DBUS_\w+|NOTIFY_SOCKET|LISTEN_\w+|.*=.*",
    re.IGNORECASE | re.DOTALL,
)
"""Variables by which Docker's and Podman's commands go, and names that are none."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The containers and volumes of a step: `init` run one by one, then `main` and, in its network, `sidecars`.

    Those are by their names here, with their names in the document; `volumes` the other way round. `network` is that of
    the run, where steps of it reach one another; `pod` the pod of main and sidecars, where the engine has pods.
    `members` are all containers of a set, `main` among them, each run up to `tries` times `pause` seconds apart, when
    those have ended that `after` names (names in the document).
    """

    main: str
    init: Mapping[str, str] = field(default_factory=dict)
    sidecars: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)
    network: str = ""
    pod: str = ""
    members: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, Sequence[str]] = field(default_factory=dict)
    tries: int = 1
    pause: float = 0.0

    @property
    def first(self) -> str:
        """The container that is started first."""
        free = (container for container, name in self.members.items() if not self.after[name])
        return next(iter((*self.init, *free, self.main)))

    @property
    def containers(self) -> Iterator[str]:
        """All, those first that are in the network of another."""
        yield from (*self.sidecars, *self.init, *(each for each in self.members if each != self.main), self.main)


def container_name(home: Path, id: StepId) -> str:
    """The name of a step's container: readable, and of no other step of any home."""
    whole = "\0".join([str(home), id.run_id, id.node_id, str(id.incarnation)])
    node = re.sub(r"[^A-Za-z0-9_.-]", "-", id.node_id)[:60]
    return f"penstock-{node}-{hashlib.sha256(whole.encode()).hexdigest()[:16]}"


def network_name(home: Path, run_id: str) -> str:
    """The name of a run's network: of no other run of any home."""
    whole = "\0".join([str(home), run_id])
    return f"penstock-{hashlib.sha256(whole.encode()).hexdigest()[:16]}"


def parts(step: Step) -> tuple[Step | Companion, ...]:
    """What a step's containers are of: the step's own first."""
    return step, *step.beside


def _is_mounted(step: Step, mount: Mount) -> bool:
    """Whether the engine mounts it. A part of a volume of files is laid into the container as it is."""
    return not (mount.sub_path and step.volume(mount.volume).files)


def mounted(step: Step, part: Step | Companion) -> list[str]:
    """Where the engine mounts something in a container."""
    return [mount.path for mount in part.mounts if _is_mounted(step, mount)]


def _mount(plan: Plan, step: Step, mount: Mount) -> str:
    """The option that shows a volume. Raises InvalidInput."""
    folder = step.volume(mount.volume).folder
    if not folder and mount.sub_path:
        raise InvalidInput(
            f"volume {mount.volume!r}: in containers an empty folder is mounted whole; "
            f"remove its `subPath` {mount.sub_path!r}"
        )
    if not folder:
        return f"--volume={plan.volumes[mount.volume]}:{mount.path}:nocopy"
    source = made_below(folder, plain_below(mount.sub_path)) if mount.sub_path.strip("/.") else folder
    return f"--volume={source}:{mount.path}{':ro' if mount.read_only else ''}"


def plan(home: Path, step: Step, *, pods: bool = False) -> Plan:
    """The containers that a step is; `pods`: those of one network are in a pod."""
    main = container_name(home, step.id)
    claims = {volume.name for volume in step.volumes if volume.folder}
    volumes = {
        mount.volume: ""
        for each in parts(step)
        for mount in each.mounts
        if _is_mounted(step, mount) and mount.volume not in claims
    }
    return Plan(
        main=main,
        init={f"{main}-init-{number}": each.name for number, each in enumerate(step.init)},
        sidecars={f"{main}-sidecar-{number}": each.name for number, each in enumerate(step.sidecars)},
        volumes={volume: f"{main}-{number}" for number, volume in enumerate(volumes)},
        network=network_name(home, step.network) if step.network else "",
        pod=f"{main}-pod" if pods and step.sidecars and not step.containers else "",
        members={_member(main, step, each.name): each.name for each in step.containers},
        after={each.name: each.after for each in step.containers},
        tries=max((each.tries for each in step.containers), default=1),
        pause=max((each.pause for each in step.containers), default=0.0),
    )


def _member(main: str, step: Step, name: str) -> str:
    """The name here of a container of a set."""
    if name == step.own_name:
        return main
    return f"{main}-member-{[each.name for each in step.containers].index(name)}"


def create(home: Path, plan: Plan, step: Step) -> Iterator[tuple[str, Step | Companion, list[str]]]:
    """Each container's name, what it is of, and the words of the command that makes it, from the second on."""
    labels = {"home": home, "run": step.id.run_id, "node": step.id.node_id, "incarnation": step.id.incarnation}
    common = ["--init", "--log-driver", "json-file", "--pull", "never"]
    common += [f"--label=penstock.{label}={value}" for label, value in labels.items()]
    shared, own = ["--network", plan.network] if plan.network else [], ["--network", f"container:{plan.main}"]
    within = ["--pod", plan.pod] if plan.pod else []
    shared += added_hosts(step)
    yield plan.main, step, [*common, *(within or shared), *_options(plan, step, plan.main, step)]
    for name, companion in zip(plan.init, step.init, strict=True):
        yield name, companion, [*common, *shared, *_options(plan, step, name, companion)]
    members = {shown: name for name, shown in plan.members.items()}
    for companion in step.containers:
        if companion.name != step.own_name:
            name = members[companion.name]
            yield name, companion, [*common, *shared, *_options(plan, step, name, companion)]
    # No container of a set runs from the beginning to the end.
    own = within or (shared if plan.members else own)
    for name, companion in zip(plan.sidecars, step.sidecars, strict=True):
        yield name, companion, [*common, *own, *_options(plan, step, name, companion)]


def added_hosts(step: Step) -> list[str]:
    """The options that name machines. Who is in the network of another container has that one's names."""
    return [f"--add-host={name}:{alias.ip}" for alias in step.hosts for name in alias.hostnames]


def unseen(variable: str) -> bool:
    """Whether the engine's command can take a variable's value from its own environment, out of everybody's sight.

    What the command itself goes by has to stay as it is, and is written into its line.
    """
    return not _OF_THE_COMMAND.fullmatch(variable)


def _options(plan: Plan, step: Step, name: str, of: Step | Companion) -> list[str]:
    """Like a container of a pod: a command takes the place of the image's entrypoint, and of its own arguments."""
    options = ["--name", name]
    options += [f"--env={variable}" if unseen(variable) else f"--env={variable}={value}" for variable, value in of.env]
    options += [_mount(plan, step, mount) for mount in of.mounts if _is_mounted(step, mount)]
    options += [f"--cpus={of.limits.cpu:.3f}"] if of.limits.cpu >= _LEAST_CPU else []
    options += [f"--memory={of.limits.memory:.0f}"] if of.limits.memory >= _LEAST_MEMORY else []
    options += ["--tty"] if of.tty else []
    options += [f"--workdir={of.working_dir}"] if of.working_dir else []
    options += [f"--entrypoint={of.command[0]}"] if of.command else []
    return [*options, of.image, *of.command[1:], *of.args]
