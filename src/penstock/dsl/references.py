"""What stands for a value known only when the pipeline runs: a pipeline parameter, a step's output, a loop's item.

A reference can be passed on, compared, and written into any text: its text is a marker that the compiler finds again.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn

from penstock.dsl import tracing
from penstock.dsl.naming import output_name
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.dsl.groups import ParallelFor

__all__ = [
    "MARKER",
    "Comparison",
    "Joined",
    "LoopItem",
    "Negated",
    "PipelineParam",
    "Predicate",
    "Reference",
    "ReferenceName",
    "all_of",
    "any_of",
    "condition_of",
    "not_",
]

MARKER = re.compile(r"\{\{pipelineparam:op=([^;{}]*);name=([^;{}]+?)(;collected)?\}\}")
"""How a reference looks inside a text; `ReferenceName.of` reads it."""

_VALID_NAME = re.compile(r"[A-Za-z][A-Za-z0-9\s_-]*")
_NO_TRUTH = (
    "{what} has no truth value while the pipeline is traced: it is known only when the pipeline runs. "
    "Branch with dsl.If(…), and join conditions with dsl.all_of(…), dsl.any_of(…) and dsl.not_(…); "
    "`if`, `and`, `or`, `not` and `in` cannot be seen by the compiler"
)


class ReferenceName(NamedTuple):
    """Identity of a reference in its pipeline."""

    step: str
    """Name of the step that makes the value, "" for pipeline parameters and items of constant loops."""
    name: str
    collected: bool = False
    """Whether it stands for the list of what the rounds of a loop made."""

    @classmethod
    def of(cls, marker: re.Match[str]) -> ReferenceName:
        """The name that a match of MARKER spells."""
        return cls(marker[1], marker[2], marker[3] is not None)

    @property
    def full(self) -> str:
        """The parameter's name in the document: `train-model`, or `rate` for a pipeline parameter."""
        return f"{self.step}-{self.name}" if self.step else self.name


class Predicate(ABC):
    """What `dsl.If` and `dsl.Condition` take: a comparison, or several joined."""

    __slots__ = ()

    @abstractmethod
    def references(self) -> Iterator[Reference]:
        """What is compared, of all that is known only when the pipeline runs."""

    def __bool__(self) -> NoReturn:
        raise InvalidPipeline(tracing.located(_NO_TRUTH.format(what=f"The condition ({self!r})")))


class Comparison(Predicate):
    """`a == b` with a reference on at least one side."""

    __slots__ = ("left", "operator", "right")

    def __init__(self, operator: str, left: object, right: object) -> None:
        self.operator = operator
        self.left = left
        self.right = right

    def references(self) -> Iterator[Reference]:
        """The sides that are references."""
        return (side for side in (self.left, self.right) if isinstance(side, Reference))

    def __repr__(self) -> str:
        return f"{_side(self.left)} {self.operator} {_side(self.right)}"


class Joined(Predicate):
    """Several conditions with `and` or `or` between them."""

    __slots__ = ("parts", "word")

    def __init__(self, word: Literal["and", "or"], parts: tuple[Predicate, ...]) -> None:
        self.word = word
        self.parts = parts

    def references(self) -> Iterator[Reference]:
        """Those of all parts."""
        return (reference for part in self.parts for reference in part.references())

    def __repr__(self) -> str:
        return f" {self.word} ".join(f"({part!r})" for part in self.parts)


class Negated(Predicate):
    """A condition turned round."""

    __slots__ = ("part",)

    def __init__(self, part: Predicate) -> None:
        self.part = part

    def references(self) -> Iterator[Reference]:
        """Those of the condition that is turned round."""
        return self.part.references()

    def __repr__(self) -> str:
        return f"not ({self.part!r})"


def all_of(*conditions: Predicate | bool) -> Predicate:
    """Holds when every condition does: `dsl.all_of(a > 1, b == "x")`. Raises InvalidPipeline for anything else."""
    return _joined("and", conditions)


def any_of(*conditions: Predicate | bool) -> Predicate:
    """Holds when at least one condition does. Raises InvalidPipeline for anything but conditions."""
    return _joined("or", conditions)


def not_(condition: Predicate | bool) -> Predicate:
    """Holds when the condition does not. Raises InvalidPipeline for anything but a condition."""
    return Negated(condition_of(condition, "dsl.not_"))


def _joined(word: Literal["and", "or"], conditions: tuple[Predicate | bool, ...]) -> Predicate:
    name = "dsl.all_of" if word == "and" else "dsl.any_of"
    if not conditions:
        raise InvalidPipeline(tracing.located(f"{name} takes at least one condition"))
    parts = tuple(condition_of(each, name) for each in conditions)
    return parts[0] if len(parts) == 1 else Joined(word, parts)


def condition_of(given: object, what: str) -> Predicate:
    """`given`, if it is a condition. Raises InvalidPipeline, saying what `what` takes, for anything else."""
    if not isinstance(given, Predicate):
        raise InvalidPipeline(
            tracing.located(
                f"{what} takes a comparison with a parameter or an output in it, for example "
                f"{what}(step.output > 0.5); got {type(given).__name__} {given!r}"
            )
        )
    return given


def _side(operand: object) -> str:
    return operand._id.full if isinstance(operand, Reference) else repr(operand)


class Reference:
    """Base of everything that stands for a run-time value. Usable inside any text and in comparisons."""

    __slots__ = ("_id", "_type")
    __hash__ = object.__hash__

    def __init__(self, identity: ReferenceName, param_type: object = None) -> None:
        self._id = identity
        self._type = param_type

    @property
    def _shown(self) -> ReferenceName:
        """Its name in the document."""
        return self._id

    def __str__(self) -> str:
        collected = ";collected" if self._id.collected else ""
        return f"{{{{pipelineparam:op={self._id.step};name={self._id.name}{collected}}}}}"

    def __repr__(self) -> str:
        return str(self)

    def __format__(self, spec: str) -> str:
        if spec:
            raise InvalidPipeline(
                tracing.located(f"'{self._id.full}' is known only when the pipeline runs; ':{spec}' cannot format it")
            )
        return str(self)

    def __bool__(self) -> NoReturn:
        raise InvalidPipeline(tracing.located(_NO_TRUTH.format(what=f"'{self._id.full}'")))

    def __eq__(self, other: object) -> Comparison:  # type: ignore[override]
        return Comparison("==", self, other)

    def __ne__(self, other: object) -> Comparison:  # type: ignore[override]
        return Comparison("!=", self, other)

    def __lt__(self, other: object) -> Comparison:
        return Comparison("<", self, other)

    def __le__(self, other: object) -> Comparison:
        return Comparison("<=", self, other)

    def __gt__(self, other: object) -> Comparison:
        return Comparison(">", self, other)

    def __ge__(self, other: object) -> Comparison:
        return Comparison(">=", self, other)

    def __iter__(self) -> NoReturn:
        raise InvalidPipeline(
            tracing.located(
                f"'{self._id.full}' is known only when the pipeline runs; loop over it with dsl.ParallelFor"
            )
        )


class PipelineParam(Reference):
    """A parameter of the pipeline, or an output of a step.

    As a default in a pipeline's signature, `PipelineParam(name="rate", value=0.1)` gives the parameter its name and its
    default value; without a value the parameter is required. A parameter with a value that the pipeline does not
    declare stands for that value at once.
    Raises InvalidPipeline for a name with other characters than letters, digits, blanks, `_` and `-`, and when both
    `op_name` and `value` are given.
    """

    __slots__ = ("value",)

    def __init__(self, name: str, op_name: str | None = None, value: object = None, param_type: object = None) -> None:
        if not _VALID_NAME.fullmatch(name):
            raise InvalidPipeline(
                tracing.located(
                    f"parameter name {name!r}: letters, digits, blanks, '_' and '-' are allowed, a letter comes first"
                )
            )
        if op_name and value is not None:
            raise InvalidPipeline(tracing.located(f"parameter {name!r}: op_name and value exclude each other"))
        super().__init__(ReferenceName(op_name or "", output_name(name)), param_type)
        self.value = value

    @property
    def name(self) -> str:
        """Its name: the parameter's, or the output's."""
        return self._id.name

    @property
    def op_name(self) -> str | None:
        """Name of the step that makes the value; None for a pipeline parameter."""
        return self._id.step or None

    @property
    def full_name(self) -> str:
        """Its name in the compiled document."""
        return self._id.full

    @property
    def param_type(self) -> object:
        """The type's name, a dict with properties, or None when it is not known."""
        return self._type

    def ignore_type(self) -> PipelineParam:
        """Forget the type, so that the value can go to an input of any type. Returns self."""
        self._type = None
        return self

    def __str__(self) -> str:
        if self.value is not None and not tracing.declares(self._id):
            if not tracing.written_for_kfp("0.1") or not tracing.is_tracing():
                return self.value_text
            # That version gives the value to the step as the default of an input.
            tracing.current().register(self._id, self)
        return super().__str__()

    @property
    def value_text(self) -> str:
        """The value as a document has it."""
        from penstock.dsl.types import value_text

        return value_text(self.value)


class LoopItem(Reference):
    """The item of a `dsl.ParallelFor`; `item.field` and `item["field"]` stand for one field of items that are dicts."""

    __slots__ = ("_field", "_fields", "_loop", "_name")

    def __init__(self, identity: ReferenceName, name: ReferenceName, loop: ParallelFor, field: str = "") -> None:
        super().__init__(identity)
        self._name = name
        self._loop = loop
        self._field = field
        self._fields: dict[str, LoopItem] = {}

    def __getitem__(self, field: str) -> LoopItem:
        if self._field:
            raise InvalidPipeline(
                tracing.located(f"'{self._id.full}.{field}': only one level of fields can be read from a loop's items")
            )
        if field not in self._fields:
            self._loop.check_field(field)
            identity, name = (
                each._replace(name=f"{each.name}-subvar-{output_name(field)}") for each in (self._id, self._name)
            )
            self._fields[field] = tracing.current().register(identity, LoopItem(identity, name, self._loop, field))
        return self._fields[field]

    @property
    def _shown(self) -> ReferenceName:
        return self._name

    def __getattr__(self, field: str) -> Any:
        if field.startswith("_"):
            raise AttributeError(field)
        return self[field]
