"""How steps begin and end: exit codes, signals, stops, what they leave running, what they print."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from local_bench import Bench, said

from penstock.adapters.local.process.folders import StepFolder
from penstock.adapters.local.process.isolation import Isolation
from penstock.errors import InvalidInput
from penstock.ports import ImageRule, Input, Step, StepExit, StepState


def sleepers(seconds: int) -> list[int]:
    """Processes of this machine that are `sleep <seconds>`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[:2] == [b"sleep", str(seconds).encode()]:
                found.append(int(entry.name))
    return found


def unlikely() -> int:
    """A number of seconds that no other sleeper of this machine has."""
    return int.from_bytes(os.urandom(4)) + 10_000


def wait_until(true: object, what: str = "") -> None:
    """Poll until `true()`; fails after a minute."""
    deadline = time.monotonic() + 60
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.01)


# --- beginning --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (("./absent",), "not found"),
        (("/opt/absent",), "not found"),
        (("/etc/passwd",), "not executable"),
        (("/tmp/inputs/script",), "of a format that cannot run"),
    ],
)
def test_a_command_that_cannot_run_is_an_error_that_names_it(
    bench: Bench, command: tuple[str, ...], reason: str, tmp_path: Path
) -> None:
    (tmp_path / "script").write_text("no interpreter\n")
    (tmp_path / "script").chmod(0o755)
    ended = bench.run(*command, inputs=(Input(path="/tmp/inputs/script", source=str(tmp_path / "script")),))
    assert ended.code is None
    assert reason in ended.exit.error
    assert command[0].removeprefix(".") in ended.exit.error
    assert "PATH" in ended.exit.error
    assert reason in ended.stderr


def test_an_absent_command_is_refused_before_anything_is_made(bench: Bench) -> None:
    reason = bench.launcher().refuse("host", ("no-such-program",), {})
    assert "'no-such-program' is not found" in reason
    assert "'host'" in reason
    with pytest.raises(InvalidInput, match="no-such-program"):
        bench.run("no-such-program")
    assert list(bench.launcher().known()) == []


def test_an_argument_that_no_kernel_takes_is_refused(bench: Bench) -> None:
    with pytest.raises(InvalidInput, match=r"200,000 bytes; limit 131,071.*artifact"):
        bench.run("echo", "x" * 200_000)
    with pytest.raises(InvalidInput, match="zero byte"):
        bench.run("echo", "a\0b")
    assert bench.run("echo", "x" * 131_000).code == 0


def test_arguments_arrive_as_they_are(bench: Bench) -> None:
    words = ["", " ", "$HOME", "`x`", '"', "'", "a\nb", "ünï 🜁", "\\", "*"]
    ended = bench.sh('for word in "$@"; do printf "<%s>" "$word"; done', args=("sh", *words))
    assert ended.stdout == "".join(f"<{word}>" for word in words) + "\n"


# --- ending -----------------------------------------------------------------------------------------------------


def test_ends_by_signal(bench: Bench) -> None:
    for number in (signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM):
        assert bench.sh(f"kill -{int(number)} $$").code == 128 + number


def test_nothing_that_a_step_started_is_left(bench: Bench) -> None:
    seconds = unlikely()
    ended = bench.sh(
        f"sleep {seconds} & (setsid sleep {seconds} &) & nohup setsid sh -c 'sleep {seconds} & sleep {seconds}' & "
        f"env -i setsid sleep {seconds} & sleep 0.05; exit 7"
    )
    assert ended.code == 7
    assert sleepers(seconds) == []


def test_a_step_ends_with_its_first_process(bench: Bench) -> None:
    """A child that keeps the pipes open does not hold the step."""
    ended = bench.sh(f"(trap '' TERM HUP; sleep {unlikely()}) & echo done")
    assert (ended.code, ended.stdout) == (0, "done\n")


def test_all_of_a_step_dies_with_its_supervisor(bench: Bench) -> None:
    seconds = unlikely()

    async def story() -> StepExit:
        launcher = bench.launcher()
        step = bench.sh_step(f"setsid sleep {seconds} & sleep {seconds}")
        await launcher.launch(step)
        await asyncio.to_thread(wait_until, lambda: len(sleepers(seconds)) == 2)
        pidfd = StepFolder.of(bench.home, step.id).pidfd()
        assert pidfd is not None
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        os.close(pidfd)
        exit = await launcher.wait(step.id)
        assert launcher.state(step.id) is StepState.INTERRUPTED
        await launcher.close()
        return exit

    exit = asyncio.run(story())
    assert exit.code is None
    assert "supervisor was killed" in exit.error
    wait_until(lambda: not sleepers(seconds), "gone")


def test_a_stop_is_term_to_the_step_and_kill_to_all_of_it(bench: Bench) -> None:
    seconds = unlikely()

    async def story() -> tuple[StepExit, str]:
        launcher = bench.launcher()
        step = bench.sh_step(f"trap 'echo heard' TERM; (trap '' TERM; sleep {seconds}) & while :; do sleep 0.01; done")
        await launcher.launch(step)
        await asyncio.to_thread(wait_until, lambda: sleepers(seconds))
        await launcher.stop(step.id, 0.3)
        exit = await launcher.wait(step.id)
        await launcher.close()
        return exit, said(launcher.log(step.id), "stdout")

    exit, stdout = asyncio.run(story())
    assert exit.code == 137
    assert "heard" in stdout
    assert sleepers(seconds) == []


def test_a_step_that_cleans_up_when_told_gives_its_own_code(bench: Bench) -> None:
    async def story() -> StepExit:
        launcher = bench.launcher()
        step = bench.sh_step("trap 'exit 3' TERM; echo up; while :; do sleep 0.01; done")
        await launcher.launch(step)
        log = launcher.log(step.id)
        await asyncio.to_thread(wait_until, lambda: log.exists() and "up" in log.read_text())
        await launcher.stop(step.id, 60)
        exit = await launcher.wait(step.id)
        await launcher.close()
        return exit

    assert asyncio.run(story()).code == 3


def test_a_step_is_started_though_the_fork_server_died(bench: Bench) -> None:
    async def story() -> list[int | None]:
        launcher = bench.launcher()
        first, second = bench.sh_step("exit 1"), bench.sh_step("exit 2")
        await launcher.launch(first)
        process = launcher._forks._process
        assert process is not None
        process.kill()
        codes = [(await launcher.wait(first.id)).code]
        await launcher.launch(second)
        codes.append((await launcher.wait(second.id)).code)
        await launcher.close()
        return codes

    assert asyncio.run(story()) == [1, 2]


def test_a_step_has_begun_before_its_first_process_is_another_launchers_matter(bench: Bench) -> None:
    """Two launchers on one home (an old server that ends, a new one that begins) start a step once."""
    marks = bench.home / "marks"
    marks.mkdir()

    async def story(step: Step) -> None:
        launchers = [bench.launcher(), bench.launcher()]
        await asyncio.gather(*(launcher.launch(step) for launcher in launchers))
        exits = [await launcher.wait(step.id) for launcher in launchers]
        assert [exit.code for exit in exits] == [5, 5]
        for launcher in launchers:
            await launcher.close()

    step = bench.sh_step("echo once; exit 5")
    asyncio.run(story(step))
    assert said(bench.launcher().log(step.id), "stdout") == "once\n"


# --- output -----------------------------------------------------------------------------------------------------


def test_long_lines_binary_bytes_and_a_missing_newline(bench: Bench) -> None:
    ended = bench.run(
        "python3",
        "-c",
        "import os; os.write(1, b'a' * 50_000 + b'\\n' + bytes(range(256))); os.write(2, b'\\xff\\r\\n')",
    )
    log = bench.launcher().log(ended.id).read_bytes()
    assert ended.code == 0, log[-300:]
    assert max(map(len, log.split(b"\n"))) < 17_000
    assert ended.stdout.startswith("a" * 50_000 + "\n")
    assert log.count(b" stdout P ") == 3


def test_a_prompt_without_a_newline_is_shown_to_who_follows(bench: Bench) -> None:
    async def story() -> None:
        launcher = bench.launcher()
        step = bench.sh_step(f"printf 'sure? '; sleep {unlikely()}")
        await launcher.launch(step)
        log = launcher.log(step.id)
        await asyncio.to_thread(wait_until, lambda: log.exists() and b" stdout P sure? \n" in log.read_bytes())
        await launcher.stop(step.id, 0)
        await launcher.wait(step.id)
        await launcher.close()

    asyncio.run(story())


def test_much_output_arrives_whole(bench: Bench) -> None:
    ended = bench.sh("seq 1 100000; seq 1 100000 >&2 & wait")
    expected = "".join(f"{n}\n" for n in range(1, 100_001))
    assert ended.stdout == expected
    assert ended.stderr == expected


def test_standard_input_is_empty(bench: Bench) -> None:
    assert bench.sh("cat; echo end").stdout == "end\n"


# --- images -----------------------------------------------------------------------------------------------------


def test_a_terminal_where_a_step_asks_for_one(bench: Bench) -> None:
    script = "test -t 0 && test -t 1 && test -t 2 && echo one && echo two >&2 && echo three > /dev/tty"
    assert bench.sh(script).code == 1
    ended = bench.sh(script, tty=True)
    assert (ended.code, ended.stdout, ended.stderr) == (0, "one\r\ntwo\r\nthree\r\n", "")
    assert bench.sh("seq 20000; sleep 1000 & exit 3", tty=True).code == 3
    told = bench.step("python3", "-c", "import sys; print(sys.stdin.isatty())", tty=True)
    assert bench.ended(told).stdout == "True\r\n"


def test_where_steps_have_no_root_a_folder_image_is_refused(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Isolation("rewrite"), {"small": ImageRule(root=str(tmp_path))})
    with pytest.raises(InvalidInput, match="penstock doctor"):
        bench.run("sh", image="small")


def test_a_step_without_a_command_whose_image_says_none_is_refused(bench: Bench) -> None:
    reason = bench.launcher().refuse("host", (), {})
    assert "has no command" in reason
    assert 'entrypoint = ["PROGRAM"]' in reason
    with pytest.raises(InvalidInput, match="no command"):
        bench.run()


def test_the_rules_of_a_run_go_before_those_of_the_home(bench: Bench) -> None:
    rules = {"host": ImageRule(entrypoint=("echo", "of the run"))}
    assert bench.run(images=rules).stdout == "of the run\n"
