"""How files get from step to step, where it is not by artifacts: `conf.data_passing_method = KubernetesVolume(…)`."""

from __future__ import annotations

from typing import Any

from penstock.dsl.kubernetes import plain
from penstock.dsl.tracing import located
from penstock.errors import InvalidPipeline

__all__ = ["KubernetesVolume"]


class KubernetesVolume:
    """All files lie on one volume, which every step mounts; what is handed on are paths.

    `volume` is a Kubernetes `V1Volume` or a dict, and can be mounted by several steps at once; `path_prefix` is the
    folder on it. Raises InvalidPipeline for something else.
    """

    def __init__(self, volume: Any, path_prefix: str = "artifact_data/") -> None:
        found = plain(volume)
        if not isinstance(found, dict):
            raise InvalidPipeline(located(f"volume: expected a V1Volume or a dict, got {volume!r}"))
        self.volume: dict[str, Any] = found
        self.path_prefix = path_prefix
