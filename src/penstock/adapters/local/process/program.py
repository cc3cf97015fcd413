"""What a supervisor's child becomes: a program by exec, a Python program in this very process, or the installer."""

from __future__ import annotations

import atexit
import contextlib
import errno
import fcntl
import gc
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import types
from typing import Any, NamedTuple, NoReturn

from penstock.adapters.local.process import kernel, messages

__all__ = ["Unable", "become", "install", "obey", "warm_up"]

_TMP = "/tmp"  # noqa: S108 - the step's own
_UNABLE = {errno.ENOENT: "not found", errno.EACCES: "not executable", errno.ENOEXEC: "of a format that cannot run"}


class Unable(Exception):
    """The step's program cannot be started. The message is for a person."""


def _execute(spec: dict[str, Any]) -> NoReturn:
    """Replace this process by the step's program. Raises OSError, Unable."""
    argv, env = spec["argv"], spec["env"]
    search = env.get("PATH", "")
    try:
        os.execve(_found(argv[0], search), argv, env)  # noqa: S606 - what a document says, word by word
    except OSError as error:
        reason = _UNABLE.get(error.errno or 0, error.strerror)
        raise Unable(f"command {argv[0]!r} is {reason} in the step; its PATH is {search!r}") from None


def become(spec: dict[str, Any], failed: int) -> NoReturn:
    """Turn this process into the step's. Raises OSError, Unable."""
    _settle(spec)
    if spec["program"] is None:
        _execute(spec)
    _run_python(spec, failed)


def obey(spec: dict[str, Any], channel: socket.socket, failed: int, guess: int) -> NoReturn:
    """Wait for the description of a step, then become it. Ends where none comes.

    `spec` is what is known of it before, and `guess` the sheet with the source of the Python program that it may be
    ("": none). Getting ready for it saves most of what it costs to start: what is made, compiled and touched in memory
    by then has not to be any more.
    """
    _settle(spec)
    source = messages.read(guess)
    if source:
        _get_ready(source)
    received = messages.receive(channel)
    if received is None:
        os._exit(128 + signal.SIGTERM)
    channel.close()
    orders = messages.read(received[1][0])
    if orders["program"] is None:
        _execute(orders)
    _run_python(orders, failed)


_WARM = compile(
    """
import argparse, json, os, typing
def add(a: int, b: str = "b") -> typing.NamedTuple("Outputs", [("sum", int)]):
    return (a,)
parser = argparse.ArgumentParser(prog="Add", description="")
parser.add_argument("--a", dest="a", type=int, required=True, default=argparse.SUPPRESS)
parser.add_argument("--b", dest="b", type=str, required=False, default=argparse.SUPPRESS)
parser.add_argument("----output-paths", dest="_output_paths", type=str, nargs=1)
arguments = vars(parser.parse_args(["--a", "1", "----output-paths", "/tmp/outputs/sum/data"]))
files = arguments.pop("_output_paths", [])
text = json.dumps([str(value) for value in add(**arguments)] + [os.path.dirname(files[0])])
""",
    "warm",
    "exec",
    dont_inherit=True,
)


class _Compiled(NamedTuple):
    """A program that was compiled for the path at which it lies."""

    source: str
    path: str
    code: types.CodeType


_guessed: _Compiled | None = None


def warm_up() -> None:
    """Do once what programs do first, so that those which start from this process find it done."""
    with contextlib.suppress(Exception):
        exec(_WARM, {"__name__": "warm"})  # noqa: S102 - the text above


def _get_ready(guess: str) -> None:
    global _guessed
    _begin_python()
    os.environ.clear()
    time.tzset()
    with contextlib.suppress(Exception):
        path = _program_path(_TMP)
        code = compile(guess, path, "exec", dont_inherit=True)
        _write(path, guess)
        _guessed = _Compiled(guess, path, code)
    gc.collect()
    gc.freeze()


def _begin_python() -> None:
    """What Python does at its beginning: its signals, its streams."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    _fresh_streams()


def _found(command: str, search: str) -> str:
    if "/" in command:
        return command
    denied = False
    for folder in search.split(":"):
        path = os.path.join(folder or ".", command)
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
        denied = denied or os.path.isfile(path)
    raise OSError(errno.EACCES if denied else errno.ENOENT, command)


def _settle(spec: dict[str, Any]) -> None:
    """Last settings before the step's own code: folder, capabilities, visibility."""
    os.umask(0o022)
    try:
        os.chdir(spec["cwd"])
    except FileNotFoundError:
        os.makedirs(spec["cwd"])
        os.chdir(spec["cwd"])
    if spec["way"] != "rewrite" and os.geteuid() == 0:
        kernel.drop_capabilities(bounding=spec["user"] is not None)
    kernel.set_dumpable(True)


def _run_python(spec: dict[str, Any], failed: int) -> NoReturn:
    """Run the program's source as `python3 -u FILE ARGS` would, without a new interpreter. Ends this process.

    Raises OSError where the program cannot be written. `failed` is closed before the program begins.
    """
    os.environ.clear()
    os.environ.update(spec["env"])
    source, folder = spec["program"], spec["env"].get("TMPDIR", _TMP)
    guessed = _guessed if _guessed and _guessed.source == source and folder == _TMP else None
    path = guessed.path if guessed else _program_path(folder)
    if guessed is None or "TZ" in os.environ:
        time.tzset()
    if guessed is None:
        _begin_python()
        _write(path, source)
        if _guessed:
            os.unlink(_guessed.path)
    sys.argv = [path, *spec["program_args"]]
    sys.path.insert(0, os.path.dirname(path))
    main = types.ModuleType("__main__")
    main.__dict__.update(__file__=path, __builtins__=__builtins__, __cached__=None, __annotations__={})
    sys.modules["__main__"] = main
    os.close(failed)
    code = _outcome(guessed.code if guessed else None, source, path, main)
    _wind_up(main)
    os._exit(code)


def _wind_up(main: types.ModuleType) -> None:
    """What Python does at its end, without taking the interpreter apart, which takes longer than most steps.

    Wait for threads, call exit handlers, close what the program's globals hold, flush.
    """
    threads = sys.modules.get("threading")
    with contextlib.suppress(Exception):
        if threads is not None:
            threads._shutdown()
    atexit._run_exitfuncs()
    main.__dict__.clear()
    gc.collect()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


def _outcome(code: types.CodeType | None, source: str, path: str, main: types.ModuleType) -> int:
    """Run the program and return its exit code, having said on stderr what Python would have said."""
    try:
        exec(code or compile(source, path, "exec", dont_inherit=True), main.__dict__)  # noqa: S102 - the step's own
    except SystemExit as end:
        return _exit_code(end.code)
    except BaseException as error:
        trace = error.__traceback__.tb_next if error.__traceback__ else None
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        return 128 + signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _exit_code(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def _fresh_streams() -> None:
    """Standard streams as `python3 -u` opens them."""
    stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding="utf-8")
    out, err = (io.FileIO(number, "w", closefd=False) for number in (1, 2))
    stdout = io.TextIOWrapper(out, encoding="utf-8", write_through=True)
    stderr = io.TextIOWrapper(err, encoding="utf-8", errors="backslashreplace", write_through=True)
    for name, stream in (("stdin", stdin), ("stdout", stdout), ("stderr", stderr)):
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _program_path(folder: str) -> str:
    return os.path.join(folder, f"tmp.{os.urandom(5).hex()}")


def _write(path: str, source: str) -> None:
    """The program in a file, as the component's shell line makes one: tracebacks and inspect read it."""
    with open(path, "x", encoding="utf-8") as file:
        file.write(source)


def install(wanted: dict[str, Any]) -> NoReturn:
    """Make the environment `wanted` describes unless it is whole, one process at a time. Ends this process.

    Raises OSError.
    """
    kernel.set_dumpable(True)
    folder, mark = wanted["dir"], os.path.join(wanted["dir"], ".complete")
    lock = os.open(folder + ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    if os.path.exists(mark):
        os._exit(0)
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
    for command in wanted["commands"]:
        code = subprocess.call(command, env=wanted["env"], stdin=subprocess.DEVNULL, cwd="/")
        if code:
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(code if code > 0 else 128 - code)
    os.close(os.open(mark, os.O_CREAT | os.O_WRONLY, 0o644))
    os._exit(0)
