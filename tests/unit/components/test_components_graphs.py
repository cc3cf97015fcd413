"""Graph components: `component.yaml` of tasks, and pipelines as components."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from authoring import document, tasks, template, templates
from penstock import component, components, dsl
from penstock.components import create_graph_component_from_pipeline_func
from penstock.dsl import tracing
from penstock.errors import InvalidDocument, InvalidPipeline

TRAIN = """{name: train, inputs: [{name: data}, {name: rate, default: '0.1'}], outputs: [{name: model}],
  implementation: {container: {image: x, args: [{inputValue: data}, {inputValue: rate}, {outputPath: model}]}}}"""
JUDGE = """{name: judge, inputs: [{name: model}], outputs: [{name: score}],
  implementation: {container: {image: x, args: [{inputPath: model}, {outputPath: score}]}}}"""
GRAPH = f"""
name: Train and judge
inputs: [{{name: data, type: String}}, {{name: rate, default: '0.5'}}]
outputs: [{{name: score}}]
implementation:
  graph:
    tasks:
      judged:
        componentRef: {{spec: {JUDGE}}}
        arguments: {{model: {{taskOutput: {{taskId: trained, outputName: model}}}}}}
      trained:
        componentRef: {{spec: {TRAIN}}}
        arguments: {{data: {{graphInput: {{inputName: data}}}}, rate: {{graphInput: {{inputName: rate}}}}}}
        executionOptions: {{retryStrategy: {{maxRetries: 2}}, cachingStrategy: {{maxCacheStaleness: P0D}}}}
    outputValues: {{score: {{taskOutput: {{taskId: judged, outputName: score}}}}}}
"""


@component
def tell(text: str):
    """Print."""


def test_the_tasks_become_steps_of_the_pipeline() -> None:
    graph = components.load_component_from_text(GRAPH)

    def pipeline(data: str = "d") -> None:
        first = dsl.ContainerOp("first", "alpine")
        made = graph(data).after(first)
        tell(made.output)
        tell(made.outputs["score"])

    found = templates(pipeline)
    assert found["train"]["container"]["args"] == [
        "{{inputs.parameters.data}}",
        "0.5",
        "/tmp/outputs/model/data",
    ]
    assert found["train"]["retryStrategy"] == {"limit": 2}
    assert found["train"]["metadata"]["annotations"]["pipelines.kubeflow.org/max_cache_staleness"] == "P0D"
    made = tasks(found["p"])
    assert made["judge"]["dependencies"] == ["first", "train"]
    assert made["tell"]["dependencies"] == made["tell-2"]["dependencies"] == ["judge"]


def test_a_graph_may_hold_graphs() -> None:
    inner = json.dumps(components.load_component_from_text(GRAPH).spec.to_dict())
    task = f"{{componentRef: {{spec: {inner}}}, arguments: {{data: {{graphInput: {{inputName: data}}}}, rate: 7}}}}"
    text = f"{{inputs: [{{name: data}}], implementation: {{graph: {{tasks: {{inner: {task}}}}}}}}}"
    graph = components.load_component_from_text(text)
    args = template(lambda: graph("x"), "train")["container"]["args"]
    assert args[:2] == ["x", "7"]


def test_components_may_lie_beside_at_an_address(serve: Any) -> None:
    url = serve(TRAIN)
    digest = hashlib.sha256(TRAIN.encode()).hexdigest()
    text = "implementation: {graph: {tasks: {a: {componentRef: {url: '%s', digest: %s}, arguments: {data: x}}}}}"
    graph = components.load_component_from_text(text % (url, digest))
    assert template(lambda: graph(), "train")["container"]["args"][0] == "x"
    with pytest.raises(InvalidDocument, match=r"componentRef.digest: expected the digest 123, got "):
        components.load_component_from_text(text % (url, "'123'"))


@pytest.fixture(name="serve")
def _serve(tmp_path: Path) -> Any:
    """Serves one text; gives its address."""
    import threading
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()

        def serve(text: str, name: str = "component.yaml") -> str:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
            return f"http://127.0.0.1:{server.server_port}/{name}"

        yield serve
        server.shutdown()
        thread.join()


def test_an_address_that_refers_to_itself_is_refused(serve: Any) -> None:
    text = "implementation: {graph: {tasks: {a: {componentRef: {url: '%s'}}}}}"
    url = serve("")
    serve(text % url)
    with pytest.raises(InvalidDocument, match=r"components refer to others more than 8 levels deep"):
        components.load_component_from_url(url)


def graph(tasks: str, rest: str = "") -> str:
    """A graph component of these tasks."""
    return f"outputs: [{{name: o}}]\nimplementation: {{graph: {{tasks: {tasks}, {rest}}}}}"


SAID = "outputValues: {o: x}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("implementation: {}", "implementation: expected a container or a graph"),
        (graph("[]", SAID), "implementation.graph.tasks: expected a map, got a list"),
        (graph("{a: {}}", SAID), "implementation.graph.tasks.a.componentRef: missing"),
        (graph("{a: {componentRef: {name: x}}}", SAID), "expected the component itself (spec), or its address (url)"),
        (graph("{}"), "implementation.graph.outputValues: 'o' is no output with a value"),
        (graph("{}", "outputValues: {o: x, p: y}"), "'p' is no output with a value"),
        (graph("{}", "outputValues: {o: {graphInput: {inputName: i}}}"), "graphInput: no input 'i'; inputs: none"),
        (graph("{}", "outputValues: {o: {taskOutput: {taskId: t, outputName: x}}}"), "no task 't'; tasks: none"),
        (
            graph(
                f"{{t: {{componentRef: {{spec: {JUDGE}}}}}}}",
                "outputValues: {o: {taskOutput: {taskId: t, outputName: x}}}",
            ),
            "outputValues.o.taskOutput: task 't' has no output 'x'; its outputs: 'score'",
        ),
        (
            graph(f"{{t: {{componentRef: {{spec: {JUDGE}}}, arguments: {{x: 1}}}}}}", SAID),
            "implementation.graph.tasks.t: the component has no input 'x'; its inputs: 'model'",
        ),
        (graph("{t: {componentRef: {spec: {name: x}}}}", SAID), "tasks.t.componentRef.spec: implementation: missing"),
        (graph(f"{{t: {{componentRef: {{spec: {JUDGE}}}, enabled: {{}}}}}}", SAID), "tasks.t.enabled: unknown key"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InvalidDocument) as error:
        components.load_component_from_text(text)
    assert message in str(error.value)


SWITCHED = graph(f"{{t: {{componentRef: {{spec: {JUDGE}}}, isEnabled: {{'==': {{op1: a, op2: b}}}}}}}}", SAID)


def test_a_task_that_would_not_be_switched_off_is_refused() -> None:
    with pytest.raises(InvalidPipeline, match=r"tasks\.t\.isEnabled: the task would run all the same"):
        components.load_component_from_text(SWITCHED)


def test_a_file_for_kfp_may_have_such_a_task() -> None:
    warnings: list[str] = []
    with tracing.written_for(tracing.Manner(kfp="1.8", warn=warnings.append)):
        components.load_component_from_text(SWITCHED)
    assert ["isEnabled: the task would run all the same" in warning for warning in warnings] == [True]


def test_tasks_that_wait_for_one_another_are_refused() -> None:
    task = "{componentRef: {spec: %s}, arguments: {model: {taskOutput: {taskId: %s, outputName: score}}}}"
    tasks = f"{{a: {task % (JUDGE, 'b')}, b: {task % (JUDGE, 'a')}}}"
    circle = components.load_component_from_text(f"implementation: {{graph: {{tasks: {tasks}}}}}")
    with pytest.raises(InvalidPipeline, match=r"component 'Component': a circle: "):
        document(lambda: circle())


def test_a_pipeline_becomes_a_component_and_back(tmp_path: Path) -> None:
    train, judge = components.load_component_from_text(TRAIN), components.load_component_from_text(JUDGE)

    @dsl.pipeline(name="Both", description="Does both.")
    def both(data: str, rate: float = 0.2):
        trained = train(data, rate).set_retry(1)
        return {"score": judge(trained.output).output}

    file = tmp_path / "both.yaml"
    made = create_graph_component_from_pipeline_func(both, file)
    loaded = components.load_component_from_file(file)
    assert loaded.spec.to_dict() == made.spec.to_dict()
    assert [(port.name, port.type, port.default) for port in loaded.spec.inputs] == [
        ("data", "String", None),
        ("rate", "Float", "0.2"),
    ]
    found = templates(lambda: tell(loaded("x").output))
    assert found["train"]["container"]["args"][:2] == ["x", "0.2"]
    assert found["train"]["retryStrategy"] == {"limit": 1}
    assert tasks(found["p"])["tell"]["dependencies"] == ["judge"]


def test_a_pipeline_of_other_things_is_no_component() -> None:
    def looped() -> None:
        with dsl.ParallelFor([1]) as item:
            tell(item)

    with pytest.raises(InvalidPipeline, match=r"a graph component is made of components alone; got 'for-loop-2'"):
        create_graph_component_from_pipeline_func(looped)
    with pytest.raises(InvalidPipeline, match=r"got step 'a' of no component"):
        create_graph_component_from_pipeline_func(lambda: dsl.ContainerOp("a", "alpine"))

    def joined(name: str) -> None:
        tell(f"Hello, {name}")

    with pytest.raises(InvalidPipeline, match=r"a graph component cannot join texts and values"):
        create_graph_component_from_pipeline_func(joined)
