"""Where the server is, and who gets the token."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from penstock.client.address import located
from penstock.errors import Unavailable

OWN = "token-of-the-home-itself"
URL = "http://127.0.0.1:4321"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that this very process seems to serve."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PENSTOCK_TOKEN", raising=False)
    announce(tmp_path, os.getpid())
    (tmp_path / "lock").write_text(f"{os.getpid()}\n")
    (tmp_path / "token").write_text(OWN)
    return tmp_path


def announce(home: Path, process: int) -> None:
    (home / "server.json").write_text(json.dumps({"process": process, "url": URL}))


def test_the_server_of_the_home_gets_its_token(home: Path) -> None:
    assert located(None, None, home) == (URL, OWN)
    assert located(URL, None, home) == (URL, OWN)
    assert located("127.0.0.1:4321/", None, home) == (URL, OWN)


def test_no_other_address_gets_the_homes_token(home: Path) -> None:
    assert located("http://elsewhere", None, home) == ("http://elsewhere", "")
    assert located("elsewhere:80", None, home) == ("https://elsewhere:80", "")


def test_what_is_given_goes_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert located("http://x", "given", home) == ("http://x", "given")
    assert located(None, "given", home) == (URL, "given")
    monkeypatch.setenv("PENSTOCK_TOKEN", "of-the-surroundings")
    assert located("http://x", None, home) == ("http://x", "of-the-surroundings")


def test_a_home_that_nobody_serves_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"penstock up"):
        located(None, None, tmp_path)


def test_the_address_of_a_server_that_is_gone_does_not_count(home: Path) -> None:
    announce(home, 2**22 + 1)  # above the largest process id
    (home / "lock").write_text(f"{2**22 + 1}\n")
    with pytest.raises(Unavailable, match="nobody serves it"):
        located(None, None, home)


def test_the_address_of_a_server_that_another_holder_followed_does_not_count(home: Path) -> None:
    announce(home, 1)
    with pytest.raises(Unavailable, match="nobody serves it"):
        located(None, None, home)
