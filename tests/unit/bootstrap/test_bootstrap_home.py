"""A home: opened, held by one process, handed over, and refused where it cannot be used."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from penstock.bootstrap import Home, open_home, read_images
from penstock.errors import HomeError, InvalidSetting
from penstock.ports import RunState
from penstock.settings import Settings, load

PATIENCE = 120

DOCUMENT = json.dumps(
    {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "hello-"},
        "spec": {
            "entrypoint": "main",
            "templates": [{"name": "main", "container": {"image": "shell", "command": ["sh", "-c", "echo hello"]}}],
        },
    }
)

Opened = Callable[[], Home]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Opens one home, as often as it is called."""
    settings = Settings(home=tmp_path / "home", images={"shell": "host"})
    with ExitStack() as stack:

        def opened() -> Home:
            home = open_home(settings)
            stack.callback(home.close)
            return home

        yield opened


# --- opening --------------------------------------------------------------------------------------------------------


def test_a_new_home_is_its_owners_alone(opened: Opened) -> None:
    home = opened()
    assert stat.S_IMODE(home.settings.home.stat().st_mode) == 0o700
    assert {path.name for path in home.settings.home.iterdir()} >= {"penstock.db", "objects"}


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError, match=r"home .*/file/home: cannot be written \(Not a directory\); name another"):
        open_home(Settings(home=tmp_path / "file" / "home"))


def test_a_home_of_a_newer_penstock_is_refused_and_left_alone(opened: Opened, tmp_path: Path) -> None:
    opened().close()
    path = tmp_path / "home" / "penstock.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(HomeError, match="was written by a newer Penstock"):
        opened()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


def test_a_wrong_table_of_images_lets_go_of_the_home(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match=r'images."x"'):
        open_home(Settings(home=tmp_path / "home", images={"x": 3}))
    open_home(Settings(home=tmp_path / "home")).close()


def test_folders_of_images_are_relative_to_the_file_that_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home" / "root").mkdir(parents=True)
    (tmp_path / "home" / "penstock.toml").write_text('[images]\n"x" = "root"\n')
    monkeypatch.chdir(tmp_path)
    home = open_home(load({"home": tmp_path / "home"}, {}))
    assert home.launcher.refuse("x", ["program"], {}).startswith("image 'x': command 'program' is not found in ")
    assert str(tmp_path / "home" / "root") in home.launcher.refuse("x", ["program"], {})
    assert home.launcher.refuse("x", ["{{inputs.parameters.program}}"], {}) == ""
    home.close()
    rules = read_images(tmp_path / "home" / "penstock.toml")
    assert rules["x"].root == str(tmp_path / "home" / "root")


# --- the token ------------------------------------------------------------------------------------------------------


def test_the_token_is_made_once_and_its_owners_alone(opened: Opened) -> None:
    home = opened()
    token = home.token()
    assert len(token) >= 32
    assert opened().token() == home.token() == token
    path = home.settings.home / "token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [other.name for other in path.parent.iterdir() if "token" in other.name] == ["token"]


@pytest.mark.parametrize("text", ["", "\n", "short"])
def test_a_token_that_is_none_is_never_used(opened: Opened, text: str) -> None:
    home = opened()
    (home.settings.home / "token").write_text(text)
    with pytest.raises(HomeError, match="remove the file, and a new one is made"):
        home.token()


def test_a_token_of_the_settings_is_not_kept(tmp_path: Path) -> None:
    home = open_home(Settings(home=tmp_path / "home", token="t" * 16))
    assert home.token() == "t" * 16
    assert not (tmp_path / "home" / "token").exists()
    home.close()


# --- holding and handing over ---------------------------------------------------------------------------------------


def test_a_home_has_one_holder(opened: Opened) -> None:
    one, other = opened(), opened()
    assert one.hold()
    assert one.hold()
    assert not other.hold()
    assert other.holder() == str(os.getpid())
    one.release()
    assert other.hold()


HOLDER = """
import sys, time
from pathlib import Path
from penstock.bootstrap import open_home
from penstock.settings import Settings

print(open_home(Settings(home=Path(sys.argv[1]))).hold(), flush=True)
time.sleep(600)
"""


def test_a_holder_that_was_killed_holds_no_longer(opened: Opened) -> None:
    home = opened()
    command = [sys.executable, "-c", HOLDER, str(home.settings.home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "True\n"
        assert not home.hold()
        assert home.holder() == str(holder.pid)
        holder.kill()
    assert home.hold()


def test_who_serves_is_found_while_it_serves(opened: Opened) -> None:
    server, other = opened(), opened()
    assert server.hold()
    with server.announced("http://127.0.0.1:1"):
        found = other.served()
        assert found
        assert (found.url, found.process, found.images["shell"].root) == ("http://127.0.0.1:1", os.getpid(), "host")
    assert other.served() is None
    server.release()
    assert other.served() is None
    assert not server.hold()


async def _ended(home: Home, run_id: str) -> RunState:
    async with asyncio.timeout(PATIENCE):
        async for _ in home.follow(run_id):
            pass
    return home.services.runs.get(run_id).state


def test_the_holder_drives_a_run_that_another_process_made(opened: Opened) -> None:
    holder, other = opened(), opened()

    async def both() -> RunState:
        assert holder.hold()
        async with holder.engaged(), other.engaged():
            run = await asyncio.to_thread(other.services.runs.create, DOCUMENT)
            state = await _ended(other, run.id)
            assert not other.hold()
            return state

    assert asyncio.run(both()) is RunState.SUCCEEDED


def test_who_waits_drives_the_runs_when_the_holder_is_gone(opened: Opened) -> None:
    holder, other = opened(), opened()

    async def both() -> RunState:
        assert holder.hold()
        async with other.engaged():
            run = await asyncio.to_thread(other.services.runs.create, DOCUMENT)
            assert other.services.runs.get(run.id).state is RunState.PENDING
            holder.release()
            return await _ended(other, run.id)

    assert asyncio.run(both()) is RunState.SUCCEEDED
