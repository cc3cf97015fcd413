"""Steps that are several containers, as processes: what they share, what they do not, and that they end together."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest
from local_bench import Bench, said
from test_local_ends import sleepers, unlikely, wait_until

from isolations import isolation_of
from needs import require
from penstock.adapters.local.process import names, outward
from penstock.adapters.local.process.folders import StepFolder
from penstock.adapters.local.process.isolation import Isolation, doctor_lines
from penstock.errors import InvalidInput
from penstock.ports import ImageRule, Input, Step, StepId, StepState
from penstock.workflow.pods import Companion, HostAlias, Mount

SERVER = """
import socket
server = socket.create_server(("", 8765))
while True:
    server.accept()[0].sendall(b"from %s")
"""
CLIENT = """
import socket, time
while True:
    try:
        print(socket.create_connection(("127.0.0.1", 8765)).recv(100).decode())
        break
    except ConnectionRefusedError:
        time.sleep(0.01)
"""


def beside(name: str, script: str, **more: Any) -> Companion:
    return Companion(name=name, image="host", command=("sh", "-c", script), **more)


def server(text: str) -> Companion:
    return Companion(name="server", image="host", command=("python3", "-c", SERVER % text))


# --- the network ------------------------------------------------------------------------------------------------


def test_a_step_reaches_its_sidecar_and_no_other_steps(rooted: Bench) -> None:
    steps = [
        rooted.step("python3", "-c", CLIENT, sidecars=(server(f"{number}"),), env=(("N", str(number)),))
        for number in range(3)
    ]

    async def whole() -> list[int | None]:
        launcher = rooted.launcher()
        await asyncio.gather(*(launcher.launch(step) for step in steps))
        exits = await asyncio.gather(*(launcher.wait(step.id) for step in steps))
        await launcher.close()
        return [exit.code for exit in exits]

    assert asyncio.run(whole()) == [0, 0, 0]
    texts = [said(rooted.launcher().log(step.id), "stdout") for step in steps]
    assert texts == [f"from {number}\n" for number in range(3)]


def test_what_listens_on_the_machine_is_not_reached(rooted: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as own:
        connect = f"import socket; socket.create_connection(('127.0.0.1', {own.getsockname()[1]}))"
        with_sidecar = rooted.run("python3", "-c", connect, sidecars=(beside("idle", "exec sleep 1000000"),))
        assert with_sidecar.code == 1
        assert "ConnectionRefusedError" in with_sidecar.stderr
        by_the_way_out = connect.replace("127.0.0.1", "10.0.2.2").replace("))", "), 10)")
        with_sidecar = rooted.run("python3", "-c", by_the_way_out, sidecars=(beside("idle", "exec sleep 1000000"),))
        assert with_sidecar.code == 1
        assert "OSError" in with_sidecar.stderr or "Refused" in with_sidecar.stderr, with_sidecar.stderr
        assert rooted.run("python3", "-c", connect).code == 0


@pytest.mark.parametrize("of", ["step", "run"])
@pytest.mark.parametrize("installed", [True, False])
def test_a_network_leads_outward_where_the_machine_lets_it(
    rooted: Bench, of: str, installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    require("slirp4netns", "apt-get install slirp4netns")
    if not installed:
        monkeypatch.setattr(outward, "_PROGRAM", "nothing-of-that-name")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect(("192.0.2.1", 9))  # nothing is sent; it says which address this machine has
        outside = asking.getsockname()[0]
    with socket.create_server((outside, 0)) as own:
        connect = f"import socket; socket.create_connection({own.getsockname()}, 20); print('reached')"
        more: dict[str, Any] = {"sidecars": (beside("idle", "exec sleep 1000000"),)} if of == "step" else {}
        ended = rooted.run("python3", "-c", connect, network="" if more else "run-1", **more)
    may = installed and os.access("/dev/net/tun", os.R_OK | os.W_OK)
    assert ("reached" in ended.stdout) == may, ended.stderr
    assert ("a way out by" in " ".join(doctor_lines(rooted.isolation))) == may
    rooted.remove_all()
    wait_until(lambda: not leading_out(), "what leads out ends with the network")


def test_names_are_asked_for_where_they_are_answered(
    rooted: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resolver on this machine's loopback is not in the step's network."""
    for server, told in (("127.0.0.53", "10.0.2.3"), ("192.0.2.1", "")):
        (tmp_path / "resolv.conf").write_text(f"nameserver {server}\n")
        monkeypatch.setattr(names, "_text", lambda _: (tmp_path / "resolv.conf").read_text())
        found = names.with_resolver(rooted.sh_step("cat /etc/resolv.conf", sidecars=(beside("idle", "true"),)))
        assert len(found.sidecars[0].mounts) == len(found.mounts) == bool(told)
        if told:
            assert rooted.ended(found).stdout == f"nameserver {told}\n"


ALIASES = (HostAlias(ip="192.0.2.7", hostnames=("store.example", "cache.example")),)


def test_names_of_machines_are_added_for_all_containers_of_a_step(rooted: Bench) -> None:
    here = Path("/etc/hosts").read_text().rstrip("\n")
    shared = (Mount("v", "/v"),)
    first = beside("first", "cat /etc/hosts > /v/first", mounts=shared)
    step = rooted.sh_step("cat /v/first /etc/hosts", hosts=ALIASES, init=(first,), mounts=shared)
    assert rooted.ended(step).stdout == f"{here}\n192.0.2.7\tstore.example\tcache.example\n" * 2
    assert rooted.sh("cat /etc/hosts").stdout.rstrip("\n") == here


def test_names_of_machines_are_refused_without_a_root(bench: Bench) -> None:
    if bench.isolation.way == "rewrite":
        with pytest.raises(InvalidInput, match="hostAliases need a root"):
            bench.sh("true", hosts=ALIASES)
    else:
        assert bench.sh("true", hosts=ALIASES).code == 0


def leading_out() -> list[str]:
    """Processes that this one has started to lead out of a network, and that run."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [child for child in children if b"slirp4netns" in Path(f"/proc/{child}/cmdline").read_bytes()]


def test_an_image_that_brings_no_names_of_hosts_has_localhost(rooted: Bench, folder_root: Path) -> None:
    rooted.images = {"small": ImageRule(root=str(folder_root))}
    ended = rooted.sh("cat /etc/hosts /etc/image-release", image="small")
    if rooted.isolation.way == "overlay":
        assert ended.stdout.split()[:4] == ["127.0.0.1", "localhost", "::1", "localhost"]
    assert not (folder_root / "etc" / "hosts").exists()


def test_without_namespaces_a_sidecar_is_refused(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Isolation("rewrite"), {"host": ImageRule()})
    with pytest.raises(InvalidInput, match='launcher = "docker"'):
        bench.sh("true", sidecars=(beside("idle", "true"),))
    assert list(bench.launcher().known()) == []


def reached(bench: Bench, number: int) -> str:
    """What a step hears from the one beside it in its run's network, on the port on which those of other runs meet."""
    run = f"run-{number}"
    listening, asking = (
        Step(
            id=StepId(run_id=run, node_id=name),
            name=name,
            image="host",
            command=("python3", "-c", program),
            network=run,
        )
        for name, program in (("listening", SERVER % run), ("asking", CLIENT))
    )

    async def whole() -> int | None:
        launcher = bench.launcher()
        await launcher.launch(listening)
        assert await launcher.address(listening.id) == "127.0.0.1"
        await launcher.launch(asking)
        exit = await launcher.wait(asking.id)
        await launcher.close()
        return exit.code

    assert asyncio.run(whole()) == 0
    return said(bench.launcher().log(asking.id), "stdout")


@pytest.mark.parametrize("way", ["overlay", "bind", "user"])
def test_steps_of_a_run_reach_one_another_and_none_of_another_run(tmp_path: Path, way: str) -> None:
    isolation = Isolation("bind", user=(os.geteuid(), os.getegid())) if way == "user" else isolation_of(way)
    bench = Bench(tmp_path, isolation, {"host": ImageRule()})
    try:
        assert [reached(bench, number) for number in (1, 2)] == ["from run-1\n", "from run-2\n"]
        assert sorted(path.name for path in (tmp_path / "networks").iterdir()) == ["run-1", "run-2"]
    finally:
        bench.remove_all()
    assert list((tmp_path / "networks").iterdir()) == []


def test_a_network_that_a_crash_has_left_ends_with_the_next_start(rooted: Bench) -> None:
    reached(rooted, 1)
    holder = StepFolder(rooted.home / "networks" / "run-1")
    for name in ("listening", "asking"):
        asyncio.run(remove_step(rooted, StepId(run_id="run-1", node_id=name), crash=name == "asking"))
    assert holder.pidfd() is None
    assert not holder.path.exists()


async def remove_step(bench: Bench, id: StepId, *, crash: bool) -> None:
    """Remove a step; with `crash` its files alone, as one that crashed then has."""
    launcher = bench.launcher()
    if crash:
        StepFolder.of(bench.home, id).remove()
        assert list(launcher.known()) == []
    else:
        await launcher.remove(id)
    await launcher.close()


# --- ends -------------------------------------------------------------------------------------------------------


def test_a_sidecar_that_does_not_heed_term_is_killed(rooted: Bench) -> None:
    seconds = unlikely()
    deaf = beside("deaf", f"trap '' TERM; echo up > /shared/up; exec sleep {seconds}", mounts=(Mount("v", "/shared"),))
    step = rooted.sh_step(
        "until [ -e /shared/up ]; do sleep 0.01; done; echo up; exec sleep 1000000",
        sidecars=(deaf,),
        mounts=(Mount("v", "/shared"),),
    )

    async def whole() -> tuple[int | None, str]:
        launcher = rooted.launcher()
        await launcher.launch(step)
        await asyncio.to_thread(wait_until, lambda: launcher.log(step.id).read_bytes())
        await launcher.stop(step.id, 0.1)
        exit = await launcher.wait(step.id)
        await launcher.close()
        return exit.code, exit.failed

    assert asyncio.run(whole()) == (143, "")
    assert sleepers(seconds) == []


def test_the_exit_of_a_sidecar_that_was_told_to_end_counts_as_on_argo(rooted: Bench) -> None:
    """Only deaths by TERM and KILL are overlooked."""
    trap = "trap 'exit %d' TERM; echo up > /shared/up; sleep 1000000 & wait"
    for code, failed in ((0, ""), (143, ""), (137, ""), (9, "own: Error (exit code 9)")):
        ended = rooted.sh(
            "until [ -e /shared/up ]; do sleep 0.01; done",
            sidecars=(beside("own", trap % code, mounts=(Mount("v", "/shared"),)),),
            mounts=(Mount("v", "/shared"),),
        )
        assert (ended.code, ended.exit.failed) == (0, failed)


def test_nothing_outlives_the_process_that_starts_its_containers(bench: Bench) -> None:
    seconds = unlikely()
    rewrites = bench.isolation.way == "rewrite"
    held = beside("held", f"sleep {seconds} & setsid sleep {seconds} & exec sleep {seconds}")
    step = bench.sh_step("exec sleep 1000000", **({"init": (held,)} if rewrites else {"sidecars": (held,)}))

    async def whole() -> StepState:
        launcher = bench.launcher()
        await launcher.launch(step)
        await asyncio.to_thread(wait_until, lambda: len(sleepers(seconds)) == 3)
        first = StepFolder.of(bench.home, step.id).pidfd()
        assert first is not None
        signal.pidfd_send_signal(first, signal.SIGKILL)
        os.close(first)
        exit = await launcher.wait(step.id)
        assert exit.code is None
        state = launcher.state(step.id)
        await launcher.remove(step.id)
        await launcher.close()
        return state

    assert asyncio.run(whole()) is StepState.INTERRUPTED
    wait_until(lambda: not sleepers(seconds), "the containers end with it")


def test_a_container_whose_supervisor_is_killed_interrupts_the_step(rooted: Bench) -> None:
    step = rooted.sh_step("echo up; exec sleep 1000000", sidecars=(beside("idle", "exec sleep 1000000"),))

    async def whole() -> StepState:
        launcher = rooted.launcher()
        await launcher.launch(step)
        await asyncio.to_thread(wait_until, lambda: launcher.log(step.id).read_bytes())
        inner = StepFolder(StepFolder.of(rooted.home, step.id).path / "own").pidfd()
        assert inner is not None
        signal.pidfd_send_signal(inner, signal.SIGKILL)
        os.close(inner)
        assert (await launcher.wait(step.id)).code is None
        await launcher.close()
        return launcher.state(step.id)

    assert asyncio.run(whole()) is StepState.INTERRUPTED


def test_a_step_goes_on_from_its_init_containers_while_nobody_watches(bench: Bench) -> None:
    wait = beside("wait", "until [ -e /shared/go ]; do sleep 0.01; done", mounts=(Mount("v", "/shared"),))
    step = bench.sh_step("echo done > /volume/out; exit 4", init=(wait,), mounts=(Mount("v", "/volume"),))

    async def begin() -> None:
        launcher = bench.launcher()
        await launcher.launch(step)
        await launcher.close()

    asyncio.run(begin())
    folder = StepFolder.of(bench.home, step.id)
    (folder.path / "volumes" / "0" / "go").touch()
    wait_until(lambda: folder.exit() is not None, "the step ends without a launcher")
    exit = folder.exit()
    assert exit is not None
    assert exit.code == 4
    assert asyncio.run(bench.launcher().read(step.id, "/volume/out", 10)) == b"done\n"


def test_what_kept_a_step_from_beginning_stands_in_its_log(bench: Bench) -> None:
    ended = bench.sh("echo never", init=(beside("first", "echo quiet"), beside("second", "echo reason >&2; exit 2")))
    assert ended.exit.failed == "second: Error (exit code 2)"
    assert (ended.stdout, ended.stderr) == ("", "reason\n")


# --- sets -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tries", "code"), [(3, 0), (2, 1)])
def test_the_program_of_a_container_is_run_again_in_its_root(rooted: Bench, tries: int, code: int) -> None:
    counts = "echo x >> /tmp/times; [ $(wc -l < /tmp/times) = 3 ]"
    again = beside("again", counts, tries=tries)
    ended = rooted.sh("echo done", containers=(again, beside("main", "echo done", after=("again",))))
    assert {each.name: each.code for each in ended.exit.containers}["again"] == code
    assert ended.stdout == ("" if code else "done\n")


def test_a_stop_does_not_wait_for_the_next_time(rooted: Bench) -> None:
    step = rooted.sh_step("true", containers=(beside("again", "echo failing; exit 1", tries=9, pause=1e6),))
    step = msgspec.structs.replace(step, command=step.containers[0].command)

    async def whole() -> dict[str, int | None]:
        launcher = rooted.launcher()
        await launcher.launch(step)
        await asyncio.to_thread(wait_until, lambda: launcher.log(step.id).read_bytes())
        await launcher.stop(step.id, 60)
        exit = await launcher.wait(step.id)
        await launcher.close()
        return {each.name: each.code for each in exit.containers}

    assert asyncio.run(whole())["again"] != 0


def test_a_container_of_a_set_that_cannot_be_started_is_told_of(bench: Bench) -> None:
    bad = Companion(name="bad", image="host", command=("/absent",))
    ended = bench.sh("echo never", containers=(bad, beside("main", "echo never", after=("bad",))))
    found = {each.name: each for each in ended.exit.containers}
    assert (found["bad"].code, found["main"].code, ended.stdout) == (128, 64, "")
    assert "not found" in found["bad"].message


# --- volumes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/mnt/vol", "/tmp/deep/er", "/usr/share/penstock-volume", "/tmp", "/dev/shm"])
def test_a_volume_is_a_mount_wherever_it_lies(rooted: Bench, path: str) -> None:
    file = f"{path}/out-{unlikely()}"
    ended = rooted.sh(f"grep -c ' {path} ' /proc/mounts; echo x > {file}", mounts=(Mount("v", path),))
    assert ended.code == 0, ended.stderr
    assert int(ended.stdout) >= 1
    assert rooted.read(ended, file) == b"x\n"
    assert not os.path.lexists(file)


def test_a_volume_at_tmp_holds_inputs_and_outputs(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "stored").write_text("stored\n")
    given = Input(path="/tmp/inputs/a", source=str(tmp_path / "stored"))
    ended = bench.sh(
        "cat $0 >> $1",
        args=("/tmp/inputs/a", "/tmp/out"),
        mounts=(Mount("v", "/tmp"),),
        inputs=(given,),
        outputs=("/tmp/out",),
    )
    assert ended.code == 0, ended.stderr
    assert bench.read(ended, "/tmp/out") == b"stored\n"


def test_a_volume_may_lie_in_another(bench: Bench) -> None:
    ended = bench.sh("echo a > /v/a; echo b > /v/inner/b; ls /v", mounts=(Mount("one", "/v"), Mount("two", "/v/inner")))
    assert ended.stdout.split() == ["a", "inner"]
    assert bench.read(ended, "/v/inner/b") == b"b\n"


def test_an_input_is_laid_into_a_volume_where_init_containers_see_it(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "stored").write_text("stored\n")
    first = beside("first", "cat /mine/in/data > /mine/seen", mounts=(Mount("v", "/mine"),))
    ended = bench.sh(
        "cat /v/seen; echo more >> /v/in/data",
        init=(first,),
        mounts=(Mount("v", "/v"),),
        inputs=(Input(path="/v/in/data", source=str(tmp_path / "stored")),),
    )
    assert (ended.code, ended.stdout) == (0, "stored\n")
    assert (tmp_path / "stored").read_text() == "stored\n"


def test_nothing_is_laid_through_a_link_of_an_input(bench: Bench, tmp_path: Path) -> None:
    """A step could have made it to lead a later one's input onto this machine."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "stored").mkdir()
    (tmp_path / "stored" / "link").symlink_to(outside)
    inputs = (
        Input(path="/data/in", source=str(tmp_path / "stored")),
        Input(path="/data/in/link/deep/file", content=b"escaped"),
    )
    with pytest.raises(InvalidInput, match="symbolic link"):
        bench.run("true", inputs=inputs)
    assert list(outside.iterdir()) == []
