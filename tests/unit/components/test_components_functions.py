"""Function → component: what the signature says, the command line, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pytest

import penstock
from authoring import container, document, parameters, step, task, template
from penstock import components, dsl
from penstock.components import InputPath, OutputPath, component
from penstock.errors import InvalidPipeline

HELPER = 3


def test_outside_a_pipeline_a_component_is_its_function() -> None:
    @penstock.component
    def add(a: int, b: int = 2) -> int:
        """Add."""
        return a + b

    assert add(1) == 3
    assert (add.__name__, add.__doc__) == ("add", "Add.")


def test_the_signature_gives_the_ports() -> None:
    @component
    def train_it(
        data_path: InputPath("CSV"),  # type: ignore[valid-type]
        rate: float,
        model_path: OutputPath("Model"),  # type: ignore[valid-type]
        note: str | None = None,
        epochs: int = 3,
    ) -> NamedTuple("Out", [("loss", float), ("steps", int)]):  # type: ignore
        """Train.

        Args:
            rate: How fast.
        """

    assert train_it.spec.to_dict()["inputs"] == [
        {"name": "data", "type": "CSV"},
        {"name": "rate", "type": "Float", "description": "How fast."},
        {"name": "note", "type": "String", "optional": True},
        {"name": "epochs", "type": "Integer", "default": "3", "optional": True},
    ]
    assert train_it.spec.to_dict()["outputs"] == [
        {"name": "model", "type": "Model"},
        {"name": "loss", "type": "Float"},
        {"name": "steps", "type": "Integer"},
    ]
    assert (train_it.spec.name, train_it.spec.description) == ("Train it", "Train.")


def test_the_command_line() -> None:
    @component(base_image="trainer:1", packages_to_install=["numpy==2.0", "it's[x]>1"], name="My step")
    def train(data_path: InputPath("CSV"), model_path: OutputPath("Model"), rate: float = 0.1) -> int:  # type: ignore
        return 1

    def pipeline() -> None:
        train(step("make").output)

    found = container(pipeline, "my-step")
    assert found["image"] == "trainer:1"
    assert found["command"][:2] == ["sh", "-c"]
    assert "pip install --quiet --no-warn-script-location 'numpy==2.0' \"it's[x]>1\"" in found["command"][2]
    assert found["command"][3:5] == ["sh", "-ec"]
    assert found["args"] == [
        "--data",
        "/tmp/inputs/data/data",
        "--rate",
        "0.1",
        "--model",
        "/tmp/outputs/model/data",
        "----output-paths",
        "/tmp/outputs/Output/data",
    ]


def test_without_an_image_it_is_pythons() -> None:
    @component
    def f() -> None: ...

    assert container(lambda: f(), "f")["image"] == "python:3.11"


def test_an_optional_parameter_that_is_not_given_is_left_out() -> None:
    @component
    def f(a: str, b: str | None = None) -> None: ...

    assert container(lambda: f("x"), "f")["args"] == ["--a", "x"]
    assert container(lambda: f("x", None), "f")["args"] == ["--a", "x"]
    assert container(lambda: f("x", ""), "f")["args"] == ["--a", "x", "--b", ""]


def test_files_are_passed_under_the_names_of_ports_or_parameters() -> None:
    @component
    def make(out_path: OutputPath("CSV")) -> None: ...  # type: ignore[valid-type]

    @component
    def read(data_path: InputPath("CSV"), more_path: InputPath("CSV")) -> None: ...  # type: ignore[valid-type]

    def pipeline() -> None:
        maker = make()
        read(data_path=maker.outputs["out"], more=maker.output)

    assert template(pipeline, "read")["inputs"]["artifacts"] == [
        {"name": "make-out", "path": "/tmp/inputs/data/data"},
        {"name": "make-out-2", "path": "/tmp/inputs/more/data"},
    ]


def test_values_are_written_by_their_types() -> None:
    @component
    def f(a: str, b: int, c: float, d: bool, e: list, g: dict, h: GcsUri) -> None: ...  # type: ignore  # noqa: F821

    args = container(lambda: f("a", 1, 2, True, [1, {"b": None}], {"z": 1, "a": (2,)}, 3.5), "f")["args"]
    assert args[1::2] == ["a", "1", "2", "True", '[1, {"b": null}]', '{"a": [2], "z": 1}', "3.5"]


def test_outputs_know_their_types() -> None:
    @component
    def make() -> int:
        return 1

    @component
    def read(n: int) -> None: ...

    def pipeline() -> None:
        made = make()
        assert made.output.param_type == "Integer"
        read(made.output)

    assert parameters(task(pipeline, "p", "read")) == {"make-Output": "{{tasks.make.outputs.parameters.Output}}"}


def test_pages_get_the_interface_of_a_step() -> None:
    @component(annotations={"team": "a"})
    def f(a: int) -> str:
        """Do."""
        return str(a)

    found = template(lambda: f(1), "f")["metadata"]["annotations"]
    assert found["team"] == "a"
    assert json.loads(found["pipelines.kubeflow.org/component_spec"]) == {
        "name": "F",
        "description": "Do.",
        "inputs": [{"name": "a", "type": "Integer"}],
        "outputs": [{"name": "Output", "type": "String"}],
    }


def test_annotated_types_say_the_same_to_both() -> None:
    @component
    def f(
        a_path: Annotated[str, InputPath("CSV")],
        b: Annotated[str, "GcsUri[text/json]"],
        c_path: Annotated[str, OutputPath],
        d: Annotated[int, object()] = 1,
    ) -> None: ...

    assert [(port.name, port.type) for port in f.spec.inputs] == [
        ("a", "CSV"),
        ("b", "GcsUri[text/json]"),
        ("d", "Integer"),
    ]
    assert [port.name for port in f.spec.outputs] == ["c"]


# --- faults -----------------------------------------------------------------------------------------------------


@component
def train(epochs: int, lr: float, label: str = "") -> float:
    """A component to call wrongly."""
    return lr


@component
def annotated(x: InputPath("CSV")) -> None:  # type: ignore[valid-type]
    """Takes a file of a certain type."""


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: train(epochs=3), "Missing required parameter 'lr' (number) of 'train'. Given: 'epochs'."),
        (lambda: train(), "Missing required parameter 'epochs' (integer) of 'train'. Given: none."),
        (lambda: train(1, 2, z=3), "Unknown parameter 'z' of 'train'. Known: 'epochs', 'lr', 'label'."),
        (lambda: train(1, 2, "", 4), "'train' takes 3 parameters, got 4."),
        (lambda: train(1, epochs=2), "'train' got parameter 'epochs' twice."),
        (lambda: train("ten", 1), "'epochs': expected integer, got string \"ten\"."),
        (lambda: train(1.5, 1), "'epochs': expected integer, got number 1.5."),
        (lambda: train(True, 1), "'epochs': expected integer, got boolean true."),
        (lambda: train(1, [1]), "'lr': expected number, got list [1]."),
        (lambda: train(1, 1, 3), "'label': expected string, got integer 3."),
        (lambda: train(None, 1), "'epochs' is not optional; declare Optional[int] = None."),
        (lambda: train(1, train(1, 1)), "'lr' got the step 'train'; pass one of its outputs ('Output', 'output')."),
        (
            lambda: train(train(1, 1).output, 1),
            "'epochs': expected type Integer, got 'train-Output' of type Float; where that is meant, pass it with "
            ".ignore_type().",
        ),
        (
            lambda: annotated(train(1, 1).output),
            "'x': expected type CSV, got 'train-Output' of type Float; where that is meant, pass it with "
            ".ignore_type().",
        ),
    ],
)
def test_a_wrong_call_is_told_with_its_line(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(InvalidPipeline) as caught:
        document(lambda: call())
    place = f"{__file__}:{call.__code__.co_firstlineno}"
    assert str(caught.value) in (f"{place}: {message}", f"{place.rpartition(':')[0]}:{_line(call)}: {message}")


def _line(call: Callable[[], Any]) -> int:
    return max(line for _, _, line in call.__code__.co_lines() if line)


def test_a_type_can_be_ignored() -> None:
    assert document(lambda: train(train(1, 1).output.ignore_type(), 1))


def uses_helper(n: int) -> int:
    """Uses what it should not."""
    return n + HELPER


def uses_module(n: int) -> str:
    return json.dumps(n)


def uses_default(n: int = HELPER) -> int:
    return n


def uses_in_nested(n: int) -> int:
    def inner() -> int:
        return n + HELPER

    return inner()


def uses_in_class(n: int) -> Any:
    class Box:
        HELPER = n

        def get(self) -> int:
            return HELPER

    return Box


@pytest.mark.parametrize(
    ("func", "name", "lines_below"),
    [
        (uses_helper, "HELPER", 2),
        (uses_module, "json", 1),
        (uses_default, "HELPER", 0),
        (uses_in_nested, "HELPER", 2),
        (uses_in_class, "HELPER", 2),
    ],
)
def test_a_name_from_outside_is_refused_when_compiled(func: Callable[..., Any], name: str, lines_below: int) -> None:
    made = component(func)
    line = func.__code__.co_firstlineno + lines_below
    with pytest.raises(InvalidPipeline) as caught:
        document(lambda: made(1))
    assert str(caught.value) == (
        f"{__file__}:{line}: '{name}' (line {line}) is defined outside component '{func.__name__}'; "
        "import or define it inside."
    )


def test_what_a_function_brings_itself_is_no_name_from_outside() -> None:
    @component
    def own(n: int) -> list:  # type: ignore[type-arg]
        import os.path as path

        global counter

        class Base:
            kind: int = 1

            def get(self) -> int:
                return self.kind

        counter = 1
        try:
            total = sum(i * counter for i in range(n))
        except ValueError as error:
            raise RuntimeError(__name__) from error
        return [path.sep, total, Base().get(), (lambda x: x)(n), own]

    assert document(lambda: own(1))


@pytest.mark.parametrize(
    ("func", "message"),
    [
        (lambda a: a, "'<lambda>' cannot become a component; make it a function with `def`"),
        (len, "a component is a function made with `def`; got <built-in function len>"),
    ],
)
def test_what_is_no_function_is_refused(func: Callable[..., Any], message: str) -> None:
    with pytest.raises(InvalidPipeline, match=message):
        assert component(func).spec


def rest(*values: int) -> None: ...


def twice(a_path: InputPath(), a: str) -> None:  # type: ignore
    ...


def output_default(a_path: OutputPath() = "x") -> None:  # type: ignore
    ...


def file_default(a_path: InputPath() = "x") -> None:  # type: ignore
    ...


@pytest.mark.parametrize(
    ("func", "message"),
    [
        (rest, r"'\*values: 'int'': a component's parameters are named one by one"),
        (twice, "two ports of the component are called 'a'; rename one"),
        (output_default, "'a_path' is an output; it takes no default"),
        (file_default, "'a_path' is a file; its only default is None"),
    ],
)
def test_a_signature_that_no_component_has_is_refused(func: Callable[..., Any], message: str) -> None:
    with pytest.raises(InvalidPipeline, match=message) as caught:
        component(func)
    assert str(caught.value).startswith(f"{__file__}:{func.__code__.co_firstlineno}: ")


def test_packages_are_a_list() -> None:
    with pytest.raises(InvalidPipeline, match="packages_to_install: expected a list of texts, got one text"):
        component(packages_to_install="numpy")(uses_module)  # type: ignore[arg-type]


def test_a_component_file_step_outside_a_pipeline_is_refused() -> None:
    made = components.load_component_from_text("implementation: {container: {image: x}}\nname: Do it")
    with pytest.raises(InvalidPipeline, match="The step 'do_it' can only be made inside a function decorated with"):
        made()


# --- kfp's names ------------------------------------------------------------------------------------------------


def add(a: int, b: int = 2) -> int:
    """Add."""
    return a + b


@pytest.mark.parametrize("make", [components.create_component_from_func, components.func_to_container_op])
def test_a_component_is_written_to_a_file_and_read_again(make: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "component.yaml"
    made = make(add, str(path), base_image="python:3.12", packages_to_install=["six"], annotations={"a": "b"})
    again = components.load_component_from_file(path)
    assert again.spec.to_dict() == made.spec.to_dict()
    assert container(lambda: again(a=1, b=5), "add") == container(lambda: made(1, 5), "add")


def test_pickled_code_is_refused() -> None:
    with pytest.raises(InvalidPipeline, match="'add': use_code_pickling is not supported: pickled code runs on one"):
        components.func_to_container_op(add, use_code_pickling=True)


def test_parameters_of_the_pipeline_are_passed_on() -> None:
    def pipeline(x: int, y: str = "") -> None:
        train(x, 0.5, dsl.PipelineParam("y"))

    assert container(pipeline, "train")["args"][:6] == [
        "--epochs",
        "{{inputs.parameters.x}}",
        "--lr",
        "0.5",
        "--label",
        "{{inputs.parameters.y}}",
    ]


def test_a_function_without_a_file_is_refused() -> None:
    found: dict[str, Any] = {}
    exec("def f() -> None: ...", found)
    with pytest.raises(InvalidPipeline, match="the source of 'f' cannot be found"):
        assert component(found["f"]).spec
