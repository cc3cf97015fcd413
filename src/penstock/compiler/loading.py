"""A user's Python file → the pipeline that it defines."""

from __future__ import annotations

import inspect
import linecache
import sys
from contextlib import contextmanager
from types import FunctionType
from typing import TYPE_CHECKING, Any

from penstock.dsl.failures import translated
from penstock.dsl.naming import python_name
from penstock.dsl.pipelines import Pipeline
from penstock.dsl.references import PipelineParam
from penstock.errors import InvalidInput, InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import ModuleType

__all__ = ["load_pipelines", "loaded_package"]


def load_pipelines(path: Path, function: str | None = None, *, undecorated: bool = False) -> Pipeline:
    """Execute a Python file as a module, with its folder on `sys.path`, and return the pipeline that it defines.

    `function` names one of several; without it, the only one is taken, or the one that calls the others. In a file
    without a decorated pipeline, `undecorated` takes its only public function, with the module's `PipelineParam`s as
    the pipeline's parameters.
    Raises InvalidPipeline, with file and line, when the file cannot be read or raises, when it defines no pipeline,
    and when several are left.
    """
    return _chosen(_execute(path), str(path), function, undecorated)


@contextmanager
def loaded_package(
    package: Path, module: str, function: str | None = None, *, undecorated: bool = False
) -> Iterator[Pipeline]:
    """The pipeline that `module` of a Python package defines: of a folder, a wheel or a source archive, which is
    installed for as long as the block lasts. `function` and `undecorated` as `load_pipelines` has them.

    Raises InvalidInput for what cannot be installed; InvalidPipeline as `load_pipelines`.
    """
    from importlib import import_module
    from tempfile import TemporaryDirectory

    where = f"{package}: module '{module}'"
    with TemporaryDirectory() as folder:
        _install(package, folder)
        sys.path.insert(0, folder)
        try:
            with translated(where):
                found = import_module(module)
            yield _chosen(found, where, function, undecorated)
        finally:
            sys.path.remove(folder)
            for name, each in list(sys.modules.items()):
                if (getattr(each, "__file__", None) or "").startswith(folder):
                    del sys.modules[name]


def _install(package: Path, folder: str) -> None:
    import subprocess

    import uv

    if not package.exists():
        raise InvalidInput(f"{package}: no such file; expected a Python package: a folder, a wheel or a source archive")
    command = [uv.find_uv_bin(), "pip", "install", "--quiet", "--python", sys.executable, "--target", folder]
    ended = subprocess.run([*command, str(package.resolve())], capture_output=True, text=True)
    if ended.returncode:
        raise InvalidInput(f"{package}: cannot be installed: {ended.stderr.strip()}")


def _chosen(module: ModuleType, path: str, function: str | None, undecorated: bool) -> Pipeline:
    found = {name: value for name, value in vars(module).items() if isinstance(value, Pipeline)}
    own = {name: value for name, value in found.items() if value.__module__ == module.__name__} or found
    if undecorated and not own:
        return _undecorated(module, path, function)
    if function is not None:
        return _named(function, found, path)
    if not own:
        raise InvalidPipeline(f"{path}: no pipeline in it; decorate its function with @dsl.pipeline(name=…)")
    distinct = {id(value): (name, value) for name, value in own.items()}
    if len(distinct) == 1:
        return next(iter(own.values()))
    return _outermost(dict(distinct.values()), path)


def _undecorated(module: ModuleType, path: str, function: str | None) -> Pipeline:
    public = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, FunctionType) and value.__module__ == module.__name__ and not name.startswith("_")
    }
    if function is None and len(public) == 1:
        (function,) = public
    if function not in public:
        raise InvalidPipeline(
            f"{path}: no decorated pipeline in it, and not one public function alone ({_listed(public)}); decorate "
            "the pipeline with @dsl.pipeline(name=…), or choose a function with --function NAME"
        )
    parameters = [value for value in vars(module).values() if isinstance(value, PipelineParam)]
    return Pipeline(_with_parameters(public[function], parameters))


def _with_parameters(func: Callable[..., Any], parameters: list[PipelineParam]) -> Callable[..., Any]:
    """A function that declares the parameters, and calls `func` without them: it uses the module's."""
    if not parameters:
        return func

    def call(*_references: object) -> Any:
        return func()

    call.__name__, call.__doc__, call.__module__ = func.__name__, func.__doc__, func.__module__
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    declared = [inspect.Parameter(python_name(each.name), kind, default=each) for each in parameters]
    call.__code__ = call.__code__.replace(
        co_filename=func.__code__.co_filename, co_firstlineno=func.__code__.co_firstlineno
    )
    call.__signature__ = inspect.Signature(declared)  # type: ignore[attr-defined]
    return call


def _named(function: str, found: dict[str, Pipeline], path: str) -> Pipeline:
    by_title = {pipeline.spec.name: pipeline for pipeline in found.values()}
    pipeline = found.get(function) or by_title.get(function)
    if pipeline is None:
        raise InvalidPipeline(f"{path}: no pipeline '{function}' in it; it has {_listed(found)}")
    return pipeline


def _outermost(found: dict[str, Pipeline], path: str) -> Pipeline:
    """The pipeline that calls all others."""
    called = {name: {id(inner) for inner in pipeline.trace().called} for name, pipeline in found.items()}
    everyone = {id(pipeline) for pipeline in found.values()}
    for name, pipeline in found.items():
        if called[name] >= everyone - {id(pipeline)}:
            return pipeline
    raise InvalidPipeline(f"{path}: {len(found)} pipelines in it: {_listed(found)}; choose one with --function NAME")


def _listed(found: Mapping[str, object]) -> str:
    return ", ".join(sorted(found)) or "none"


def _execute(path: Path) -> ModuleType:
    from types import ModuleType

    try:
        source = path.read_bytes()
    except OSError as error:
        raise InvalidPipeline(f"{path}: cannot be read: {error.strerror or error}") from None
    full = path.resolve()
    # Not `__main__`: a file's own "run me" part must not run. In sys.modules, as classes and typing look there.
    module = ModuleType(f"penstock_file_{full.stem}")
    module.__file__ = str(full)
    sys.modules[module.__name__] = module
    linecache.checkcache(str(full))
    sys.path.insert(0, str(full.parent))
    with translated(str(path)):
        exec(compile(source, str(full), "exec", dont_inherit=True), module.__dict__)  # noqa: S102 (the user asks for it)
    return module
