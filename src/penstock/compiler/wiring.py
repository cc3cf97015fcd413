"""How values flow between templates: who makes a value, and which groups it passes through to reach its reader.

Each DAG sees only its own inputs and its own tasks, so a value is handed from DAG to DAG. `Wiring.supply` makes one
value available in one group, once, and remembers it: the cost is linear in what is handed on.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Literal, NamedTuple

from penstock.components.tasks import ComponentOp
from penstock.dsl.base import BaseOp
from penstock.dsl.branches import OneOf
from penstock.dsl.descriptions import EXECUTOR_OUTPUT, Description
from penstock.dsl.graphs import GraphCall
from penstock.dsl.groups import Condition, Group, ParallelFor
from penstock.dsl.nodes import Node
from penstock.dsl.references import LoopItem, PipelineParam, Reference, ReferenceName
from penstock.dsl.resources import ResourceOp
from penstock.dsl.tracing import complain
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock.compiler.dialects import Dialect
    from penstock.dsl.tracing import Trace

__all__ = ["Port", "Ports", "Wiring"]

Kind = Literal["parameters", "artifacts"]


class Port(NamedTuple):
    """One value that a template takes or gives."""

    kind: Kind
    name: str
    """The value's name in the document."""


class Supply(NamedTuple):
    """How a value is reached inside a group's DAG."""

    tag: str
    """The reference without braces, for example `tasks.train.outputs.parameters.train-loss`; or `=` and an
    expression."""
    tasks: tuple[Node, ...] = ()
    """The tasks of that DAG that make it, which its readers depend on; none when it comes in from outside."""


class Ports:
    """What a template takes (with the tag that its caller gives) and gives."""

    __slots__ = ("dependencies", "inputs", "outputs", "texts", "values")

    def __init__(self) -> None:
        self.inputs: dict[Port, str] = {}
        """Input → tag in the caller's DAG, without braces."""
        self.texts: dict[Port, str] = {}
        """Input → text in the caller's DAG that is no tag alone."""
        self.values: dict[str, str] = {}
        """Parameters that no caller gives: name → value."""
        self.outputs: dict[Port, str] = {}
        """Output → tag in this template's DAG, without braces; "" for a step, whose container makes it."""
        self.dependencies: set[str] = set()
        """Names of the tasks of the same DAG that must come first."""


class Wiring:
    """The flow of values in one traced pipeline. Fill it with `parameter`, `artifact`, `local` and `order`."""

    def __init__(self, trace: Trace, dialect: Dialect) -> None:
        self.trace = trace
        self._dialect = dialect
        self.template_names: dict[str, str] = {}
        """The templates of steps, by the names of the steps, where they are called otherwise."""
        self._ports: dict[int, Ports] = {}
        self.workflow_artifacts: set[str] = set()
        """Pipeline parameters that some step reads as a file."""
        self._known: dict[tuple[str, Port, bool], Supply] = {}
        self._paths: dict[str, tuple[Group, ...]] = {}
        self._full_names: dict[str, Reference] = {}

    def of(self, node: Node) -> Ports:
        """The ports of a step or group."""
        found = self._ports.get(id(node))
        return found if found is not None else self._ports.setdefault(id(node), Ports())

    def find(self, name: ReferenceName, reader: Node) -> Reference:
        """The reference that a marker in one of `reader`'s texts names. Raises InvalidPipeline for an unknown one."""
        found = self.trace.references.get(name)
        if found is None:
            raise InvalidPipeline(
                f"{reader.place}: '{reader.name}' uses {_told(name)}, which this pipeline does not have"
            )
        return found

    def parameter(self, reference: Reference, reader: BaseOp) -> str:
        """The tag by which a step reads a value in its own texts."""
        return self._hand_in(reference, reader, "parameters")

    def artifact(self, reference: Reference, reader: BaseOp) -> str:
        """The name of the input artifact by which a step reads a value as a file."""
        return self._hand_in(reference, reader, "artifacts").rpartition(".")[2]

    def _hand_in(self, reference: Reference, reader: BaseOp, kind: Kind) -> str:
        port = Port(kind, self._full(reference, reader))
        ports = self.of(reader)
        if isinstance(reference, PipelineParam) and reference.value is not None and kind == "parameters":
            ports.values[port.name] = reference.value_text
        elif port not in ports.inputs:
            ports.inputs[port] = self._for_exit(reference, reader, port) or self.local(reference, reader, kind)
        return f"inputs.{kind}.{port.name}"

    def _for_exit(self, reference: Reference, reader: BaseOp, port: Port) -> str:
        """The exit step gets the workflow's own arguments and stands in no DAG."""
        if not reader.is_exit_handler:
            return ""
        if isinstance(reference, LoopItem) or reference._id.step:
            raise InvalidPipeline(
                f"{reader.place}: the exit step '{reader.name}' uses '{port.name}'; it runs whatever became of the "
                "other steps, so it can use parameters of the pipeline only"
            )
        if port.kind == "artifacts":
            self.workflow_artifacts.add(port.name)
        return f"workflow.parameters.{port.name}"

    def local(self, reference: Reference, reader: Node, kind: Kind = "parameters") -> str:
        """The tag by which `reader`'s task reads a value in the DAG it stands in; `reader` waits for its maker."""
        assert reader.parent is not None
        supply = self.supply(reader.parent, reference, kind, reader)
        for task in supply.tasks:
            self._wait(reader, task)
        return supply.tag

    def supply(self, group: Group, reference: Reference, kind: Kind, reader: Node) -> Supply:
        """Make a value available in a group's DAG."""
        port = Port(kind, self._full(reference, reader))
        key = (group.name, port, reference._id.collected)
        if key not in self._known:
            self._known[key] = self._supply(group, reference, port, reader)
        return self._known[key]

    def _supply(self, group: Group, reference: Reference, port: Port, reader: Node) -> Supply:
        if isinstance(reference, LoopItem) and group is reference._loop:
            self.of(group).inputs[port] = f"item.{reference._field}" if reference._field else "item"
        elif not isinstance(reference, LoopItem) and reference._id.step:
            path = self._way_to(reference, reader)
            if len(path) > self._depth(group) and path[self._depth(group)] is group:
                return self._from_inside(path[self._depth(group) + 1 :], reference, port, reader)
            self._from_parent(group, reference, port, reader)
        elif group.parent is None:
            self._from_outside(reference, port, reader)
        else:
            self._from_parent(group, reference, port, reader)
        return Supply(f"inputs.{port.kind}.{port.name}")

    def _way_to(self, reference: Reference, reader: Node) -> list[Node]:
        """The groups around the place where a value is made, outermost first, and at the end the step that makes it.

        What is one of several is made in a group, by no step of its own.
        """
        if isinstance(reference, OneOf):
            return [*self.path(reference._group), reference._group]
        maker = self.trace.ops[reference._id.step]
        _refuse_exit(maker, reader)
        return [*self.path(maker), maker]

    def _from_inside(self, path: list[Node], reference: Reference, port: Port, reader: Node) -> Supply:
        """The value is made by a task of a group, or further down in it along `path`: bring it up."""
        groups = path if isinstance(reference, OneOf) else path[:-1]
        if path and isinstance(path[-1], ResourceOp):
            # It leaves no file; who reads its output as one gets a file that is made of the value.
            port = port._replace(kind="parameters")
        found = self._made(reference, port, reader)
        for group in reversed(groups):
            # Argo makes a list of what the rounds of a loop gave, of parameters only.
            collects = isinstance(group, ParallelFor) and reference._id.collected and port.kind == "parameters"
            if not collects:
                _refuse_from_branch(group, reference, reader)
            self.of(group).outputs[port] = found.tag
            found = Supply(f"tasks.{group.name}.outputs.{port.kind}.{port.name}", (group,))
        if path and path[0] is reader:
            raise InvalidPipeline(f"{reader.place}: '{reader.name}' uses its own output '{port.name}'")
        return found

    def _made(self, reference: Reference, port: Port, reader: Node) -> Supply:
        """The value in the DAG where it is made."""
        if isinstance(reference, OneOf):
            return self._from_branches(reference, port.kind, reader)
        maker = self.trace.ops[reference._id.step]
        if isinstance(reference, Description):
            port = Port("parameters", self.output_of(maker, EXECUTOR_OUTPUT))
            text = f"tasks['{maker.name}'].outputs.parameters['{port.name}']"
            tag = f"=toJson(jsonpath({text}, '$.artifacts.{reference._artifact}.artifacts[0]'))"
        else:
            port = Port(port.kind, self.output_of(maker, reference._id.name))
            tag = f"tasks.{maker.name}.outputs.{port.kind}.{port.name}"
        self.of(maker).outputs[port] = ""
        return Supply(tag, (maker,))

    def output_of(self, step: BaseOp, name: str) -> str:
        """How an output of a step is called in its template."""
        own = self._dialect.component_templates and isinstance(step, ComponentOp)
        return name if own else self._dialect.parameter(f"{step.name}-{name}")

    def _from_branches(self, one: OneOf, kind: Kind, reader: Node) -> Supply:
        """The value that the branch has which ran; the others, skipped, have none.

        Expressions of Argo may ask for a parameter of a skipped task, but not for an artifact.
        """
        made = []
        for branch, output in one._choices:
            port = Port(kind, self._full(output, reader))
            self.of(branch).outputs[port] = self.supply(branch, output, kind, reader).tag
            made.append(f"tasks['{branch.name}'].outputs.{kind}['{port.name}']")
        branches = tuple(branch for branch, _ in one._choices)
        if kind == "parameters":
            return Supply("=" + " ?? ".join(made), branches)
        text = made.pop()
        for branch, value in zip(branches[-2::-1], reversed(made), strict=True):
            text = f"tasks['{branch.name}'].status == 'Succeeded' ? {value} : {text}"
        return Supply(f"={text}", branches)

    def _from_parent(self, group: Group, reference: Reference, port: Port, reader: Node) -> None:
        assert group.parent is not None
        supply = self.supply(group.parent, reference, port.kind, reader)
        self.of(group).inputs[port] = supply.tag
        for task in supply.tasks:
            self._wait(group, task)

    def _from_outside(self, reference: Reference, port: Port, reader: Node) -> None:
        """The value comes from the workflow's arguments."""
        if isinstance(reference, LoopItem):
            raise InvalidPipeline(
                f"{reader.place}: '{reader.name}' uses an item of the loop '{reference._loop.name}' outside of it"
            )
        self.of(self.trace.root).inputs[port] = f"workflow.parameters.{port.name}"
        if port.kind == "artifacts":
            self.workflow_artifacts.add(port.name)

    def call_again(self, calls: Iterable[GraphCall]) -> None:
        """Hand to graphs that call themselves what they take, whether it came as an argument or was just used.

        What one call takes may become an input of the graphs around it, so this goes on until nothing is missing.
        """
        waiting = [(call, port) for call in calls for port in self._missing(call)]
        while waiting:
            for call, port in waiting:
                reference = self._argument(call, port)
                self.of(call).inputs[port] = self.local(reference, call, port.kind)
            waiting = [(call, port) for call in calls for port in self._missing(call)]

    def _missing(self, call: GraphCall) -> list[Port]:
        return [port for port in self.of(call.graph).inputs if port not in self.of(call).inputs]

    def _argument(self, call: GraphCall, port: Port) -> Reference:
        for parameter, first in call.graph.arguments.items():
            if first._shown.full == port.name and parameter in call.arguments:
                return call.arguments[parameter]
        return self._full_names[port.name]

    def hand_conditions(self, step: BaseOp) -> None:
        """Make what the conditions around a step compare arguments of its task."""
        for condition in self.path(step):
            if isinstance(condition, Condition):
                for reference in condition.condition.references():
                    port = Port("parameters", self._full(reference, step))
                    self.of(step).inputs.setdefault(port, self.local(reference, step))

    def order(self, node: Node) -> None:
        """Carry out `.after(…)` of a step or group: the outermost groups that differ depend on one another."""
        for other in node.dependencies:
            _refuse_exit(other, node)
            mine: list[Node] = [*self.path(node), node]
            theirs: list[Node] = [*self.path(other), other]
            shared = 0
            while shared < min(len(mine), len(theirs)) and mine[shared] is theirs[shared]:
                shared += 1
            if shared == len(mine) or shared == len(theirs):
                raise InvalidPipeline(
                    f"{node.place}: '{node.name}' cannot come after '{other.name}', which it is part of"
                )
            self._wait(mine[shared], theirs[shared])

    def refuse_circle(self, group: Group) -> None:
        """Raise InvalidPipeline when tasks of a group wait for one another in a circle."""
        waits = {child.name: sorted(self.of(child).dependencies) for child in group.children}
        try:
            TopologicalSorter(waits).prepare()
        except CycleError as error:
            circle = list(reversed(error.args[1]))
            place = next(child.place for child in group.children if child.name == circle[0])
            told = ", which waits for ".join(f"'{name}'" for name in circle)
            raise InvalidPipeline(f"{place}: a circle: {told}; take one .after(…) or argument out") from None

    def path(self, node: Node) -> tuple[Group, ...]:
        """The groups around a node, outermost first."""
        parent = node.parent
        if parent is None:
            return ()
        if parent.name not in self._paths:
            self._paths[parent.name] = (*self.path(parent), parent)
        return self._paths[parent.name]

    def _depth(self, group: Group) -> int:
        return len(self.path(group))

    def _wait(self, node: Node, other: Node) -> None:
        self.of(node).dependencies.add(other.name)

    def _full(self, reference: Reference, reader: Node) -> str:
        name = self._dialect.parameter(reference._shown.full)
        taken = self._full_names.setdefault(name, reference)
        if taken._shown[:2] != reference._shown[:2]:
            raise InvalidPipeline(
                f"{reader.place}: two values are both called '{name}' in the document ({_told(taken._shown)}, "
                f"{_told(reference._shown)}); rename one"
            )
        return name


def _told(name: ReferenceName) -> str:
    return f"output '{name.name}' of '{name.step}'" if name.step else f"parameter '{name.name}'"


def _refuse_exit(other: Node, reader: Node) -> None:
    if isinstance(other, BaseOp) and other.is_exit_handler:
        raise InvalidPipeline(f"{reader.place}: '{reader.name}' cannot wait for the exit step '{other.name}'")


def _refuse_from_branch(group: Node, reference: Reference, reader: Node) -> None:
    """A value must not be read from a branch that may not run, or a loop that runs often."""
    if isinstance(group, Condition | ParallelFor):
        what = "If" if isinstance(group, Condition) else "loop"
        name = reference._id
        way = "OneOf" if isinstance(group, Condition) else "Collected"
        complain(
            f"{reader.place}: '{reader.name}' reads '{name.name}' of '{name.step}' from inside {what} "
            f"'{group.title or group.name}' ({group.place}); return it with {way}, or move the reader inside"
        )


def walk(group: Group) -> list[Node]:
    """All nodes below a group, outer ones first, in the order in which they were written."""
    found: list[Node] = []
    waiting: list[Node] = list(reversed(group.children))
    while waiting:
        node = waiting.pop()
        found.append(node)
        if isinstance(node, Group):
            waiting.extend(reversed(node.children))
    return found
