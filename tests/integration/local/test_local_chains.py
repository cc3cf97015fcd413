"""Steps that follow one another: each in a spare that was made while the one before ran."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from local_bench import Bench, said
from test_local_programs import program

from penstock.adapters.local.launcher import ProcessLauncher
from penstock.adapters.local.process.folders import StepFolder
from penstock.ports import Step, StepExit, StepState

PATIENCE = 60
WAITS = "echo begun; sleep 600"

SEARCH = """
import os, re, time
found = set()
with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb') as memory:
    for line in maps:
        place, rights, *_, name = line.split(maxsplit=5) + ['']
        if rights[0] == 'r' and '[v' not in line:
            first, last = (int(edge, 16) for edge in place.split('-'))
            memory.seek(first)
            try:
                found |= set(re.findall(b'secret-[0-9a-f]{32}', memory.read(last - first)))
            except OSError:
                pass
print(len(found), os.environ['SECRET'].encode() in found, *sorted(found))
print('begun', flush=True)
time.sleep(600)
"""


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.01)


class Chain:
    """Launches steps one after another, each when the spare for it is there."""

    def __init__(self, bench: Bench, launcher: ProcessLauncher) -> None:
        self.bench, self.launcher = bench, launcher

    async def begin(self, step: Step) -> Step:
        """Launch a step; return when it has said that it has begun, and the next spare is being made."""
        await self.launcher.launch(step)
        await self.begun(step)
        await until(lambda: list((self.bench.home / "spares").glob("*/log")))
        return step

    async def begun(self, step: Step) -> None:
        await until(lambda: "begun" in self.said(step) or self.launcher.state(step.id) is StepState.EXITED)
        assert "begun" in self.said(step), await self.launcher.wait(step.id)

    async def end(self, step: Step) -> StepExit:
        await self.launcher.stop(step.id, PATIENCE)
        return await self.launcher.wait(step.id)

    async def whole(self, step: Step) -> str:
        """What a step says, from its launch to its end."""
        await self.end(await self.begin(step))
        return self.said(step)

    def said(self, step: Step) -> str:
        log = self.launcher.log(step.id)
        return said(log, "stdout") if log.exists() else ""

    def supervisor(self, step: Step) -> str:
        return StepFolder.of(self.bench.home, step.id).text("pid")


def played(bench: Bench, play: Callable[[Chain], Awaitable[None]]) -> None:
    async def whole() -> None:
        launcher = bench.launcher()
        try:
            await play(Chain(bench, launcher))
        finally:
            await launcher.close()

    asyncio.run(whole())


def test_two_supervisors_serve_a_chain_in_turns(rooted: Bench) -> None:
    async def play(chain: Chain) -> None:
        steps = [rooted.sh_step(WAITS) for _ in range(6)]
        ends = [await chain.end(await chain.begin(step)) for step in steps]
        assert [end.code for end in ends] == [143] * 6
        first, second, *others = [chain.supervisor(step) for step in steps]
        assert first != second
        assert others == [first, second, first, second]

    played(rooted, play)


def test_a_step_finds_nothing_of_the_steps_before_it(rooted: Bench) -> None:
    async def play(chain: Chain) -> None:
        secrets = [f"secret-{uuid.uuid4().hex}" for _ in range(4)]
        steps = [rooted.step(*program(SEARCH, secret), env=(("SECRET", secret),)) for secret in secrets]
        told = [(await chain.whole(step)).split() for step in steps]
        assert [words[:3] for words in told] == [["1", "True", f"{secret.encode()!r}"] for secret in secrets]

    played(rooted, play)


def test_what_a_step_leaves_in_its_devices_and_processes_is_gone(rooted: Bench) -> None:
    async def play(chain: Chain) -> None:
        leave = "touch /dev/shm/left /tmp/left /run/left; sleep 600 & disown; " + WAITS
        for _ in range(2):
            await chain.whole(rooted.step("bash", "-c", leave))
        look = "ls /dev/shm /tmp /run; cat /proc/[0-9]*/comm | sort | uniq -c; " + WAITS
        for _ in range(2):
            seen = await chain.whole(rooted.step("bash", "-c", look))
            assert "left" not in seen
            assert "sleep" not in seen

    played(rooted, play)


def test_removing_an_ended_step_leaves_its_supervisor_to_the_one_that_it_serves_now(rooted: Bench) -> None:
    async def play(chain: Chain) -> None:
        ended = [rooted.sh_step(WAITS) for _ in range(3)]
        for step in ended:
            await chain.whole(step)
        running = await chain.begin(rooted.sh_step(WAITS))
        assert chain.supervisor(running) == chain.supervisor(ended[1])
        for step in ended:
            await chain.launcher.remove(step.id)
        assert chain.launcher.state(running.id) is StepState.RUNNING
        assert (await chain.end(running)).code == 143

    played(rooted, play)


@pytest.mark.parametrize("when", ["before its orders", "before it has read them"])
def test_a_step_whose_waiting_process_has_died_runs_all_the_same(rooted: Bench, when: str) -> None:
    async def play(chain: Chain) -> None:
        first = await chain.begin(rooted.sh_step(WAITS))
        await until(lambda: waiting(rooted.home))
        waits = waiting(rooted.home)[0]
        os.kill(waits, signal.SIGKILL if when == "before its orders" else signal.SIGSTOP)
        await chain.end(first)
        second = rooted.sh_step(WAITS)
        await chain.launcher.launch(second)
        if when == "before it has read them":
            await until(lambda: chain.supervisor(second))
            os.kill(waits, signal.SIGKILL)
        await chain.begun(second)
        assert (await chain.end(second)).code == 143
        assert chain.said(second) == "begun\n"

    played(rooted, play)


@pytest.mark.parametrize("who", ["supervisor", "launcher"])
def test_a_chain_goes_on_where_one_of_its_processes_is_gone(rooted: Bench, who: str) -> None:
    async def play(chain: Chain) -> None:
        first, second = rooted.sh_step(WAITS), rooted.sh_step(WAITS)
        await chain.end(await chain.begin(first))
        await chain.begin(second)
        if who == "supervisor":
            os.kill(int(chain.supervisor(second).split()[0]), signal.SIGKILL)
            assert (await chain.launcher.wait(second.id)).code is None
            assert chain.launcher.state(second.id) is StepState.INTERRUPTED
        else:
            await chain.launcher.close()
            chain.launcher = rooted.launcher()
            assert chain.launcher.state(second.id) is StepState.RUNNING
            assert (await chain.end(second)).code == 143
        assert (await chain.whole(rooted.sh_step(WAITS))) == "begun\n"
        await chain.launcher.close()

    played(rooted, play)


def waiting(home: Path) -> list[int]:
    """The processes that wait in spares: children of who works in a spare's folder."""
    supervisors = {pid for pid in _processes() if _link(pid, "cwd").startswith(f"{home}/spares/")}
    return [pid for pid in _processes() if _parent(pid) in supervisors and pid not in supervisors]


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _link(pid: int, name: str) -> str:
    try:
        return str(Path(f"/proc/{pid}/{name}").readlink())
    except OSError:
        return ""


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
    except OSError:
        return 0
