"""Daemons: steps that go on while others reach them, ended with what encloses them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from engine_documents import START, by_name, document, node, script
from test_engine_properties import rebuilt

from penstock.engine import new_run, relaunch
from penstock.engine.protocol import Begin, Exited, Kill, Launch, Shutdown, Stop
from penstock.errors import InvalidDocument
from penstock.testing.simulation import Outcome, Simulation

SERVER = "  - {name: server, daemon: true, container: {image: busybox}}"
STEPS = f"""
  - name: main
    steps:
    - [{{name: server, template: server}}]
    - [{{name: use, template: echo, arguments: {{parameters: [{{name: text, value: "{{{{steps.server.ip}}}}"}}]}}}}]
{SERVER}
"""
DAG = f"""
  - name: main
    dag:
      tasks:
      - {{name: server, template: server}}
      - name: use
        template: echo
        depends: server.Daemoned
        arguments: {{parameters: [{{name: text, value: "{{{{tasks.server.ip}}}}"}}]}}
{SERVER}
"""


def simulated(templates: str, outcomes: Mapping[str, Outcome] | None = None) -> Simulation:
    """A run that has begun."""
    run = new_run(document(templates), name="w", uid="u", parameters={}, created_at=START)
    simulation = Simulation(run, script(outcomes))
    simulation.at(Begin(now=START))
    return simulation


def seen(simulation: Simulation) -> list[dict[str, tuple[str, bool]]]:
    """Phase and `daemoned` of every node after each event; a run rebuilt from its rows always equals the live one."""
    found = []
    while simulation.next():
        found.append({name: (str(each.phase), each.daemoned) for name, each in by_name(simulation.run).items()})
        assert rebuilt(simulation.run) == simulation.run
        if simulation.run.finished:
            break
    return found


@pytest.mark.parametrize(("templates", "server", "use"), [(STEPS, "[0].server", "[1].use"), (DAG, "server", "use")])
def test_what_comes_after_a_daemon_reaches_it_while_it_goes_on(templates: str, server: str, use: str) -> None:
    simulation = simulated(templates)
    story = seen(simulation)
    assert any(turn.get(server) == ("Running", True) and turn.get(use) == ("Succeeded", False) for turn in story) or (
        ("Running", True) in [turn.get(server) for turn in story]
    )
    run = simulation.run
    assert run.phase == "Succeeded"
    inputs, daemon = node(run, use).inputs, node(run, server)
    assert inputs is not None
    assert inputs.parameters[0].value == "10.0.0.1"
    assert (daemon.phase, daemon.daemoned, daemon.message) == ("Succeeded", False, "")
    assert [command.node_id for command in simulation.commands if isinstance(command, Kill)] == [daemon.id]


def test_a_daemon_that_is_the_last_of_all_holds_nothing_up() -> None:
    simulation = simulated(
        f"  - {{name: main, dag: {{tasks: [{{name: a, template: echo}}, "
        f"{{name: server, template: server, depends: a}}]}}}}\n{SERVER}"
    )
    seen(simulation)
    assert simulation.run.phase == "Succeeded"
    assert node(simulation.run, "server").phase == "Succeeded"


@pytest.mark.parametrize("code", [0, 1])
def test_a_daemon_that_ends_by_itself_has_failed(code: int) -> None:
    """Steps that have gone on do not mind; a DAG whose end it is fails."""
    ends = {"server": Outcome(exit_code=code, ends=True, seconds=5), "use": Outcome(seconds=10)}
    simulation = simulated(STEPS, ends)
    seen(simulation)
    assert simulation.run.phase == "Succeeded"
    daemon = node(simulation.run, "[0].server")
    message = f"main: Error (exit code {code})" if code else ""
    assert (daemon.phase, daemon.message, daemon.daemoned) == ("Failed", message, False)
    simulation = simulated(
        f"  - {{name: main, dag: {{tasks: [{{name: use, template: echo}}, {{name: server, template: server}}]}}}}\n"
        f"{SERVER}",
        ends,
    )
    seen(simulation)
    assert simulation.run.phase == "Failed"


def test_it_ends_with_the_steps_that_enclose_it_not_with_the_run() -> None:
    simulation = simulated(
        f"""
  - name: main
    steps: [[{{name: inner, template: inner}}], [{{name: after, template: echo}}]]
  - name: inner
    steps: [[{{name: server, template: server}}], [{{name: use, template: echo}}]]
{SERVER}
"""
    )
    story = seen(simulation)
    first = next(turn for turn in story if "[1].after" in turn)
    assert first["[0].inner[0].server"] == ("Succeeded", False)
    assert simulation.run.phase == "Succeeded"


def test_a_daemon_is_tried_again_as_its_strategy_says() -> None:
    server = "  - {name: server, daemon: true, retryStrategy: {limit: 2}, container: {image: busybox}}"
    simulation = simulated(
        STEPS.replace(SERVER, server),
        {"server(0)": Outcome(exit_code=1, ends=True, seconds=5), "use": Outcome(seconds=10)},
    )
    story = seen(simulation)
    assert any(turn.get("[0].server") == ("Running", True) and "[0].server(1)" in turn for turn in story)
    run = simulation.run
    found = {name: str(each.phase) for name, each in by_name(run).items() if "server" in name}
    assert run.phase == "Succeeded"
    assert found == {"[0].server": "Succeeded", "[0].server(0)": "Failed", "[0].server(1)": "Succeeded"}
    inputs = node(run, "[1].use").inputs
    assert inputs is not None
    assert inputs.parameters[0].value == "10.0.0.1"


@pytest.mark.parametrize("strategy", [Shutdown.STOP, Shutdown.TERMINATE])
def test_a_stop_ends_it_with_what_encloses_it(strategy: Shutdown) -> None:
    simulation = simulated(STEPS, {"use": Outcome(seconds=100)})
    simulation.at(Stop(now=START + 10, strategy=strategy))
    seen(simulation)
    assert simulation.run.phase == "Failed"
    assert node(simulation.run, "[0].server").phase == "Succeeded"
    assert node(simulation.run, "[1].use").message == f"workflow shutdown with strategy:  {strategy}"


def test_a_daemon_that_never_gets_ready_holds_up_what_waits_for_it() -> None:
    simulation = simulated(STEPS, {"server": Outcome(exit_code=3, ends=True)})
    simulation.next()
    daemon = node(simulation.run, "[0].server")
    simulation.send(Exited(now=START + 1, node_id=daemon.id, exit_code=3))
    run = simulation.run
    assert (run.phase, node(run, "[0].server").message) == ("Failed", "main: Error (exit code 3)")
    assert "[1].use" not in by_name(run)


def test_what_is_no_daemon_has_no_address() -> None:
    with pytest.raises(InvalidDocument, match="template 'server' is no daemon"):
        document(STEPS.replace("daemon: true", "daemon: false"))


def test_one_that_goes_on_is_looked_for_after_a_restart() -> None:
    simulation = simulated(STEPS, {"use": Outcome(seconds=100)})
    for _ in range(3):
        simulation.next()
    launched = [command.pod.node_id for command in relaunch(rebuilt(simulation.run)) if isinstance(command, Launch)]
    assert node(simulation.run, "[0].server").daemoned
    assert node(simulation.run, "[0].server").id in launched
