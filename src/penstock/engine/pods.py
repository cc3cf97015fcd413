"""Pods: from a processed template to what a launcher needs, and from an exit to a node's end.

(Argo: `createWorkflowPod`, `inferFailedReason` in `workflow/controller`.)
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from penstock.engine import containers, timeout
from penstock.engine.caching import caching_of
from penstock.engine.durations import seconds_of
from penstock.engine.environment import Fields, environment, expanded
from penstock.engine.exits import may_go_on
from penstock.engine.places import call_of, place_of
from penstock.engine.plans import processed, retry_scope
from penstock.engine.protocol import ArtifactOutput, Exited, Launch, ParameterOutput, Pod
from penstock.engine.readiness import readiness_of
from penstock.engine.state import Call, Fault, Turn
from penstock.engine.variables import globals_of
from penstock.engine.volumes import mounts_of, volumes_of
from penstock.errors import InvalidDocument
from penstock.workflow import pods, tags
from penstock.workflow.configuration import SECRET
from penstock.workflow.document import KEYED, Container, Data, Http, ParameterSpec, Resource, Template, UserContainer
from penstock.workflow.nodes import artifact_key, pod_name
from penstock.workflow.patches import patched
from penstock.workflow.pods import Companion, HostAlias
from penstock.workflow.quantities import Needs, limits_of, needs_of
from penstock.workflow.scheduling import unmet
from penstock.workflow.status import Artifact, Node, NodeInputs, NodeOutputs, NodeType, Parameter, Phase

__all__ = ["ended", "launch", "launch_again"]

_RESULT = re.compile(r"(?=\.([a-zA-Z0-9][-a-zA-Z0-9]*)\.outputs\.result)")


def launch(turn: Turn, call: Call, template: Template, inputs: NodeInputs) -> None:
    """Make the node of a pod and ask for its launch. After a stop or the deadline it fails at once."""
    node = turn.begin(
        call, NodeType.HTTP if template.http is not None else NodeType.POD, Phase.PENDING, template, inputs
    )
    turn.memo.calls[call.id] = call
    if not may_go_on(turn, call.exit):
        turn.mark(node.id, Phase.FAILED, f"workflow shutdown with strategy: {turn.shutdown}")
    elif not call.exit and timeout.run_expired(turn):
        turn.mark(node.id, Phase.FAILED, timeout.RUN_EXPIRED)
    else:
        turn.commands.append(Launch(pod=pod_of(turn, call, template, inputs)))
        if template.container_set is not None:
            containers.create(turn, node, template.container_set)
        timeout.created(turn, node, template)


def launch_again(turn: Turn, node: Node) -> Launch:
    """The launch of a node that is not fulfilled, for a host that has lost it."""
    call, inputs = call_of(turn, node.id), node.inputs or NodeInputs()
    return Launch(pod=pod_of(turn, call, processed(turn, call, inputs, retry_scope(turn, call)), inputs))


def pod_of(turn: Turn, call: Call, template: Template, inputs: NodeInputs) -> Pod:
    """All that a host needs."""
    name = pod_name(turn.run.name, call.name, call.called)
    pod = Pod(
        node_id=call.id,
        name=name,
        display_name=turn.nodes[call.id].display_name,
        template_name=call.called,
        input_artifacts=tuple(a for a in inputs.artifacts if a.given),
        output_parameters=_output_parameters(template),
        output_artifacts=tuple(
            ArtifactOutput(
                name=artifact.name,
                path=artifact.path,
                key=artifact.own_key or artifact_key(turn.run.name, name, artifact.name),
                optional=artifact.optional,
                archive=artifact.archive,
            )
            for artifact in template.outputs.artifacts
            if artifact.path
        ),
        daemon=template.daemon,
        capture_result=_result_wanted(turn, call),
        labels={key: str(value) for key, value in template.metadata.labels.items()},
        annotations={key: str(value) for key, value in template.metadata.annotations.items()},
    )
    if template.resource is not None:
        return msgspec.structs.replace(pod, resource=_resource(template, template.resource))
    try:
        if template.http is not None:
            return msgspec.structs.replace(pod, http=_request(turn, template.http))
        if template.data is not None:
            return msgspec.structs.replace(pod, data=_listing(template.data))
        return _with_containers(turn, pod, template, call.text)
    except Fault as fault:
        return msgspec.structs.replace(pod, unmet=str(fault))


def _with_containers(turn: Turn, pod: Pod, template: Template, written: str) -> Pod:
    """The pod with its containers and volumes. Raises Fault for what the document refers to and nobody gave."""
    template = _patched(turn, template)
    _place(turn, template)
    main = template.main
    assert main is not None
    fields = Fields(turn, pod.name, template.metadata, written)
    env = environment(turn, main, fields)
    pod = msgspec.structs.replace(
        pod,
        image=main.image,
        command=_words(main.command, env, fields),
        args=_words(main.args, env, fields),
        script=main.source if template.script is not None and main.source else None,
        working_dir=main.working_dir,
        env=env,
        mounts=mounts_of(turn, template, main, env, fields),
        limits=limits_of(main.resources),
        needs=_needs(template),
        ready=readiness_of(template),
        volumes=volumes_of(turn, template, fields),
        hosts=_hosts(turn, template),
        tty=main.tty,
        init=tuple(_companion(turn, each, template, fields) for each in template.init_containers),
        containers=_contained(turn, template, fields),
        sidecars=tuple(_companion(turn, each, template, fields) for each in template.sidecars),
    )
    # What lies on a claim tells no two steps apart.
    on_claims = any(volume.claim for volume in pod.volumes)
    return pod if on_claims else msgspec.structs.replace(pod, caching=caching_of(template))


def _hosts(turn: Turn, template: Template) -> tuple[HostAlias, ...]:
    """The template's own names of machines, else the workflow's. Raises Fault for what is no address or no name."""
    asked = template.host_aliases or turn.run.workflow.spec.host_aliases
    if not asked:
        return ()
    text = tags.replace(msgspec.json.encode(asked).decode(), globals_of(turn))
    found = msgspec.json.decode(text, type=tuple[HostAlias, ...])
    fault = next((alias.fault for alias in found if alias.fault), "")
    if fault:
        raise Fault(f"hostAliases: {fault}")
    return found


def _place(turn: Turn, template: Template) -> None:
    """Raise Fault where the machine does not meet what tags made of a selector or an affinity."""
    spec = turn.run.workflow.spec
    asked = (template.node_selector or spec.node_selector, template.affinity or spec.affinity)
    if any(asked):
        text = tags.replace(msgspec.json.encode(asked).decode(), globals_of(turn))
        fault = unmet(*msgspec.json.decode(text, type=tuple[dict[str, str], dict[str, Any]]), turn.run.config.machine)
        if fault:
            raise Fault(fault)


def _patched(turn: Turn, template: Template) -> Template:
    """The template as its patches of the pod, the workflow's first, make it. Raises Fault."""
    common = turn.workflow.spec.pod_spec_patch
    if "{{" in common:
        common = msgspec.json.decode(tags.replace(msgspec.json.encode(common).decode(), globals_of(turn)), type=str)
    for patch in filter(None, (common, template.pod_spec_patch)):
        try:
            template = patched(template, patch)
        except InvalidDocument as error:
            raise Fault(str(error)) from None
    return template


def _resource(template: Template, resource: Resource) -> pods.Resource:
    return pods.Resource(
        action=resource.action,
        manifest=resource.manifest,
        flags=resource.flags,
        outputs=tuple(
            pods.ResourceOutput(parameter.name, source.json_path or source.jq_filter, source.default)
            for parameter in template.outputs.parameters
            if (source := parameter.value_from) is not None
        ),
    )


def _request(turn: Turn, http: Http) -> pods.HttpRequest:
    """The request of a template. Raises Fault."""
    headers = []
    for header in http.headers:
        ref = header.value_from.secret_key_ref if header.value_from is not None else None
        value = turn.run.config.text(SECRET, ref.name, ref.key) if ref is not None else header.value
        if value is None and ref is not None and not ref.optional:
            raise Fault(turn.run.config.lacks(SECRET, ref.name, ref.key))
        headers.append((header.name, value or ""))
    try:
        body = base64.b64decode(http.body_from.bytes, validate=True) if http.body_from is not None else b""
        timeout = float(http.timeout_seconds or 30)
    except ValueError:
        raise Fault("http: bodyFrom.bytes must be base64, timeoutSeconds a number") from None
    return pods.HttpRequest(
        url=http.url,
        method=http.method.upper() or "GET",
        headers=tuple(headers),
        body=body or http.body.encode(),
        timeout=timeout,
        verify=not http.insecure_skip_verify,
        success_condition=http.success_condition,
    )


def _listing(data: Data) -> pods.DataRequest:
    source = data.source.artifact_paths
    key = source.own_key.removeprefix(f"{KEYED}/") if source is not None else ""
    return pods.DataRequest(key=key, transformation=tuple(step.expression for step in data.transformation))


def _output_parameters(template: Template) -> tuple[ParameterOutput, ...]:
    return tuple(
        ParameterOutput(name=parameter.name, path=source.path, default=source.default)
        for parameter in template.outputs.parameters
        if (source := parameter.value_from) is not None and source.path
    )


def _contained(turn: Turn, template: Template, fields: Fields) -> tuple[Companion, ...]:
    """The containers of a set. Raises Fault."""
    if template.container_set is None:
        return ()
    strategy = template.container_set.retry_strategy
    pause = seconds_of(strategy.duration) if strategy is not None and strategy.duration else 0.0
    tries = strategy.retries if strategy is not None else "1"
    if not tries.isdigit():
        raise Fault(f"containerSet.retryStrategy.retries: got {tries!r}, expected an integer")
    return tuple(
        msgspec.structs.replace(
            _companion(turn, each, template, fields), after=each.dependencies, tries=max(1, int(tries)), pause=pause
        )
        for each in template.container_set.all
    )


def _companion(turn: Turn, container: Container, template: Template, fields: Fields) -> Companion:
    env = environment(turn, container, fields)
    own = mounts_of(turn, template, container, env, fields)
    mirrors = isinstance(container, UserContainer) and container.mirror_volume_mounts
    mirrored = mounts_of(turn, template, template.main, env, fields) if mirrors and template.main else ()
    taken = {mount.path for mount in own}
    return Companion(
        name=container.name,
        image=container.image,
        command=_words(container.command, env, fields),
        args=_words(container.args, env, fields),
        working_dir=container.working_dir,
        env=env,
        mounts=(*own, *(mount for mount in mirrored if mount.path not in taken)),
        limits=limits_of(container.resources),
        tty=container.tty,
    )


def _words(words: Iterable[str], env: Iterable[tuple[str, str]], fields: Fields) -> tuple[str, ...]:
    variables = dict(env)
    return tuple(expanded(word, variables, fields.named) for word in words)


def _needs(template: Template) -> Needs:
    own = template.container_set.containers if template.container_set is not None else (template.main,)
    beside = [each.resources for each in (*own, *template.sidecars) if each is not None]
    return needs_of(beside, [each.resources for each in template.init_containers])


def _result_wanted(turn: Turn, call: Call) -> bool:
    """True when some reference to the step's `outputs.result` stands in the template that it belongs to."""
    if not call.boundary:
        return False
    node = turn.nodes[call.id]
    if node.node_flag is not None and node.node_flag.retried:
        node = turn.nodes[place_of(turn, node).owner]
    place = place_of(turn, node)
    return bool(place.task) and place.task in _with_results(turn, call_of(turn, call.boundary).text)


def _with_results(turn: Turn, text: str) -> frozenset[str]:
    """Names of the tasks and steps to whose `outputs.result` a template's text refers."""
    found = turn.memo.results.get(text)
    if found is None:
        found = turn.memo.results[text] = frozenset(_RESULT.findall(text))
    return found


# --- ends -------------------------------------------------------------------------------------------------------


def ended(turn: Turn, node: Node, event: Exited) -> None:
    """A pod has exited: its phase, message and outputs."""
    turn.timers.pop(node.id, None)
    ends = {
        "daemoned": False,
        "started_at": event.started_at if event.started_at is not None else node.started_at,
        "finished_at": event.finished_at if event.finished_at is not None else turn.now,
    }
    call = call_of(turn, node.id)
    try:
        template = processed(turn, call, node.inputs or NodeInputs(), retry_scope(turn, call))
    except Fault:
        template = call.template
    outputs = None if timeout.given_up(node) else _outputs(template, event)
    phase, message = _end(node, event)
    if template.daemon and phase is Phase.SUCCEEDED:  # it should have gone on
        phase = Phase.FAILED
    changes = {**ends, "outputs": outputs, "progress": f"{int(phase is Phase.SUCCEEDED)}/1"}
    node = turn.mark(node.id, phase, message, cached_from=event.cached_from, **changes)
    if template.container_set is not None:
        containers.ended(turn, node, event)


def _end(node: Node, event: Exited) -> tuple[Phase, str]:
    if timeout.killed(node):
        return Phase.FAILED, node.message
    failure = containers.failure(event.containers)
    if failure:
        return Phase.FAILED, failure
    if event.failed and not event.exit_code:
        return Phase.FAILED, event.failed
    if node.type is NodeType.HTTP and not event.error:
        return Phase.SUCCEEDED, ""
    if event.exit_code is None:
        return Phase.ERROR, event.error or "the outcome of the step is unknown"
    if event.exit_code:
        return Phase.FAILED, event.message or f"main: Error (exit code {event.exit_code})"
    return (Phase.ERROR, event.error) if event.error else (Phase.SUCCEEDED, "")


def _outputs(template: Template, event: Exited) -> NodeOutputs | None:
    outputs = NodeOutputs(
        parameters=_parameters(template, event),
        artifacts=_artifacts(template, event.artifacts),
        result=event.result,
        exit_code=_exit_code(template, event),
    )
    return outputs if outputs != NodeOutputs() else None


def _exit_code(template: Template, event: Exited) -> str | None:
    """The exit code of the container `main`, which a set need not have."""
    unnamed = template.container_set is not None and template.container_set.own.name != "main"
    return None if event.exit_code is None or unnamed else str(event.exit_code)


def _parameters(template: Template, event: Exited) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(name=declared.name, value=_value(declared, event), global_name=declared.global_name)
        for declared in template.outputs.parameters
        if event.exit_code is not None or declared.value is not None
    )


def _value(declared: ParameterSpec, event: Exited) -> str | None:
    """What an output became; None where the step ended badly before it was made."""
    source = declared.value_from
    if source is None:
        return declared.value
    return event.parameters.get(declared.name, source.default if event.exit_code == 0 else None)


def _artifacts(template: Template, stored: tuple[Artifact, ...]) -> tuple[Artifact, ...]:
    names = {artifact.name: artifact.global_name for artifact in template.outputs.artifacts}
    return tuple(
        msgspec.structs.replace(artifact, global_name=names[artifact.name]) if names.get(artifact.name) else artifact
        for artifact in stored
    )
