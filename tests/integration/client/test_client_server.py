"""The client against a real server."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from types import SimpleNamespace

import pytest

from commandline import PATIENCE, Rig, Started
from penstock import Client, component, dsl, errors
from penstock.client import Note, Run
from penstock.compiler.packages import package
from penstock.components import OutputPath
from penstock.workflow import load_yaml
from penstock.workflow.status import Node, NodeOutputs, Parameter, Phase


@component
def add(a: int, b: int) -> int:
    print("adding", a, b)
    return a + b


@component
def write(count: int, text: OutputPath(str), mlpipeline_metrics: OutputPath(str)) -> None:  # type: ignore[valid-type]
    import json
    import sys

    print("writing", file=sys.stderr)
    with open(text, "w") as file:
        file.write("x" * count)
    with open(mlpipeline_metrics, "w") as file:
        json.dump({"metrics": [{"name": "size", "numberValue": count}]}, file)


@dsl.pipeline(name="sum")
def sum_of(a: int, b: int = 3) -> None:
    write(add(a, b).output)


APPROVED = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: approved-}
spec:
  entrypoint: main
  templates:
  - {name: main, suspend: {}, outputs: {parameters: [{name: word, valueFrom: {supplied: {}}}]}}
"""
LONG = {"main": "echo begun; sleep 600"}


def begun(client: Client, run_id: str) -> int:
    """Returns when the run's first step runs: the number of the event that told it."""
    for event in client.follow_run(run_id):
        if isinstance(event.value, Node) and event.value.type == "Pod" and event.value.phase is Phase.RUNNING:
            return event.seq
    raise AssertionError("the run ended before a step ran")


def test_a_pipeline_of_python_is_run_and_what_it_made_is_read(client: Client, tmp_path: Path) -> None:
    made = client.create_run_from_pipeline_func(sum_of, {"a": 4}, run_name="mine", experiment_name="numbers")
    run = made.wait_for_run_completion(PATIENCE)
    assert (run.state, run.succeeded, run.name) == ("SUCCEEDED", True, "mine")
    assert run.experiment_id == client.get_experiment(experiment_name="numbers").id
    assert run.finished_at is not None
    assert run.started_at is not None
    assert run.finished_at >= run.started_at
    assert client.get_run_outputs(run.id) == {"add": {"Output": "7"}}
    assert client.get_run_metrics(run.id) == {"size": 7.0}
    assert client.read_log(run.id, "add") == "adding 4 3\n"
    assert client.read_artifact(run.id, "write", "text") == b"x" * 7
    target = client.download_artifact(run.id, "write", "text", tmp_path / "text")
    assert (target.read_bytes(), [path.name for path in tmp_path.iterdir()]) == (b"x" * 7, ["text"])
    assert client.get_run_document(run.id)["status"]["phase"] == "Succeeded"
    assert client.get_run_views(run.id) == ()


def test_events_of_a_run_come_in_order_and_go_on_where_they_were_left(client: Client, served: Rig) -> None:
    made = client.create_run_from_pipeline_package(served.folder / "workflow.yaml")
    events = list(client.follow_run(made.run_id))
    assert [event.seq for event in events] == sorted({event.seq for event in events})
    assert {type(event.value) for event in events} <= {Run, Node, Note}
    last = events[-1].value
    assert isinstance(last, Run)
    assert last.state == "SUCCEEDED"
    assert list(client.follow_run(made.run_id, after=events[2].seq)) == events[3:]


def test_a_log_is_followed_while_it_is_written(client: Client, served: Rig) -> None:
    made = client.create_run_from_pipeline_package(served.folder / "workflow.yaml", LONG)
    begun(client, made.run_id)
    lines = client.follow_log(made.run_id, "greet")
    first = next(lines)
    assert (first.text, first.stream) == ("begun", "stdout")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", first.time)
    client.stop_run(made.run_id)
    assert list(lines) == [], "it ends with the step"
    assert made.wait_for_run_completion(PATIENCE).state == "CANCELED"


@pytest.mark.parametrize(("way", "handlers"), [("stop_run", 1), ("terminate_run", 0)])
def test_a_stop_runs_exit_handlers_and_a_terminate_does_not(
    way: str, handlers: int, client: Client, served: Rig
) -> None:
    made = client.create_run_from_pipeline_package(served.folder / "workflow.yaml", LONG)
    begun(client, made.run_id)
    getattr(client, way)(made.run_id)
    run = made.wait_for_run_completion(PATIENCE)
    assert (run.state, run.ended, run.succeeded) == ("CANCELED", True, False)
    assert sum(node.display_name.endswith(".onExit") for node in client.get_run_nodes(run.id)) == handlers
    with pytest.raises(errors.Conflict, match="has ended"):
        getattr(client, way)(made.run_id)


def test_what_waits_for_a_person_is_resumed(client: Client, tmp_path: Path) -> None:
    (tmp_path / "approved.yaml").write_text(APPROVED)
    made = client.create_run_from_pipeline_package(tmp_path / "approved.yaml")
    deadline = time.monotonic() + PATIENCE
    while not client.get_run_nodes(made.run_id) and time.monotonic() < deadline:
        time.sleep(0.05)
    with pytest.raises(errors.InvalidInput, match="needs a value for its output 'word'"):
        client.resume_run(made.run_id)
    client.resume_run(made.run_id, parameters={"word": "yes"})
    assert made.wait_for_run_completion(PATIENCE).state == "SUCCEEDED"
    (node,) = client.get_run_nodes(made.run_id)
    assert node.outputs == NodeOutputs(parameters=(Parameter(name="word", value="yes"),))


def test_a_failed_run_ends_the_waiting_and_one_that_goes_on_times_out(client: Client, served: Rig) -> None:
    failed = client.create_run_from_pipeline_package(served.folder / "workflow.yaml", {"main": "exit 3"})
    assert failed.wait_for_run_completion(PATIENCE).state == "FAILED"
    made = client.create_run_from_pipeline_package(served.folder / "workflow.yaml", LONG, run_name="slow")
    with pytest.raises(TimeoutError, match=r"run 'slow' is (PENDING|RUNNING) after 0\.1 s; it goes on"):
        made.wait_for_run_completion(0.1)
    client.delete_run(made.run_id)
    with pytest.raises(errors.NotFound):
        client.get_run(made.run_id)


def test_pipelines_and_their_versions(client: Client, served: Rig) -> None:
    pipeline = client.upload_pipeline(served.folder / "workflow.yaml", "greeting", "it greets")
    assert client.get_pipeline_id("greeting") == pipeline.id
    assert client.get_pipeline_id("another") is None
    with pytest.raises(errors.AlreadyExists, match="'greeting' exists"):
        client.upload_pipeline(served.folder / "workflow.yaml", "greeting")
    second = client.upload_pipeline_version(served.folder / "workflow.yaml", "second", pipeline_name="greeting")
    versions = client.list_pipeline_versions(pipeline.id, sort_by="created_at desc")
    assert [version.name for version in versions.pipeline_versions] == ["second", "greeting"]
    document = client.get_pipeline_version(pipeline.id, second.id)
    assert dict(document.pipeline_spec or {})["kind"] == "Workflow"
    assert [port.name for port in document.inputs] == ["main", "bye"]
    run = client.run_pipeline("", "of a version", version_id=second.id, params={"main": "echo $((1 + 1))"})
    assert client.wait_for_run_completion(run.id, PATIENCE).succeeded
    assert client.read_log(run.id, "greet") == "2\n"
    client.delete_pipeline_version(pipeline.id, second.id)
    assert client.list_pipeline_versions(pipeline.id).total_size == 1
    client.delete_pipeline(pipeline.id)
    assert "greeting" not in {each.name for each in client.list_pipelines(page_size=200).pipelines}
    with pytest.raises(errors.NotFound):
        client.get_pipeline(pipeline.id)


def test_a_package_of_any_kind_is_run(client: Client, served: Rig) -> None:
    document = load_yaml((served.folder / "workflow.yaml").read_text())
    for name in ("one.tar.gz", "two.tgz", "three.zip", "four.json"):
        (served.folder / name).write_bytes(package(document, Path(name)))
        run = client.run_pipeline("", name, served.folder / name)
        assert client.wait_for_run_completion(run.id, PATIENCE).state == "SUCCEEDED"
    (served.folder / "none.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(errors.InvalidDocument, match=r"none\.zip: the archive cannot be read"):
        client.run_pipeline("", "none", served.folder / "none.zip")
    with pytest.raises(errors.InvalidInput, match=r"x\.rar: ends in '\.rar'; expected \.yaml, .*\.zip or \.py"):
        client.run_pipeline("", "none", "x.rar")


def test_experiments(client: Client) -> None:
    made = client.create_experiment("night", "every night")
    assert client.create_experiment("night").id == made.id, "one of that name is taken"
    assert client.get_experiment(experiment_name="night").description == "every night"
    client.archive_experiment(made.id)
    assert client.get_experiment(made.id).storage_state == "ARCHIVED"
    client.unarchive_experiment(made.id)
    assert made.id in {each.id for each in client.list_experiments(page_size=200).experiments}
    client.delete_experiment(made.id)
    with pytest.raises(errors.NotFound, match="'night'"):
        client.get_experiment(experiment_name="night")


def test_lists_are_read_page_by_page(client: Client, served: Rig) -> None:
    experiment = client.create_experiment("paged")
    names = {client.run_pipeline(experiment.id, f"run {i}", served.folder / "workflow.yaml").name for i in range(3)}
    first = client.list_runs(page_size=2, experiment_id=experiment.id)
    rest = client.list_runs(page_size=2, page_token=first.next_page_token, experiment_id=experiment.id)
    assert (len(first.runs), len(rest.runs), rest.next_page_token, first.total_size) == (2, 1, "", 3)
    assert {run.name for run in (*first.runs, *rest.runs)} == names
    for run in (*first.runs, *rest.runs):
        client.wait_for_run_completion(run.id, PATIENCE)
        client.archive_run(run.id)
        assert client.get_run(run.id).storage_state == "ARCHIVED"
        client.unarchive_run(run.id)


def test_what_is_wrong_is_the_error_that_it_is_on_the_server(client: Client, served: Rig, tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidInput, match=r"""'a': expected integer, got string "ten"\."""):
        client.create_run_from_pipeline_func(sum_of, {"a": "ten"})
    with pytest.raises(errors.InvalidInput, match=r"Missing required parameter 'a' \(integer\) of 'sum'"):
        client.create_run_from_pipeline_func(sum_of)
    with pytest.raises(errors.NotFound, match="no pipeline version"):
        client.run_pipeline("", "x", version_id="none")
    with pytest.raises(errors.InvalidInput, match="got no file, pipeline or version"):
        client.run_pipeline("", "x")
    (tmp_path / "pod.yaml").write_text("apiVersion: v1\nkind: Pod\n")
    with pytest.raises(errors.InvalidInput, match=r"expected kind Workflow .*, got kind Pod"):
        client.create_run_from_pipeline_package(tmp_path / "pod.yaml")
    done = client.create_run_from_pipeline_package(served.folder / "workflow.yaml")
    done.wait_for_run_completion(PATIENCE)
    with pytest.raises(errors.NotFound, match=r"has no step 'none'; its steps: greet, "):
        client.read_log(done.run_id, "none")


def test_without_the_token_nothing_is_told(client: Client, served: Rig) -> None:
    with Client(client.host, "a token that is not the home's") as stranger, pytest.raises(errors.Unauthenticated):
        stranger.list_runs()
    assert client.get_kfp_healthz()["ready"] is True


def test_a_server_that_is_started_anew_is_waited_for(rig: Rig, up: Callable[..., Started]) -> None:
    first = up("--images", "images.toml")
    port = first.said[0].split("(")[0].strip().rpartition(":")[2]
    with Client(home=rig.home) as client:
        made = client.create_run_from_pipeline_package(rig.folder / "workflow.yaml", LONG)
        seen = begun(client, made.run_id)
        first.process.kill()
        first.end()
        with rig.start("up", "--images", "images.toml", "--port", port) as second:
            second.until("Log in, once: ")
            client.stop_run(made.run_id)
            events = list(client.follow_run(made.run_id, after=seen))
            assert isinstance(events[-1].value, Run)
            assert events[-1].value.state == "CANCELED"


def test_a_notebook_shows_a_run_until_it_has_ended(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    pages: Queue[str] = Queue()
    shown = SimpleNamespace(update=pages.put)
    module = SimpleNamespace(HTML=str, display=lambda page, display_id: (pages.put(page), shown)[1])
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    result = client.create_run_from_pipeline_func(sum_of, {"a": 1}, pipeline_conf=dsl.PipelineConf())
    result._ipython_display_()
    page = ""
    while "SUCCEEDED" not in page:
        page = pages.get(timeout=PATIENCE)
    assert f'href="{client.host}/runs/{result.run_id}"' in page
    assert ">add</td>" in page
    assert "<li>size = 4</li>" in page
