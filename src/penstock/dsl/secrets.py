"""Secrets of the cluster, handed to a step: `step.apply(use_secret(…))`."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from penstock.dsl.naming import kubernetes_name
from penstock.dsl.ops import ContainerOp
from penstock.dsl.references import MARKER
from penstock.dsl.tracing import located
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["mounted", "use_secret", "variables"]


def use_secret(
    secret_name: Any,
    secret_volume_mount_path: str,
    env_variable: str | None = None,
    secret_file_path_in_volume: str | None = None,
) -> Callable[[Any], Any]:
    """Mount a secret at a path; `env_variable` then holds the path of the file of that name in it.

    Raises InvalidPipeline for an empty name or path, and when only one of the last two is given.
    """
    if not str(secret_name) or not secret_volume_mount_path:
        raise InvalidPipeline(located("use_secret: secret_name and secret_volume_mount_path must not be empty"))
    if bool(env_variable) != bool(secret_file_path_in_volume):
        raise InvalidPipeline(located("use_secret: env_variable and secret_file_path_in_volume belong together"))
    name = str(secret_name)
    volume = f"secret-{kubernetes_name(MARKER.sub(lambda match: match[2], name))}" if "{{" in name else name
    values = {env_variable: posixpath.join(secret_volume_mount_path, str(secret_file_path_in_volume))}
    return mounted(name, volume, secret_volume_mount_path, {k: v for k, v in values.items() if k})


def mounted(secret: str, volume: str, path: str, values: Mapping[str, str]) -> Callable[[Any], Any]:
    """Mount a secret as a volume, and set variables to texts."""

    def change(step: Any) -> Any:
        if isinstance(step, ContainerOp):
            step.add_volume({"name": volume, "secret": {"secretName": secret}})
            step.add_volume_mount({"name": volume, "mountPath": path})
            for name, value in values.items():
                step.add_env_variable({"name": name, "value": value})
        return step

    return change


def variables(secret: str, keys: Mapping[str, str]) -> Callable[[Any], Any]:
    """Set environment variables, by their names, from keys of a secret."""

    def change(step: Any) -> Any:
        for name, key in keys.items() if isinstance(step, ContainerOp) else ():
            step.add_env_variable({"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}})
        return step

    return change
