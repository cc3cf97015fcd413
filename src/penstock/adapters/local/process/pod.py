"""The first process of a step that is several containers: starts them, ends them, records how the step ended.

Each container is a supervised process (`supervisor`) with a root and a log of its own, in a folder below the step's.
All of them are below this process, in its PID namespace, so that the kernel ends them with it; and in its network,
where it has one of its own. Standard library only.

The order is that of a pod of Kubernetes: init containers one after the other, then sidecars and the step's own
container; when that has ended, the sidecars are told to end, too.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Sequence
from typing import Any, NoReturn

from penstock.adapters.local.process import holder, kernel, records, roots, supervisor
from penstock.adapters.local.process.forking import fork, wanted

__all__ = ["run"]

_GRACE = 30.0
"""Seconds between TERM and KILL to what is left of a step whose own container has ended."""
_ENDED_BY_US = (128 + signal.SIGKILL, 128 + signal.SIGTERM)

_NEVER_BEGAN, _NOT_STARTED = 64, 128
"""Exit codes of a container that another kept from beginning, as on Argo, and of one that cannot be started."""
_UNBEGUN = {"code": None, "failed": "the step was ended before its own container began"}


class _Lost(Exception):
    """A supervisor was killed: nobody knows how its container ended."""


def run(spec: dict[str, Any], descriptors: Sequence[int]) -> NoReturn:
    """See the pod that `spec` describes through. `descriptors` are those of `supervisor.run`, and the
    end of a socket (`holder.opened`) where the network is the step's own.

    Where a container's end is unknown, so is the step's: this process ends without a record, and all with it.
    """
    pod = _Pod(spec, descriptors)
    try:
        exit = pod.supervise()
    except _Lost:
        os._exit(1)
    except BaseException as error:
        exit = {"code": None, "error": f"the supervisor of its containers failed: {type(error).__name__}: {error}"}
    pod.record(exit)
    os._exit(0)


class _Container:
    """A container: what it is called in the document, where it lies, and what is known of it."""

    def __init__(self, about: dict[str, Any]) -> None:
        self.name: str = about["name"]
        self.spec: dict[str, Any] = about["spec"]
        self.after: list[str] = about["after"]
        self.pid = 0
        self.exit: dict[str, Any] | None = None

    @property
    def runs(self) -> bool:
        return bool(self.pid) and self.exit is None

    def failure(self) -> str:
        """Why the container has failed, in Argo's words; "" where it has not."""
        assert self.exit is not None
        code = self.exit["code"]
        if code is None:
            return f"{self.name}: {self.exit['error']}"
        return f"{self.name}: Error (exit code {code})" if code else ""

    def end(self) -> dict[str, Any]:
        """Name, exit code, and why there is none of its own."""
        exit = self.exit or {"code": None, "error": ""}
        if exit["code"] is None:  # it could not be begun
            return {"name": self.name, "code": _NOT_STARTED, "message": exit["error"][:200]}
        message = exit.get("message", "") if exit["code"] == _NEVER_BEGAN else ""
        return {"name": self.name, "code": exit["code"], "message": message[:200]}

    def stop(self, grace: float) -> None:
        """TERM, then KILL after `grace` seconds; a second time counts where it is sooner."""
        if self.runs:
            folder = self.spec["dir"]
            with open(f"{folder}/stop.new", "w", encoding="ascii") as file:
                file.write(repr(grace))
            os.rename(f"{folder}/stop.new", f"{folder}/stop")
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)


class _Pod:
    def __init__(self, spec: dict[str, Any], descriptors: Sequence[int]) -> None:
        if spec["user"]:
            roots.map_user(*spec["user"])
        self._lock, self._done, *link = descriptors
        self._identity = records.identity()
        self._folder = os.open(spec["dir"], os.O_RDONLY | os.O_DIRECTORY)
        self._record = os.open("reserve", os.O_RDWR | os.O_CREAT, 0o600, dir_fd=self._folder)
        self._init, self._sidecars, self._own = (
            [_Container(each) for each in spec[kind]] for kind in ("init", "sidecars", "own")
        )
        self._of_set: bool = spec["of_set"]
        self._link = link
        """The launcher's link to the network that is the step's own, as long as this process lives; or nothing."""
        self._title: str = spec["title"]
        self._deadline: float | None = None
        self._signals = supervisor.signal_pipe()
        os.set_blocking(self._signals, False)

    def supervise(self) -> dict[str, Any]:
        """Run the containers; the step's exit record. Raises _Lost, OSError."""
        records.introduce(self._folder, self._identity)
        kernel.set_title(self._title)
        for link in self._link:
            kernel.loopback()
            holder.opened(link)
        kernel.set_dumpable(False)
        for each in self._init:
            if self._asked_to_stop():
                return _UNBEGUN
            self._start(each)
            self._see_out(each)
            if failure := each.failure():
                self._show(each)
                return {"code": None, "failed": failure, **_times(each)}
        if self._asked_to_stop():
            return _UNBEGUN
        for each in self._sidecars:
            self._start(each)
        self._run_own()
        return self._released()

    def _run_own(self) -> None:
        """Run the step's own container, or those of its set: each when those before it have ended well."""
        while True:
            if self._deadline is None:
                while any(self._decided(each) for each in self._own if not (each.pid or each.exit)):
                    pass
            if self._failing or self._deadline is not None:
                self._give_up()
            if not any(each.runs for each in self._own):
                return
            self._listen()

    def _decided(self, container: _Container) -> bool:
        """Begin a container whose turn it is, or say why it never begins; False where it waits."""
        before = [each for each in self._own if each.name in container.after]
        for each in before:
            if each.exit and each.exit["code"] != 0:
                # As on Argo it is the code of the one that has failed that is handed on, not that of one in between.
                first = each.exit.get("first") or each.end()["code"]
                reason = f'dependency "{each.name}" exited with non-zero code: {first}'
                container.exit = {"code": _NEVER_BEGAN, "message": reason, "first": first}
                return True
        if not all(each.exit for each in before):
            return False
        self._start(container)
        return True

    def _give_up(self) -> None:
        """End what is left of a set of which a container has failed, or that is to stop."""
        for each in self._own:
            if each.runs and self._deadline is None:
                each.stop(_GRACE)
            elif not each.pid and each.exit is None:
                each.exit = {"code": 128 + signal.SIGTERM}

    @property
    def _failing(self) -> bool:
        return any(each.exit and each.exit["code"] != 0 for each in self._own)

    def _released(self) -> dict[str, Any]:
        """End the sidecars, whose work is done; how the step ended."""
        grace = _GRACE if self._deadline is None else min(_GRACE, max(0.0, self._deadline - time.monotonic()))
        for each in self._sidecars:
            each.stop(grace)
        self._see_out(*self._sidecars)
        failures = [each.failure() for each in self._sidecars if each.exit and each.exit["code"] not in _ENDED_BY_US]
        return {**self._outcome(), "failed": next(filter(None, failures), "")}

    def _outcome(self) -> dict[str, Any]:
        """How the step's own container has ended; of a set, how each has."""
        if len(self._own) == 1 and not self._of_set:
            return dict(self._own[0].exit or {})
        ends = [each.end() for each in self._own]
        codes = {end["name"]: end["code"] for end in ends}
        code = codes["main"] if "main" in codes else next((codes[name] for name in sorted(codes) if codes[name]), 0)
        times = [each.exit for each in self._own if each.exit and "finished_at" in each.exit]
        started = [exit["started_at"] for exit in times if exit["started_at"] is not None]
        finished = [exit["finished_at"] for exit in times]
        return {
            "code": code,
            "containers": ends,
            "started_at": min(started, default=None),
            "finished_at": max(finished, default=None),
        }

    def _show(self, container: _Container) -> None:
        """What a container said that kept the step from beginning is all that the step's log can say."""
        with open(f"{container.spec['dir']}/log", "rb") as said:
            log = os.open("log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600, dir_fd=self._folder)
            with open(log, "wb") as file:
                while part := said.read(1 << 20):
                    file.write(part)

    # --- processes --------------------------------------------------------------------------------------------------

    def _start(self, container: _Container) -> None:
        """Fork the supervisor of a container."""
        done = os.open("/dev/null", os.O_WRONLY)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD})
        pid, pidfd = fork(wanted(container.spec))
        if pid == 0:
            self._leave(container.spec)
            supervisor.run(container.spec, (os.open(container.spec["dir"], os.O_RDONLY), done))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGCHLD})
        os.close(pidfd)
        os.close(done)
        container.pid = pid

    def _leave(self, spec: dict[str, Any]) -> None:
        """In the child: nothing of this process's own is kept."""
        os.close(signal.set_wakeup_fd(-1))
        for number in (self._lock, self._done, *self._link, self._folder, self._record, self._signals):
            os.close(number)
        if spec["way"] == "rewrite":
            kernel.die_with_parent()
        os.setsid()

    def _see_out(self, *containers: _Container) -> None:
        """Listen to signals until these have ended."""
        while any(each.runs for each in containers):
            self._listen()

    def _listen(self) -> None:
        """Wait for a signal: a container has ended, or the step is to stop."""
        poll = select.poll()
        poll.register(self._signals, select.POLLIN)
        poll.poll()
        with contextlib.suppress(BlockingIOError):
            os.read(self._signals, 512)
        self._reap()
        self._asked_to_stop()

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, _ = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                for each in (*self._init, *self._sidecars, *self._own):
                    if each.pid == pid:
                        each.exit = _exit_of(each)

    def _asked_to_stop(self) -> bool:
        """Look for the launcher's order to stop, and pass it on to what stands between the step and its end."""
        try:
            descriptor = os.open("stop", os.O_RDONLY, dir_fd=self._folder)
        except FileNotFoundError:
            return False
        with open(descriptor, "rb") as file:
            grace = float(file.read(64) or b"0")
        deadline = time.monotonic() + grace
        if self._deadline is None or deadline < self._deadline:
            self._deadline = deadline
            for each in (*self._init, *self._own):
                each.stop(grace)
            if all(each.exit for each in self._own):
                for each in self._sidecars:
                    each.stop(min(grace, _GRACE))
        return True

    def record(self, exit: dict[str, Any]) -> None:
        """Write the exit record and tell the launcher; make log and record durable where it does not listen."""
        for each in () if self._of_set else self._own:
            with contextlib.suppress(OSError):
                os.unlink(f"{each.spec['dir']}/log")  # the step's log is the same file
        if records.write_exit(self._folder, self._record, self._done, exit):
            return
        try:
            for name in ("log", "exit.json"):
                os.fsync(os.open(name, os.O_RDONLY, dir_fd=self._folder))
            os.fsync(self._folder)
        except OSError as error:
            records.correct_exit(self._record, records.not_kept(error))


def _exit_of(container: _Container) -> dict[str, Any]:
    """The exit record that a container's supervisor has left. Raises _Lost where there is none."""
    try:
        with open(f"{container.spec['dir']}/exit.json", "rb") as file:
            exit: dict[str, Any] = json.loads(file.read())
    except FileNotFoundError:
        raise _Lost from None
    return exit


def _times(container: _Container) -> dict[str, Any]:
    assert container.exit is not None
    return {name: container.exit[name] for name in ("started_at", "finished_at")}
