"""Where settings come from, and what is said of those that are impossible."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import InvalidSetting
from penstock.settings import NAMES, Settings, load, parse_duration, variable


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder and a home directory that are empty."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "here"


def test_nothing_stated_is_the_defaults(tmp_path: Path) -> None:
    assert load({}, {}) == Settings(home=tmp_path / ".penstock")
    assert Settings().max_steps >= 16


def test_a_flag_goes_before_the_environment_and_that_before_the_file(here: Path) -> None:
    (here / "penstock.toml").write_text('port = 1\nhost = "a"\nmax_steps = 3\n')
    found = load({"port": 3, "host": None}, {"PENSTOCK_PORT": "2", "PENSTOCK_HOST": "b"})
    assert (found.port, found.host, found.max_steps) == (3, "b", 3)
    assert found.file == here / "penstock.toml"


def test_the_file_of_the_working_folder_goes_before_that_of_the_home(here: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "penstock.toml").write_text("port = 1")
    assert load({"home": tmp_path / "home"}, {}).port == 1
    assert load({}, {"PENSTOCK_HOME": "~/home"}).port == 1
    (here / "penstock.toml").write_text("max_steps = 2")
    assert load({"home": tmp_path / "home"}, {}).port == Settings().port
    assert load({}, {}, tmp_path / "home" / "penstock.toml").port == 1


def test_a_folder_is_absolute(here: Path, tmp_path: Path) -> None:
    assert load({"home": Path("x")}, {}).home == here / "x"
    assert load({}, {"PENSTOCK_HOME": "~/x"}).home == tmp_path / "x"


def test_an_empty_variable_is_as_none(tmp_path: Path) -> None:
    assert load({}, {"PENSTOCK_HOME": "", "PENSTOCK_PORT": ""}) == load({}, {})


def test_texts_and_lists_of_hosts() -> None:
    assert load({}, {"PENSTOCK_ALLOWED_HOSTS": "a.example, b.example:8080"}).allowed_hosts == (
        "a.example",
        "b.example:8080",
    )


def test_settings_are_frozen(here: Path) -> None:
    (here / "penstock.toml").write_text('[images]\n"python:*" = "host"\n')
    settings = load({}, {})
    assert settings.images == {"python:*": "host"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.port = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.images["x"] = "host"  # type: ignore[index]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("port", "65536", "an integer from 0 to 65535"),
        ("port", "-1", "an integer from 0 to 65535"),
        ("port", "http", "an integer from 0 to 65535"),
        ("port", True, "an integer from 0 to 65535"),
        ("port", 80.5, "an integer from 0 to 65535"),
        ("port", "9" * 5000, "an integer from 0 to 65535"),
        ("max_steps", 0, "an integer from 1 to 10000"),
        ("max_iterations", "²", "an integer from 1 to 10000000"),
        ("launcher", "ship", "one of auto, process, docker"),
        ("launcher", [], "one of auto, process, docker"),
        ("host", " ", "an address such as 127.0.0.1"),
        ("database", 3, "a text"),
        ("allowed_hosts", 3, "a list of names"),
        ("allowed_hosts", ["a", 3], "a list of names"),
        ("images", "host", "a table: image name or glob = rule"),
        ("home", "", "the path of a folder"),
    ],
)
def test_an_impossible_value_names_the_setting_its_place_and_what_was_expected(
    name: str, value: Any, expected: str
) -> None:
    with pytest.raises(InvalidSetting) as raised:
        load({name: value}, {})
    message = str(raised.value)
    assert message.startswith(f"{name} (flag --{name.replace('_', '-')}): got ")
    assert expected in message
    assert len(message) < 300


def test_each_place_is_named_as_a_person_knows_it(here: Path) -> None:
    with pytest.raises(InvalidSetting, match=r"^port \(PENSTOCK_PORT\): got 'x'"):
        load({}, {"PENSTOCK_PORT": "x"})
    (here / "penstock.toml").write_text('port = "x"')
    with pytest.raises(InvalidSetting, match=r"^port \(penstock.toml\): got 'x'"):
        load({}, {})


def test_a_token_is_never_shown() -> None:
    with pytest.raises(InvalidSetting) as raised:
        load({}, {"PENSTOCK_TOKEN": "hush"})
    assert "hush" not in str(raised.value)
    assert "at least 16 characters" in str(raised.value)


def test_an_unknown_setting_is_refused_with_those_that_exist(here: Path) -> None:
    (here / "penstock.toml").write_text("prot = 1")
    with pytest.raises(InvalidSetting, match="unknown setting 'prot'; there are home, host, port"):
        load({}, {})
    (here / "penstock.toml").write_text('file = "x"')
    with pytest.raises(InvalidSetting, match="unknown setting 'file'"):
        load({}, {})


@pytest.mark.parametrize("text", ["port = ", "port = 1\nport = 2", "\ufeff[", "\0"])
def test_a_file_that_is_no_toml_is_named(here: Path, text: str) -> None:
    (here / "penstock.toml").write_text(text)
    with pytest.raises(InvalidSetting, match=r"^penstock.toml: "):
        load({}, {})


def test_a_file_that_is_not_there_is_named(here: Path) -> None:
    with pytest.raises(InvalidSetting, match=r"no\.toml: No such file or directory"):
        load({}, {}, here / "no.toml")


@given(st.dictionaries(st.sampled_from([variable(name) for name in NAMES if variable(name)]), st.text()))
def test_any_environment_gives_settings_or_one_error(environ: dict[str, str]) -> None:
    try:
        load({"home": "x"}, environ)
    except InvalidSetting as error:
        assert "\n" not in str(error)  # noqa: PT017 - either way is right


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("300", 300), ("300s", 300), ("5m", 300), ("1h30m", 5400), ("1.5", 1.5), ("250ms", 0.25), (" 2d ", 172_800)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", " ", "s", "5x", "1.2.3", ".", "m5", "-5", "5 m", "²", "١", "nan", "inf", "9" * 400]
)
def test_a_text_that_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidSetting, match="expected 300, 300s, 5m or 1h30m"):
        parse_duration(text)
