"""Steps that are alike but for their arguments have one template."""

from __future__ import annotations

import json
from typing import Any

from authoring import document, parameters, step, task, tasks, templates
from penstock import component, components, dsl
from penstock.components import InputPath, OutputPath
from penstock.dsl import Dataset, Input, Output


@component
def add(a: int, b: int = 1) -> int:
    """Add."""
    return a + b


@component
def count(rows_path: InputPath(str)) -> int:  # type: ignore[valid-type]
    """Count."""
    return len(open(rows_path).read())


@component
def write(rows_path: OutputPath(str)):  # type: ignore[valid-type]
    """Write."""


def programs(pipeline: Any) -> int:
    return json.dumps(document(pipeline)).count("def _run(function")


def test_a_component_that_is_used_twice_has_one_template() -> None:
    def pipeline(start: int = 0) -> None:
        first = add(start)
        second = add(first.output, 5)
        add(second.output, b=start)

    found = templates(pipeline)
    # The last one hands nothing on, so its output is no parameter.
    assert sorted(found) == ["add", "add-3", "p"]
    assert found["add"]["inputs"] == {"parameters": [{"name": "a"}, {"name": "b"}]}
    assert found["add"]["container"]["args"][:4] == [
        "--a",
        "{{inputs.parameters.a}}",
        "--b",
        "{{inputs.parameters.b}}",
    ]
    assert [each["name"] for each in found["add"]["outputs"]["parameters"]] == ["Output"]
    assert "parameters" not in found["add-3"]["outputs"]
    made = tasks(found["p"])
    assert [made[name]["template"] for name in ("add", "add-2", "add-3")] == ["add", "add", "add-3"]
    assert parameters(made["add"]) == {"a": "{{inputs.parameters.start}}", "b": "1"}
    assert parameters(made["add-2"]) == {"a": "{{tasks.add.outputs.parameters.Output}}", "b": "5"}
    assert parameters(made["add-3"]) == {
        "a": "{{tasks.add-2.outputs.parameters.Output}}",
        "b": "{{inputs.parameters.start}}",
    }
    assert made["add-3"]["dependencies"] == ["add-2"]


def test_a_program_stands_in_the_document_once_however_often_it_runs() -> None:
    def pipeline() -> None:
        for number in range(50):
            add(number, number)

    assert programs(pipeline) == 1
    assert len(json.dumps(document(pipeline))) < 20_000


def test_one_that_is_used_once_keeps_its_names() -> None:
    def pipeline() -> None:
        add(add_once(1).output)

    add_once = component(add.python_func, name="add once")
    assert set(templates(pipeline)) == {"add", "add-once", "p"}
    assert parameters(task(pipeline, "p", "add")) == {"add-once-Output": "{{tasks.add-once.outputs.parameters.Output}}"}


def test_what_is_set_on_a_step_keeps_its_template_apart() -> None:
    def pipeline() -> None:
        for memory in ("1G", "2G", "1G"):
            add(1).set_memory_limit(memory)
        add(1).set_env_variable("A", "b")
        add(1).set_retry(2)
        add(1).add_init_container(dsl.UserContainer("i", "alpine"))
        add(1).set_display_name("shown").set_caching_options(False)

    found = templates(pipeline)
    assert [tasks(found["p"])[f"add{end}"]["template"] for end in ("", "-2", "-3")] == ["add", "add-2", "add"]
    assert len([name for name in found if name != "p"]) == 6


def test_the_authors_own_command_is_left_alone() -> None:
    def pipeline() -> None:
        for each in range(2):
            op = add(each)
            op.container.args = ["--a", "7"]

    assert set(templates(pipeline)) == {"add", "add-2", "p"}


def test_a_tag_of_the_authors_stays_in_the_template() -> None:
    tell = components.load_component_from_text(
        "name: tell\ninputs: [{name: text}]\nimplementation: {container: {image: a, command: [{inputValue: text}]}}"
    )

    def pipeline() -> None:
        tell("{{pod.name}}")
        tell("{{pod.name}}")

    assert templates(pipeline)["tell-2"]["container"]["command"] == ["{{pod.name}}"]


def test_references_in_settings_stay_where_they_are() -> None:
    def pipeline(a: str = "x") -> None:
        for _ in range(2):
            add(1).set_env_variable("A", a)

    found = templates(pipeline)
    assert found["add-2"]["inputs"] == {"parameters": [{"name": "a"}]}
    assert found["add-2"]["container"]["env"] == [{"name": "A", "value": "{{inputs.parameters.a}}"}]


def test_files_are_handed_over_by_name() -> None:
    def pipeline(text: str = "t") -> None:
        one, two = write(), write()
        for rows in (one.output, two.output, text, "constant", f"{text}-joined"):
            count(rows)

    found = templates(pipeline)
    assert [name for name in found if name.startswith("count")] == ["count"]
    assert found["count"]["inputs"] == {"artifacts": [{"name": "rows", "path": "/tmp/inputs/rows/data"}]}
    made = tasks(found["p"])
    given = [made[name]["arguments"]["artifacts"][0] for name in ("count", "count-2", "count-3", "count-4", "count-5")]
    assert given == [
        {"name": "rows", "from": "{{tasks.write.outputs.artifacts.rows}}"},
        {"name": "rows", "from": "{{tasks.write-2.outputs.artifacts.rows}}"},
        {"name": "rows", "from": "{{inputs.artifacts.text}}"},
        {"name": "rows", "raw": {"data": "constant"}},
        {"name": "rows", "raw": {"data": "{{inputs.parameters.text}}-joined"}},
    ]


def test_optional_inputs_that_one_leaves_out_make_another_template() -> None:
    @component
    def say(text: str | None = None):
        """Say."""

    def pipeline() -> None:
        say()
        say("a")
        say()
        say("b")

    made = tasks(templates(pipeline)["p"])
    assert [made[f"say{end}"]["template"] for end in ("", "-2", "-3", "-4")] == ["say", "say-2", "say", "say-2"]


def test_a_condition_on_a_value_keeps_templates_apart() -> None:
    tell = components.load_component_from_text(
        "name: tell\ninputs: [{name: loud}]\nimplementation: {container: {image: a, command: [echo,"
        " {if: {cond: {inputValue: loud}, then: [LOUD], else: [quiet]}}]}}"
    )

    def pipeline() -> None:
        tell("true")
        tell("false")

    found = templates(pipeline)
    assert [found[name]["container"]["command"][1] for name in ("tell", "tell-2")] == ["LOUD", "quiet"]


def test_inside_loops_and_branches_each_task_reads_what_is_there() -> None:
    def pipeline(n: int = 1) -> None:
        first = add(n)
        with dsl.ParallelFor([1, 2]) as item:
            inner = add(item, first.output)
            with dsl.If(inner.output > 2):
                add(inner.output)

    found = templates(pipeline)
    (loop,) = (name for name in found if name.startswith("for-loop"))
    inner = tasks(found[loop])["add-2"]
    assert inner["template"] == "add"
    assert parameters(inner)["b"] == "{{inputs.parameters.add-Output}}"
    assert parameters(tasks(found["p"])[loop])["add-Output"] == "{{tasks.add.outputs.parameters.Output}}"


def test_typed_artifacts_are_described_to_those_who_read_them() -> None:
    @component
    def make(data: Output[Dataset], rows: int):
        """Make."""

    @component
    def use(data: Input[Dataset]):
        """Use."""

    def pipeline() -> None:
        for rows in (1, 2):
            use(make(rows=rows).outputs["data"])

    found = templates(pipeline)
    assert set(found) == {"make", "use", "p"}
    given = tasks(found["p"])["use-2"]["arguments"]
    assert given["artifacts"] == [{"name": "data", "from": "{{tasks.make-2.outputs.artifacts.data}}"}]
    assert given["parameters"] == [
        {
            "name": "data-facts",
            "value": "{{=toJson(jsonpath(tasks['make-2'].outputs.parameters['executor-output'], "
            "'$.artifacts.data.artifacts[0]'))}}",
        }
    ]


def test_exit_steps_and_plain_steps_have_their_own() -> None:
    @dsl.pipeline(name="p")
    def pipeline(a: int = 1) -> None:
        with dsl.ExitHandler(dsl.ContainerOp("bye", "alpine", is_exit_handler=True)):
            step("one", a)
            step("two", a)

    assert set(templates(pipeline)) == {"bye", "exit-handler-1", "one", "p", "two"}


def test_with_a_shared_volume_every_step_has_its_own() -> None:
    @dsl.pipeline(name="p")
    def pipeline() -> None:
        volume = dsl.data_passing_methods.KubernetesVolume(
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}, "artifact_data/"
        )
        dsl.get_pipeline_conf().data_passing_method = volume
        for _ in range(2):
            count(write().output)

    assert {"count", "count-2", "write", "write-2"} <= set(templates(pipeline))
