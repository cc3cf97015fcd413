"""Modules of an author's own, as texts that a program carries with it: what they import of their own folder, too.

A module lies in a folder as Python finds it there: `tools/clean.py` below the folder of `tools` is `tools.clean`.
What a carried module imports is carried when it lies below the same folder, else the step's environment must have it.
"""

from __future__ import annotations

import ast
import inspect
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from penstock.dsl import artifacts
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

__all__ = ["ARTIFACTS", "ModuleText", "carried", "is_own", "runtime"]

ARTIFACTS = "penstock_artifacts"
"""The name under which a program finds the classes of artifacts."""


class ModuleText(NamedTuple):
    """A module's source and where it lies below its folder, for example `tools/__init__.py`."""

    file: str
    text: str


def carried(modules: Iterable[ModuleType], function: ast.AST, place: str) -> dict[str, ModuleText]:
    """The sources of modules by their names, and of what they, and the function's body, import from beside them.

    Raises InvalidPipeline, at `place`, for a module without a Python file, or one that was installed.
    """
    roots = {module.__name__.partition(".")[0]: _root(module, place) for module in modules}
    waiting = [*(module.__name__ for module in modules), *_imported(function, "")]
    found: dict[str, ModuleText] = {}
    while waiting:
        name = waiting.pop()
        root = roots.get(name.partition(".")[0]) or _beside(name, roots.values())
        text = _text(root, name) if root is not None and name not in found else None
        if text is not None:
            found[name] = text
            package = name if text.file.endswith("__init__.py") else name.rpartition(".")[0]
            waiting.extend([name.rpartition(".")[0], *_imported(ast.parse(text.text), package)])
    return dict(sorted(found.items()))


def runtime() -> dict[str, ModuleText]:
    """The module by which a program handles artifacts."""
    return {ARTIFACTS: ModuleText(f"{ARTIFACTS}.py", inspect.getsource(artifacts))}


def is_own(path: str | None) -> bool:
    """Whether a file is an author's own: Python source that was not installed."""
    installed = {sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")}
    return path is not None and path.endswith(".py") and not any(Path(path).is_relative_to(each) for each in installed)


def _root(module: ModuleType, place: str) -> Path:
    """The folder from which a module is imported."""
    path = getattr(module, "__file__", None)
    if not is_own(path):
        raise InvalidPipeline(
            f"{place}: helpers: module '{module.__name__}' is no Python file of your own; import it inside the "
            "function, and name its package in packages_to_install"
        )
    file = Path(str(path))
    depth = module.__name__.count(".") + (file.name == "__init__.py")
    return file.parents[depth]


def _beside(name: str, roots: Iterable[Path]) -> Path | None:
    return next((root for root in roots if _file(root, name) is not None), None)


def _file(root: Path, name: str) -> Path | None:
    path = root.joinpath(*name.split("."))
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if name and file.is_file()), None)


def _text(root: Path, name: str) -> ModuleText | None:
    file = _file(root, name)
    return ModuleText(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")) if file is not None else None


def _imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Names that may be those of imported modules: `from a import b` may mean `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
            base = ".".join(part for part in (above, node.module) if part)
            yield from (base, *(f"{base}.{alias.name}" for alias in node.names))
