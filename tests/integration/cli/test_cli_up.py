"""`penstock up`: what it says, who holds a home, runs that are handed over."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import httpx2

from commandline import Rig, Started

Up = Callable[..., Started]


def address(server: Started) -> str:
    found = re.search(r"Penstock serves (http://\S+) \(home ", str(server))
    assert found, str(server)
    return found[1]


def test_it_says_where_it_serves_and_how_to_log_in_once(rig: Rig, up: Up) -> None:
    server = up()
    assert f"(home {rig.home})" in server.said[0]
    login = server.said[-1].removeprefix("Log in, once: ")
    assert login.startswith(address(server))
    server.until("Ctrl-C ends serving; running steps go on")
    with httpx2.Client() as browser:
        assert browser.get(f"{address(server)}/apis/v2beta1/runs").status_code == 401
        assert browser.get(login).status_code in (302, 303)
        assert browser.get(f"{address(server)}/apis/v2beta1/runs").status_code == 200
    with httpx2.Client() as other:
        assert "set-cookie" not in other.get(login).headers, "the login worked twice"


def test_a_second_one_on_the_same_home_says_who_holds_it(rig: Rig, up: Up) -> None:
    server = up()
    second = rig.call("up", "--port", "0")
    assert (second.returncode, second.stdout) == (2, "")
    assert f"process {server.process.pid} serves it already at {address(server)}; use that one" in second.stderr


def test_one_beside_a_run_says_that_the_run_holds_it(rig: Rig) -> None:
    with rig.start("run", "workflow.yaml", "--images", "images.toml", "-p", "main=sleep 600") as run:
        run.until("greet  Running")
        second = rig.call("up", "--port", "0")
        assert second.returncode == 2
        assert f"process {run.process.pid} runs pipelines of it" in second.stderr
        run.interrupt()
        run.end()


def test_ctrl_c_ends_it_and_the_home_is_free(rig: Rig, up: Up) -> None:
    server = up()
    server.interrupt()
    assert server.end() == 0
    assert up().process.poll() is None


def test_a_run_is_handed_to_the_server_with_the_servers_rules_of_images(rig: Rig, up: Up) -> None:
    # The command names no rules of its own.
    assert rig.call("run", "workflow.yaml").returncode == 2
    server = up("--images", "images.toml")
    answer = rig.call("run", "workflow.yaml", "--output", "json", "-p", "main=echo hi")
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["status"]["phase"] == "Succeeded"
    assert (rig.home / "lock").read_text() == f"{server.process.pid}\n", "the server drove it"
    assert rig.call("run", "workflow.yaml", "-p", "main=exit 3").returncode == 1
    assert rig.call("run", "workflow.yaml", "-p", "main=sleep 600", "--timeout", "1").returncode == 124


def test_a_run_outlives_its_command_on_a_server(rig: Rig, up: Up) -> None:
    up("--images", "images.toml")
    with rig.start("run", "workflow.yaml", "--name", "left", "-p", "main=until [ -e go ]; do sleep 0.1; done") as run:
        run.until("greet  Running")
    stopped = rig.call("runs", "stop", "left")
    assert "Run left canceled" in stopped.stdout
    assert rig.call("runs", "delete", "left").stdout == "Deleted run left\n"
    assert json.loads(rig.call("runs", "list", "--output", "json").stdout) == []


def test_a_killed_server_is_followed_by_the_next_run(rig: Rig, up: Up) -> None:
    server = up()
    server.process.kill()
    server.end()
    assert (rig.home / "server.json").exists(), "what it announced stays"
    assert rig.call("run", "workflow.yaml", "--images", "images.toml").returncode == 0
