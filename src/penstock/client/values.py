"""What the server answers, as frozen values. Names are those of REST v2beta1; times are `datetime` in UTC.

`id` and `name` are short for the longer names, as the older `kfp` client has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from penstock.workflow.status import Node

__all__ = [
    "Experiment",
    "ExperimentList",
    "Gone",
    "InputSpec",
    "Metric",
    "NodeList",
    "Note",
    "Pipeline",
    "PipelineList",
    "PipelineVersion",
    "PipelineVersionList",
    "Progress",
    "Run",
    "RunEvent",
    "RunList",
    "RuntimeConfig",
    "Status",
    "VersionReference",
]

TERMINAL = ("SUCCEEDED", "SKIPPED", "FAILED", "CANCELED")


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of the values: keys that a newer server adds are ignored."""


class Experiment(Answer, frozen=True, kw_only=True):
    """A group of runs."""

    experiment_id: str
    display_name: str = ""
    description: str = ""
    namespace: str = ""
    created_at: datetime | None = None
    last_run_created_at: datetime | None = None
    storage_state: str = "AVAILABLE"

    @property
    def id(self) -> str:
        """`experiment_id`."""
        return self.experiment_id

    @property
    def name(self) -> str:
        """`display_name`."""
        return self.display_name


class Pipeline(Answer, frozen=True, kw_only=True):
    """A named pipeline. What runs is one of its versions; `latest_version_id` is the newest, "" where there is none."""

    pipeline_id: str
    name: str = ""
    display_name: str = ""
    description: str = ""
    created_at: datetime | None = None
    latest_version_id: str = ""

    @property
    def id(self) -> str:
        """`pipeline_id`."""
        return self.pipeline_id


class InputSpec(Answer, frozen=True, kw_only=True):
    """One input of a pipeline; `default` None: it has none."""

    name: str
    type: str = ""
    default: str | None = None
    optional: bool = False
    description: str = ""


class PipelineVersion(Answer, frozen=True, kw_only=True):
    """One version of a pipeline. `pipeline_spec` is its document, where one version was asked for."""

    pipeline_id: str = ""
    pipeline_version_id: str
    name: str = ""
    display_name: str = ""
    description: str = ""
    created_at: datetime | None = None
    pipeline_spec: Mapping[str, Any] | None = None
    inputs: tuple[InputSpec, ...] = ()

    @property
    def id(self) -> str:
        """`pipeline_version_id`."""
        return self.pipeline_version_id


class VersionReference(Answer, frozen=True, kw_only=True):
    """The pipeline version that a run was made of."""

    pipeline_id: str = ""
    pipeline_version_id: str = ""


class RuntimeConfig(Answer, frozen=True, kw_only=True):
    """The parameters of a run, as texts."""

    parameters: Mapping[str, Any] = {}


class Status(Answer, frozen=True, kw_only=True):
    """Why something failed."""

    code: int = 0
    message: str = ""
    details: Sequence[Any] = ()


class Metric(Answer, frozen=True, kw_only=True):
    """A number that a step reported. `value` None: it was a NaN or an infinity. `format` is RAW or PERCENTAGE."""

    name: str
    node_id: str = ""
    value: float | None = None
    format: str = "RAW"
    step: str = ""


class Progress(Answer, frozen=True, kw_only=True):
    """How many steps stand where."""

    pending: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0


class Run(Answer, frozen=True, kw_only=True):
    """A run. `state` is PENDING, RUNNING, CANCELING, SUCCEEDED, SKIPPED, FAILED or CANCELED; `phase` Argo's word."""

    run_id: str
    display_name: str = ""
    description: str = ""
    experiment_id: str = ""
    storage_state: str = "AVAILABLE"
    state: str = ""
    pipeline_version_reference: VersionReference | None = None
    runtime_config: RuntimeConfig | None = None
    service_account: str = ""
    created_at: datetime | None = None
    scheduled_at: datetime | None = None
    finished_at: datetime | None = None
    error: Status | None = None
    started_at: datetime | None = None
    phase: str = ""
    message: str = ""
    workflow_name: str = ""
    pipeline_name: str = ""
    progress: Progress | None = None
    metrics: tuple[Metric, ...] = ()

    @property
    def id(self) -> str:
        """`run_id`."""
        return self.run_id

    @property
    def name(self) -> str:
        """`display_name`."""
        return self.display_name

    @property
    def ended(self) -> bool:
        """True when nothing more happens to it."""
        return self.state in TERMINAL

    @property
    def succeeded(self) -> bool:
        """True when it ended well."""
        return self.state == "SUCCEEDED"


class Page(Answer, frozen=True, kw_only=True):
    """A part of a list. `next_page_token` asks for the next one, "" at the end; `total_size` counts all parts."""

    total_size: int = 0
    next_page_token: str = ""


class ExperimentList(Page, frozen=True, kw_only=True):
    """A page of experiments."""

    experiments: tuple[Experiment, ...] = ()


class PipelineList(Page, frozen=True, kw_only=True):
    """A page of pipelines."""

    pipelines: tuple[Pipeline, ...] = ()


class PipelineVersionList(Page, frozen=True, kw_only=True):
    """A page of a pipeline's versions."""

    pipeline_versions: tuple[PipelineVersion, ...] = ()


class RunList(Page, frozen=True, kw_only=True):
    """A page of runs."""

    runs: tuple[Run, ...] = ()


class NodeList(Answer, frozen=True, kw_only=True):
    """The nodes of a run. `last_event` is where `follow_run` goes on after them."""

    nodes: tuple[Node, ...] = ()
    last_event: int = 0


class Gone(Answer, frozen=True, kw_only=True):
    """Ids of nodes that a run has no more, since their steps run again."""

    ids: Sequence[str] = ()


class Note(Answer, frozen=True, kw_only=True, rename="camel"):
    """Something a person should know of a run, or of one of its nodes ("" for the run)."""

    message: str
    node_id: str = ""


class RunEvent(Answer, frozen=True, kw_only=True):
    """One entry of a run's event stream. `seq` rises; give the last one seen to go on after it.

    `kind` tells what `value` is: "run" a `Run`, "node" a `Node`, "gone" a `Gone`, "note" a `Note`.
    """

    seq: int
    kind: str
    value: Run | Node | Note
