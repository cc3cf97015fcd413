"""What of a pod means the same to the engine, which makes it, and to a launcher, which starts it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from penstock.workflow.quantities import Needs

__all__ = [
    "Companion",
    "ContainerExit",
    "DataRequest",
    "File",
    "HostAlias",
    "HttpRequest",
    "Mount",
    "Readiness",
    "Resource",
    "ResourceOutput",
    "Volume",
    "own_name",
]


_HOST_NAME = re.compile(r"(?=.{1,253}\Z)[a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?")


class Mount(NamedTuple):
    """Where a container sees a volume, by the volume's name, or what lies at `sub_path` in it."""

    volume: str
    path: str
    sub_path: str = ""
    read_only: bool = False


class File(NamedTuple):
    """A file of a volume: its path in it, and what it holds."""

    path: str
    content: bytes


class HostAlias(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Names of an address, beside those that are known already."""

    ip: str = ""
    hostnames: tuple[str, ...] = ()

    @property
    def fault(self) -> str:
        """What is wrong with it, "" where nothing is."""
        try:
            ipaddress.ip_address(self.ip)
        except ValueError:
            return f"{self.ip!r:.100} is no address"
        wrong = next((name for name in self.hostnames if not _HOST_NAME.fullmatch(name)), None)
        return "" if wrong is None else f"{wrong!r:.100} is no name of a machine"


class Volume(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A volume that holds something before its step begins; one that is not described is empty at first.

    `files` lie in it. Of a `claim` it is the folder, `folder` on this machine, that stays when the step has ended; one
    with an `owner`, a run's id, is made when it is missed.
    """

    name: str
    files: tuple[File, ...] = ()
    claim: str = ""
    folder: str = ""
    owner: str = ""


class Readiness(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When a daemon is ready: something listens at `port` of its address, and answers a request for `path`, where there
    is one, with a status from 200 to 399.

    It is asked `delay` seconds after its start, then at least every `pause` seconds, each time for up to `patience`.
    """

    port: int
    path: str = ""
    tls: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    pause: float = 10.0
    patience: float = 1.0


class ResourceOutput(NamedTuple):
    """An output of a resource step: what lies at `path` in the object, else its default."""

    name: str
    path: str
    default: str | None = None


class Resource(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a resource step asks a cluster for, every tag replaced: `action` is create, apply, get or delete."""

    action: str
    manifest: str = ""
    flags: tuple[str, ...] = ()
    outputs: tuple[ResourceOutput, ...] = ()


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request of an `http` template, every tag replaced. `timeout` in seconds; `verify`: certificates are looked at.

    Without a `success_condition` any status from 200 to 299 is a success.
    """

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    timeout: float = 30.0
    verify: bool = True
    success_condition: str = ""


class DataRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a `data` template asks for: the files below `key` of the store, and expressions, one over the other."""

    key: str
    transformation: tuple[str, ...] = ()


class Companion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A container beside a step's own, every tag replaced: one that runs before it, or as long as it does.

    Of a set it is any of the containers, the step's own too: it begins when those of the names in `after` have ended
    with 0, and is run up to `tries` times until it does so itself, `pause` seconds after one another.
    """

    name: str
    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    env: tuple[tuple[str, str], ...] = ()
    mounts: tuple[Mount, ...] = ()
    limits: Needs = Needs()
    tty: bool = False
    after: tuple[str, ...] = ()
    tries: int = 1
    pause: float = 0.0


def own_name(names: Sequence[str]) -> str:
    """The container that stands for a pod of these: `main`, as the last one of a set that has none of that name."""
    return "main" if "main" in names or not names else names[-1]


class ContainerExit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a container of a set has ended; `code` None: nobody knows. `message` says why it was not begun."""

    name: str
    code: int | None
    message: str = ""
