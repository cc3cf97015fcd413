"""`import kfp` in a process that asked for it: what resolves, what is refused, and what is left when it is over."""

from __future__ import annotations

import hashlib
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock import dsl
from penstock.compat import kfp
from penstock.compiler import load_pipelines
from penstock.compiler.dialects import KFP_1_8
from penstock.errors import InvalidInput, InvalidPipeline

ONE = "@dsl.pipeline(name='One')\ndef one(x: int = 1):\n    dsl.ContainerOp('a', 'alpine', arguments=[x])\n"


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "old.py"


def compiled(path: Path, text: str, version: str = "1.8", function: str | None = None) -> dict[str, Any]:
    path.write_text(text)
    return kfp.compiled(path, function, version)


def refusal(path: Path, text: str, version: str = "1.8") -> str:
    with pytest.raises(InvalidPipeline) as caught:
        compiled(path, text, version)
    return str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "import kfp; dsl = kfp.dsl; kfp.compiler.Compiler; kfp.components.load_component_from_text",
        "import kfp.dsl as dsl",
        "from kfp import dsl, components, compiler",
        "from kfp import dsl; from kfp.compiler import Compiler; from kfp.dsl.types import type_name",
        "from kfp import dsl; from kfp.components import InputPath, OutputPath, create_component_from_func",
        "import kfp.dsl.data_passing_methods; from kfp import dsl; dsl.data_passing_methods.KubernetesVolume",
        "import kfp; from kfp import dsl; assert kfp.__version__ == '1.8.22'; kfp.Client; kfp.LocalClient",
        "from kfp import dsl, run_pipeline_func_locally, run_pipeline_func_on_cluster",
        "from kfp import dsl, gcp, aws, azure, onprem; from kfp.dsl.extensions.kubernetes import use_secret",
        "from kfp import dsl; from kfp.components import func_to_component_text; from kfp.dsl.types import check_types",
        "from kfp import dsl; from kfp.dsl import _for_loop; assert dsl._for_loop.LoopArguments.NUM_CODE_CHARS == 8",
        "from kfp import dsl; assert dsl._component.graph_component is dsl.graph_component",
        "from kfp import dsl; from kfp.dsl._container_op import ContainerOp, BaseOp, Sidecar",
    ],
)
def test_files_of_1_8_import_what_they_are_used_to(line: str, path: Path) -> None:
    assert compiled(path, f"{line}\n{ONE}")["spec"]["entrypoint"] == "one"


@pytest.mark.parametrize("line", ["import kfp.dsl as dsl", "from kfp import dsl, gcp, compiler, components"])
def test_files_of_0_1_too(line: str, path: Path) -> None:
    assert compiled(path, f"{line}\n{ONE}", "0.1")["spec"]["entrypoint"] == "one"


def test_the_process_is_afterwards_as_it_was_before(path: Path) -> None:
    finders, modules = list(sys.meta_path), set(sys.modules)
    compiled(path, "import kfp.compiler\nfrom kubernetes.client import V1Volume\nfrom kfp import dsl\n" + ONE)
    assert sys.meta_path == finders
    assert not {name for name in set(sys.modules) - modules if name.startswith(("kfp", "kubernetes"))}


def test_even_when_the_file_cannot_be_compiled(path: Path) -> None:
    finders = list(sys.meta_path)
    assert refusal(path, "import kfp\n1 / 0\n") == f"{path}:2: ZeroDivisionError: division by zero"
    assert (sys.meta_path, "kfp" in sys.modules) == (finders, False)


def test_installed_it_stays() -> None:
    text = (
        "from penstock.compat import kfp\n"
        "kfp.install('1.8')\n"
        "from kfp import dsl\n"
        "import penstock.dsl\n"
        "assert dsl.ContainerOp is penstock.dsl.ContainerOp\n"
    )
    subprocess.run([sys.executable, "-c", text], check=True)


@pytest.mark.parametrize("second", ["1.8", "0.1"])
def test_once_in_a_process_and_before_kfp_is_imported(second: str) -> None:
    with kfp.resolved("1.8"):
        importlib.import_module("kfp")
        with pytest.raises(InvalidInput, match=r"^kfp 1\.8\.22 is imported already; ask for it before"):
            kfp.install(second)


def test_of_an_unknown_version_the_known_ones_are_told() -> None:
    with pytest.raises(InvalidInput, match=r"^kfp '2\.0': expected one of 1\.8, 0\.1$"):
        kfp.install("2.0")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("from kfp.v2 import dsl", "kfp.v2 is not supported: it is the second version of kfp's language"),
        ("import kfp.v2.compiler", "kfp.v2 is not supported"),
        ("from kfp import v2", "kfp.v2 is not supported"),
        ("from kfp.auth import TokenCredentialsBase", "kfp.auth is not supported: its servers stand behind Google's"),
        ("from kfp.dsl import importer", "kfp.dsl.importer is not supported: it is the second version"),
        (
            "from kfp.dsl._metadata import PipelineMeta",
            "kfp.dsl._metadata is not supported: it is a part of kfp's",
        ),
        ("from kfp.compiler import build_docker_image", "kfp.compiler.build_docker_image is not supported: it builds"),
        ("from kfp import no_such_thing", "ImportError: cannot import name 'no_such_thing' from 'kfp'"),
        (
            "import kfp\nkfp.compiler.Compiler(mode=kfp.dsl.PipelineExecutionMode.V2_COMPATIBLE)",
            "mode V2_COMPATIBLE: only PipelineExecutionMode.V1_LEGACY is supported",
        ),
        (
            "from kfp import dsl\n@dsl.pipeline(name='One')\n"
            "def one(): dsl.ContainerOp('a', 'b').container.set_env_variable('A', 'b')",
            "set_env_variable is of kfp's second version; use add_env_variable",
        ),
        (
            "import kfp\ndef f(): pass\nkfp.components.func_to_container_op(f, use_code_pickling=True)",
            "'f': use_code_pickling is not supported",
        ),
    ],
)
def test_what_is_not_here_is_told_with_the_line(line: str, message: str, path: Path) -> None:
    text = f"\n{line}\n"
    assert refusal(path, text).startswith(f"{path}:{len(text.splitlines())}: {message}")


def test_what_only_the_later_version_has_is_not_in_the_older(path: Path) -> None:
    assert "cannot import name 'ParallelFor'" in refusal(path, "from kfp.dsl import ParallelFor\n", "0.1")


def test_the_only_public_function_stands_in_for_a_decorated_one(path: Path) -> None:
    text = (
        "from kfp import dsl\n"
        "rate = dsl.PipelineParam(name='learning rate', value=0.5)\n"
        "data = dsl.PipelineParam(name='data')\n"
        "def _step(): dsl.ContainerOp('a', 'alpine', arguments=[rate, f'<{data}>'])\n"
        "def my_pipeline(): _step()\n"
    )
    spec = compiled(path, text)["spec"]
    assert spec["entrypoint"] == "my-pipeline"
    assert spec["arguments"] == {"parameters": [{"name": "learning-rate", "value": "0.5"}, {"name": "data"}]}
    assert spec["templates"][0]["container"]["args"] == [
        "{{inputs.parameters.learning-rate}}",
        "<{{inputs.parameters.data}}>",
    ]
    assert compiled(path, text + "def other(): _step()\n", function="other")["spec"]["entrypoint"] == "other"
    assert refusal(path, text + "def other(): _step()\n").startswith(
        f"{path}: no decorated pipeline in it, and not one public function alone (my_pipeline, other)"
    )


def test_its_mistakes_are_told_with_their_place(path: Path) -> None:
    text = "from kfp import dsl\nx = dsl.PipelineParam(name='x')\ndef my_pipeline():\n    pass\n"
    assert refusal(path, text) == f"{path}:3: pipeline 'My pipeline' has no step"


def test_the_compiler_of_a_file_writes_as_its_version_does(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(f"import kfp\nfrom kfp import dsl\n{ONE}\nkfp.compiler.Compiler().compile(one, 'made.json')\n")
    monkeypatch.chdir(path.parent)
    made = kfp.compiled(path, None, "1.8")
    assert json.loads(Path("made.json").read_text()) == made
    assert made != dsl_compiled(path)


def dsl_compiled(path: Path) -> dict[str, Any]:
    from penstock.compiler import compile_pipeline, load_pipelines

    with kfp.resolved("1.8") as surface:
        assert surface.dialect is KFP_1_8
        return compile_pipeline(load_pipelines(path))


@pytest.mark.parametrize(("version", "image"), [("1.8", "python:3.7"), ("0.1", "tensorflow/tensorflow:1.11.0-py3")])
def test_function_components_run_in_the_image_of_their_version(version: str, image: str, path: Path) -> None:
    text = (
        "from kfp import components, dsl\n"
        "def add(a: int): print(a)\n"
        "add_op = components.func_to_container_op(add)\n"
        "@dsl.pipeline(name='One', description='')\n"
        "def one(): add_op(1)\n"
    )
    assert compiled(path, text, version)["spec"]["templates"][0]["container"]["image"] == image


def test_what_kfp_takes_is_warned_of(path: Path) -> None:
    path.write_text(
        "from kfp import components, dsl\n"
        "def add(a: int = None, b: str = 1): print(a, helper)\n"
        "add_op = components.func_to_container_op(add)\n"
        "@dsl.pipeline(name='One')\n"
        "def one(): add_op()\n"
    )
    told: list[str] = []
    kfp.compiled(path, None, "1.8", told.append)
    assert told == [
        f"{path}:2: 'a' is not optional; declare Optional[int] = None.",
        f"{path}:2: the default of 'b' does not match its type: expected string, got integer 1.",
        f"{path}:2: 'helper' (line 2) is defined outside component 'add'; import or define it inside.",
    ]


def test_a_text_of_another_kind_is_taken_as_kfp_takes_it(path: Path) -> None:
    text = (
        "from kfp import components, dsl\n"
        "def add(a: int): print(a)\n"
        "add_op = components.func_to_container_op(add)\n"
        "@dsl.pipeline(name='One', description='')\n"
        "def one(): add_op({})\n"
    )
    told: list[str] = []
    path.write_text(text.format("'ten'"))
    made = kfp.compiled(path, None, "1.8", told.append)
    assert told == [f"{path}:5: 'a': expected integer, got string \"ten\"."]
    assert made["spec"]["templates"][0]["container"]["args"][-1] == "ten"
    assert refusal(path, text.format("[1]")).startswith(f"{path}:5: 'a': expected integer, got list [1]")


def test_types_are_no_more_than_a_note_in_0_1(path: Path) -> None:
    path.write_text(
        "from kfp import components, dsl\n"
        "def make() -> float: return 0.5\n"
        "def add(a: int): print(a)\n"
        "make_op, add_op = components.func_to_container_op(make), components.func_to_container_op(add)\n"
        "@dsl.pipeline(name='One', description='')\n"
        "def one(): add_op(make_op().output)\n"
    )
    told: list[str] = []
    kfp.compiled(path, None, "0.1", told.append)
    assert [line.partition(": ")[2] for line in told] == [
        "'a': expected type Integer, got 'make-Output' of type Float; where that is meant, pass it with .ignore_type()."
    ]


def test_steps_of_loaded_components_tell_where_they_are_from(path: Path) -> None:
    text = (
        "from kfp import components, dsl\n"
        "text = '{name: Say, inputs: [{name: what}], implementation: {container: {image: alpine, "
        "command: [echo, {inputValue: what}]}}}'\n"
        "@dsl.pipeline(name='One')\n"
        "def one(): components.load_component_from_text(text)('Hello')\n"
    )
    metadata = compiled(path, text)["spec"]["templates"][1]["metadata"]
    assert metadata["labels"]["pipelines.kubeflow.org/kfp_sdk_version"] == "1.8.22"
    digest = json.loads(metadata["annotations"]["pipelines.kubeflow.org/component_ref"])["digest"]
    assert len(digest) == 64
    assert json.loads(metadata["annotations"]["pipelines.kubeflow.org/arguments.parameters"]) == {"what": "Hello"}


def test_steps_are_penstocks_own() -> None:
    with kfp.resolved("1.8"):
        assert importlib.import_module("kfp.dsl").ContainerOp is dsl.ContainerOp


IMMEDIATE = """
from kfp import dsl
@dsl.pipeline(name="One", description="")
def one(a=1):
    rate = dsl.PipelineParam(name="rate", value=0.5)
    dsl.ContainerOp(name="x", image="i", arguments=["%s of %s" % (rate, a), rate])
"""


def test_a_value_of_its_own_is_the_default_of_an_input_in_0_1(path: Path) -> None:
    (found,) = (each for each in compiled(path, IMMEDIATE, "0.1")["spec"]["templates"] if each["name"] == "x")
    assert found["inputs"] == {"parameters": [{"name": "a"}, {"name": "rate", "value": "0.5"}]}
    assert found["container"]["args"] == [
        "{{inputs.parameters.rate}} of {{inputs.parameters.a}}",
        "{{inputs.parameters.rate}}",
    ]


def test_and_stands_in_the_text_elsewhere(path: Path) -> None:
    (found,) = (each for each in compiled(path, IMMEDIATE)["spec"]["templates"] if each["name"] == "x")
    assert found["container"]["args"] == ["0.5 of {{inputs.parameters.a}}", "0.5"]


@pytest.mark.parametrize(
    ("flag", "tasks"), [("", ["bye", "exit-handler-1"]), ("is_exit_handler=True", ["exit-handler-1"])]
)
def test_an_exit_step_that_was_a_step_before_runs_twice_in_0_1(flag: str, tasks: list[str], path: Path) -> None:
    text = (
        "from kfp import dsl\n"
        "@dsl.pipeline(name='One', description='')\n"
        "def one(a=1):\n"
        f"    bye = dsl.ContainerOp(name='bye', image='i', {flag})\n"
        "    with dsl.ExitHandler(bye):\n"
        "        dsl.ContainerOp(name='x', image='i')\n"
    )
    found = {each["name"]: each for each in compiled(path, text, "0.1")["spec"]["templates"]}
    assert [task["name"] for task in found["one"]["dag"]["tasks"]] == tasks


URIS = """
from kfp import components, dsl
write = components.load_component_from_text('''
outputs: [{name: out}]
implementation: {container: {image: i, command: [{outputUri: out}]}}
''')
read = components.load_component_from_text('''
inputs: [{name: given}]
implementation: {container: {image: i, command: [{inputUri: given}]}}
''')
@dsl.pipeline(name="One")
def one():
    read(write().output)
"""


def test_addresses_of_artifacts_stay_as_1_8_writes_them(path: Path) -> None:
    found = {each["name"]: each for each in compiled(path, URIS)["spec"]["templates"]}
    assert found["component"]["container"]["command"] == ["{{$.outputs.artifacts['out'].uri}}"]
    assert found["component-2"]["container"]["command"] == ["{{$.inputs.artifacts['given'].uri}}"]
    assert found["component-2"]["inputs"]["artifacts"] == [{"name": "component-out", "path": "/tmp/inputs/given/data"}]


def test_a_component_of_a_file_has_its_path_for_an_address_in_1_8(path: Path) -> None:
    file = path.with_name("c.yaml")
    file.write_bytes(b"implementation:\r\n  container: {image: i, command: [c]}\r\n")
    text = f"from kfp import components, dsl\nc = components.load_component_from_file({str(file)!r})\n"
    text += "@dsl.pipeline(name='One')\ndef one(): c()\n"
    found = compiled(path, text)["spec"]["templates"][0]["metadata"]["annotations"]
    digest = hashlib.sha256(file.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
    assert json.loads(found["pipelines.kubeflow.org/component_ref"]) == {"digest": digest, "url": str(file)}


def test_a_loop_goes_over_a_parameter_of_any_type(path: Path) -> None:
    text = (
        "from kfp import dsl\n"
        "@dsl.pipeline(name='One')\n"
        "def one(items: dict = [{'a': 1}]):\n"
        "    with dsl.ParallelFor(items) as item:\n"
        "        dsl.ContainerOp(name='x', image='i', arguments=[item.a])\n"
    )
    said: list[str] = []
    path.write_text(text)
    assert kfp.compiled(path, None, "1.8", said.append)
    assert "items: expected list, got 'items' of type JsonObject" in said[-1]


def test_types_are_not_looked_at_where_a_file_says_so(path: Path) -> None:
    text = (
        "import kfp\nfrom kfp import components, dsl\n"
        "def give() -> str: return 'a'\n"
        "def take(n: int): pass\n"
        "give_op, take_op = map(components.create_component_from_func, (give, take))\n"
        "@dsl.pipeline(name='One')\n"
        "def one(): take_op(give_op().output)\n"
    )
    assert "'n': expected type Integer" in refusal(path, text)
    made = path.with_name("made.json")
    path.write_text(text + f"kfp.compiler.Compiler().compile(one, {str(made)!r}, type_check=False)\n")
    with kfp.resolved("1.8"):
        load_pipelines(path)
    assert json.loads(made.read_text())["kind"] == "Workflow"


def test_a_parameter_of_0_1_is_called_as_the_function_calls_it(path: Path) -> None:
    text = (
        "from kfp import dsl\n"
        "@dsl.pipeline(name='One', description='')\n"
        "def one(train_data=dsl.PipelineParam(name='other', value=1)):\n"
        "    bye = dsl.ContainerOp(name='bye', image='i', arguments=[train_data])\n"
        "    with dsl.ExitHandler(bye):\n"
        "        dsl.ContainerOp(name='x', image='i')\n"
    )
    made = compiled(path, text, "0.1")["spec"]
    assert made["arguments"]["parameters"] == [{"name": "train-data", "value": "1"}]
    (root,) = (each for each in made["templates"] if each["name"] == "one")
    assert root["inputs"] == {"parameters": [{"name": "train-data"}]}
    assert root["dag"]["tasks"][0] == {
        "name": "bye",
        "template": "bye",
        "arguments": {"parameters": [{"name": "train-data", "value": "{{inputs.parameters.train-data}}"}]},
    }


LOADED = """
from kfp import components, dsl
train = components.load_component_from_text('''
name: Train Model
inputs: [{name: Training data}]
outputs: [{name: Model File}]
implementation: {container: {image: i, args: [{value: Training data}, {output: Model File}]}}
''')
def add(a: float, b: float = 5) -> float:
    return a + b
add_op = components.func_to_container_op(add, base_image="python:3.11")
@dsl.pipeline(name="One", description="")
def one(a=1):
    train(train(a).outputs["model-file"])
    add_op(a)
"""


def test_components_of_0_1_have_its_files_and_arguments(path: Path) -> None:
    found = {each["name"]: each for each in compiled(path, LOADED, "0.1")["spec"]["templates"]}
    assert found["train-model"]["container"]["args"] == ["{{inputs.parameters.a}}", "/outputs/Model_File"]
    assert found["train-model-2"]["container"]["args"][0] == "{{inputs.parameters.train-model-model-file}}"
    assert found["add"]["container"]["args"] == ["{{inputs.parameters.a}}", "5", "/outputs/Output"]
    assert found["add"]["container"]["command"][:2] == ["python3", "-c"]


def test_their_programs_take_arguments_by_their_places(path: Path) -> None:
    text = "from __future__ import annotations\n" + LOADED.replace("'''", '"""')
    (found,) = (each for each in compiled(path, text, "0.1")["spec"]["templates"] if each["name"] == "add")
    result = path.with_name("result")
    words = [sys.executable, *found["container"]["command"][1:], "1.5", "-3", str(result)]
    ended = subprocess.run(words, capture_output=True, text=True)
    assert (ended.returncode, result.read_text()) == (0, "-1.5"), ended.stderr
