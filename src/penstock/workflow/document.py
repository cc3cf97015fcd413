"""The typed Workflow: what the engine reads after `fields.normalise` has checked it.

Types follow Argo's `workflow_types.go`. Where Argo takes an integer or a text (it may hold a tag), the field is text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from penstock.workflow.metrics import Metrics
from penstock.workflow.parts import Part
from penstock.workflow.pods import HostAlias
from penstock.workflow.status import Archive

__all__ = [
    "KEYED",
    "Arguments",
    "ArtifactSpec",
    "Backoff",
    "Container",
    "ContainerSet",
    "ContinueOn",
    "Dag",
    "EnvVar",
    "EnvVarSource",
    "Hook",
    "InputSpec",
    "KeyRef",
    "Memoize",
    "ParameterSpec",
    "Raw",
    "RetryStrategy",
    "Sequence",
    "Spec",
    "Suspend",
    "Synchronization",
    "Task",
    "Template",
    "UserContainer",
    "ValueFrom",
    "Volume",
    "VolumeMount",
    "Workflow",
]


KEYED = "keyed"
"""Where in the store the objects lie whose keys documents name. All runs share them."""


class KeyRef(Part, frozen=True, kw_only=True):
    """A key of a config map or of a secret."""

    name: str = ""
    key: str = ""
    optional: bool = False


class ValueFrom(Part, frozen=True, kw_only=True):
    """Where a parameter's value comes from. `supplied` is empty or, where no person gives the value, None."""

    path: str = ""
    default: str | None = None
    json_path: str = ""
    jq_filter: str = ""
    parameter: str = ""
    expression: str = ""
    supplied: Mapping[str, Any] | None = None
    config_map_key_ref: KeyRef | None = None


class ParameterSpec(Part, frozen=True, kw_only=True):
    """A parameter of arguments, inputs or outputs."""

    name: str
    value: str | None = None
    default: str | None = None
    description: str = ""
    enum: tuple[str, ...] = ()
    global_name: str = ""
    value_from: ValueFrom | None = None


class Raw(Part, frozen=True, kw_only=True):
    """An artifact's content, given in the document."""

    data: str = ""


class S3Location(Part, frozen=True, kw_only=True):
    """A place in an object store. Without an endpoint it is one in the store of this Penstock."""

    key: str = ""
    endpoint: str = ""


class ArtifactSpec(Part, frozen=True, kw_only=True):
    """An artifact of arguments, inputs or outputs. `from_` is `from`: `{{tasks.A.outputs.artifacts.X}}`."""

    name: str
    path: str = ""
    from_: str = msgspec.field(default="", name="from")
    from_expression: str = ""
    raw: Raw | None = None
    s3: S3Location | None = None
    sub_path: str = ""
    optional: bool = False
    global_name: str = ""
    mode: int | None = None
    recurse_mode: bool = False
    archive: Archive | None = None

    @property
    def own_key(self) -> str:
        """The key, in this Penstock's store, that the document itself names; "" where it names none."""
        here = self.s3 is not None and not self.s3.endpoint
        return f"{KEYED}/{self.s3.key.strip('/')}" if here and self.s3 is not None and self.s3.key else ""


class Arguments(Part, frozen=True, kw_only=True):
    """Also the shape of `inputs` and `outputs`."""

    parameters: tuple[ParameterSpec, ...] = ()
    artifacts: tuple[ArtifactSpec, ...] = ()


class FieldRef(Part, frozen=True, kw_only=True):
    """A field of the pod."""

    field_path: str = ""


class EnvVarSource(Part, frozen=True, kw_only=True):
    """Where a variable's value comes from."""

    field_ref: FieldRef | None = None
    config_map_key_ref: KeyRef | None = None
    secret_key_ref: KeyRef | None = None


class EnvVar(Part, frozen=True, kw_only=True):
    """One variable of a container's environment."""

    name: str
    value: str = ""
    value_from: EnvVarSource | None = None


class ObjectRef(Part, frozen=True, kw_only=True):
    """A config map or a secret."""

    name: str = ""
    optional: bool = False


class EnvFromSource(Part, frozen=True, kw_only=True):
    """All entries of a config map or a secret as variables, `prefix` before their names."""

    prefix: str = ""
    config_map_ref: ObjectRef | None = None
    secret_ref: ObjectRef | None = None


class VolumeMount(Part, frozen=True, kw_only=True):
    """Where a container sees a volume, or what lies at `sub_path` in it; in `sub_path_expr` stand variables."""

    name: str
    mount_path: str
    sub_path: str = ""
    sub_path_expr: str = ""
    read_only: bool = False


class KeyToPath(Part, frozen=True, kw_only=True):
    """The file that an entry of a config map or a secret becomes."""

    key: str = ""
    path: str = ""


class ObjectVolume(Part, frozen=True, kw_only=True):
    """Entries of a config map or a secret as files, all of them where no `items` are named."""

    name: str = ""
    secret_name: str = ""
    items: tuple[KeyToPath, ...] = ()
    optional: bool = False


class FieldFile(Part, frozen=True, kw_only=True):
    """The file that a field of the pod becomes."""

    path: str = ""
    field_ref: FieldRef | None = None


class FieldVolume(Part, frozen=True, kw_only=True):
    """Fields of the pod as files."""

    items: tuple[FieldFile, ...] = ()


class Projection(Part, frozen=True, kw_only=True):
    """One part of a projected volume."""

    config_map: ObjectVolume | None = None
    secret: ObjectVolume | None = None
    downward_api: FieldVolume | None = msgspec.field(default=None, name="downwardAPI")


class Projected(Part, frozen=True, kw_only=True):
    """Several sources in one volume."""

    sources: tuple[Projection, ...] = ()


class ClaimRef(Part, frozen=True, kw_only=True):
    """A claim by its name."""

    claim_name: str = ""
    read_only: bool = False


class Volume(Part, frozen=True, kw_only=True):
    """What containers of a step see at their mounts: an empty folder of the step's own, unless a source is named."""

    name: str
    config_map: ObjectVolume | None = None
    secret: ObjectVolume | None = None
    downward_api: FieldVolume | None = msgspec.field(default=None, name="downwardAPI")
    projected: Projected | None = None
    persistent_volume_claim: ClaimRef | None = None


class ContainerPort(Part, frozen=True, kw_only=True):
    """A port of a container, by a name."""

    name: str = ""
    container_port: Any = None


class ProbeHeader(Part, frozen=True, kw_only=True):
    """A header of a probe's request."""

    name: str
    value: str = ""


class HttpProbe(Part, frozen=True, kw_only=True):
    """A request to a container. `port` is a number or the name of one of its ports."""

    port: Any
    path: str = ""
    scheme: str = "HTTP"
    http_headers: tuple[ProbeHeader, ...] = ()


class SocketProbe(Part, frozen=True, kw_only=True):
    """A connection to a port of a container, a number or a name."""

    port: Any


class Probe(Part, frozen=True, kw_only=True):
    """How a container is asked whether it is ready. Times are in seconds."""

    http_get: HttpProbe | None = None
    tcp_socket: SocketProbe | None = None
    initial_delay_seconds: Any = None
    period_seconds: Any = None
    timeout_seconds: Any = None


class Container(Part, frozen=True, kw_only=True):
    """A container or, with `source`, a script."""

    image: str = ""
    name: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    source: str = ""
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[EnvFromSource, ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()
    working_dir: str = ""
    resources: Any = None
    ports: tuple[ContainerPort, ...] = ()
    readiness_probe: Probe | None = None
    tty: bool = False


class UserContainer(Container, frozen=True, kw_only=True):
    """A container beside a step's own. `mirror_volume_mounts`: it sees the volumes that the step's own sees, too."""

    mirror_volume_mounts: bool = False


class SetContainer(Container, frozen=True, kw_only=True):
    """A container of a set: it begins when those that it depends on have ended with 0."""

    dependencies: tuple[str, ...] = ()


class SetRetry(Part, frozen=True, kw_only=True):
    """How often the program of each container of a set is run until it ends with 0, and what lies between two times."""

    retries: str = ""
    duration: str = ""


class ContainerSet(Part, frozen=True, kw_only=True):
    """Several containers of one pod. All see `volume_mounts`."""

    containers: tuple[SetContainer, ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()
    retry_strategy: SetRetry | None = None

    @property
    def own(self) -> SetContainer:
        """The container that stands for the pod: `main`, which inputs and outputs are of, else the last one."""
        last = self.all[-1] if self.containers else SetContainer()
        return next((each for each in self.all if each.name == "main"), last)

    @property
    def all(self) -> tuple[SetContainer, ...]:
        """The containers, each with all that it mounts."""
        return tuple(
            msgspec.structs.replace(each, volume_mounts=(*each.volume_mounts, *self.volume_mounts))
            for each in self.containers
        )


class Backoff(Part, frozen=True, kw_only=True):
    """Waits between attempts. Durations are texts such as `10`, `10s`, `2m`."""

    duration: str = ""
    factor: str = ""
    max_duration: str = ""
    cap: str = ""


class RetryStrategy(Part, frozen=True, kw_only=True):
    """How often a template is tried. `limit` None: without end."""

    limit: str | None = None
    retry_policy: str = ""
    expression: str = ""
    backoff: Backoff | None = None


class Sequence(Part, frozen=True, kw_only=True):
    """A loop over numbers."""

    count: str | None = None
    start: str | None = None
    end: str | None = None
    format: str = ""


class ContinueOn(Part, frozen=True, kw_only=True):
    """After which bad ends the run goes on."""

    error: bool = False
    failed: bool = False


class Hook(Part, frozen=True, kw_only=True):
    """A template to run at an occasion: an end, or the first time that `expression` is true."""

    template: str = ""
    expression: str = ""
    arguments: Arguments = Arguments()


class Task(Part, frozen=True, kw_only=True):
    """A task of a DAG or a step of steps."""

    name: str = ""
    template: str = ""
    inline: Template | None = None
    arguments: Arguments = Arguments()
    dependencies: tuple[str, ...] = ()
    depends: str = ""
    when: str = ""
    with_items: tuple[Any, ...] | None = None
    with_param: str = ""
    with_sequence: Sequence | None = None
    continue_on: ContinueOn | None = None
    on_exit: str = ""
    hooks: Mapping[str, Hook] = {}

    @property
    def exit_hook(self) -> Hook | None:
        """What runs after the task: `hooks.exit`, or `onExit` without arguments."""
        return self.hooks.get("exit") or (Hook(template=self.on_exit) if self.on_exit else None)

    @property
    def lifecycle_hooks(self) -> Mapping[str, Hook]:
        """What runs as soon as its expression is true."""
        return {name: hook for name, hook in self.hooks.items() if name != "exit"}

    @property
    def loops(self) -> bool:
        """True when the task is expanded into one node an item."""
        return bool(self.with_items) or bool(self.with_param) or self.with_sequence is not None

    def continues(self, phase: str) -> bool:
        """True when a bad end in `phase` does not count (Argo's `ContinuesOn`)."""
        on = self.continue_on
        return on is not None and ((on.failed and phase == "Failed") or (on.error and phase == "Error"))


class Dag(Part, frozen=True, kw_only=True):
    """Tasks and what they depend on."""

    tasks: tuple[Task, ...] = ()
    target: str = ""
    fail_fast: bool = True


class Suspend(Part, frozen=True, kw_only=True):
    """A wait for a person, or for `duration` (`20`, `20s`, `6h`), whichever ends first."""

    duration: str = ""


class Mutex(Part, frozen=True, kw_only=True):
    """A lock with one holder."""

    name: str
    namespace: str = ""


class Semaphore(Part, frozen=True, kw_only=True):
    """A lock with as many holders as a config map says."""

    config_map_key_ref: KeyRef
    namespace: str = ""


class Synchronization(Part, frozen=True, kw_only=True):
    """What is held from the start to the end."""

    mutexes: tuple[Mutex, ...] = ()
    semaphores: tuple[Semaphore, ...] = ()

    @property
    def wanted(self) -> bool:
        """True where there is anything to hold."""
        return bool(self.mutexes or self.semaphores)


class Cache(Part, frozen=True, kw_only=True):
    """Where results are kept: a name, which is a config map's on a cluster."""

    config_map: KeyRef


class Memoize(Part, frozen=True, kw_only=True):
    """Outputs of a former node with the same key stand for running again, unless they are older than `max_age`."""

    key: str = ""
    max_age: str = ""
    cache: Cache


class Resource(Part, frozen=True, kw_only=True):
    """An object of a cluster, and what is done with it."""

    action: str = ""
    manifest: str = ""
    flags: tuple[str, ...] = ()


class HttpHeaderSource(Part, frozen=True, kw_only=True):
    """Where a header's value comes from."""

    secret_key_ref: KeyRef | None = None


class HttpHeader(Part, frozen=True, kw_only=True):
    """A header of a request."""

    name: str
    value: str = ""
    value_from: HttpHeaderSource | None = None


class HttpBody(Part, frozen=True, kw_only=True):
    """A body that is no text: base64."""

    bytes: str = ""


class Http(Part, frozen=True, kw_only=True):
    """A request, and when its answer is a success."""

    url: str = ""
    method: str = ""
    headers: tuple[HttpHeader, ...] = ()
    body: str = ""
    body_from: HttpBody | None = None
    timeout_seconds: str = ""
    insecure_skip_verify: bool = False
    success_condition: str = ""


class DataSource(Part, frozen=True, kw_only=True):
    """Where a listing comes from."""

    artifact_paths: ArtifactSpec | None = None


class Transformation(Part, frozen=True, kw_only=True):
    """One step of a transformation."""

    expression: str = ""


class Data(Part, frozen=True, kw_only=True):
    """Names of stored files, transformed."""

    source: DataSource = DataSource()
    transformation: tuple[Transformation, ...] = ()


class ClaimMetadata(Part, frozen=True, kw_only=True):
    """The name of a claim of the run's own."""

    name: str = ""


class ClaimTemplate(Part, frozen=True, kw_only=True):
    """A claim that the run makes for itself."""

    metadata: ClaimMetadata = ClaimMetadata()


class VolumeClaimGC(Part, frozen=True, kw_only=True):
    """When the run's own claims are removed: `OnWorkflowSuccess`, or `OnWorkflowCompletion`."""

    strategy: str = ""


class LabelFrom(Part, frozen=True, kw_only=True):
    """A label that an expression makes."""

    expression: str = ""


class WorkflowMetadata(Part, frozen=True, kw_only=True):
    """Labels and annotations that a run gets, before those of its document."""

    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    labels_from: Mapping[str, LabelFrom] = {}


class PodMetadata(Part, frozen=True, kw_only=True):
    """Labels and annotations of a pod; `fieldRef` reads them."""

    labels: Mapping[str, Any] = {}
    annotations: Mapping[str, Any] = {}


class Template(Part, frozen=True, kw_only=True):
    """One template. In a checked document one of the fields from `container` to `data` is set.

    `scope` is "" for a template of the document, else that of the object that holds it: `namespaced/NAME` or
    `cluster/NAME`. What it calls without a scope is there, too.
    """

    name: str = ""
    scope: str = ""
    inputs: Arguments = Arguments()
    outputs: Arguments = Arguments()
    container: Container | None = None
    script: Container | None = None
    container_set: ContainerSet | None = None
    dag: Dag | None = None
    steps: tuple[tuple[Task, ...], ...] | None = None
    suspend: Suspend | None = None
    resource: Resource | None = None
    http: Http | None = None
    data: Data | None = None
    pod_spec_patch: str = ""
    active_deadline_seconds: str = ""
    timeout: str = ""
    pending_timeout: str = ""
    synchronization: Synchronization | None = None
    memoize: Memoize | None = None
    retry_strategy: RetryStrategy | None = None
    parallelism: int = 0
    fail_fast: bool = False
    annotations: Mapping[str, str] = {}
    metadata: PodMetadata = PodMetadata()
    volumes: tuple[Volume, ...] = ()
    init_containers: tuple[UserContainer, ...] = ()
    sidecars: tuple[UserContainer, ...] = ()
    daemon: bool = False
    metrics: Metrics = Metrics()
    node_selector: Mapping[str, str] = {}
    affinity: Mapping[str, Any] = {}
    host_aliases: tuple[HostAlias, ...] = ()

    @property
    def display_name(self) -> str:
        """What the template's nodes are to be shown as, "" for their own names."""
        return self.annotations.get("workflows.argoproj.io/display-name", "")

    @property
    def main(self) -> Container | None:
        """The container of a template that makes a pod."""
        return self.container or self.script or (self.container_set.own if self.container_set is not None else None)

    @property
    def beside(self) -> tuple[Container, ...]:
        """The other containers of its pod."""
        others = self.container_set.all if self.container_set is not None else ()
        return (*self.init_containers, *others, *self.sidecars)

    @property
    def makes_pod(self) -> bool:
        """True for a template whose nodes a host does something for."""
        return self.main is not None or self.resource is not None or self.data is not None or self.http is not None

    def tasks(self) -> Iterator[Task]:
        """Tasks of a DAG or steps of all groups, in order."""
        if self.dag is not None:
            yield from self.dag.tasks
        for group in self.steps or ():
            yield from group


class Spec(Part, frozen=True, kw_only=True):
    """What a Workflow asks for."""

    entrypoint: str = ""
    arguments: Arguments = Arguments()
    templates: tuple[Template, ...] = ()
    on_exit: str = ""
    hooks: Mapping[str, Hook] = {}
    parallelism: int | None = None
    active_deadline_seconds: int | None = None
    synchronization: Synchronization | None = None
    priority: int = 0
    service_account_name: str = "default"
    volumes: tuple[Volume, ...] = ()
    pod_spec_patch: str = ""
    node_selector: Mapping[str, str] = {}
    affinity: Mapping[str, Any] = {}
    host_aliases: tuple[HostAlias, ...] = ()
    workflow_metadata: WorkflowMetadata = WorkflowMetadata()
    volume_claim_templates: tuple[ClaimTemplate, ...] = ()
    volume_claim_gc: VolumeClaimGC = msgspec.field(default=VolumeClaimGC(), name="volumeClaimGC")
    metrics: Metrics = Metrics()

    @property
    def exit_hook(self) -> Hook | None:
        """What runs after the entrypoint: `hooks.exit`, or `onExit` with the workflow's arguments."""
        return self.hooks.get("exit") or (Hook(template=self.on_exit) if self.on_exit else None)

    @property
    def lifecycle_hooks(self) -> Mapping[str, Hook]:
        """What runs as soon as its expression is true."""
        return {name: hook for name, hook in self.hooks.items() if name != "exit"}


class InputSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One input of a pipeline. `type` as declared (`Integer`, `List`, …), "" where none is; `default` None: none."""

    name: str
    type: str = ""
    default: str | None = None
    optional: bool = False
    description: str = ""


class Workflow(msgspec.Struct, frozen=True, kw_only=True):
    """A checked document.

    `raw` is the document as it was given and must not be changed. `templates` are those of the spec with
    `templateDefaults` applied, by name, as JSON-able values; `spec` has the same typed. `referenced` are the templates
    of other objects that it needs, by their qualified names; they stand in `templates`, too. `stored` keeps them
    with a run, in its `status`. `notes` says what is without effect.
    """

    raw: Mapping[str, Any]
    spec: Spec
    templates: Mapping[str, Mapping[str, Any]] = {}
    name: str = ""
    generate_name: str = ""
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()
    inputs: tuple[InputSpec, ...] = ()
    referenced: Mapping[str, Template] = {}
    stored: Mapping[str, Any] = {}

    @property
    def namespace(self) -> str:
        """The namespace that the document names; it says nothing here but in names."""
        return str((self.raw.get("metadata") or {}).get("namespace") or "default")

    @property
    def title(self) -> str:
        """The name to call it by in messages: the pipeline's, else the document's."""
        return pipeline_name(self.annotations) or self.name or self.generate_name.rstrip("-") or "workflow"

    def images(self) -> tuple[tuple[str, str, tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]], ...]:
        """(template name, image, command, images and commands beside it) of every template that makes a pod, inline
        ones too."""
        return tuple(
            (
                template.name or "inline",
                template.main.image,
                template.main.command,
                tuple((each.image, each.command) for each in template.beside),
            )
            for template in self.all_templates()
            if template.main is not None
        )

    def all_templates(self) -> Iterator[Template]:
        """Templates of the document, those of other objects, and those inside them."""
        return _all_templates((*self.spec.templates, *self.referenced.values()))

    @property
    def daemons(self) -> bool:
        """True when some template is a daemon."""
        return any(template.daemon for template in self.all_templates())

    @property
    def metered(self) -> bool:
        """True when some template has metrics."""
        return any(template.metrics.prometheus for template in self.all_templates())

    @property
    def hooked(self) -> bool:
        """True when the run or some task has a hook with an expression."""
        return bool(self.spec.lifecycle_hooks) or any(
            task.lifecycle_hooks for template in self.all_templates() for task in template.tasks()
        )


def _all_templates(templates: tuple[Template, ...]) -> Iterator[Template]:
    for template in templates:
        yield template
        yield from _all_templates(tuple(task.inline for task in template.tasks() if task.inline is not None))


def pipeline_name(annotations: Mapping[str, str]) -> str:
    """Name in the annotation `pipelines.kubeflow.org/pipeline_spec`, "" where there is none."""
    try:
        spec = msgspec.json.decode(annotations.get("pipelines.kubeflow.org/pipeline_spec", "{}"))
    except msgspec.DecodeError:
        return ""
    return str(spec.get("name") or "") if isinstance(spec, dict) else ""
