"""Steps that are alike but for their arguments: they have one template, which holds their program and notes once.

Two steps are alike when one component made them of the same inputs and their authors set the same on them. The inputs
of the template are then those of the component, and each task says what it hands to them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from penstock.components.tasks import ComponentOp, Form, form_of
from penstock.dsl.kubernetes import plain
from penstock.dsl.references import MARKER

if TYPE_CHECKING:
    from penstock.dsl.tracing import Trace

__all__ = ["Shared", "shared_steps"]

_TAG = "{{"


class Shared(NamedTuple):
    """What the steps of one template have in common."""

    form: Form
    key: object
    """Equal for steps that are alike."""


def shared_steps(trace: Trace) -> dict[str, Shared]:
    """The steps, by their names, of which there are others alike. The cost is linear in the number of steps.

    The exit step is none, since it is a task of nothing, nor is one that its author changed, or gave texts with tags or
    references in them: these mean something in its own template alone.
    """
    forms: dict[object, Form | None] = {}
    found: dict[str, Shared] = {}
    for name, op in trace.ops.items():
        if not isinstance(op, ComponentOp) or op.is_exit_handler or _changed(op):
            continue
        made_of = (id(op.component), *op.component_arguments)
        settings = _settings(op)
        if made_of not in forms:
            forms[made_of] = form_of(op)
        form = forms[made_of]
        if form is not None and MARKER.search(settings) is None and not _own_tags(op):
            found[name] = Shared(form, (made_of, settings))
    alike = Counter(shared.key for shared in found.values())
    return {name: shared for name, shared in found.items() if alike[shared.key] > 1}


def _changed(op: ComponentOp) -> bool:
    """Whether the author wrote another command line than the component's."""
    command, args = op.made_with
    return op.container.command != command or op.container.args != args


def _settings(op: ComponentOp) -> str:
    """All that is set on a step but its name and its arguments, as a text to compare."""
    containers = [plain(each) for each in (*op.init_containers, *op.sidecars)]
    pod = (op.pod_labels, op.pod_annotations, op.node_selector, op.tolerations, op.volumes, op.affinity)
    staleness = op.execution_options.caching_strategy.max_cache_staleness
    rules = (op.retry, op.timeout, op.enable_caching, op.cache_key, staleness, op.display_name)
    files = (op.sources, op.artifact_paths, {name: path for name, (path, _) in op.artifact_inputs.items()})
    return repr((op.container.image, op.container.settings, pod, rules, files, len(op.sidecars), containers))


def _own_tags(op: ComponentOp) -> bool:
    """Whether an argument holds a tag of the author's, which may mean another thing outside of the template."""
    texts = (*op.value_arguments.values(), *(text for _, text in op.artifact_inputs.values()))
    return any(_TAG in text and _TAG in MARKER.sub("", text) for text in texts)
