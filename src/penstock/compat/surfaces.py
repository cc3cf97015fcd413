"""What each version of kfp has under which name, and what of it is not here, with the reason."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock import components, dsl
from penstock.compat import builders, images
from penstock.compat.absent import why_absent
from penstock.compiler.dialects import KFP_0_1, KFP_1_8, PIPELINE_ROOT, Dialect
from penstock.components.airflow import create_component_from_airflow_op
from penstock.dsl.secrets import use_secret
from penstock.dsl.tracing import located
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["SURFACES", "Surface"]

Names = dict[str, Any]

_DSL_0_1 = ("Condition", "ContainerOp", "ExitHandler", "Pipeline", "PipelineParam", "pipeline")
_DSL_1_8 = (
    *_DSL_0_1,
    "BaseOp",
    "EXECUTION_ID_PLACEHOLDER",
    "InputArgumentPath",
    "ParallelFor",
    "PipelineConf",
    "PipelineVolume",
    "RUN_ID_PLACEHOLDER",
    "ResourceOp",
    "Sidecar",
    "SubGraph",
    "UserContainer",
    "VOLUME_MODE_ROM",
    "VOLUME_MODE_RWM",
    "VOLUME_MODE_RWO",
    "VolumeOp",
    "VolumeSnapshotOp",
    "get_pipeline_conf",
    "graph_component",
)
_COMPONENTS_0_1 = ("load_component", "load_component_from_file", "load_component_from_text", "load_component_from_url")
_COMPONENTS_1_8 = (
    *_COMPONENTS_0_1,
    "ComponentStore",
    "InputBinaryFile",
    "InputPath",
    "InputTextFile",
    "OutputBinaryFile",
    "OutputPath",
    "OutputTextFile",
    "create_graph_component_from_pipeline_func",
    "load_component_from_spec",
)


_PARTS_OF_DSL_1_8: Mapping[str, tuple[str, ...]] = {
    "_component": ("graph_component",),
    "_container_op": ("BaseOp", "Container", "ContainerOp", "InputArgumentPath", "Sidecar", "UserContainer"),
    "_ops_group": ("Condition", "ExitHandler", "ParallelFor", "SubGraph"),
    "_pipeline": ("Pipeline", "PipelineConf", "get_pipeline_conf", "pipeline"),
    "_pipeline_param": ("PipelineParam",),
    "_pipeline_volume": ("PipelineVolume",),
    "_resource_op": ("ResourceOp", "kubernetes_resource_delete_op"),
    "_volume_op": ("VOLUME_MODE_ROM", "VOLUME_MODE_RWM", "VOLUME_MODE_RWO", "VolumeOp"),
    "_volume_snapshot_op": ("VolumeSnapshotOp",),
}
"""Modules inside kfp.dsl from which files, those of kfp's own samples among them, take what is public."""


class Surface(NamedTuple):
    """One version of kfp."""

    version: str
    dialect: Dialect
    modules: Mapping[str, Callable[[], Names]]
    """What stands in each module, by the module's full name."""

    def refuse(self, name: str) -> None:
        """Raise InvalidPipeline, with the author's file and line, for a name that is not here on purpose."""
        reason = why_absent(name)
        if reason:
            raise InvalidPipeline(located(f"{name} is not supported: {reason}"))


def _top_1_8() -> Names:
    return {"__version__": "1.8.22", **_inner("compiler", "components", "dsl"), "__getattr__": _client}


def _top_0_1() -> Names:
    return {"__version__": "0.1.3", "__getattr__": _client}


_LATE = {
    "Client": "penstock.client",
    "LocalClient": "penstock.client.local",
    "run_pipeline_func_locally": "penstock.client.local",
    "run_pipeline_func_on_cluster": "penstock.compat.running",
}


def _client(name: str) -> Any:
    """What runs pipelines, which needs more imports than a compiler does, when somebody asks for it."""
    if name not in _LATE:
        raise AttributeError(f"module 'kfp' has no attribute {name!r}")
    return getattr(import_module(_LATE[name]), name)


def _inner(*names: str) -> Names:
    """Modules of kfp that are there as soon as `kfp` is."""
    return {name: import_module(f"kfp.{name}") for name in names}


def _of(room: Any, names: tuple[str, ...]) -> Names:
    return {name: getattr(room, name) for name in names}


def _dsl_1_8() -> Names:
    return {
        **_of(dsl, _DSL_1_8),
        **{name: import_module(f"kfp.dsl.{name}") for name in ("data_passing_methods", "types")},
        "PipelineExecutionMode": builders.PipelineExecutionMode,
        "ROOT_PARAMETER_NAME": PIPELINE_ROOT,
    }


def _components_1_8() -> Names:
    return {
        **_of(components, _COMPONENTS_1_8),
        "create_component_from_airflow_op": create_component_from_airflow_op,
        "create_component_from_func": builders.create_component_from_func,
        "func_to_component_text": builders.func_to_component_text,
        "func_to_container_op": builders.func_to_container_op,
    }


def _components_0_1() -> Names:
    return {
        **_of(components, _COMPONENTS_0_1),
        "func_to_component_text": builders.func_to_component_text_of_0_1,
        "func_to_container_op": builders.func_to_container_op_of_0_1,
    }


def _types() -> Names:
    return {
        **_public("penstock.dsl.types")(),
        "InconsistentTypeException": InvalidPipeline,
        "InconsistentTypeWarning": UserWarning,
        "check_types": builders.check_types,
    }


def _public(module: str) -> Callable[[], Names]:
    def names() -> Names:
        found = import_module(module)
        return {name: getattr(found, name) for name in found.__all__}

    return names


_1_8: dict[str, Callable[[], Names]] = {
    "kfp": _top_1_8,
    "kfp.dsl": _dsl_1_8,
    **{f"kfp.dsl.{module}": partial(_of, dsl, names) for module, names in _PARTS_OF_DSL_1_8.items()},
    "kfp.dsl._for_loop": lambda: {"LoopArguments": builders.LoopArguments, "ParallelFor": dsl.ParallelFor},
    "kfp.dsl.types": _types,
    "kfp.dsl.data_passing_methods": _public("penstock.dsl.data_passing_methods"),
    "kfp.components": _components_1_8,
    "kfp.compiler": lambda: {"Compiler": builders.Compiler},
    "kfp.compiler.compiler": lambda: {"Compiler": builders.Compiler},
    "kfp.containers": lambda: {"build_image_from_working_dir": components.build_image_from_working_dir},
    **{f"kfp.{cloud}": _public(f"penstock.dsl.{cloud}") for cloud in ("aws", "azure", "gcp", "onprem")},
    "kfp.dsl.extensions": dict,
    "kfp.dsl.extensions.kubernetes": lambda: {"use_secret": use_secret},
}
_0_1: dict[str, Callable[[], Names]] = {
    "kfp": _top_0_1,
    "kfp.dsl": lambda: {**_of(dsl, _DSL_0_1), "python_component": images.python_component},
    "kfp.components": _components_0_1,
    "kfp.compiler": lambda: {
        "Compiler": builders.CompilerOf01,
        "VersionedDependency": images.VersionedDependency,
        "build_docker_image": images.build_docker_image,
        "build_python_component": images.build_python_component,
    },
    "kfp.gcp": lambda: {"use_gcp_secret": builders.use_gcp_secret_of_0_1},
}

SURFACES: Mapping[str, Surface] = {"1.8": Surface("1.8", KFP_1_8, _1_8), "0.1": Surface("0.1", KFP_0_1, _0_1)}
"""The versions, by the name that `--as-kfp` takes."""
