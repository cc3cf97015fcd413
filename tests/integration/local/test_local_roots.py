"""What a step sees and may do: a root of its own over a host that it cannot change."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from local_bench import Bench

from penstock.adapters.local.launcher import ProcessLauncher
from penstock.errors import InvalidInput
from penstock.ports import ImageRule, Input


def test_absolute_paths_are_the_steps_own(rooted: Bench) -> None:
    ended = rooted.sh("mkdir -p /tmp/outputs/x && echo 1 > /tmp/outputs/x/data && echo {} > /mlpipeline-metrics.json")
    assert ended.code == 0, ended.stderr
    assert rooted.read(ended, "/tmp/outputs/x/data") == b"1\n"
    assert rooted.read(ended, "/mlpipeline-metrics.json") == b"{}\n"
    assert not os.path.exists("/tmp/outputs/x/data")
    assert not os.path.exists("/mlpipeline-metrics.json")


def test_the_host_is_never_written(rooted: Bench) -> None:
    ended = rooted.sh(
        "for f in /usr /etc /var; do echo 1 > $f/penstock-probe || true; done; rm -rf /etc/hostname; true"
    )
    assert ended.code == 0
    assert not any(os.path.exists(f"{folder}/penstock-probe") for folder in ("/usr", "/etc", "/var"))
    assert os.path.exists("/etc/hostname") or not os.path.exists("/etc")


def test_tmp_is_fresh_and_the_home_is_hidden(rooted: Bench, tmp_path: Path) -> None:
    (rooted.home / "token").write_text("secret")
    (tmp_path / "neighbour").write_text("of the host")
    ended = rooted.sh(f"ls -A /tmp; cat {tmp_path}/neighbour {rooted.home}/token")
    assert ended.code != 0
    # What a step needs of the host stays visible where the checkout itself lies there.
    needed = {Path(sys.prefix).relative_to("/tmp").parts[0]} if sys.prefix.startswith("/tmp/") else set()
    assert set(ended.stdout.split()) - needed in ({"work"}, {"work", "pytest-of-root"})
    assert "secret" not in ended.stdout
    assert "of the host" not in ended.stdout


def test_the_working_folder_is_fresh_and_writable(bench: Bench) -> None:
    first = bench.sh("pwd; ls -A; echo x > here; cd ~; ls")
    assert first.code == 0, first.stderr
    assert first.stdout.splitlines()[1:] == ["here"]
    second = bench.sh("ls -A")
    assert second.stdout == ""


def test_a_declared_working_folder_is_made(bench: Bench) -> None:
    ended = bench.sh("pwd; echo x > y", working_dir="/srv/app")
    assert ended.code == 0, ended.stderr
    assert ended.stdout.strip().endswith("/srv/app")
    assert bench.read(ended, "/srv/app/y") == b"x\n"
    assert not os.path.exists("/srv/app/y")


def test_the_environment_is_four_names_and_what_is_declared(rooted: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_SECRET", "hidden")
    ended = rooted.run("env", env=(("GREETING", "hello = you"), ("GREETING", "last one wins")))
    names = dict(line.split("=", 1) for line in ended.stdout.splitlines())
    assert names.keys() == {"PATH", "HOME", "LANG", "TMPDIR", "GREETING"}
    assert names["GREETING"] == "last one wins"
    assert (names["HOME"], names["TMPDIR"]) == ("/tmp/work", "/tmp")


def test_a_declared_name_goes_before_the_four(bench: Bench) -> None:
    ended = bench.run("/usr/bin/env", env=(("PATH", "/usr/bin"), ("TMPDIR", "/scratch")))
    names = dict(line.split("=", 1) for line in ended.stdout.splitlines())
    assert (names["PATH"], names["TMPDIR"]) == ("/usr/bin", "/scratch")


def test_devices_are_few_and_none_can_be_made(rooted: Bench) -> None:
    ended = rooted.sh(
        "echo x > /dev/null && head -c 3 /dev/zero | wc -c; ls -l /dev | grep -c ^b; "
        "mknod /tmp/disk b 8 0 2>/dev/null || echo refused; mount -t tmpfs none /tmp 2>/dev/null || echo refused"
    )
    if rooted.isolation.user is None:
        assert ended.stdout.split() == ["3", "0", "refused", "refused"], ended.stderr
    else:
        assert ended.stdout.split()[-2:] == ["refused", "refused"]


def test_the_kernels_settings_cannot_be_written(rooted: Bench) -> None:
    before = Path("/proc/sys/vm/swappiness").read_text()
    ended = rooted.sh("echo 17 > /proc/sys/vm/swappiness")
    assert ended.code != 0
    assert Path("/proc/sys/vm/swappiness").read_text() == before


def test_a_step_sees_its_own_processes_only(rooted: Bench) -> None:
    ended = rooted.sh("ls -d /proc/[0-9]* | wc -l; kill -9 1; echo alive")
    count, alive = ended.stdout.split()
    assert int(count) <= 4
    assert alive == "alive"
    assert ended.code == 0


def test_inputs_lie_where_they_are_declared(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "stored").write_text("stored")
    paths = ("/tmp/inputs/a/data", "/data/in/b", "/etc/app/c.conf", "/usr/share/penstock-test/d", "/opt/e", "/f")
    inputs = tuple(Input(path=path, source=str(tmp_path / "stored")) for path in paths[:3])
    inputs += tuple(Input(path=path, content=b"given") for path in paths[3:])
    ended = bench.run("cat", *paths, inputs=inputs)
    assert ended.code == 0, ended.stderr
    assert ended.stdout == "stored" * 3 + "given" * 3 + "\n"
    assert not any(os.path.exists(path) for path in paths)


def test_what_the_host_has_beside_an_input_stays_visible(rooted: Bench) -> None:
    ended = rooted.run("cat", "/etc/app.conf", "/etc/passwd", inputs=(Input(path="/etc/app.conf", content=b"x\n"),))
    assert ended.code == 0, ended.stderr
    assert "root:" in ended.stdout


def test_no_change_of_an_input_reaches_the_store(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "stored"
    folder.mkdir()
    for name in ("kept", "grown", "overwritten", "gone", "renamed", "closed"):
        (folder / name).write_text(name)
    modes = {path.name: path.stat().st_mode for path in folder.iterdir()}
    ended = bench.sh(
        "cd $0 && echo more >> grown && echo x | dd of=overwritten conv=notrunc 2>/dev/null && rm gone && "
        "mv renamed elsewhere && chmod 000 closed && echo new > added && ls",
        args=("/data/in",),
        inputs=(Input(path="/data/in", source=str(folder)),),
    )
    assert ended.code == 0, ended.stderr
    assert ended.stdout.split() == ["added", "closed", "elsewhere", "grown", "kept", "overwritten"]
    assert {path.name: path.read_text() for path in folder.iterdir()} == {name: name for name in modes}
    assert {path.name: path.stat().st_mode for path in folder.iterdir()} == modes


def test_inputs_have_the_modes_that_they_are_given_and_the_store_keeps_its_own(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("file")
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "folder" / "deep" / "part").write_text("part")
    stored = [tmp_path / "file", tmp_path / "folder", *(tmp_path / "folder").rglob("*")]
    before = [path.stat().st_mode for path in stored]
    names = ("file", "top", "top/deep/part", "all", "all/deep", "all/deep/part", "given")
    ended = bench.sh(
        'stat -c %a "$0" "$@"',
        args=tuple(f"/data/in/{name}" for name in names),
        inputs=(
            Input(path="/data/in/file", source=str(tmp_path / "file"), mode=0o755),
            Input(path="/data/in/top", source=str(tmp_path / "folder"), mode=0o711),
            Input(path="/data/in/all", source=str(tmp_path / "folder"), mode=0o750, recurse=True),
            Input(path="/data/in/given", content=b"given", mode=0o400),
        ),
    )
    assert ended.code == 0, ended.stderr
    modes = dict(zip(names, ended.stdout.split(), strict=True))
    assert modes == {
        "file": "755",
        "top": "711",
        "top/deep/part": f"{before[-1] & 0o777:o}",
        "all": "750",
        "all/deep": "750",
        "all/deep/part": "750",
        "given": "400",
    }
    assert [path.stat().st_mode for path in stored] == before


def test_a_script_may_be_a_program_of_its_own(bench: Bench) -> None:
    script = Input(path="/argo/staging/script", content=b"echo $((6 * 7))\n", mode=0o755)
    assert bench.run("sh", "-c", script.path, inputs=(script,)).stdout == "42\n"


def test_an_input_may_be_taken_as_an_output(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "stored").write_text("as it was")
    given = Input(path="/tmp/inputs/a", source=str(tmp_path / "stored"))
    ended = bench.sh("true", inputs=(given,))
    target = tmp_path / "taken"
    assert asyncio.run(bench.launcher().take(ended.id, "/tmp/inputs/a", target))
    assert target.read_text() == "as it was"
    assert (tmp_path / "stored").read_text() == "as it was"


@pytest.mark.parametrize("path", ["relative", "/", "/tmp", "/proc/x", "/a/../..", "/nul\0"])
def test_paths_that_cannot_be_laid_are_refused(bench: Bench, path: str) -> None:
    with pytest.raises(InvalidInput, match="path"):
        bench.run("true", inputs=(Input(path=path, content=b""),))


def test_a_link_leads_to_what_the_step_saw(rooted: Bench, tmp_path: Path) -> None:
    """Links are resolved as in the step: what was hidden from it is not found behind its links either."""
    (rooted.home / "token").write_text("secret")
    (tmp_path / "neighbour").write_text("secret")
    ended = rooted.sh(
        f"mkdir /out; ln -s {rooted.home}/token /out/token; ln -s {tmp_path}/neighbour /out/neighbour; "
        "ln -s ../../../../etc/passwd /out/up; ln -s loop /out/loop; ln -s /out/real /out/chain; echo r > /out/real; "
        "ln -s /proc/1/environ /out/proc"
    )
    assert ended.code == 0
    assert rooted.read(ended, "/out/token") is None
    assert rooted.read(ended, "/out/neighbour") is None
    assert rooted.read(ended, "/out/loop") is None
    assert rooted.read(ended, "/out/proc") is None
    assert rooted.read(ended, "/out/chain") == b"r\n"
    assert rooted.read(ended, "/out/up") == Path("/etc/passwd").read_bytes()
    assert rooted.read(ended, f"{rooted.home}/token") is None


def test_files_that_a_step_closed_are_still_ours_to_read(bench: Bench) -> None:
    ended = bench.sh("mkdir -p /tmp/outputs/d; echo x > /tmp/outputs/d/f; chmod 000 /tmp/outputs/d/f")
    assert bench.read(ended, "/tmp/outputs/d/f") == b"x\n"


def test_a_pipe_or_a_device_is_no_output(bench: Bench) -> None:
    ended = bench.sh("mkdir -p /tmp/outputs; mkfifo /tmp/outputs/pipe; ln -s /dev/zero /tmp/outputs/zero")
    assert ended.code == 0
    assert bench.read(ended, "/tmp/outputs/pipe") is None
    assert bench.read(ended, "/tmp/outputs/zero") is None


# --- images that are folders ------------------------------------------------------------------------------------


def test_a_folder_is_the_root_of_its_steps(rooted: Bench, folder_root: Path) -> None:
    rooted.images = {"small": ImageRule(root=str(folder_root))}
    before = sorted(str(path) for path in folder_root.rglob("*"))
    ended = rooted.sh("cat /etc/image-release; ls /; echo x > /etc/image-release; rm -rf /etc; pwd", image="small")
    assert ended.code == 0, ended.stderr
    assert ended.stdout.startswith("a small image\n")
    assert ended.stdout.endswith("/\n")
    assert "home" not in ended.stdout.split()
    assert sorted(str(path) for path in folder_root.rglob("*")) == before
    assert (folder_root / "etc" / "image-release").read_text() == "a small image\n"


def test_inputs_are_laid_into_a_folder_root(rooted: Bench, folder_root: Path, tmp_path: Path) -> None:
    (tmp_path / "stored").write_text("stored")
    rooted.images = {"small": ImageRule(root=str(folder_root))}
    inputs = (
        Input(path="/tmp/inputs/a/data", source=str(tmp_path / "stored")),
        Input(path="/etc/conf/b", content=b"given"),
    )
    ended = rooted.run("cat", "/tmp/inputs/a/data", "/etc/conf/b", "/etc/image-release", image="small", inputs=inputs)
    assert ended.code == 0, ended.stderr
    assert ended.stdout == "storedgivena small image\n"


def test_entrypoint_command_and_environment_of_the_image(rooted: Bench, folder_root: Path) -> None:
    rule = ImageRule(
        root=str(folder_root), entrypoint=("sh", "-c"), cmd=("echo default $A",), env={"A": "of the image"}
    )
    rooted.images = {"small": rule}
    assert rooted.run(image="small").stdout == "default of the image\n"
    assert rooted.run(image="small", args=("echo other $A",)).stdout == "other of the image\n"
    assert rooted.run("sh", "-c", "echo $A", image="small", env=(("A", "declared"),)).stdout == "declared\n"
    assert rooted.run("env", image="small").stdout.count("\n") == 5


def test_a_root_without_them_gets_the_files_by_which_names_are_resolved(rooted: Bench, folder_root: Path) -> None:
    rooted.images = {"small": ImageRule(root=str(folder_root))}
    done = rooted.sh("cat /etc/hosts", image="small")
    known = rooted.isolation.way == "overlay"
    assert ("127.0.0.1 localhost" in done.stdout) == known


# --- a folder as an image ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "equal"),
    [
        (lambda root: None, True),
        (lambda root: (root / "bin" / "tool").write_text("2"), False),
        (lambda root: (root / "bin" / "tool").chmod(0o755), False),
        (lambda root: (root / "bin" / "more").touch(), False),
        (lambda root: (root / "link").symlink_to("bin"), False),
    ],
)
def test_a_folder_is_another_image_when_something_in_it_has_changed(
    tmp_path: Path, change: Callable[[Path], None], equal: bool
) -> None:
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "tool").write_text("1")
    launcher = ProcessLauncher(tmp_path / "home", images={"tool": ImageRule(root=str(root))})
    before = asyncio.run(launcher.identity("tool", ("tool",), {}))
    change(root)
    assert (asyncio.run(launcher.identity("tool", ("tool",), {})) == before) is equal
