"""Steps that make volumes, and snapshots of volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.dsl.container import amount_of_memory
from penstock.dsl.kubernetes import plain
from penstock.dsl.naming import kubernetes_name
from penstock.dsl.references import MARKER, Reference
from penstock.dsl.resources import ResourceOp
from penstock.dsl.tracing import located
from penstock.dsl.volumes import PipelineVolume
from penstock.errors import InvalidPipeline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["VOLUME_MODE_ROM", "VOLUME_MODE_RWM", "VOLUME_MODE_RWO", "VolumeOp", "VolumeSnapshotOp"]

VOLUME_MODE_RWO = ["ReadWriteOnce"]
VOLUME_MODE_RWM = ["ReadWriteMany"]
VOLUME_MODE_ROM = ["ReadOnlyMany"]

_SNAPSHOTS = "snapshot.storage.k8s.io"


class VolumeOp(ResourceOp):
    """A step that makes a claim of a volume; `.volume` is the volume, to be mounted by `pvolumes`.

    The claim is called `resource_name`, after the run's name and a dash unless `generate_unique_name` is False. `size`
    is an amount such as `10Gi`, `modes` a list such as VOLUME_MODE_RWO. `data_source` is a snapshot's name, or what a
    `VolumeSnapshotOp` has as `.snapshot`. Or give the whole claim as `k8s_resource`, and nothing else of these.
    """

    standard_outputs = {**ResourceOp.standard_outputs, "size": "{.status.capacity.storage}"}

    def __init__(
        self,
        resource_name: Any = None,
        size: Any = None,
        storage_class: Any = None,
        modes: Sequence[str] | None = None,
        annotations: Mapping[str, Any] | None = None,
        data_source: Any = None,
        volume_name: Any = None,
        generate_unique_name: bool = True,
        k8s_resource: Any = None,
        **settings: Any,
    ) -> None:
        given = (resource_name, size, storage_class, modes, annotations)
        if k8s_resource is not None:
            _refuse_both(given)
        else:
            k8s_resource = {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": _metadata(resource_name, annotations, generate_unique_name),
                "spec": {
                    "accessModes": list(modes or VOLUME_MODE_RWM),
                    "dataSource": _data_source(data_source),
                    "resources": {"requests": {"storage": amount_of_memory(size, "size")}},
                    "storageClassName": storage_class,
                    "volumeName": volume_name,
                },
            }
        super().__init__(k8s_resource, **settings)
        self.volume = PipelineVolume(pvc=self.outputs["name"], name=self.name)
        """The volume."""


class VolumeSnapshotOp(ResourceOp):
    """A step that makes a snapshot of a volume; `.snapshot` is what `VolumeOp` takes as `data_source`.

    The volume is given by the name of its claim, `pvc`, or as a `volume` that has one; then the step waits for the
    steps that had the volume. Or give the whole snapshot as `k8s_resource`, and nothing else of these.
    """

    standard_outputs = {**ResourceOp.standard_outputs, "size": "{.status.restoreSize}"}

    def __init__(
        self,
        resource_name: Any = None,
        pvc: Any = None,
        snapshot_class: Any = None,
        annotations: Mapping[str, Any] | None = None,
        volume: Any = None,
        api_version: str = f"{_SNAPSHOTS}/v1alpha1",
        k8s_resource: Any = None,
        **settings: Any,
    ) -> None:
        if k8s_resource is not None:
            _refuse_both((resource_name, pvc, snapshot_class, annotations, volume))
        else:
            k8s_resource = {
                "apiVersion": api_version,
                "kind": "VolumeSnapshot",
                "metadata": _metadata(resource_name, annotations, True),
                "spec": {
                    "snapshotClassName": snapshot_class,
                    "source": {"kind": "PersistentVolumeClaim", "name": _claim(pvc, volume)},
                },
            }
        settings.setdefault("success_condition", "status.readyToUse == true")
        super().__init__(k8s_resource, **settings)
        self.dependencies.extend(volume.holders if isinstance(volume, PipelineVolume) else ())
        self.snapshot = _data_source(self.outputs["name"])
        """The snapshot, as a Kubernetes `V1TypedLocalObjectReference`."""


def _refuse_both(given: Sequence[Any]) -> None:
    if any(value is not None for value in given):
        raise InvalidPipeline(located("k8s_resource is the whole object; leave the other arguments out"))


def _metadata(name: Any, annotations: Mapping[str, Any] | None, unique: bool) -> dict[str, Any]:
    if name is None:
        raise InvalidPipeline(located("resource_name is missing"))
    text = str(name) if MARKER.search(str(name)) else kubernetes_name(str(name))
    return {"annotations": annotations or None, "name": f"{{{{workflow.name}}}}-{text}" if unique else text}


def _data_source(source: Any) -> Any:
    if not isinstance(source, str | Reference):
        return plain(source)
    return {"apiGroup": _SNAPSHOTS, "kind": "VolumeSnapshot", "name": str(source)}


def _claim(pvc: Any, volume: Any) -> str:
    if (pvc is None) == (volume is None):
        raise InvalidPipeline(located("a snapshot is taken of a claim (pvc) or of a volume; give one of them"))
    if pvc is not None:
        return str(pvc)
    claim = (volume if isinstance(volume, PipelineVolume) else PipelineVolume(volume=volume)).claim
    if claim is None:
        raise InvalidPipeline(located("volume: a snapshot is taken of a volume that has a claim"))
    return claim
