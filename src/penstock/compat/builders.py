"""What a version of kfp does otherwise than Penstock under the same name: defaults, arguments, what it refuses."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock import components
from penstock.compiler import compile_pipeline
from penstock.compiler.dialects import KFP_0_1, KFP_1_8, Dialect
from penstock.compiler.packages import write_package
from penstock.dsl.tracing import located
from penstock.dsl.types import connects
from penstock.errors import InvalidPipeline
from penstock.workflow.yaml import dump_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from penstock.components import FunctionComponent
    from penstock.dsl import ContainerOp, Pipeline, PipelineConf

__all__ = [
    "Compiler",
    "CompilerOf01",
    "LoopArguments",
    "PipelineExecutionMode",
    "check_types",
    "create_component_from_func",
    "func_to_component_text",
    "func_to_component_text_of_0_1",
    "func_to_container_op",
    "func_to_container_op_of_0_1",
    "use_gcp_secret_of_0_1",
]

_IMAGE_1_8 = "python:3.7"
_IMAGE_0_1 = "tensorflow/tensorflow:1.11.0-py3"


class PipelineExecutionMode(Enum):
    """What kfp 1.8 can compile to. Here it is V1_LEGACY alone: an Argo Workflow."""

    V1_LEGACY = 1
    V2_COMPATIBLE = 2
    V2_ENGINE = 3


class LoopArguments:
    """How kfp 1.8 names what it loops over, for files that set `ParallelFor._get_unique_id_code`, which has no effect:
    loops are numbered here."""

    LOOP_ITEM_NAME_BASE = "loop-item"
    LOOP_ITEM_PARAM_NAME_BASE = "loop-item-param"
    NUM_CODE_CHARS = 8


class Compiler:
    """`kfp.compiler.Compiler` of 1.8: writes documents as that version does.

    Raises InvalidPipeline for the V2 modes. `launcher_image` belongs to them, and has no effect.
    """

    def __init__(
        self, mode: PipelineExecutionMode = PipelineExecutionMode.V1_LEGACY, launcher_image: str | None = None
    ) -> None:
        del launcher_image
        if mode is not PipelineExecutionMode.V1_LEGACY:
            raise InvalidPipeline(
                located(
                    f"mode {getattr(mode, 'name', mode)}: only PipelineExecutionMode.V1_LEGACY is supported; the V2 "
                    "modes make programs that need kfp and its launcher in every image"
                )
            )

    def compile(
        self,
        pipeline_func: Pipeline | Callable[..., Any],
        package_path: str,
        type_check: bool = True,
        pipeline_conf: PipelineConf | None = None,
    ) -> None:
        """Write a pipeline's document to `package_path`, whose ending says in which form.

        Without `type_check`, values are connected to inputs of any type.
        """
        _written(pipeline_func, package_path, KFP_1_8, pipeline_conf, type_check)


class CompilerOf01:
    """`kfp.compiler.Compiler` of 0.1: writes documents as that version does."""

    def compile(self, pipeline_func: Pipeline | Callable[..., Any], package_path: str) -> None:
        """Write a pipeline's document to `package_path`, whose ending says in which form."""
        _written(pipeline_func, package_path, KFP_0_1, None)


def _written(
    pipeline: Pipeline | Callable[..., Any],
    path: str,
    dialect: Dialect,
    conf: PipelineConf | None,
    type_check: bool = True,
) -> None:
    write_package(compile_pipeline(pipeline, conf=conf, dialect=dialect, type_check=type_check), Path(path))


def check_types(checked_type: object, expected_type: object) -> bool:
    """Whether an output of one type may go to an input of another."""
    return connects(checked_type, expected_type)


def create_component_from_func(
    func: Callable[..., Any],
    output_component_file: str | None = None,
    base_image: str | None = None,
    packages_to_install: Sequence[str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> FunctionComponent:
    """The component of a function, in kfp 1.8's image where none is named."""
    return components.create_component_from_func(
        func, output_component_file, base_image or _IMAGE_1_8, packages_to_install, annotations
    )


def func_to_container_op(
    func: Callable[..., Any],
    output_component_file: str | None = None,
    base_image: str | None = None,
    extra_code: str = "",
    packages_to_install: Sequence[str] | None = None,
    modules_to_capture: Sequence[str] | None = None,
    use_code_pickling: bool = False,
    annotations: Mapping[str, str] | None = None,
) -> FunctionComponent:
    """The same under its older name. Raises InvalidPipeline for pickled code, captured modules and extra code."""
    return components.func_to_container_op(
        func,
        output_component_file,
        base_image or _IMAGE_1_8,
        extra_code,
        packages_to_install,
        modules_to_capture,
        use_code_pickling,
        annotations,
    )


def func_to_container_op_of_0_1(
    func: Callable[..., Any],
    output_component_file: str | None = None,
    base_image: str = _IMAGE_0_1,
    extra_code: str = "",
) -> FunctionComponent:
    """The component of a function, in kfp 0.1's image where none is named."""
    return components.func_to_container_op(func, output_component_file, base_image, extra_code)


def func_to_component_text(
    func: Callable[..., Any],
    extra_code: str = "",
    base_image: str | None = None,
    packages_to_install: Sequence[str] | None = None,
    modules_to_capture: Sequence[str] | None = None,
    use_code_pickling: bool = False,
) -> str:
    """The `component.yaml` of a function. Raises InvalidPipeline for pickled code."""
    made = func_to_container_op(
        func, None, base_image, extra_code, packages_to_install, modules_to_capture, use_code_pickling
    )
    return dump_yaml(made.spec.to_dict())


def func_to_component_text_of_0_1(func: Callable[..., Any], extra_code: str = "", base_image: str = _IMAGE_0_1) -> str:
    """The same, in kfp 0.1's image where none is named."""
    return dump_yaml(func_to_container_op_of_0_1(func, None, base_image, extra_code).spec.to_dict())


def use_gcp_secret_of_0_1(
    secret_name: str = "user-gcp-sa",  # noqa: S107 - a name
    secret_file_path_in_volume: str = "/user-gcp-sa.json",  # noqa: S107 - a path
    volume_name: str = "gcp-credentials",
    secret_volume_mount_path: str = "/secret/gcp-credentials",  # noqa: S107 - a path
) -> Callable[[ContainerOp], ContainerOp]:
    """For `op.apply(…)`: mount the secret of a Google Cloud account, and name its key in the environment."""

    def use(op: ContainerOp) -> ContainerOp:
        key = secret_volume_mount_path + secret_file_path_in_volume
        op.add_volume({"name": volume_name, "secret": {"secretName": secret_name}})
        op.add_volume_mount({"name": volume_name, "mountPath": secret_volume_mount_path})
        return op.add_env_variable({"name": "GOOGLE_APPLICATION_CREDENTIALS", "value": key})

    return use
