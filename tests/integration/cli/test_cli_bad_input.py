"""Bad input: one message that names what is wrong, the exit code, no traceback, nothing half-written."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from commandline import Rig

HEAD = "from penstock import component, dsl\n"

STEP = """
@component
def step() -> int:
    return 1

@component
def use(v: int, lr: float = 0.1):
    print(v, lr)
"""

WORKFLOW = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: x-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: items, value: "[1]"}]}
  templates:
  - name: main
    MAIN
  - name: step
    inputs: {parameters: [{name: v, value: ""}]}
    outputs: {parameters: [{name: out, valueFrom: {path: /tmp/out}}]}
    container: {image: shell, command: [sh, -c], args: ["echo {{inputs.parameters.v}} > /tmp/out"]}
"""


def workflow(main: str) -> str:
    return WORKFLOW.replace("MAIN", main)


@dataclass(frozen=True)
class Case:
    """A file, how it is run, and what is said of it."""

    name: str
    file: str
    text: str | bytes
    says: str
    flags: Sequence[str] = ()


SOURCES = [
    Case("raises", "p.py", 'raise ValueError("boom")\n', r"p\.py:1: ValueError: boom"),
    Case(
        "raises inside",
        "p.py",
        f'{HEAD}{STEP}@dsl.pipeline(name="a")\ndef a():\n    {{}}["k"]\n',
        r"p\.py:12: KeyError: 'k'",
    ),
    Case("no Python", "p.py", "def x(:\n", r"p\.py:1: SyntaxError"),
    Case(
        "imports what is absent",
        "p.py",
        "import no_such_module\n",
        r"p\.py:1: ModuleNotFoundError: No module named 'no_such",
    ),
    Case("ends the program", "p.py", "import sys\nsys.exit(0)\n", r"p\.py:2: the file ends the program"),
    Case("endless recursion", "p.py", "def f():\n    f()\nf()\n", r"p\.py:\d: RecursionError"),
    Case("no pipeline", "p.py", "x = 1\n", r"p\.py: no pipeline in it; decorate its function with @dsl\.pipeline"),
    Case(
        "no step", "p.py", f'{HEAD}@dsl.pipeline(name="a")\ndef a():\n    pass\n', r"p\.py:\d: pipeline 'a' has no step"
    ),
    Case(
        "several pipelines",
        "p.py",
        f'{HEAD}{STEP}@dsl.pipeline(name="a")\ndef a():\n    step()\n@dsl.pipeline(name="b")\ndef b():\n    step()\n',
        r"p\.py: 2 pipelines in it: a, b; choose one with --function NAME",
    ),
    Case(
        "no pipeline of that name",
        "p.py",
        f'{HEAD}{STEP}@dsl.pipeline(name="a")\ndef a():\n    step()\n',
        r"p\.py: no pipeline 'c' in it; it has a",
        ["--function", "c"],
    ),
    Case(
        "row 4, a name from outside",
        "p.py",
        f"{HEAD}\ndef helper():\n    return 1\n\n@component\ndef prep() -> int:\n    return helper()\n\n"
        '@dsl.pipeline(name="a")\ndef a():\n    prep()\n',
        r"'helper' \(line 8\) is defined outside component 'prep'; import or define it inside\.",
    ),
    Case(
        "a cycle",
        "p.py",
        f'{HEAD}{STEP}@dsl.pipeline(name="a")\ndef a():\n    x, y = step(), step()\n    x.after(y)\n    y.after(x)\n',
        r"a circle: 'step', which waits for 'step-2', which waits for 'step'",
    ),
    Case(
        "an output that is not there",
        "p.py",
        f'{HEAD}{STEP}@dsl.pipeline(name="a")\ndef a():\n    use(step().outputs["acc"])\n',
        r"p\.py:12: step 'step' has no output 'acc'; it has",
    ),
    Case(
        "row 7, a loop over no list",
        "p.py",
        f'{HEAD}{STEP}@dsl.pipeline(name="a")\ndef a():\n    with dsl.ParallelFor({{"a": 1}}) as i:\n        use(i)\n',
        r"p\.py:12: items: expected list, got dict",
    ),
]

TRAIN = f'{HEAD}{STEP}@dsl.pipeline(name="train")\ndef train(epochs: int, lr: float):\n    use(epochs, lr)\n'

PARAMETERS = [
    Case(
        "row 1, missing",
        "p.py",
        TRAIN,
        r"Missing required parameter 'lr' \(number\) of 'train'\. Given: 'epochs'\.",
        ["-p", "epochs=3"],
    ),
    Case(
        "row 2, of the wrong type",
        "p.py",
        TRAIN,
        r"""'epochs': expected integer, got string "ten"\.""",
        ["-p", "epochs=ten", "-p", "lr=1"],
    ),
    Case("unknown", "p.py", TRAIN, r"Unknown parameter 'rate' of 'train'\. Known: 'lr', 'epochs'\.", ["-p", "rate=1"]),
    Case("no value", "p.py", TRAIN, r"-p: got 'epochs', expected name=value", ["-p", "epochs"]),
    Case("twice", "p.py", TRAIN, r"-p: parameter 'lr' is given twice", ["-p", "lr=1", "-p", "lr=2"]),
]

DOCUMENTS = [
    Case("row 14, a tab", "w.yaml", "kind: Workflow\nspec:\n\tentrypoint: a\n", r"w\.yaml:3:1: tab not allowed\."),
    Case(
        "an alias bomb", "w.yaml", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", r"w\.yaml:2:8: alias \*a not allowed"
    ),
    Case(
        "a duplicate key", "w.yaml", "kind: Workflow\nspec: {}\nkind: Workflow\n", r"w\.yaml:3:1: duplicate key 'kind'"
    ),
    Case("no YAML", "w.yaml", "a: [1\n", r"w\.yaml:2:1: "),
    Case("no JSON", "w.json", '{"kind": }', r"w\.json:1:10: "),
    Case("no text", "w.yaml", b"\xff\xfe\x00\x01", r"w\.yaml: not UTF-8 text"),
    Case("nothing", "w.yaml", "", r"w\.yaml: expected a Workflow .*, got nothing"),
    Case("nested too deeply", "w.yaml", "[" * 5000, r"w\.yaml.*nested deeper than"),
    Case("another kind", "w.yaml", "apiVersion: v1\nkind: Pod\n", r"w\.yaml: expected kind Workflow .*, got kind Pod"),
    Case(
        "an IR document",
        "w.yaml",
        "pipelineInfo: {name: x}\nsdkVersion: kfp-2.17.0\nroot: {}\n",
        r"this is a PipelineSpec of Kubeflow Pipelines 2, made by kfp-2\.17\.0, which cannot be run yet",
    ),
    Case(
        "a cycle",
        "w.yaml",
        workflow("dag: {tasks: [{name: a, template: step, depends: b}, {name: b, template: step, depends: a}]}"),
        r"templates\.main sorting failed: cycle a -> b -> a",
    ),
    Case(
        "an output that is not there",
        "w.yaml",
        workflow(
            "dag: {tasks: [{name: a, template: step}, {name: b, template: step, depends: a, arguments: "
            '{parameters: [{name: v, value: "{{tasks.a.outputs.parameters.acc}}"}]}}]}'
        ),
        r"templates\.main\.tasks\.b failed to resolve \{\{tasks\.a\.outputs\.parameters\.acc\}\}: .*outputs 'out'",
    ),
    Case(
        "an image without a rule",
        "w.yaml",
        workflow('container: {image: "reg.example/x:1", command: [sh]}'),
        r'"reg\.example/x:1" = "host"',
    ),
    Case(
        "no command",
        "w.yaml",
        workflow("container: {image: shell}"),
        r"image 'shell': the step has no command .*\n.*\n\"shell\" = \{root = \"host\", entrypoint",
    ),
    Case(
        "a command that is absent",
        "w.yaml",
        workflow("container: {image: shell, command: [no-such-program]}"),
        r"template 'main': image 'shell': command 'no-such-program' is not found",
    ),
    Case(
        "a loop over no list",
        "w.yaml",
        workflow("dag: {tasks: [{name: a, template: step, withItems: {b: 1}}]}"),
        r"spec\.templates\[0\]\.dag\.tasks\[0\]\.withItems: expected a list, got a map",
    ),
    Case(
        "a field outside the subset",
        "w.yaml",
        workflow("container: {image: shell, command: [sh], commands: [sh]}"),
        r"spec\.templates\[0\]\.container\.commands",
    ),
]

FLAGS = [
    Case(
        "no duration", "w.yaml", workflow(""), r"'--timeout': got 'soon', expected 300, 300s, 5m", ["--timeout", "soon"]
    ),
    Case(
        "no launcher",
        "w.yaml",
        workflow(""),
        r"launcher .*got 'ship', expected one of auto, process, docker",
        ["--launcher", "ship"],
    ),
    Case("no images file", "w.yaml", workflow(""), r"images nowhere\.toml: No such file", ["--images", "nowhere.toml"]),
    Case("no images table", "w.yaml", workflow(""), r"images w\.yaml: ", ["--images", "w.yaml"]),
    Case("a function of a document", "w.yaml", workflow(""), r"--function: w\.yaml is a document", ["--function", "a"]),
]


def refused(answer: subprocess.CompletedProcess[str], says: str) -> None:
    """The answer is one message, on standard error, and exit code 2."""
    assert (answer.returncode, answer.stdout) == (2, ""), answer.stderr
    assert "Error: " in answer.stderr
    assert re.search(says, answer.stderr), answer.stderr


def made(home: Path) -> int:
    """How many rows of runs, steps and intents a home holds."""
    if not (home / "penstock.db").exists():
        return 0
    with sqlite3.connect(home / "penstock.db") as database:
        return sum(
            database.execute(f"select count(*) from {table}").fetchone()[0] for table in ("runs", "nodes", "intents")
        )


@pytest.mark.parametrize("case", [*SOURCES, *PARAMETERS, *DOCUMENTS, *FLAGS], ids=lambda case: case.name)
def test_nothing_is_made_and_the_message_names_the_fault(case: Case, rig: Rig) -> None:
    rig.file(case.file, case.text)
    images = () if "--images" in case.flags else ("--images", "images.toml")
    refused(rig.call("run", case.file, *images, *case.flags), case.says)
    assert made(rig.home) == 0


def test_a_document_of_65_megabytes_is_too_large(rig: Rig) -> None:
    with rig.file("w.yaml", "").open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    refused(rig.call("run", "w.yaml"), r"w\.yaml: 68,157,440 bytes; limit 67,108,864")
    assert made(rig.home) == 0


@pytest.mark.parametrize(("name", "says"), [("nowhere.yaml", "no such file"), (".", "not a file")])
def test_a_file_that_is_none_is_told(name: str, says: str, rig: Rig) -> None:
    refused(rig.call("run", name), rf"{re.escape(name)}: {says}; expected a pipeline's source")


@pytest.mark.parametrize("command", [["pipeline", "upload"], ["compile"]])
def test_a_bad_file_is_neither_uploaded_nor_compiled(command: list[str], rig: Rig) -> None:
    source = rig.file("p.py", 'raise ValueError("boom")\n')
    refused(rig.call(*command, source), "ValueError: boom")
    assert sorted(path.name for path in rig.folder.iterdir()) == ["images.toml", "p.py", "workflow.yaml"]


# --- known only while it runs -----------------------------------------------------------------------------------


def ran(rig: Rig, text: str, *flags: str) -> tuple[int, str, dict[str, str]]:
    """Exit code, what was told, and the phases of the steps."""
    rig.file("w.yaml", text)
    answer = rig.call("run", "w.yaml", "--images", "images.toml", "--output", "json", *flags)
    nodes = json.loads(answer.stdout)["status"]["nodes"].values()
    return answer.returncode, answer.stderr, {node["displayName"]: node["phase"] for node in nodes}


LOOP = 'dag: {tasks: [{name: a, template: step, withParam: "{{workflow.parameters.items}}"}]}'


@pytest.mark.parametrize(
    ("items", "says"),
    [
        ('{"b": 1}', r"items: expected list, got dict"),
        ("3", r"items: expected list, got "),
        ("x", r"withParam value could not be parsed as a JSON list: x"),
    ],
)
def test_row_7_a_loop_over_what_turns_out_no_list_fails(items: str, says: str, rig: Rig) -> None:
    code, told, _ = ran(rig, workflow(LOOP), "-p", f"items={items}")
    assert code == 1
    assert re.search(says, told), told


def test_row_7_a_loop_over_nothing_is_skipped(rig: Rig) -> None:
    code, told, phases = ran(rig, workflow(LOOP), "-p", "items=[]")
    assert code == 0, told
    assert "Skipped" in phases.values()


def test_row_7_more_items_than_the_limit_fail(rig: Rig) -> None:
    rig.file("penstock.toml", "max_iterations = 3\n")
    code, told, _ = ran(rig, workflow(LOOP), "-p", "items=[1,2,3,4]")
    assert code == 1
    assert "4 items exceed max_iterations 3" in told


def test_row_17_a_number_that_is_none_is_flagged_and_the_others_are_kept(rig: Rig) -> None:
    metrics = '{"metrics": [{"name": "auc", "numberValue": NaN}, {"name": "acc", "numberValue": 0.5}]}'
    script = f"printf '%s' '{metrics}' > /mlpipeline-metrics.json"
    main = (
        "outputs: {artifacts: [{name: mlpipeline-metrics, path: /mlpipeline-metrics.json, optional: true}]}\n"
        f"    container: {{image: shell, command: [sh, -c], args: [{json.dumps(script)}]}}"
    )
    code, told, _ = ran(rig, workflow(main), "--name", "measured")
    assert code == 0, told
    assert "metric 'auc' is NaN; stored as null, flagged." in told
    shown = rig.call("runs", "get", "measured").stdout
    assert "acc=0.5" in shown
    assert "auc=None" in shown


def test_row_19_an_output_that_was_not_written_names_what_lies_beside_it(rig: Rig) -> None:
    main = (
        "outputs: {artifacts: [{name: model, path: /tmp/made/model}]}\n"
        '    container: {image: shell, command: [sh, -c], args: ["mkdir /tmp/made; echo 1 > /tmp/made/modle"]}'
    )
    code, told, _ = ran(rig, workflow(main))
    assert code == 1
    assert re.search(
        r"Step '\S+' exited 0 but did not write output 'model' at /tmp/made/model; directory holds 'modle'\.", told
    ), told


# --- the home and the port --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command", [["run", "workflow.yaml", "--images", "images.toml"], ["up", "--port", "0"], ["runs", "list"]]
)
def test_a_home_that_cannot_be_written_is_told(command: list[str], rig: Rig) -> None:
    rig.home.write_text("a file in its place")
    refused(rig.call(*command), rf"home {re.escape(str(rig.home))}: cannot be written \(.*\); name another with --home")
    assert rig.home.read_text() == "a file in its place"


@pytest.mark.parametrize(
    "command", [["run", "workflow.yaml", "--images", "images.toml"], ["up", "--port", "0"], ["runs", "list"]]
)
def test_a_home_of_a_newer_version_is_told_and_left_as_it_is(command: list[str], rig: Rig) -> None:
    assert rig.call("runs", "list").returncode == 0
    with sqlite3.connect(rig.home / "penstock.db") as database:
        database.execute("update alembic_version set version_num = '9999'")
    refused(rig.call(*command), r"was written by a newer Penstock \(schema 9999, this one knows \d+\)")
    assert made(rig.home) == 0


@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_port_that_is_taken_is_told(command: str, rig: Rig) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused(
            rig.call(command, "--port", str(port)),
            rf"port {port} of 127\.0\.0\.1 is taken by another process; choose another with --port",
        )
    assert made(rig.home) == 0


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("PENSTOCK_PORT", "many", r"port \(PENSTOCK_PORT\): got 'many', expected an integer from 0 to 65535"),
        ("PENSTOCK_TOKEN", "short", r"token \(PENSTOCK_TOKEN\): got …, expected a text of at least 16 characters"),
    ],
)
def test_an_impossible_setting_is_told_and_a_token_is_not_shown(variable: str, value: str, says: str, rig: Rig) -> None:
    refused(rig.call("up", env={variable: value}), says)
