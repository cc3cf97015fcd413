"""What a pipeline takes."""

from typing import Dict, List, NamedTuple, Optional

from kfp import dsl
from kfp.dsl.types import (
    Bool,
    Dict as DictType,
    Float,
    GCPProjectID,
    GCPRegion,
    GCRPath,
    GCSPath,
    Integer,
    List as ListType,
    LocalPath,
    String,
)


def use(*values):
    dsl.ContainerOp("use", "alpine", arguments=list(values))


@dsl.pipeline(name="Defaults")
def defaults(
    text: str = "a",
    number: int = 1,
    real: float = 0.5,
    truth: bool = True,
    items: list = [1, "a"],
    table: dict = {"b": 1, "a": [2]},
):
    use(text, number, real, truth, items, table)


@dsl.pipeline(name="No defaults")
def no_defaults(text: str, number: int, real: float, anything):
    use(text, number, real, anything)


@dsl.pipeline(name="Unread")
def unread(read: str = "a", not_read: str = "b"):
    use(read)


@dsl.pipeline(name="Untyped")
def untyped(text="a", number=1, real=1e-7, large=10**20, truth=False, items=[], table={}, empty=""):
    use(text, number)


@dsl.pipeline(name="Typing's types")
def typing_types(
    a: List[str] = ["x"], b: Dict[str, int] = {"x": 1}, c: Optional[str] = None, d: Optional[int] = 3, e: List = None
):
    use(a, b, d)


@dsl.pipeline(name="Types with a schema")
def schema_types(
    a: Integer() = 1,
    b: String() = "x",
    c: Float() = 0.5,
    d: Bool() = True,
    e: ListType() = [1],
    f: DictType() = {"a": 1},
    g: GCSPath() = "gs://a/b",
):
    use(a, b, c, d, e, f, g)


@dsl.pipeline(name="Types of Google")
def google_types(
    a: GCRPath() = "gcr.io/a/b", b: GCPRegion() = "europe", c: GCPProjectID() = "p", d: LocalPath() = "/a"
):
    use(a, b, c, d)


@dsl.pipeline(name="Types as texts")
def text_types(a: "Integer" = 1, b: "GcsUri" = "gs://a", c: {"CSV": {"columns": "a"}} = "x"):
    use(a, b, c)


@dsl.pipeline(name="Parameters as defaults")
def parameter_defaults(
    a=dsl.PipelineParam(name="a", value="x"), b: int = dsl.PipelineParam(name="b", value=3), c=dsl.PipelineParam("c")
):
    use(a, b, c)


@dsl.pipeline(name="Keywords alone")
def keywords_alone(a: str = "x", *, b: str = "y", c: int):
    use(a, b, c)


@dsl.pipeline()
def without_a_name(a: str = "x"):
    """What this pipeline is for.

    It is a longer text
    of two lines.

    Args:
        a: the first one
    """
    use(a)


@dsl.pipeline(description="Its description")
def with_description(a: str = "x"):
    """Another text."""
    use(a)


@dsl.pipeline(name="Described parameters", description="Reads its docstring")
def described_parameters(rate: float = 0.1, path: str = "gs://x"):
    """Trains.

    Args:
        rate: How fast.
        path: Where the data is,
            in two lines.
    """
    use(rate, path)


@dsl.pipeline(name="With a root", pipeline_root="gs://root")
def with_a_root(a: str = "x"):
    use(a)


@dsl.pipeline(name="Ünïcode – 名前 5")
def unicode_name(a: str = "é ü 漢 🎈", b: str = "quotes \"' and \\ and \n", c: str = "{{x}}"):
    use(a, b, c)


@dsl.pipeline(name="Names of parameters")
def names_of_parameters(CamelCase: str = "a", snake_case: str = "b", trailing_: str = "d", a__b: str = "e"):
    use(CamelCase, snake_case, trailing_, a__b)


def undecorated(a: str = "x", b: int = 2):
    """Just a function."""
    use(a, b)
