"""What a step finds where names of machines are looked up: files of its own in the place of this machine's."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

from penstock.ports import Step
from penstock.workflow.pods import File, Mount, Volume

__all__ = ["with_hosts", "with_resolver"]

_HOSTS = Path("/etc/hosts")
_RESOLVER = Path("/etc/resolv.conf")
_OUTWARD = b"nameserver 10.0.2.3\n"
"""slirp4netns answers there, by asking the servers that this machine asks."""


def with_resolver(step: Step) -> Step:
    """A step whose containers ask for names where they are answered: a server on loopback is not in their network."""
    lines = [line.split() for line in _text(_RESOLVER).splitlines()]
    servers = [words[1] for words in lines if words[:1] == ["nameserver"] and len(words) > 1]
    if not servers or any(not server.startswith("127.") and server != "::1" for server in servers):
        return step
    return _with_file(step, _RESOLVER, _OUTWARD)


def with_hosts(step: Step) -> Step:
    """A step whose containers know its own names of machines, beside those that this machine knows."""
    lines = [_text(_HOSTS).rstrip("\n"), *("\t".join([alias.ip, *alias.hostnames]) for alias in step.hosts)]
    return _with_file(step, _HOSTS, "".join(f"{line}\n" for line in lines).encode())


def _with_file(step: Step, path: Path, content: bytes) -> Step:
    volume = Volume(name=str(path), files=(File(path.name, content),))
    mount = Mount(volume.name, str(path), path.name)
    beside = {
        kind: tuple(msgspec.structs.replace(each, mounts=(*each.mounts, mount)) for each in getattr(step, kind))
        for kind in ("init", "containers", "sidecars")
    }
    return msgspec.structs.replace(step, mounts=(*step.mounts, mount), volumes=(*step.volumes, volume), **beside)


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace")
    return ""
