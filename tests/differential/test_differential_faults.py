"""Seven faults of the official packages: each is shown by them, and Penstock does not have it."""

from __future__ import annotations

import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from official_kfp import python_with

from penstock import Client, component, dsl
from penstock.client.local import run_pipeline_func_locally
from penstock.compat import kfp
from penstock.compiler import compile_pipeline
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from official_kfp import Official

COIN = """\
from kfp import dsl


@dsl.pipeline(name="p")
def p(n: int = 3, text: str = "a"):
    with dsl.Condition({condition}):
        dsl.ContainerOp("a", "alpine")
"""


@pytest.fixture(scope="module", name="kfp_2")
def _kfp_2() -> Path:
    return python_with("kfp-2")


def printed(python: Path, program: str, *arguments: str) -> Any:
    """What a program says, run by an environment's Python, as JSON."""
    command = [str(python), "-W", "ignore", "-c", program, *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def when(document: dict[str, Any]) -> str:
    (template,) = (each for each in document["spec"]["templates"] if each["name"] == "p")
    return str(template["dag"]["tasks"][0]["when"])


def test_no_condition_is_dropped(official: Official, tmp_path: Path) -> None:
    path = tmp_path / "and.py"
    path.write_text(COIN.format(condition="(n == 1) and (n == 2)"))
    assert when(official.compiled(path, "p", written=False)) == '"{{inputs.parameters.n}}" == "2"'
    with pytest.raises(InvalidPipeline, match=r"and\.py:6: .*dsl\.all_of"):
        kfp.compiled(path, None, "1.8")


def test_quotes_inside_an_operand_are_escaped(official: Official, tmp_path: Path) -> None:
    path = tmp_path / "quotes.py"
    path.write_text(COIN.format(condition="""text == 'it"s'"""))
    # Between two quotes stands a third, which ends the text.
    assert when(official.compiled(path, "p", written=False)) == '"{{inputs.parameters.text}}" == "it"s"'
    assert when(kfp.compiled(path, None, "1.8")) == '"{{inputs.parameters.text}}" == "it\\"s"'


INJECTED = "x' in 'x' or 'a"
EVALUATED = """\
import json, sys
from kfp.local.orchestrator.enhanced_dag_orchestrator import ConditionEvaluator

class Store:
    def get_parent_input(self, key):
        return sys.argv[1]

condition = "inputs.parameter_values['pipelinechannel--user'] == 'admin'"
print(json.dumps(ConditionEvaluator.evaluate_condition(condition, Store())))
"""


@component
def whoever() -> str:
    return "x' in 'x' or 'a"


@component
def trusted() -> str:
    return "in"


@dsl.pipeline(name="guarded")
def guarded() -> None:
    with dsl.Condition(whoever().output == "admin"):
        trusted()


@component
def anything(text: str) -> str:
    return text


@dsl.pipeline(name="guarded-by")
def guarded_by(text: str) -> None:
    with dsl.Condition(anything(text).output == "admin"):
        trusted()
    with dsl.Condition(text == "admin"):
        trusted()


def test_nothing_that_a_value_holds_is_taken_for_the_condition(tmp_path: Path) -> None:
    """In Argo, a value with a quote in it ends the text that it stands in, and what follows is judged."""
    for text in ('x" == "x" || "a', 'admin" == "admin', 'admin" || "x" != "', "' == '' || 'admin"):
        made = run_pipeline_func_locally(guarded_by, {"text": text}, home=tmp_path)
        assert made.state == "FAILED", text
        assert "trusted" not in made.outputs, text


def test_what_a_step_says_is_no_code(kfp_2: Path, tmp_path: Path) -> None:
    assert printed(kfp_2, EVALUATED, "somebody") is False
    assert printed(kfp_2, EVALUATED, INJECTED) is True
    made = run_pipeline_func_locally(guarded, home=tmp_path)
    assert made.outputs == {"whoever": {"Output": INJECTED}}
    # As on Argo, quotes inside a quoted text are told of; nothing goes on in silence.
    assert made.state == "FAILED"
    assert any("Invalid 'when' expression" in node.message for node in made.nodes)


WAITED = """\
import json, sys
from kfp import Client

try:
    Client(host=sys.argv[1], namespace="n").wait_for_run_completion("r", timeout=2, sleep_duration=0.2)
    print(json.dumps("ended"))
except TimeoutError:
    print(json.dumps("timed out"))
"""


class _Canceled(BaseHTTPRequestHandler):
    """A server whose only run was cancelled, by the protocol of either."""

    def do_GET(self) -> None:
        run = {"run_id": "r", "state": "CANCELED", "display_name": "r"}
        body = json.dumps(run if "/runs/" in self.path else {"multi_user": False, "status": "ok"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def test_a_cancelled_run_has_ended(kfp_2: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Canceled)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        assert printed(kfp_2, WAITED, address) == "timed out"
        with Client(address, "a token") as client:
            assert client.wait_for_run_completion("r", timeout=60).state == "CANCELED"
    finally:
        server.shutdown()
        server.server_close()


TRUTH = """\
from kfp import components, dsl


def say(truth: bool) -> str:
    return "yes" if truth else "no"


say_op = components.create_component_from_func(say)


@dsl.pipeline(name="p")
def p(truth: bool = True):
    say_op(truth)
"""


def test_a_truth_is_read_where_distutils_is_gone(official: Official, tmp_path: Path) -> None:
    path = tmp_path / "truth.py"
    path.write_text(TRUTH)
    theirs, ours = official.compiled(path, "p", written=False), kfp.compiled(path, None, "1.8")
    # As Python 3.12 and later have it.
    (tmp_path / "none" / "distutils").mkdir(parents=True)
    (tmp_path / "none" / "distutils" / "__init__.py").write_text("raise ModuleNotFoundError('distutils')")
    assert "ModuleNotFoundError" in _ran(theirs, tmp_path).stderr
    ended = _ran(ours, tmp_path)
    assert (ended.returncode, (tmp_path / "said").read_text()) == (0, "yes"), ended.stderr


def _ran(document: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    (container,) = (each["container"] for each in document["spec"]["templates"] if "container" in each)
    told = {"{{inputs.parameters.truth}}": "True", "/tmp/outputs/Output/data": str(folder / "said")}
    command = [told.get(part, part) for part in [*container["command"], *container["args"]]]
    (folder / "bin").mkdir(exist_ok=True)
    link = folder / "bin" / "python3"
    link.unlink(missing_ok=True)
    link.symlink_to(sys.executable)
    environment = {"PATH": f"{folder / 'bin'}:/usr/bin:/bin", "PYTHONPATH": str(folder / "none")}
    # Another distutils, that of setuptools, would step in.
    environment["SETUPTOOLS_USE_DISTUTILS"] = "stdlib"
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_help_needs_no_server(official: Official) -> None:
    nowhere = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "KF_PIPELINES_ENDPOINT": "http://127.0.0.1:9"}
    theirs = [str(official.python.with_name("kfp")), "pipeline", "--help"]
    ours = [str(Path(sys.executable).with_name("penstock")), "pipeline", "--help"]
    asked = subprocess.run(theirs, env=nowhere, capture_output=True, text=True)
    assert asked.returncode != 0
    assert "Usage" not in asked.stdout
    told = subprocess.run(ours, env=nowhere | {"PENSTOCK_SERVER": "http://127.0.0.1:9"}, capture_output=True, text=True)
    assert told.returncode == 0
    assert "Usage" in told.stdout


EQUAL_NAMES = """\
import json, sys
from kfp import dsl
from kfp.compiler import Compiler

def lines(count):
    @dsl.pipeline(name="p")
    def p():
        for _ in range(count):
            dsl.ContainerOp("step", "alpine")

    seen = 0

    def see(frame, event, argument):
        nonlocal seen
        seen += 1
        return see if frame.f_code.co_filename.endswith("_naming.py") else None

    sys.settrace(see)
    Compiler()._create_workflow(p)
    sys.settrace(None)
    return seen

print(json.dumps([lines(200), lines(800)]))
"""


@component
def step() -> int:
    """Each step of the chain has the same name."""
    return 1


def _lines(count: int) -> int:
    """How many lines of Penstock are executed for a pipeline of so many steps of one name."""

    def p() -> None:
        for _ in range(count):
            step()

    seen = 0

    def see(frame: Any, _event: str, _argument: Any) -> Any:
        nonlocal seen
        seen += 1
        return see if "penstock" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(see)
    compile_pipeline(p)
    sys.settrace(before)
    return seen


def test_the_work_grows_as_the_pipeline_does(official: Official) -> None:
    """Work is counted, in lines that are executed: a clock tells of the machine's other work, too."""
    _lines(1)
    few, many = printed(official.python, EQUAL_NAMES)
    assert many > 6 * few
    assert _lines(400) < 4.2 * _lines(100)
