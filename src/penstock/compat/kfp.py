"""`import kfp` in this process, as version 1.8 or 0.1 of Kubeflow Pipelines would answer it."""

from __future__ import annotations

import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from penstock.compat.hook import Modules
from penstock.compat.surfaces import SURFACES
from penstock.compat.values import names_of_client
from penstock.dsl.tracing import Manner, written_for
from penstock.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from penstock.compat.surfaces import Surface

__all__ = ["compiled", "install", "resolved"]


def install(version: str) -> None:
    """From now on `import kfp` gives Penstock, under the names that `version` of kfp has: "1.8" or "0.1".

    Where the package `kubernetes` is absent, `kubernetes.client` resolves to plain value classes. Raises InvalidInput
    for another version, and where kfp is imported already.
    """
    _install(_surface(version))
    written_for(Manner(version, _warned)).__enter__()


def _warned(message: str) -> None:
    warnings.warn(message, stacklevel=2)


@contextmanager
def resolved(version: str, warn: Callable[[str], None] = _warned) -> Iterator[Surface]:
    """As `install`, until the block ends; then the process is as it was before. Gives what the version is like.

    `warn` is told what kfp takes and Penstock would refuse.
    """
    surface = _surface(version)
    hooks = _install(surface)
    try:
        with written_for(Manner(version, warn)):
            yield surface
    finally:
        for hook in hooks:
            sys.meta_path.remove(hook)
            hook.forget()


def compiled(
    path: Path,
    function: str | None,
    version: str,
    warn: Callable[[str], None] = _warned,
    module: str = "",
    type_check: bool = True,
) -> dict[str, Any]:
    """The document of the pipeline that a file written for `version` of kfp defines, as that version writes it.

    `function` names one of several. A file without a decorated pipeline gives its only public function, with the
    `PipelineParam`s of the module as arguments. `warn` is told what kfp takes and Penstock would refuse. With `module`
    the file is a package that is installed, and the pipeline one of that module's. `type_check` as `compile_pipeline`.
    Raises InvalidInput, InvalidPipeline.
    """
    from penstock.compiler import compile_pipeline, load_pipelines, loaded_package

    with resolved(version, warn) as surface:
        if module:
            with loaded_package(path, module, function, undecorated=True) as pipeline:
                return compile_pipeline(pipeline, dialect=surface.dialect, type_check=type_check)
        pipeline = load_pipelines(path, function, undecorated=True)
        return compile_pipeline(pipeline, dialect=surface.dialect, type_check=type_check)


def _surface(version: str) -> Surface:
    if version not in SURFACES:
        raise InvalidInput(f"kfp {version!r}: expected one of {', '.join(SURFACES)}")
    return SURFACES[version]


def _install(surface: Surface) -> list[Modules]:
    loaded = sys.modules.get("kfp")
    if loaded is not None:
        raise InvalidInput(
            f"kfp {getattr(loaded, '__version__', '')} is imported already; ask for it before the first `import kfp`, "
            "once in a process"
        )
    own = Modules("kfp", surface.modules, surface.refuse)
    # Last: a real `kubernetes` is found before ours.
    absent = Modules("kubernetes", _KUBERNETES)
    sys.meta_path.insert(0, own)
    sys.meta_path.append(absent)
    return [own, absent]


def _kubernetes() -> dict[str, Any]:
    from importlib import import_module

    return {"client": import_module("kubernetes.client")}


def _client() -> dict[str, Any]:
    from importlib import import_module

    return {**names_of_client(), "models": import_module("kubernetes.client.models")}


_KUBERNETES = {"kubernetes": _kubernetes, "kubernetes.client": _client, "kubernetes.client.models": names_of_client}
