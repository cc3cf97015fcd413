"""How serving begins and ends."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import httpx2
import pytest
from penstock_up import API, COMMAND, PATIENCE, Gate, Up, document, finished, sse


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_though_streams_are_open(own_home: Path, gate: Gate, number: signal.Signals) -> None:
    up = Up(own_home)
    with up.client() as client:
        run = client.post(f"{API}/runs", json={"pipeline_spec": document("echo one; wait_", gate.port)}).json()[
            "run_id"
        ]
        with client.stream("GET", f"{API}/runs/{run}/events") as events:
            node = next(
                e["data"]["id"] for e in sse(events) if e["data"].get("phase") == "Running" and e["event"] == "node"
            )
            with client.stream("GET", f"{API}/runs/{run}/nodes/{node}/log?follow=1") as log:
                lines = log.iter_lines()
                assert next(lines).endswith(" one")
                up.process.send_signal(number)
                assert list(lines) == []
    assert up.end(number) == 0
    assert "Cancel" not in up.errors.read_text()

    again = Up(own_home)
    gate.open()
    with again.client() as client:
        assert finished(client, run)["state"] == "SUCCEEDED"
    assert again.end() == 0


def test_a_port_that_is_taken(own_home: Path) -> None:
    up = Up(own_home)
    port = up.url.rpartition(":")[2]
    other = subprocess.run(
        [*COMMAND, port, "--home", str(own_home.with_name("other"))], capture_output=True, text=True, timeout=PATIENCE
    )
    assert other.returncode == 2
    assert other.stderr == (
        f"Error: port {port} of 127.0.0.1 is taken by another process; choose another with --port, "
        "or --port 0 for a free one\n"
    )
    assert other.stdout == ""
    assert up.end() == 0


def test_a_home_that_is_served_already(own_home: Path) -> None:
    up = Up(own_home)
    other = subprocess.run([*COMMAND, "0", "--home", str(own_home)], capture_output=True, text=True, timeout=PATIENCE)
    assert (other.returncode, f"process {up.process.pid} serves it already" in other.stderr) == (2, True)
    assert up.end() == 0


def test_a_browser_stays_logged_in_over_a_restart(own_home: Path) -> None:
    up = Up(own_home)
    with httpx2.Client() as browser:
        browser.get(up.login)
        up.end()
        again = Up(own_home)
        assert browser.get(f"{again.url}{API}/runs").status_code == 200
        assert again.end() == 0


def test_what_another_process_does_to_a_run_is_told(own_home: Path, gate: Gate) -> None:
    from penstock.bootstrap import open_home
    from penstock.settings import Settings

    up = Up(own_home)
    beside = open_home(Settings(home=own_home))
    run = beside.services.runs.create(json.dumps(document("wait_", gate.port))).id
    with up.client() as client, client.stream("GET", f"{API}/runs/{run}/events") as answer:
        events = sse(answer)
        next(event for event in events if event["data"].get("phase") == "Running")
        beside.services.runs.stop(run)
        assert [event["event"] for event in events][-1] == "end"
        assert finished(client, run)["state"] == "CANCELED"
    beside.close()
    assert up.end() == 0
