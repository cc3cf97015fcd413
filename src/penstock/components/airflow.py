"""An operator of Airflow as a component: it runs in a container that has Airflow, in no DAG of Airflow's."""

from __future__ import annotations

import ast
import inspect
import sys
from typing import TYPE_CHECKING

from penstock.components import program
from penstock.components.capture import Source
from penstock.components.component import Component
from penstock.components.modules import carried, is_own
from penstock.components.placeholders import If, InputValue, IsPresent, OutputPathOf, Part
from penstock.components.spec import ComponentSpec, ContainerSpec
from penstock.dsl import types
from penstock.dsl.signature import InputSpec, OutputSpec
from penstock.dsl.tracing import located
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penstock.components.modules import ModuleText

__all__ = ["create_component_from_airflow_op"]

_IMAGE = "apache/airflow:2.10.5-python3.11"
_OUTPUTS = ("Result", "Variables", "XComs")
_STYLES = {"Integer": "int", "Float": "float", "Boolean": "bool", "JsonArray": "list", "JsonObject": "dict"}
_PROGRAM = """\
def run_operator(**arguments):
    import json
    from datetime import datetime
    from importlib import import_module

    from airflow.utils import db

    db.initdb()
    from airflow import DAG, settings
    from airflow.models import TaskInstance, Variable, XCom

    operator = getattr(import_module({module!r}), {name!r})
    dag = DAG(dag_id="anydag", start_date=datetime.now())
    task = operator(dag=dag, task_id="anytask", **arguments)
    result = task.execute(TaskInstance(task=task, execution_date=datetime.now()).get_template_context())
    session = settings.Session()
    variables = dict((each.key, each.val) for each in session.query(Variable).all())
    messages = dict((each.key, each.value) for each in session.query(XCom).all())
    named = [str(variables[name]) for name in {variables!r}] + [str(messages[name]) for name in {messages!r}]
    return [str(result), json.dumps(variables, default=str), json.dumps(messages, default=str)] + named
"""


def create_component_from_airflow_op(
    op_class: type,
    base_image: str = _IMAGE,
    variable_output_names: Sequence[str] | None = None,
    xcom_output_names: Sequence[str] | None = None,
    modules_to_capture: Sequence[str] | None = None,
) -> Component:
    """The component of an Airflow operator; its inputs are those of the operator's constructor.

    Its outputs are `Result`, and `Variables` and `XComs` as JSON; the named variables and messages are outputs of their
    own, too. An operator of one's own comes along as source, with `modules_to_capture`; any other is imported in the
    image. Raises InvalidPipeline for a module that is not imported, or was installed and cannot come along.
    """
    parameters = inspect.signature(op_class).parameters.values()
    inputs = tuple(_input(parameter) for parameter in parameters if _by_name(parameter))
    variables, messages = list(variable_output_names or ()), list(xcom_output_names or ())
    outputs = tuple(OutputSpec(name, "String") for name in (*_OUTPUTS, *variables, *messages))
    text = _PROGRAM.format(module=op_class.__module__, name=op_class.__name__, variables=variables, messages=messages)
    source = Source(text, False, _modules(op_class, modules_to_capture or ()))
    made = program.program_text(
        "run_operator",
        source,
        [program.Argument(f"--{port.name}", port.name, _STYLES.get(str(port.type), "str")) for port in inputs],
        [program.Result(port.name, "str") for port in outputs],
        single=False,
    )
    words: list[Part] = [_given(port) for port in inputs]
    words += [program.OUTPUTS_FLAG, *(OutputPathOf(port.name) for port in outputs)]
    command = ("sh", "-ec", program.START, made)
    return Component(
        ComponentSpec(
            op_class.__name__,
            ContainerSpec(base_image, command, tuple(words)),
            description=(inspect.getdoc(op_class) or "").partition("\n\n")[0] or None,
            inputs=inputs,
            outputs=outputs,
        )
    )


def _by_name(parameter: inspect.Parameter) -> bool:
    # `dag` and `task_id` are Airflow's own.
    named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    return named and parameter.name not in ("dag", "task_id")


def _input(parameter: inspect.Parameter) -> InputSpec:
    inner, _ = types.split_optional(None if parameter.annotation is parameter.empty else parameter.annotation)
    name = types.type_name(inner)
    required = parameter.default is parameter.empty
    default = None if required or parameter.default is None else types.value_text(parameter.default)
    return InputSpec(parameter.name, name, default, not required)


def _given(port: InputSpec) -> Part:
    """An argument that may be left out, then the operator's own default counts."""
    return If(IsPresent(port.name), (f"--{port.name}", InputValue(port.name)))


def _modules(op_class: type, more: Sequence[str]) -> Mapping[str, ModuleText]:
    names = [*([op_class.__module__] if is_own(inspect.getsourcefile(op_class)) else []), *more]
    missing = [name for name in names if name not in sys.modules]
    if missing:
        raise InvalidPipeline(located(f"modules_to_capture: no module '{missing[0]}' is imported; import it first"))
    return carried([sys.modules[name] for name in names], ast.parse(""), located(op_class.__name__))
