"""Which way of giving a step its own root this kernel and user allow, found by trying."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.adapters.local.process import forkserver, outward
from penstock.adapters.local.process.folders import remove_tree

__all__ = ["WAYS", "Isolation", "detect", "doctor_lines"]


@dataclass(frozen=True, slots=True)
class Isolation:
    """A way to isolate steps.

    `way` is "overlay", "bind" or "rewrite"; `links`: inputs are hard links in a lower layer, never copied; `user` is
    the (uid, gid) to map into a user namespace, None where none is needed; `reason`: why no better way is used.
    """

    way: str
    links: bool = False
    user: tuple[int, int] | None = None
    reason: str = ""


WAYS = ("overlay", "bind", "rewrite")
_NETWORK = "this machine's; that of a step with sidecars, and of a run with daemons, is its own"


def candidates(way: str | None = None) -> list[Isolation]:
    """What to try, best first. `way` leaves out better ones."""
    me = (os.geteuid(), os.getegid())
    users = [None, me] if me[0] == 0 else [me]
    overlay = [Isolation("overlay", links) for links in (True, False) if me[0] == 0]
    bound = [Isolation("bind", links, user) for user in users for links in (True, False)]
    ways = {"overlay": [*overlay, *bound], "bind": bound, "rewrite": []}
    return ways[way or "overlay"]


def detect(home: Path, way: str | None = None) -> Isolation:
    """Find the best way, by trying, with a fork server of its own. `way` leaves out better ones. Blocks."""
    process, channel = forkserver.start()
    reasons: list[str] = []
    try:
        for candidate in candidates(way):
            with probe(home, candidate) as (spec, descriptors, outcome):
                answer, pidfd = forkserver.request(channel, "probe", spec, descriptors)
                if pidfd >= 0:
                    os.close(pidfd)
                failure = answer.get("error") or outcome()
            if not failure:
                return Isolation(candidate.way, candidate.links, candidate.user, _reason(reasons))
            reasons.append(f"{candidate.way}: {failure}")
    except EOFError:
        reasons.append("the fork server ended")
    finally:
        channel.close()
        process.wait()
    return Isolation("rewrite", reason=_reason(reasons))


def _reason(reasons: list[str]) -> str:
    return "; ".join(dict.fromkeys(reasons))


@contextmanager
def probe(home: Path, candidate: Isolation) -> Iterator[tuple[dict[str, Any], tuple[int, ...], Any]]:
    """A request that only tries to make a root, its descriptors, and a function that waits for what came of it."""
    home.mkdir(parents=True, exist_ok=True)
    folder = tempfile.mkdtemp(prefix="probe.", dir=home)
    reader, writer = os.pipe()

    def outcome() -> str:
        nonlocal writer
        os.close(writer)
        writer = -1
        text = b""
        while part := os.read(reader, 4096):
            text += part
        return "" if text == b"ok" else text.decode(errors="replace") or "the process ended without a word"

    try:
        for name in ("upper", "work", "root", *(["skel"] if candidate.links else [])):
            os.makedirs(f"{folder}/{name}")
        if candidate.links:
            os.mkdir(f"{folder}/stage")
        yield _probe_spec(folder, candidate), (writer,), outcome
    finally:
        for descriptor in (reader, *([writer] if writer >= 0 else [])):
            os.close(descriptor)
        remove_tree(Path(folder))


def _probe_spec(folder: str, candidate: Isolation) -> dict[str, Any]:
    return {
        "dir": folder,
        "way": candidate.way,
        "user": candidate.user,
        "base": "/",
        "skel": candidate.links,
        "own_tops": [],
        "masks": [folder],
        "shown": [],
    }


def doctor_lines(isolation: Isolation) -> list[str]:
    """What `penstock doctor` says about steps on this machine."""
    texts = {
        "overlay": "each step has its own processes and root: an overlay over the image's root, made as root",
        "bind": "each step has its own processes and root: the image's folders, read-only, in a folder of its own",
        "rewrite": "steps have no root of their own here: declared paths in their command lines are rewritten; "
        "images that are folders cannot be used; the home is visible to steps",
    }
    inputs = "linked, never copied" if isolation.links else "shared where the file system can, else copied"
    network = "sidecars are refused: no network can be a step's own" if isolation.way == "rewrite" else _network()
    lines = [
        f"isolation of steps: {isolation.way} ({texts[isolation.way]})",
        f"inputs of steps: {inputs}",
        f"network of steps: {network}",
    ]
    return [*lines, f"why no better way: {isolation.reason}"] if isolation.reason else lines


def _network() -> str:
    return f"{_NETWORK}, with {'a way out by slirp4netns' if outward.program() else outward.MISSING}"
