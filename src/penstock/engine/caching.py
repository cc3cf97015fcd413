"""Which steps may take over what an equal one made before, and for how long that counts.

A template's own word goes first: the label and the annotations that Kubeflow Pipelines has for it. Without a label it
is the steps that run a Python function: what they do stands in their command.
"""

from __future__ import annotations

import re

from penstock.engine.protocol import Caching
from penstock.workflow.document import Template

__all__ = ["caching_of"]

_FRONT = "pipelines.kubeflow.org/"
_DURATION = re.compile(
    r"P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_SECONDS = {
    "years": 365 * 86400,
    "months": 30 * 86400,
    "weeks": 7 * 86400,
    "days": 86400,
    "hours": 3600,
    "minutes": 60,
    "seconds": 1,
}
_FUNCTION = re.compile(r"^(?:async )?def ", re.MULTILINE)


def caching_of(template: Template) -> Caching | None:
    """How steps of a template (tags replaced) are cached, None where they are not."""
    annotations = template.metadata.annotations
    label = str(template.metadata.labels.get(_FRONT + "enable_caching", "")).lower()
    if label != "true" and (label or not _function(template)):
        return None
    staleness = str(annotations.get(_FRONT + "max_cache_staleness", ""))
    longest = _seconds(staleness) if staleness else None
    if longest == 0:
        return None
    return Caching(max_age=longest, key=str(annotations.get(_FRONT + "cache_key", "")))


def _function(template: Template) -> bool:
    """Whether the step is a function component: it says so, and its source stands in its command."""
    main = template.main
    if main is None or _FRONT + "component_spec" not in template.metadata.annotations:
        return False
    return any(_FUNCTION.search(word) for word in (*main.command, *main.args))


def _seconds(text: str) -> float:
    """Seconds of an ISO 8601 duration; 0 for a text that is none, so that nothing is reused by mistake."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        return 0.0
    return sum(float(value) * _SECONDS[name] for name, value in match.groupdict().items() if value)
