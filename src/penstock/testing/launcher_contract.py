"""What every `ports.Launcher` does. A test class inherits `LauncherContract` and gives it a fixture `rig`.

One that knows beforehand which images it can start inherits `ImageRulesContract`, too.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from penstock.errors import InvalidInput
from penstock.ports import ImageRule, Input, Launcher, Step, StepId, StepState
from penstock.testing.acting import Act, words
from penstock.workflow.pods import Companion, File, Mount, Volume

__all__ = ["ACTING", "ImageRulesContract", "LauncherContract", "Rig", "SidecarContract", "in_loop"]

ACTING = "acting"
"""The image whose steps do what their argument, an act, says."""

STRANGE = "registry.invalid/strange:1"
TMP = "/tmp"  # noqa: S108 - the step's own
ENTRY = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr) [FP] (.*)")


class Rig(ABC):
    """A launcher under test, made anew as often as a test wants, on the same machine."""

    @abstractmethod
    def launcher(self) -> Launcher:
        """A launcher that finds what former ones left."""

    @abstractmethod
    def interrupt(self, id: StepId) -> None:
        """End the step so that nobody can know how it ended: its supervisor is killed, its container removed."""


def in_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run an async test in a loop of its own with a launcher of the rig, and let that go at the end."""
    wanted = inspect.signature(test)

    @functools.wraps(test)
    def run(self: Any, rig: Rig, **more: Any) -> None:
        async def whole() -> None:
            launcher = rig.launcher()
            try:
                await test(self, launcher=launcher, **({"rig": rig} if "rig" in wanted.parameters else {}), **more)
            finally:
                for id in launcher.known():
                    await launcher.remove(id)
                await launcher.close()

        asyncio.run(whole())

    named = [p for name, p in wanted.parameters.items() if name not in ("launcher", "rig")]
    given = inspect.Parameter("rig", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    run.__signature__ = wanted.replace(parameters=[*named, given])  # type: ignore[attr-defined]
    return run


def step(act: Act, node_id: str = "node-1", run_id: str = "run-1", **more: Any) -> Step:
    """A step that does `act`."""
    id = StepId(run_id=run_id, node_id=node_id)
    outputs = (*act.files, *act.appends)
    return Step(id=id, name="a step", image=ACTING, args=words(act), outputs=outputs, **more)


def companion(name: str, act: Act, **more: Any) -> Companion:
    """A container beside a step that does `act`."""
    return Companion(name=name, image=ACTING, args=words(act), **more)


def of_set(*containers: Companion) -> Step:
    """A step that is a set of containers."""
    asked = step(Act(), containers=containers)
    own = next(each for each in containers if each.name == asked.own_name)
    return msgspec.structs.replace(asked, args=own.args, mounts=own.mounts)


async def ended(launcher: Launcher, step: Step) -> int | None:
    """Launch and wait; the exit code."""
    await launcher.launch(step)
    return (await launcher.wait(step.id)).code


async def begun(launcher: Launcher, step: Step) -> None:
    """Until the step has printed something."""
    log = launcher.log(step.id)
    async with asyncio.timeout(60):
        while not (log.exists() and entries(log)):
            await asyncio.sleep(0.005)


def entries(log: Path) -> list[tuple[str, str]]:
    """(stream, text) of each entry of a log; fails where one is not in the CRI format."""
    found = []
    for line in log.read_bytes().splitlines():
        match = ENTRY.fullmatch(line)
        assert match, f"not in the CRI format: {line!r}"
        found.append((match[1].decode(), match[2].decode()))
    return found


class LauncherContract:
    """The suite."""

    @in_loop
    async def test_a_step_that_was_never_started(self, launcher: Launcher) -> None:
        id = StepId(run_id="run-1", node_id="node-1")
        assert launcher.state(id) is StepState.ABSENT
        assert list(launcher.known()) == []
        exit = await launcher.wait(id)
        assert exit.code is None
        assert "never started" in exit.error
        await launcher.stop(id, 0)
        await launcher.remove(id)
        assert await launcher.read(id, TMP + "/x", 10) is None

    @in_loop
    @pytest.mark.parametrize("code", [0, 1, 77, 255])
    async def test_an_exit_code_is_told(self, launcher: Launcher, code: int) -> None:
        asked = step(Act(code=code))
        assert await ended(launcher, asked) == code
        exit = await launcher.wait(asked.id)
        assert launcher.state(asked.id) is StepState.EXITED
        assert exit.started_at is not None
        assert exit.finished_at is not None
        assert exit.started_at <= exit.finished_at
        assert exit.error == ""

    @in_loop
    async def test_death_by_signal_n_is_128_and_n(self, launcher: Launcher) -> None:
        for number in (2, 9, 11, 15):
            assert await ended(launcher, step(Act(signal=number), f"n-{number}")) == 128 + number

    @in_loop
    async def test_launched_again_it_is_left_as_it_is(self, launcher: Launcher) -> None:
        asked = step(Act(code=3, stdout="once\n"))
        assert await ended(launcher, asked) == 3
        await launcher.launch(step(Act(code=4, stdout="twice\n")))
        assert (await launcher.wait(asked.id)).code == 3
        held = step(Act(held=True), "held")
        await launcher.launch(held)
        await launcher.launch(step(Act(code=4), "held"))
        assert launcher.state(held.id) is StepState.RUNNING
        assert entries(launcher.log(asked.id)) == [("stdout", "once")]

    @in_loop
    async def test_the_log_names_stream_and_time_of_each_line(self, launcher: Launcher) -> None:
        asked = step(Act(stdout="one\ntwo\n", stderr="ünï 🜁\n"))
        await ended(launcher, asked)
        found = entries(launcher.log(asked.id))
        assert [text for stream, text in found if stream == "stdout"] == ["one", "two"]
        assert [text for stream, text in found if stream == "stderr"] == ["ünï 🜁"]

    @in_loop
    async def test_files_of_an_ended_step_are_read(self, launcher: Launcher) -> None:
        asked = step(Act(files={TMP + "/outputs/sum/data": "123456"}))
        await ended(launcher, asked)
        path = TMP + "/outputs/sum/data"
        assert await launcher.read(asked.id, path, 100) == b"123456"
        assert await launcher.read(asked.id, path, 3) == b"1234"
        assert await launcher.read(asked.id, TMP + "/outputs/sum", 3) is None
        assert await launcher.read(asked.id, TMP + "/outputs/other/data", 3) is None

    @in_loop
    async def test_what_lies_beside_a_path(self, launcher: Launcher) -> None:
        asked = step(Act(files={TMP + "/outputs/b": "", TMP + "/outputs/a": "", TMP + "/outputs/sub/c": ""}))
        await ended(launcher, asked)
        assert list(await launcher.beside(asked.id, TMP + "/outputs/missing")) == ["a", "b", "sub"]
        assert list(await launcher.beside(asked.id, TMP + "/nowhere/missing")) == []

    @in_loop
    async def test_files_and_folders_are_taken(self, launcher: Launcher, tmp_path: Path) -> None:
        asked = step(Act(files={TMP + "/model/weights": "w", TMP + "/model/deep/er": "d", TMP + "/file": "f"}))
        await ended(launcher, asked)
        assert await launcher.take(asked.id, TMP + "/file", tmp_path / "file")
        assert (tmp_path / "file").read_text() == "f"
        assert await launcher.take(asked.id, TMP + "/model", tmp_path / "model")
        assert (tmp_path / "model/deep/er").read_text() == "d"
        assert not await launcher.take(asked.id, TMP + "/never", tmp_path / "never")
        assert not (tmp_path / "never").exists()

    @in_loop
    async def test_inputs_are_laid_and_no_write_reaches_their_source(self, launcher: Launcher, tmp_path: Path) -> None:
        (tmp_path / "stored").write_text("stored;")
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder/part").write_text("part;")
        inputs = (
            Input(path=TMP + "/inputs/a/data", source=str(tmp_path / "stored")),
            Input(path=TMP + "/inputs/b/data", content=b"given;"),
            Input(path=TMP + "/inputs/c", source=str(tmp_path / "folder")),
        )
        paths = (TMP + "/inputs/a/data", TMP + "/inputs/b/data", TMP + "/inputs/c/part")
        asked = step(Act(appends=dict.fromkeys(paths, "more")), inputs=inputs)
        assert await ended(launcher, asked) == 0
        for path, text in zip(paths, (b"stored;more", b"given;more", b"part;more"), strict=True):
            assert await launcher.read(asked.id, path, 100) == text
        assert (tmp_path / "stored").read_text() == "stored;"
        assert (tmp_path / "folder/part").read_text() == "part;"

    @in_loop
    async def test_an_empty_folder_is_there(self, launcher: Launcher) -> None:
        asked = step(Act(files={"/volume/x": "x"}), mounts=(Mount("scratch", "/volume"),))
        assert await ended(launcher, asked) == 0
        assert await launcher.read(asked.id, "/volume/x", 10) == b"x"

    @in_loop
    async def test_files_of_a_volume_are_there(self, launcher: Launcher) -> None:
        volume = Volume(name="config", files=(File("a", b"1;"), File("deep/b", b"2;"), File("single", b"3;")))
        whole, part = Mount("config", "/etc/given"), Mount("config", "/etc/one/single", "single")
        asked = step(
            Act(copies={"/etc/given/deep/b": TMP + "/outputs/b", "/etc/one/single": TMP + "/outputs/c"}),
            mounts=(whole, part),
            volumes=(volume,),
        )
        assert await ended(launcher, asked) == 0
        assert await launcher.read(asked.id, TMP + "/outputs/b", 10) == b"2;"
        assert await launcher.read(asked.id, TMP + "/outputs/c", 10) == b"3;"

    @in_loop
    async def test_what_is_written_to_a_claim_stays(self, launcher: Launcher, tmp_path: Path) -> None:
        (tmp_path / "claim").mkdir()
        (tmp_path / "claim").chmod(0o777)
        volume = Volume(name="data", claim="claim", folder=str(tmp_path / "claim"))
        writes = step(
            Act(files={"/mnt/data/x": "x;", "/mnt/part/y": "y;"}),
            "writes",
            mounts=(Mount("data", "/mnt/data"), Mount("data", "/mnt/part", "deep/er")),
            volumes=(volume,),
        )
        assert await ended(launcher, writes) == 0
        assert await launcher.read(writes.id, "/mnt/data/x", 10) == b"x;"
        assert await launcher.take(writes.id, "/mnt/part/y", tmp_path / "taken")
        await launcher.remove(writes.id)
        assert (tmp_path / "claim/x").read_text() == "x;"
        assert (tmp_path / "claim/deep/er/y").read_text() == (tmp_path / "taken").read_text() == "y;"
        reads = step(
            Act(copies={"/in/x": TMP + "/outputs/x"}),
            "reads",
            mounts=(Mount("data", "/in", read_only=True),),
            volumes=(volume,),
        )
        assert await ended(launcher, reads) == 0
        assert await launcher.read(reads.id, TMP + "/outputs/x", 10) == b"x;"

    @in_loop
    async def test_steps_never_collide(self, launcher: Launcher) -> None:
        path = TMP + "/outputs/out/data"
        steps = [step(Act(files={path: f"{i}"}, code=i), f"n-{i}") for i in range(12)]
        assert await asyncio.gather(*(ended(launcher, each) for each in steps)) == list(range(12))
        assert [await launcher.read(each.id, path, 9) for each in steps] == [b"%d" % i for i in range(12)]

    @in_loop
    async def test_stopped_by_term(self, launcher: Launcher) -> None:
        asked = step(Act(held=True, stdout="up\n"))
        await launcher.launch(asked)
        assert launcher.state(asked.id) is StepState.RUNNING
        await launcher.stop(asked.id, 60)
        assert (await launcher.wait(asked.id)).code == 128 + 15

    @in_loop
    async def test_killed_after_the_grace(self, launcher: Launcher) -> None:
        asked = step(Act(held=True, deaf=True, stdout="up\n"))
        await launcher.launch(asked)
        await begun(launcher, asked)
        await launcher.stop(asked.id, 0.05)
        assert (await launcher.wait(asked.id)).code == 128 + 9

    @in_loop
    async def test_a_later_stop_may_shorten_the_grace(self, launcher: Launcher) -> None:
        asked = step(Act(held=True, deaf=True, stdout="up\n"))
        await launcher.launch(asked)
        await begun(launcher, asked)
        await launcher.stop(asked.id, 3600)
        await launcher.stop(asked.id, 0)
        assert (await launcher.wait(asked.id)).code == 128 + 9

    @in_loop
    async def test_stopping_an_ended_step_changes_nothing(self, launcher: Launcher) -> None:
        asked = step(Act(code=5))
        assert await ended(launcher, asked) == 5
        await launcher.stop(asked.id, 0)
        assert (await launcher.wait(asked.id)).code == 5

    @in_loop
    async def test_many_may_wait_for_one_step(self, launcher: Launcher) -> None:
        asked = step(Act(held=True))
        await launcher.launch(asked)
        waiting = [asyncio.ensure_future(launcher.wait(asked.id)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await launcher.stop(asked.id, 60)
        assert [exit.code for exit in await asyncio.gather(*waiting[1:])] == [143, 143]

    @in_loop
    async def test_a_step_outlives_its_launcher_and_is_adopted(self, rig: Rig, launcher: Launcher) -> None:
        asked = step(Act(held=True, files={TMP + "/out": "kept"}))
        await launcher.launch(asked)
        await launcher.close()
        later = rig.launcher()
        assert list(later.known()) == [asked.id]
        assert later.state(asked.id) is StepState.RUNNING
        await later.launch(asked)
        await later.stop(asked.id, 60)
        assert (await later.wait(asked.id)).code == 143
        await later.remove(asked.id)
        await later.close()

    @in_loop
    async def test_an_exit_is_kept_for_the_next_launcher(self, rig: Rig, launcher: Launcher) -> None:
        asked = step(Act(code=9, stdout="said\n", files={TMP + "/out": "kept"}))
        await ended(launcher, asked)
        later = rig.launcher()
        assert (await later.wait(asked.id)).code == 9
        assert await later.read(asked.id, TMP + "/out", 9) == b"kept"
        assert entries(later.log(asked.id)) == [("stdout", "said")]
        await later.close()

    @in_loop
    async def test_a_step_that_is_lost_with_its_exit_is_interrupted(self, rig: Rig, launcher: Launcher) -> None:
        asked = step(Act(held=True, stdout="up\n"))
        await launcher.launch(asked)
        waiting = asyncio.ensure_future(launcher.wait(asked.id))
        await begun(launcher, asked)
        rig.interrupt(asked.id)
        exit = await waiting
        assert exit.code is None
        assert "unknown" in exit.error
        assert launcher.state(asked.id) is StepState.INTERRUPTED
        assert list(launcher.known()) == [asked.id]

    @in_loop
    async def test_removed_nothing_is_left(self, launcher: Launcher) -> None:
        done, held = step(Act(stdout="x\n"), "done"), step(Act(held=True, deaf=True), "held")
        await ended(launcher, done)
        await launcher.launch(held)
        for each in (done, held):
            await launcher.remove(each.id)
            await launcher.remove(each.id)
            assert launcher.state(each.id) is StepState.ABSENT
            assert not os.path.lexists(launcher.log(each.id))
        assert list(launcher.known()) == []

    @in_loop
    async def test_after_a_removal_the_same_id_may_start_again(self, launcher: Launcher) -> None:
        asked = step(Act(code=1))
        assert await ended(launcher, asked) == 1
        await launcher.remove(asked.id)
        assert await ended(launcher, step(Act(code=2))) == 2

    @in_loop
    async def test_an_image_that_cannot_be_had_fails_with_its_name(self, launcher: Launcher) -> None:
        assert launcher.refuse(ACTING, (), {}) == ""
        strange = Step(id=StepId(run_id="r", node_id="n"), name="odd one", image=STRANGE)
        with pytest.raises(InvalidInput, match=f"odd one.*{STRANGE}"):
            await launcher.launch(strange)
        assert launcher.state(strange.id) is StepState.ABSENT
        assert list(launcher.known()) == []

    # --- init containers ----------------------------------------------------------------------------------------

    @in_loop
    async def test_init_containers_run_before_it_in_order_and_leave_it_files(self, launcher: Launcher) -> None:
        first = companion("first", Act(files={"/shared/out": "first;"}), mounts=(Mount("work", "/shared"),))
        second = companion("second", Act(appends={"/mine/out": "second;"}), mounts=(Mount("work", "/mine"),))
        asked = step(
            Act(appends={"/volume/out": "own"}, stdout="said\n"),
            mounts=(Mount("work", "/volume"),),
            init=(first, second),
        )
        assert await ended(launcher, asked) == 0
        assert await launcher.read(asked.id, "/volume/out", 100) == b"first;second;own"
        assert entries(launcher.log(asked.id)) == [("stdout", "said")]

    @in_loop
    async def test_nothing_but_volumes_is_shared(self, launcher: Launcher) -> None:
        first = companion("first", Act(files={TMP + "/own": "not seen"}))
        asked = step(Act(appends={TMP + "/own": "mine"}), init=(first,))
        assert await ended(launcher, asked) == 0
        assert await launcher.read(asked.id, TMP + "/own", 100) == b"mine"

    @in_loop
    async def test_an_init_container_that_fails_is_the_end(self, launcher: Launcher) -> None:
        first, second = companion("first", Act(code=3, stderr="why\n")), companion("second", Act(held=True))
        asked = step(Act(files={TMP + "/out": "never"}), init=(first, second))
        await launcher.launch(asked)
        exit = await launcher.wait(asked.id)
        assert (exit.code, exit.failed) == (None, "first: Error (exit code 3)")
        assert await launcher.read(asked.id, TMP + "/out", 100) is None

    @in_loop
    async def test_a_stop_ends_the_init_container_that_runs(self, rig: Rig, launcher: Launcher) -> None:
        asked = step(Act(files={TMP + "/out": "never"}), init=(companion("first", Act(held=True)),))
        await launcher.launch(asked)
        await launcher.close()
        later = rig.launcher()
        await later.launch(asked)
        await later.stop(asked.id, 60)
        exit = await later.wait(asked.id)
        assert exit.code is None
        # The stop may be quicker than the container's beginning.
        assert exit.failed in ("first: Error (exit code 143)", "the step was ended before its own container began")
        assert await later.read(asked.id, TMP + "/out", 100) is None
        await later.close()

    # --- container sets -----------------------------------------------------------------------------------------

    @in_loop
    async def test_containers_of_a_set_follow_one_another(self, launcher: Launcher) -> None:
        work = (Mount("work", "/shared"),)
        asked = of_set(
            companion("main", Act(appends={"/shared/out": "main"}), mounts=work, after=("b", "c")),
            companion("a", Act(files={"/shared/out": "a;"}), mounts=work),
            companion("b", Act(appends={"/shared/out": "b;"}), mounts=work, after=("a",)),
            companion("c", Act(), after=("a",)),
        )
        await launcher.launch(asked)
        exit = await launcher.wait(asked.id)
        assert (exit.code, exit.error, exit.failed) == (0, "", "")
        assert {each.name: each.code for each in exit.containers} == dict.fromkeys(("a", "b", "c", "main"), 0)
        assert await launcher.read(asked.id, "/shared/out", 100) == b"a;b;main"

    @in_loop
    async def test_what_depends_on_a_container_that_failed_never_begins(self, launcher: Launcher) -> None:
        asked = of_set(
            companion("last", Act(files={TMP + "/out": "never"}), after=("between",)),
            companion("first", Act(code=3)),
            companion("between", Act(), after=("first",)),
        )
        await launcher.launch(asked)
        exit = await launcher.wait(asked.id)
        ends = {each.name: each for each in exit.containers}
        assert {name: each.code for name, each in ends.items()} == {"first": 3, "between": 64, "last": 64}
        assert ends["between"].message == 'dependency "first" exited with non-zero code: 3'
        assert await launcher.read(asked.id, TMP + "/out", 100) is None

    @in_loop
    async def test_a_stop_ends_all_of_a_set(self, rig: Rig, launcher: Launcher) -> None:
        asked = of_set(companion("held", Act(held=True)), companion("main", Act(), after=("held",)))
        await launcher.launch(asked)
        await launcher.close()
        later = rig.launcher()
        await later.launch(asked)
        await later.stop(asked.id, 60)
        exit = await later.wait(asked.id)
        ends = {each.name: each.code for each in exit.containers}
        # The stop may be quicker than the first container's beginning.
        assert ends == {"held": 143, "main": 143} or exit.failed
        await later.close()


class SidecarContract:
    """What launchers do with sidecars, where the machine lets them have any."""

    @in_loop
    @pytest.mark.parametrize("code", [0, 5])
    async def test_a_sidecar_ends_with_its_step_and_changes_nothing(self, launcher: Launcher, code: int) -> None:
        beside = (companion("meek", Act(held=True)), companion("done", Act()))
        asked = step(Act(code=code, stdout="said\n"), sidecars=beside)
        await launcher.launch(asked)
        exit = await launcher.wait(asked.id)
        assert (exit.code, exit.failed, exit.error) == (code, "", "")
        assert entries(launcher.log(asked.id)) == [("stdout", "said")]

    @in_loop
    async def test_a_sidecar_that_fails_is_told_of(self, launcher: Launcher) -> None:
        failing = companion("failing", Act(code=4))
        asked = step(Act(held=True), init=(companion("first", Act()),), sidecars=(failing,))
        await launcher.launch(asked)
        await self.over(launcher, asked.id, "failing")
        await launcher.stop(asked.id, 60)
        exit = await launcher.wait(asked.id)
        assert (exit.code, exit.failed) == (143, "failing: Error (exit code 4)")

    async def over(self, launcher: Launcher, id: StepId, sidecar: str) -> None:
        """Until that sidecar has ended by itself; a launcher that needs time overrides it."""

    @in_loop
    async def test_a_step_with_a_sidecar_is_adopted(self, rig: Rig, launcher: Launcher) -> None:
        asked = step(Act(held=True, stdout="up\n"), sidecars=(companion("beside", Act(held=True)),))
        await launcher.launch(asked)
        await begun(launcher, asked)
        await launcher.close()
        later = rig.launcher()
        assert list(later.known()) == [asked.id]
        await later.launch(asked)
        await later.stop(asked.id, 60)
        exit = await later.wait(asked.id)
        assert (exit.code, exit.failed) == (143, "")
        await later.close()

    @in_loop
    async def test_removed_with_its_sidecar_nothing_is_left(self, launcher: Launcher) -> None:
        asked = step(Act(held=True, deaf=True), sidecars=(companion("deaf", Act(held=True, deaf=True)),))
        await launcher.launch(asked)
        await launcher.remove(asked.id)
        assert launcher.state(asked.id) is StepState.ABSENT
        assert list(launcher.known()) == []


class ImageRulesContract:
    """What launchers do that have rules of images."""

    @in_loop
    async def test_an_unknown_image_is_refused_with_the_way_out(self, launcher: Launcher) -> None:
        reason = launcher.refuse(STRANGE, ("run",), {})
        assert STRANGE in reason
        assert launcher.refuse(STRANGE, ("run",), {"registry.invalid/*": ImageRule()}) != reason
