"""The first process of a step's namespace: starts the step, writes its log, kills what is left, records the exit.

It outlives the server. When it dies, the kernel kills all of the step (in a PID namespace), or the step's main
process dies with it and the launcher kills the rest (without one). Standard library only.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import os
import select
import shutil
import signal
import socket
import termios
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn

from penstock.adapters.local.process import kernel, messages, program, records, roots
from penstock.adapters.local.process.crilog import CriLog

__all__ = ["run", "run_spares", "signal_pipe"]

_CHUNK = 1 << 16
_IDLE = 1.0
"""Seconds after which text without a line's end is shown all the same (a prompt, a progress bar)."""
_ERROR = 2
_FAILED = 3
"""Descriptor on which the step's process says why it could not begin."""
_ORDERS = 4
"""Descriptor on which a process that was started ahead of its step is told what to become."""
_GUESS = 5
"""Descriptor of the sheet with the program that it may be told to become."""
_HANDLED = (signal.SIGTERM, signal.SIGCHLD)
_NO_SPACE = "no space left for the step's root"


def run(spec: dict[str, Any], descriptors: Sequence[int]) -> NoReturn:
    """Supervise the step that `spec` describes until it has ended.

    `descriptors` are the step's lock (held until the exit record stands), and one that is closed then.
    """
    supervisor = _Supervisor(spec, _Itself.settled(spec))
    supervisor.adopt(spec["title"], descriptors)
    _see_through(supervisor, supervisor.supervise)
    os._exit(0)


def run_spares(spec: dict[str, Any], guess: int, channel: socket.socket) -> NoReturn:
    """Serve steps one after another: make the root that `spec` describes, with a process that waits in it; supervise
    the step that `channel` brings; go on with the next root that it brings.

    This process never learns what a step is: its description goes on to the waiting process unread, and so does the
    program that the step may be (`guess`). When there is no step any more, this process ends, and leaves its folder to
    whoever closed the channel.
    """
    itself = _Itself.settled(spec)
    while True:
        try:
            supervisor = _Supervisor(spec, itself)
            waiting = supervisor.prepare(guess)
            words, (orders, *descriptors) = _next(channel)
        except BaseException:
            os._exit(1)
        supervisor.adopt(words["title"], descriptors)
        _see_through(supervisor, functools.partial(supervisor.supervise_waiting, waiting, orders))
        _, (sheet, guess) = _next(channel)
        spec = messages.read(sheet)


def _next(channel: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next message. Ends this process where none comes."""
    received = messages.receive(channel)
    if received is None:
        os._exit(0)
    return received


def _see_through(supervisor: _Supervisor, supervise: Callable[[], None]) -> None:
    try:
        supervise()
    except BaseException as error:
        supervisor.record(None, f"the supervisor failed: {type(error).__name__}: {error}")
        supervisor.finish()
        os._exit(0)
    supervisor.finish()


class _Itself(NamedTuple):
    """What a supervisor knows of its own process: its id, start time and boot, and the pipe that wakes it; and what it
    has seen of the machine."""

    identity: bytes
    signals: int
    seen: roots.Seen

    @classmethod
    def settled(cls, spec: dict[str, Any]) -> _Itself:
        """Become who `spec` says, out of sight of other processes."""
        if spec["user"]:
            roots.map_user(*spec["user"])
        kernel.set_dumpable(False)
        return cls(records.identity(), signal_pipe(), roots.Seen())


class _Process(NamedTuple):
    """A process that was begun: its standard output and standard error, and where it says why it failed."""

    streams: tuple[int, int]
    failed: int


class _Waiting(NamedTuple):
    """A process that waits for its orders."""

    process: _Process
    channel: socket.socket

    def told(self, orders: int) -> bool:
        """Send it its orders. False where it has died."""
        try:
            messages.send(self.channel, {}, (orders,))
        except BrokenPipeError:
            return False
        return True

    def heard(self) -> bool:
        """Whether a process that has ended had read what it was told: the kernel says if it had not."""
        try:
            return self.channel.recv(1) == b""
        except ConnectionResetError:
            return False


class _Supervisor:
    """Of one step. The supervisor of a spare does not know what its step is, only what its root is."""

    def __init__(self, spec: dict[str, Any], itself: _Itself) -> None:
        self._spec = spec
        self._identity, self._signals, self._seen = itself
        self._title = ""
        self._done = self._lock = -1
        self._heard = False
        self._folder = os.open(spec["dir"], os.O_RDONLY | os.O_DIRECTORY)
        os.chdir(self._folder)
        self._log = CriLog(self._open("log", os.O_CREAT | os.O_WRONLY | os.O_APPEND))
        self._record = self._open("reserve", os.O_RDWR | os.O_CREAT)
        self._deadline: float | None = None
        self._stopping = False
        self._started: float | None = None
        self._child = 0
        self._status: int | None = None

    def _open(self, name: str, flags: int) -> int:
        return os.open(name, flags, 0o600, dir_fd=self._folder)

    def adopt(self, title: str, descriptors: Sequence[int]) -> None:
        """Take on a step; see `run`. From now on a later server can adopt it. Before any of its processes exists."""
        self._lock, self._done = descriptors
        self._title = title
        records.introduce(self._folder, self._identity)

    def supervise(self) -> None:
        """Install what the step asks for, run it in its root, record how it ended."""
        kernel.set_title(self._title)
        if self._spec["way"] == "rewrite":
            kernel.adopt_orphans()
        if self._spec["install"] and not self._install():
            return
        self._started = time.time()
        failure = self._run(lambda: _begin_step(self._spec, self._seen))
        for _ in range(self._spec.get("tries", 1) - 1):
            if failure or self._stopping or _code(self._status) == 0:
                break
            self._rest(self._spec["pause"])
            self._let_mount_again()
            failure = self._run(lambda: _begin_step(self._spec, self._seen))
        self._ended(failure)

    def _rest(self, seconds: float) -> None:
        """Wait between two times, unless the step is to stop."""
        poll, until = select.poll(), time.monotonic() + seconds
        poll.register(self._signals, select.POLLIN)
        while not self._stopping and (left := until - time.monotonic()) > 0:
            if poll.poll(left * 1000):
                self._on_signals()

    def _let_mount_again(self) -> None:
        """An overlay is not mounted twice with the same folders for its work."""
        for name in ("work", "works"):
            shutil.rmtree(name, ignore_errors=True)
        os.mkdir("work")

    def prepare(self, guess: int) -> _Waiting:
        """Start a process that makes the root and waits in it. Raises OSError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = self._begin(lambda: _wait_in_root(self._spec, self._seen), theirs.fileno(), guess)
        os.close(guess)
        return _Waiting(process, ours)

    def supervise_waiting(self, waiting: _Waiting, orders: int) -> None:
        """Let the waiting process become the step, record how it ended."""
        self._started = time.time()
        with waiting.channel:
            begun = self._asked_to_stop() or waiting.told(orders)
            waiting.channel.shutdown(socket.SHUT_WR)
            kernel.set_title(self._title)
            failure = self._follow(waiting.process)
            begun = begun and (self._stopping or waiting.heard())
        if not begun:
            self._supervise_anew(orders)
        os.close(orders)
        self._ended(failure)

    def _supervise_anew(self, orders: int) -> NoReturn:
        """Run the step whose waiting process has died: what that died of happens again, and is recorded.

        From here on this process knows what the step is, so it serves no other.
        """
        self._spec = {**self._spec, **messages.read(orders)}
        self._let_mount_again()
        self.supervise()
        self.finish()
        os._exit(0)

    # --- running one process and all that it starts -----------------------------------------------------------------

    def _ended(self, failure: str) -> None:
        if failure == _NO_SPACE:
            os._exit(1)  # nothing has begun: it is started again where there is room
        if failure:
            self._log.note(failure)
            self.record(None, failure)
        else:
            self.record(_code(self._status))

    def _install(self) -> bool:
        """Make the step's environment of packages, once for all steps that want the same. False: the step has ended."""
        install = self._spec["install"]
        failure = self._run(lambda: program.install(install))
        code = _code(self._status)
        if self._stopping:
            self.record(code or 128 + signal.SIGTERM)
        elif code == 0:
            self._status, self._child = None, 0
            return True
        else:
            reason = failure or self._last_words()
            self._log.note(f"{install['label']} not installable: {failure or 'see the lines above'}")
            self.record(code or 1, message=f"{install['label']} not installable: {reason}")
        return False

    def _last_words(self) -> str:
        """The last line that the installer wrote, for the step's message."""
        with open(os.open("log", os.O_RDONLY, dir_fd=self._folder), "rb") as file:
            lines = file.read()[-8192:].splitlines()
        texts = [line.split(b" ", 3)[-1].decode("utf-8", "replace").strip() for line in lines]
        causes = [t for t in texts[:-1] if t]
        return causes[-1][:500] if causes else "no reason given"

    def _run(self, become: Callable[[], NoReturn]) -> str:
        """Run `become` in a child until it and all its descendants have ended. Why it could not begin, or ""."""
        self._status = None
        if self._stopping or self._asked_to_stop():
            self._status = signal.SIGTERM
            return ""
        return self._follow(self._begin(become))

    def _begin(self, become: Callable[[], NoReturn], *more: int) -> _Process:
        """Start a child that becomes something; it has `more` descriptors behind `_FAILED`."""
        tty = self._spec.get("tty", False)
        out, err, failed = os.openpty() if tty else os.pipe(), os.pipe(), os.pipe()
        if self._spec["way"] != "rewrite":
            self._seen.look(self._spec)
        signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
        self._child = kernel.fork()
        if self._child == 0:
            streams = (out[1],) * 3 if tty else (out[1], err[1])
            _become(become, (*streams, failed[1], *more), tied=self._spec["way"] == "rewrite", tty=tty)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
        for pair in (out, err, failed):
            os.close(pair[1])
        return _Process((out[0], err[0]), failed[0])

    def _follow(self, process: _Process) -> str:
        out, err = process.streams
        self._pump({out: "stdout", err: "stderr"})
        report = os.read(process.failed, select.PIPE_BUF)
        os.close(process.failed)
        return report.decode("utf-8", "replace")

    def _pump(self, streams: dict[int, str]) -> None:
        poll = select.poll()
        for descriptor in (*streams, self._signals):
            os.set_blocking(descriptor, False)
            poll.register(descriptor, select.POLLIN)
        while self._status is None:
            ready = poll.poll(self._patience())
            if not ready:
                self._log.flush(b"P")
            for descriptor, _ in ready:
                if descriptor == self._signals:
                    self._on_signals()
                elif not self._copy(descriptor, streams[descriptor]):
                    poll.unregister(descriptor)
            self._on_time()
        self._end_all()
        for descriptor, stream in streams.items():
            while self._copy(descriptor, stream):
                pass
            os.close(descriptor)
        self._log.flush(b"F")

    def _copy(self, descriptor: int, stream: str) -> bool:
        """Move one chunk from a pipe to the log. False when there is nothing (more)."""
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return False  # a terminal that nobody has open any more
        if data:
            self._log.feed(stream, data)
        return bool(data)

    def _patience(self) -> float | None:
        waits = [_IDLE] if self._log.waiting else []
        if self._deadline is not None:
            waits.append(max(0.0, self._deadline - time.monotonic()))
        return min(waits) * 1000 + 1 if waits else None

    def _on_time(self) -> None:
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self._deadline = None
            self._kill_all()

    def _on_signals(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._signals, 512)
        self._reap()
        self._asked_to_stop()

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self._child:
                    self._status = status

    # --- ending -----------------------------------------------------------------------------------------------------

    def _asked_to_stop(self) -> bool:
        """Look for the launcher's order to stop, and begin with it."""
        try:
            descriptor = self._open("stop", os.O_RDONLY)
        except FileNotFoundError:
            return False
        with open(descriptor, "rb") as file:
            grace = float(file.read(64) or b"0")
        deadline = time.monotonic() + grace
        if not self._stopping and self._child and self._status is None:
            self._terminate()
        if not self._stopping or (self._deadline is not None and deadline < self._deadline):
            self._deadline = deadline
        self._stopping = True
        return True

    def _terminate(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            try:
                os.killpg(self._child, signal.SIGTERM)
            except ProcessLookupError:  # it has not made its group yet; the signal waits until it has
                os.kill(self._child, signal.SIGTERM)

    def _kill_all(self) -> None:
        if self._spec["way"] != "rewrite":
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
            return
        for pid in _descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _end_all(self) -> None:
        """Kill and reap until nothing of the step is left."""
        with contextlib.suppress(ChildProcessError):
            while True:
                self._kill_all()
                os.waitpid(-1, 0)

    def record(self, code: int | None, error: str = "", message: str = "") -> None:
        """Write the exit record and tell the launcher."""
        lost = self._log.close()
        if lost:
            message = message or f"{lost} bytes of the log were lost: the disk was full"
        exit = {
            "code": code,
            "error": error[:1500],
            "message": message[:1500],
            "started_at": self._started,
            "finished_at": time.time(),
        }
        self._heard = records.write_exit(self._folder, self._record, self._done, exit)

    def finish(self) -> None:
        """Make log and record durable, unless the launcher listens: it will store what they say. Let go of the step.

        Where the machine dies in between, the record is missing or torn, which reads as an interrupted step, and the
        step is started again.
        """
        if not self._heard:
            try:
                self._log.sync()
                os.fsync(self._record)
                os.fsync(self._folder)
            except OSError as error:
                records.correct_exit(self._record, records.not_kept(error))
        self._log.release()
        for descriptor in (self._record, self._folder, self._lock):
            os.close(descriptor)


def signal_pipe() -> int:
    """A pipe that becomes readable with every TERM and every child that ends."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in _HANDLED:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
    return reader


def _become(become: Callable[[], NoReturn], descriptors: Sequence[int], *, tied: bool, tty: bool) -> NoReturn:
    """In the child: take the descriptors, from standard output on, and turn into the step. With `tty` they begin with
    standard input, and are a terminal.

    The supervisor's own code never goes on in the child.
    """
    try:
        if tied:
            kernel.die_with_parent()
        os.setsid()
        _arrange(descriptors if tty else (os.open("/dev/null", os.O_RDONLY), *descriptors))
        if tty:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        kernel.settle_signals()
        become()
    except program.Unable as unable:
        _say(str(unable))
    except Exception as error:
        _say(f"the step's process could not begin: {error}")
    finally:
        os._exit(127)


def _arrange(descriptors: Sequence[int]) -> None:
    """Give the descriptors the numbers 0, 1, 2 …, and close all others. A program sees the streams alone."""
    for target, source in enumerate([fcntl.fcntl(each, fcntl.F_DUPFD, len(descriptors)) for each in descriptors]):
        os.dup2(source, target, inheritable=target <= _ERROR)
    kernel.close_from(len(descriptors))


def _begin_step(spec: dict[str, Any], seen: roots.Seen) -> NoReturn:
    _enter_root(spec, seen)
    program.become(spec, _FAILED)


def _wait_in_root(spec: dict[str, Any], seen: roots.Seen) -> NoReturn:
    _enter_root(spec, seen)
    program.obey(spec, socket.socket(fileno=_ORDERS), _FAILED, _GUESS)


def _enter_root(spec: dict[str, Any], seen: roots.Seen) -> None:
    if spec["way"] != "rewrite":
        try:
            roots.enter(spec, seen)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise program.Unable(_NO_SPACE if full else f"the step's root could not be made: {error}") from None


def _say(reason: str) -> None:
    os.write(_FAILED, reason.encode("utf-8", "replace")[: select.PIPE_BUF])


def _code(status: int | None) -> int | None:
    if status is None:
        return None
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _descendants(pid: int) -> list[int]:
    """All processes below `pid`, where there is no PID namespace that would know them."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                for child in map(int, file.read().split()):
                    found += [child, *_descendants(child)]
    return found
