"""Operators of Airflow as components. A few lines stand for Airflow here, as its operators see it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from authoring import container, templates
from penstock.components.airflow import create_component_from_airflow_op
from penstock.errors import InvalidPipeline

AIRFLOW = {
    "airflow/__init__.py": "from airflow import settings\n\nclass DAG:\n    def __init__(self, dag_id, start_date):\n"
    "        self.dag_id = dag_id\n",
    "airflow/settings.py": "ROWS = {}\n\nclass Session:\n    def query(self, kind):\n        self.kind = kind\n"
    "        return self\n\n    def all(self):\n        return ROWS.get(self.kind, [])\n",
    "airflow/utils/__init__.py": "",
    "airflow/utils/db.py": "def initdb():\n    print('database made')\n",
    "airflow/models.py": "from airflow import settings\n\nclass Row:\n    def __init__(self, key, value):\n"
    "        self.key, self.val, self.value = key, value, value\n"
    "        settings.ROWS.setdefault(type(self), []).append(self)\n\n"
    "class Variable(Row):\n    pass\n\nclass XCom(Row):\n    pass\n\nclass TaskInstance:\n"
    "    def __init__(self, task, execution_date):\n        self.task = task\n\n"
    "    def get_template_context(self):\n        return {'dag': self.task.dag}\n",
}
OPERATORS = """
from rates import RATE


class Pay:
    \"\"\"Pays.

    More.
    \"\"\"

    def __init__(self, who: str, amount: int = 5, tags: list = None, *, dag=None, task_id: str = "", **more):
        self.who, self.amount, self.tags, self.dag = who, amount, tags, dag

    def execute(self, context):
        from airflow.models import Variable, XCom

        Variable("paid", self.amount * RATE)
        XCom("to", self.who)
        return "%s got %d, %s in %s" % (self.who, self.amount * RATE, self.tags, context["dag"].dag_id)
"""


@pytest.fixture(name="operators")
def _operators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of one's own with an operator, which reads another module beside it."""
    (tmp_path / "own_operators.py").write_text(OPERATORS)
    (tmp_path / "rates.py").write_text("RATE = 2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("own_operators", "rates"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("own_operators")


def test_it_runs_where_airflow_is(operators: Any, tmp_path: Path) -> None:
    pay = create_component_from_airflow_op(operators.Pay, "airflow:1", ["paid"], ["to"])

    def pipeline() -> None:
        pay(who="Ada", amount=7)

    made = container(pipeline, "pay")
    assert made["image"] == "airflow:1"
    for name, text in AIRFLOW.items():
        path = tmp_path / "there" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    folder = tmp_path / "outputs"
    words = [word.replace("/tmp/outputs", str(folder)) for word in made["args"]]
    program = tmp_path / "program.py"
    program.write_text(made["command"][-1])
    environment = {"PYTHONPATH": str(tmp_path / "there")}
    ended = subprocess.run([sys.executable, "-s", program, *words], env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    results = {path.parent.name: path.read_text() for path in folder.glob("*/data")}
    assert results["Result"] == "Ada got 14, None in anydag"
    assert (json.loads(results["Variables"]), json.loads(results["XComs"])) == ({"paid": 14}, {"to": "Ada"})
    assert (results["paid"], results["to"]) == ("14", "Ada")


def test_its_inputs_are_those_of_the_constructor(operators: Any) -> None:
    spec = create_component_from_airflow_op(operators.Pay).spec
    assert (spec.name, spec.description) == ("Pay", "Pays.")
    assert [(port.name, port.type, port.default, port.optional) for port in spec.inputs] == [
        ("who", "String", None, False),
        ("amount", "Integer", "5", True),
        ("tags", "JsonArray", None, True),
    ]
    assert [port.name for port in spec.outputs] == ["Result", "Variables", "XComs"]
    with pytest.raises(InvalidPipeline, match=r"Missing required parameter 'who' \(string\) of 'pay'"):
        templates(lambda: create_component_from_airflow_op(operators.Pay)())


def test_modules_that_are_not_there_are_told(operators: Any) -> None:
    with pytest.raises(InvalidPipeline, match="modules_to_capture: no module 'none' is imported"):
        create_component_from_airflow_op(operators.Pay, modules_to_capture=["none"])
