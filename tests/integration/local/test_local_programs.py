"""Function components: run by the fork server, a program must not notice; and in environments of their packages."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from local_bench import Bench, Ended

from penstock.adapters.local.process import environments
from penstock.adapters.local.process.environments import (
    remove_environment,
    unwanted_environments,
    wanted_environment,
)
from penstock.adapters.local.process.images import python_program

RUN = 'program_path=$(mktemp)\nprintf "%s" "$0" > "$program_path"\npython3 -u "$program_path" "$@"\n'
PIP = "PIP_DISABLE_PIP_VERSION_CHECK=1 python3 -m pip install --quiet --no-warn-script-location"


def program(source: str, *arguments: str) -> tuple[str, ...]:
    """The command line of a function component."""
    return ("sh", "-ec", RUN, source, *arguments)


def with_packages(command: tuple[str, ...], packages: str) -> tuple[str, ...]:
    """The same with packages to install before."""
    return ("sh", "-c", f'({PIP} {packages} || {PIP} {packages} --user) && "$0" "$@"', *command)


# --- in the fork server's copy ----------------------------------------------------------------------------------

PROGRAMS = {
    "prints": "print('out'); import sys; print('err', file=sys.stderr)",
    "arguments": "import sys; print(sys.argv[1:], len(sys.argv[0]) > 0)",
    "raises": "def f():\n    raise ValueError('ünï')\nf()",
    "raises a chain": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError('x') from e",
    "does not parse": "x = = 1",
    "exits with a number": "import sys; sys.exit(7)",
    "exits with a large number": "raise SystemExit(256 + 3)",
    "exits with nothing": "raise SystemExit",
    "exits with a text": "import sys; sys.exit('good bye')",
    "exits hard": "import os; print('x', end=''); os._exit(9)",
    "is killed": "import os; os.kill(os.getpid(), 9)",
    "terminates itself": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "is interrupted": "raise KeyboardInterrupt",
    "has exit handlers": "import atexit; atexit.register(print, 'first'); atexit.register(print, 'second')",
    "has an exit handler that fails": "import atexit; atexit.register(lambda: 1 / 0); print('x')",
    "leaves a file open": "f = open('left', 'w'); f.write('x'); import atexit\n"
    "atexit.register(lambda: print('size', __import__('os').path.getsize('left')))",
    "has finalizers": "class A:\n    def __del__(self):\n        print('gone')\na = A()",
    "has a thread": "import threading, time\n"
    "threading.Thread(target=lambda: (time.sleep(.05), print('thread'))).start()",
    "has a pool of threads": "from concurrent.futures import ThreadPoolExecutor as P\n"
    "p = P(1); [p.submit(print, 'x') for _ in range(3)]",
    "has processes": "import multiprocessing as m\ndef f(x):\n    return x * x\n"
    "if __name__ == '__main__':\n    with m.get_context('fork').Pool(2) as p:\n        print(p.map(f, range(4)))",
    "spawns processes": "import multiprocessing as m\ndef f(x):\n    return x * x\n"
    "if __name__ == '__main__':\n    with m.get_context('spawn').Pool(1) as p:\n        print(p.map(f, range(4)))",
    "runs another program": "import subprocess; print(subprocess.run(['echo', 'hello'], capture_output=True).stdout)",
    "reads its own source": "import inspect\ndef f():\n    return 1\nprint(inspect.getsource(f))",
    "pickles": "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))) is A, A.__module__)",
    "reads standard input": "import sys; print(repr(sys.stdin.read()))",
    "warns": "import warnings; warnings.warn('careful', DeprecationWarning); warnings.warn('look')",
    "logs": "import logging; logging.warning('careful'); logging.getLogger('x').error('bad')",
    "writes bytes": "import sys; sys.stdout.buffer.write(b'\\xff\\n'); sys.stdout.flush()",
    "has its globals": "print(sorted(k for k in globals() if k != '__loader__'), __name__, __doc__)",
    "has an environment": "import os; print([(k, os.environ[k]) for k in ('HOME', 'PATH', 'A')])",
    "recurses too deep": "def f(): f()\ntry:\n    f()\nexcept RecursionError as e:\n    print('deep')",
    "has signals as usual": "import signal as s\n"
    "print([s.getsignal(n) for n in (s.SIGTERM, s.SIGPIPE, s.SIGCHLD, s.SIGHUP)],"
    " s.getsignal(s.SIGINT).__name__, s.pthread_sigmask(0, []))",
    "has few descriptors": "import os; print(sorted(int(x) for x in os.listdir('/proc/self/fd'))[:3])",
    "imports beside it": "import sys, os; open(os.path.join(sys.path[0], 'beside.py'), 'w').write('x = 5')\n"
    "import beside; print(beside.x)",
    "has annotations of its own": "def f(x: 'int') -> int: return x\nprint(f.__annotations__)",
    "runs asyncio": "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    print('async')\nasyncio.run(f())",
    "uses a large result": "print('x' * 300_000)",
}


def told(ended: Ended) -> tuple[int | None, str, str]:
    """What a program did, without what differs from start to start (names of files), and what the shell says of it."""

    def plain(text: str) -> str:
        text = re.sub(r"(/\S+)?/tmp\.\w+", "<program>", text)
        return re.sub(r"0x[0-9a-f]+|^(Killed|Terminated)$\n?|node-\d+", "", text, flags=re.MULTILINE)

    return ended.code, plain(ended.stdout), plain(ended.stderr)


@pytest.mark.parametrize("what", PROGRAMS)
def test_a_program_does_what_a_new_interpreter_would(any_bench: Bench, what: str) -> None:
    bench = any_bench
    command = program(PROGRAMS[what], "--one", "two words", "ü")
    forked = bench.run(*command, env=(("A", "1"),))
    # A name that an interpreter looks at: the program gets an interpreter of its own.
    fresh = bench.run(*command, env=(("A", "1"), ("PYTHONNOTHING", "1")))
    assert told(forked) == told(fresh)


def test_a_program_is_started_without_an_interpreter(bench: Bench) -> None:
    source = "import sys; print('penstock.adapters.local.process.zygote' in sys.modules)"
    assert bench.run(*program(source)).stdout == "True\n"
    assert bench.run(*program(source), env=(("PYTHONHASHSEED", "1"),)).stdout == "False\n"


def test_programs_do_not_see_each_other(bench: Bench) -> None:
    first = bench.run(*program("import builtins, os; builtins.left = 1; os.environ['LEFT'] = '1'; print('done')"))
    assert first.code == 0
    second = bench.run(*program("import builtins, os; print(hasattr(builtins, 'left'), 'LEFT' in os.environ)"))
    assert second.stdout == "False False\n"


def test_random_numbers_differ_between_programs(bench: Bench) -> None:
    source = "import random, uuid, tempfile; print(random.random(), uuid.uuid4(), tempfile.mktemp())"
    assert bench.run(*program(source)).stdout != bench.run(*program(source)).stdout


def test_a_program_that_cannot_be_written_is_an_error(bench: Bench) -> None:
    ended = bench.run(*program("print(1)"), env=(("TMPDIR", "/absent/folder"),))
    assert ended.code != 0
    assert "/absent/folder" in (ended.exit.error or ended.stderr)


# --- packages ---------------------------------------------------------------------------------------------------


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels in place of the package index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    return folder


def wheel(folder: Path, name: str, version: str, source: str) -> None:
    """A package of one module."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", source)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.mark.parametrize(("there", "settings"), [(True, {"UV_SYSTEM_CERTS": "1"}), (False, {})])
def test_packages_are_fetched_with_the_certificates_of_the_machine(
    there: bool, settings: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "bundle.pem"
    if there:
        bundle.touch()
    monkeypatch.setattr(environments, "_CERTIFICATES", (str(bundle),))
    made = environments.installer_environment({})
    assert {name: value for name, value in made.items() if name.endswith("_CERTS")} == settings
    assert environments.installer_environment({"UV_SYSTEM_CERTS": "0"})["UV_SYSTEM_CERTS"] == "0"


def test_packages_go_to_an_environment_of_their_own(bench: Bench, index: Path) -> None:
    wheel(index, "flow", "1.0", "speed = 1")
    wheel(index, "flow", "2.0", "speed = 2")
    source = "import flow, sys, importlib.util as u; print(flow.speed, u.find_spec('msgspec'), u.find_spec('penstock'))"
    first = bench.run(*with_packages(program(source), "'flow<2'"))
    assert first.code == 0, first.stderr + first.exit.message
    assert first.stdout == "1 None None\n"
    second = bench.run(*with_packages(program(source), "'flow'"))
    assert second.stdout == "2 None None\n"
    assert len([path for path in (bench.home / "envs").iterdir() if path.is_dir()]) == 2
    assert not any("flow" in path.name for path in Path(sys.prefix).glob("lib/python*/site-packages/*"))


def test_an_environment_is_made_once_for_all_who_want_it(bench: Bench, index: Path) -> None:
    wheel(index, "flow", "1.0", "speed = 1")
    command = with_packages(program("import flow, sys; print(flow.speed)"), "'flow'")
    steps = [bench.step(*command) for _ in range(4)]

    async def story() -> list[int | None]:
        launcher = bench.launcher()
        await asyncio.gather(*(launcher.launch(step) for step in steps))
        codes = [(await launcher.wait(step.id)).code for step in steps]
        await launcher.close()
        return codes

    assert asyncio.run(story()) == [0] * 4
    (made,) = [path for path in (bench.home / "envs").iterdir() if path.is_dir()]
    written = (made / ".complete").stat().st_mtime_ns
    wheel(index, "flow", "2.0", "speed = 2")
    assert bench.run(*command).stdout == "1\n"
    assert (made / ".complete").stat().st_mtime_ns == written


def test_a_step_cannot_change_its_environment_for_the_next_one(rooted: Bench, index: Path) -> None:
    wheel(index, "flow", "1.0", "speed = 1")
    spoil = "import flow; open(flow.__file__, 'w').write('speed = 666')"
    look = "import flow; print(flow.speed)"
    rooted.run(*with_packages(program(spoil), "'flow'"))
    assert rooted.run(*with_packages(program(look), "'flow'")).stdout == "1\n"


def test_a_package_that_is_not_there_is_named(bench: Bench, index: Path) -> None:
    ended = bench.run(*with_packages(program("print('never')"), "'flow' 'no-such-package==9'"))
    assert ended.code not in (0, None)
    assert "'no-such-package==9'" in ended.exit.message
    assert "not installable" in ended.exit.message
    assert "no-such-package" in ended.stderr
    assert "never" not in ended.stdout


def test_an_environment_that_was_half_made_is_made_anew(bench: Bench, index: Path) -> None:
    wheel(index, "flow", "1.0", "speed = 1")
    command = with_packages(program("import flow; print(flow.speed)"), "'flow'")
    assert bench.run(*command).code == 0
    (made,) = [path for path in (bench.home / "envs").iterdir() if path.is_dir()]
    (made / ".complete").unlink()
    next(made.glob("lib/python*/site-packages/flow.py")).unlink()
    assert bench.run(*command).stdout == "1\n"


def test_scripts_of_packages_are_on_the_path(bench: Bench, index: Path) -> None:
    wheel(index, "flow", "1.0", "speed = 1")
    source = "import subprocess; print(subprocess.run(['python3', '-c', 'import flow; print(flow.speed)']).returncode)"
    assert bench.run(*with_packages(program(source), "'flow'")).stdout == "1\n0\n"


def test_environments_that_no_command_asks_for_are_found_and_removed(tmp_path: Path) -> None:
    command = with_packages(program("pass"), "'flow'")
    wanted = python_program(command)
    assert wanted is not None
    kept = Path(wanted_environment(tmp_path, wanted.packages, {})["dir"]).name
    for name in (kept, "lost", "young", "unfinished"):
        (tmp_path / "envs" / name).mkdir(parents=True)
        (tmp_path / "envs" / name / "module").write_bytes(b"12345")
        mark = tmp_path / "envs" / name / ".complete"
        if name != "unfinished":
            mark.touch()
        if name in (kept, "lost"):
            os.utime(mark, (1, 1))
    assert unwanted_environments(tmp_path, [command, ("sh", "-c", "true")], before=2.0) == {"lost": 5}
    remove_environment(tmp_path, "lost")
    assert {path.name for path in (tmp_path / "envs").iterdir()} == {kept, "young", "unfinished"}
