"""What goes over the wire: the JSON shapes of REST v2beta1, snake case as Kubeflow Pipelines has them.

Times are RFC 3339 texts with microseconds and `Z`. Shapes marked "ours" are additions; the rest is a subset of the
Kubeflow Pipelines API of the same name. Nodes travel as `workflow.status.Node` (camel case, times in seconds).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec

from penstock.workflow.status import Node


class Wire(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Base of the shapes: unknown keys of a request are ignored, as the official clients need."""


Document = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "object"})]
"""A document in a request: its JSON as it came, for `workflow` to read."""


Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A number in a request: what JSON carries exactly, and every database holds."""


class Health(Wire, kw_only=True, omit_defaults=False):
    """GET /healthz and GET /apis/v2beta1/healthz."""

    multi_user: bool = False
    pipeline_store: str = "database"
    version: str = ""
    ready: bool = True


class Experiment(Wire, kw_only=True):
    experiment_id: str = ""
    display_name: str = ""
    description: str = ""
    namespace: str = ""
    created_at: str = ""
    last_run_created_at: str = ""
    storage_state: str = "AVAILABLE"


class ExperimentRequest(Wire, kw_only=True):
    """Body of POST /experiments."""

    display_name: str = ""
    description: str = ""


class ExperimentList(Wire, kw_only=True, omit_defaults=False):
    experiments: Sequence[Experiment] = ()
    total_size: int = 0
    next_page_token: str = ""


class Pipeline(Wire, kw_only=True):
    pipeline_id: str = ""
    name: str = ""
    display_name: str = ""
    description: str = ""
    created_at: str = ""
    latest_version_id: str = ""
    """Ours."""


class PipelineList(Wire, kw_only=True, omit_defaults=False):
    pipelines: Sequence[Pipeline] = ()
    total_size: int = 0
    next_page_token: str = ""


class InputSpec(Wire, kw_only=True):
    """Ours: one input of a pipeline. `type` is the declared type as text (`Integer`, `Float`, `Bool`, `String`,
    `List`, `Dict`, or any other name), "" where none is declared; `default` None where there is none."""

    name: str
    type: str = ""
    default: str | None = None
    optional: bool = False
    description: str = ""


class PipelineVersion(Wire, kw_only=True):
    pipeline_id: str = ""
    pipeline_version_id: str = ""
    name: str = ""
    display_name: str = ""
    description: str = ""
    created_at: str = ""
    pipeline_spec: Mapping[str, Any] | None = None
    """The document, in answers to a GET of one version."""
    inputs: Sequence[InputSpec] = ()
    """Ours."""


class PipelineVersionList(Wire, kw_only=True, omit_defaults=False):
    pipeline_versions: Sequence[PipelineVersion] = ()
    total_size: int = 0
    next_page_token: str = ""


class VersionRequest(Wire, kw_only=True):
    """Body of POST /pipelines/{id}/versions. `name` may be left out where `display_name` is given."""

    name: str = ""
    display_name: str = ""
    description: str = ""
    pipeline_spec: Document = msgspec.field(default_factory=msgspec.Raw)
    """The document: a Workflow as JSON."""


class PipelineRequest(Wire, kw_only=True):
    """Body of POST /pipelines/create: a pipeline and its first version."""

    pipeline: Pipeline
    pipeline_version: VersionRequest


class VersionReference(Wire, kw_only=True):
    pipeline_id: str = ""
    pipeline_version_id: str = ""


class RuntimeConfig(Wire, kw_only=True):
    parameters: Mapping[str, Any] = {}
    """Numbers, texts, booleans, lists and objects in a request; texts in an answer."""


class Status(Wire, kw_only=True, omit_defaults=False):
    """An error: of a run, or the body of every answer with a status of 400 or more."""

    code: int = 0
    message: str = ""
    details: Sequence[Any] = ()


class Metric(Wire, kw_only=True, omit_defaults=False):
    """Ours. `value` null is a NaN or an infinity."""

    name: str
    node_id: str = ""
    value: float | None = None
    format: str = "RAW"
    step: str = ""


class Progress(Wire, kw_only=True, omit_defaults=False):
    """Ours: steps of the run by where they stand."""

    pending: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0


class Run(Wire, kw_only=True):
    run_id: str = ""
    display_name: str = ""
    description: str = ""
    experiment_id: str = ""
    storage_state: str = "AVAILABLE"
    state: str = ""
    """PENDING RUNNING CANCELING SUCCEEDED SKIPPED FAILED CANCELED."""
    pipeline_version_reference: VersionReference | None = None
    runtime_config: RuntimeConfig | None = None
    service_account: str = ""
    created_at: str = ""
    scheduled_at: str = ""
    finished_at: str = ""
    error: Status | None = None
    # ours:
    started_at: str = ""
    phase: str = ""
    """Argo's phase of the workflow."""
    message: str = ""
    workflow_name: str = ""
    pipeline_name: str = ""
    progress: Progress | None = None
    metrics: Sequence[Metric] = ()


class RunRequest(Wire, kw_only=True):
    """Body of POST /runs. What runs is the version that is referred to, or the document itself."""

    display_name: str = ""
    description: str = ""
    experiment_id: str = ""
    pipeline_version_reference: VersionReference | None = None
    pipeline_spec: Document = msgspec.field(default_factory=msgspec.Raw)
    """A Workflow as JSON."""
    runtime_config: RuntimeConfig | None = None
    no_cache: bool = False
    """Ours: run every step, though an equal one ran before."""


class RunList(Wire, kw_only=True, omit_defaults=False):
    runs: Sequence[Run] = ()
    total_size: int = 0
    next_page_token: str = ""


class StopRequest(Wire, kw_only=True):
    """Ours: body of POST /runs/{id}:stop. With Stop exit handlers still run, with Terminate they do not."""

    strategy: Literal["Stop", "Terminate"] = "Stop"


class RetryRequest(Wire, kw_only=True):
    """Body of POST /runs/{id}:retry; all of it ours."""

    restart_successful: bool = False
    """Run the nodes of the selector again, too."""
    node_field_selector: str = ""
    """Such as `displayName=train,phase!=Failed`, as Argo takes it."""
    parameters: Mapping[str, Any] = {}
    """Values that go before those that the run had."""


class ResubmitRequest(Wire, kw_only=True):
    """Ours: body of POST /runs/{id}:resubmit. Memoized, what went well in a run that failed is skipped."""

    memoized: bool = False
    parameters: Mapping[str, Any] = {}


class RerunRequest(Wire, kw_only=True):
    """Ours: body of POST /runs/{id}:rerun. The new run goes on with the step of this shown name, name or id."""

    from_step: str
    parameters: Mapping[str, Any] = {}


class ResumeRequest(Wire, kw_only=True):
    """Ours: body of POST /runs/{id}:resume. Without a step all that waits goes on."""

    step: str = ""
    """Name, shown name or id of a node."""
    parameters: Mapping[str, Any] = {}
    """Values for the outputs that a person supplies."""


class NodeList(Wire, kw_only=True, omit_defaults=False):
    """Ours: GET /runs/{id}/nodes. `last_event` is where the event stream goes on after this answer."""

    nodes: Sequence[Node] = ()
    last_event: int = 0


class Gone(Wire, kw_only=True, omit_defaults=False):
    """Ours: an event of kind `gone`: ids of nodes that the run has no more, since their steps run again."""

    ids: Sequence[str]


class Note(Wire, kw_only=True, omit_defaults=False):
    """Ours: an event of kind `note`."""

    message: str
    nodeId: str = ""  # noqa: N815 - as the nodes beside it


class ViewList(Wire, kw_only=True, omit_defaults=False):
    """Ours: GET /runs/{id}/nodes/{node}/views and GET /runs/{id}/views. Views are `outputs.View` values; the HTML of a
    web-app is not among them, see …/views/{index}/html."""

    views: Sequence[Any] = ()


class Member(Wire, kw_only=True, omit_defaults=False):
    """Ours: a file of a directory artifact. `size` in bytes."""

    path: str
    size: int


class MemberList(Wire, kw_only=True, omit_defaults=False):
    """Ours: what a directory artifact holds, sorted by path; `total_size` counts all files, also those left out."""

    members: Sequence[Member] = ()
    total_size: int = 0


class ArtifactData(Wire, kw_only=True, omit_defaults=False):
    """GET /runs/{id}/nodes/{node}/artifacts/{name}:read."""

    data: bytes
    """Base64."""
