"""Kubeflow Pipelines' names for making a component from a function."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.components.component import FunctionComponent
from penstock.dsl.tracing import located
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType

__all__ = ["create_component_from_func", "func_to_container_op"]


def create_component_from_func(
    func: Callable[..., Any],
    output_component_file: str | Path | None = None,
    base_image: str | None = None,
    packages_to_install: Sequence[str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> FunctionComponent:
    """The component of a function, as `component` makes it; also written to `output_component_file` when given."""
    return func_to_container_op(
        func, output_component_file, base_image, packages_to_install=packages_to_install, annotations=annotations
    )


def func_to_container_op(
    func: Callable[..., Any],
    output_component_file: str | Path | None = None,
    base_image: str | None = None,
    extra_code: str = "",
    packages_to_install: Sequence[str] | None = None,
    modules_to_capture: Sequence[str] | None = None,
    use_code_pickling: bool = False,
    annotations: Mapping[str, str] | None = None,
) -> FunctionComponent:
    """The same under its older name. `extra_code` stands before the function's source; `modules_to_capture` names
    modules whose source comes along. Pickled code raises InvalidPipeline, as does a module that was not imported.
    """
    if use_code_pickling:
        raise InvalidPipeline(
            located(
                f"'{func.__name__}': use_code_pickling is not supported: pickled code runs on one version of Python "
                "alone; carry modules along by modules_to_capture"
            )
        )
    made = FunctionComponent(
        func,
        base_image=base_image,
        packages_to_install=packages_to_install or (),
        annotations=annotations,
        helpers=[_module(name) for name in modules_to_capture or ()],
        extra_code=extra_code,
    )
    if output_component_file:
        from penstock.workflow.yaml import dump_yaml

        Path(output_component_file).write_text(dump_yaml(made.spec.to_dict()), encoding="utf-8")
    return made


def _module(name: str) -> ModuleType:
    if name not in sys.modules:
        raise InvalidPipeline(located(f"modules_to_capture: no module '{name}' is imported; import it first"))
    return sys.modules[name]
