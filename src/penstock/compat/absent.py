"""What kfp has and Penstock does not, on purpose, with the reason: for messages, and for the table of parity.

A name stands for all that is below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ABSENT", "why_absent"]

_INSIDE = "it is a part of kfp's inside"
_SECOND = "it is the second version of kfp's language; write the file with penstock.dsl, or with kfp.dsl alone"
_KANIKO = "it builds images in a cluster, by kaniko and Google's storage; build them with docker or podman"
_PROXY = "its servers stand behind Google's proxy or Kubeflow's login; give `token` for one that asks for a token"

ABSENT: Mapping[str, str] = {
    "kfp.v2": _SECOND,
    "kfp.compiler.v2_compat": _SECOND,
    "kfp.dsl.importer": _SECOND,
    "kfp.components.create_component_from_func_v2": _SECOND,
    "kfp.COMPILING_FOR_V2": _INSIDE,
    "kfp.TYPE_CHECK": "types are always checked; `.ignore_type()` on a value passes it on unchecked",
    "kfp.auth": _PROXY,
    "kfp.cli": "the command is `penstock`",
    "kfp.notebook": "its magic builds images in a cluster; write the component in a cell",
    "kfp.containers.ContainerBuilder": _KANIKO,
    "kfp.containers.default_image_builder": _KANIKO,
    "kfp.compiler.VersionedDependency": _KANIKO,
    "kfp.compiler.build_docker_image": _KANIKO,
    "kfp.compiler.build_python_component": _KANIKO,
    "kfp.dsl.python_component": "it is for `build_python_component`; use `components.create_component_from_func`",
    "kfp.components.default_base_image_or_builder": "name the image where the component is made: `base_image=…`",
    "kfp.components.InputArtifact": _INSIDE,
    "kfp.components.OutputArtifact": _INSIDE,
    "kfp.dsl.OpsGroup": _INSIDE,
    "kfp.dsl.match_serialized_pipelineparam": _INSIDE,
    "kfp.dsl.component": "deprecated in kfp 1.8; use `components.create_component_from_func`",
}
"""Reasons, by the full names of modules and of what stands in them."""


def why_absent(name: str) -> str | None:
    """The reason for a full name, such as `kfp.v2.dsl`; None where there is none."""
    parts = name.split(".")
    if any(part.startswith("_") and not part.startswith("__") for part in parts):
        return _INSIDE
    above = (".".join(parts[:count]) for count in range(1, len(parts) + 1))
    return next((ABSENT[each] for each in above if each in ABSENT), None)
